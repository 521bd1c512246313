"""Faces cut from labelled clips for a class that has few: measured, ranked, near-duplicates dropped."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from ..errors import DataError, EmoscopeError
from ..face.crop import SIDE, similarity
from ..face.detect import Detector, smallest_face
from ..face.track import Track, Tracker
from ..media import Frame, open_media
from .clips import Source
from .prepare import LONGEST_S
from .processes import spread

ALIKE = 0.97
"""Correlation of two faces of a clip above which the worse one is dropped."""
UNSURE = 0.95
"""Probability of being a face below which the detector is unsure."""
BLURRED = 0.1
"""Sharpness below which a face is blurred: a Gaussian blur of 0.8 pixels brings most faces of CREMA-D below it."""
TURNED = 0.25
"""Place of the nose beside the middle of the eyes, in distances of the eyes, above which a face is turned."""
CUT = 0.02
"""Share of the crop beyond the frame above which the face is cut."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A face that may be added to a class.

    Attributes:
        emotion: that of its clip, one of `emotions.EMOTIONS`.
        clip: the name of its clip.
        person: who it is.
        split: the part of the data set that the person is in: faces of `train` alone may be added to it.
        time: seconds from the clip's start.
        confidence: the detector's probability that it is a face.
        sharpness: see `sharpness`.
        turned: how far the nose lies beside the middle of the eyes, in distances of the eyes; 0 from the front.
        outside: share of the crop that lies beyond the frame, 0 to 1.
        face: `(48, 48)` uint8 grey, as `face.crop.crop_faces` makes it.
    """

    emotion: str
    clip: str
    person: str
    split: str
    time: float
    confidence: float
    sharpness: float
    turned: float
    outside: float
    face: np.ndarray

    @property
    def faults(self) -> tuple[str, ...]:
        """What is wrong with it, in words."""
        found = {
            "unsure": self.confidence < UNSURE,
            "blurred": self.sharpness < BLURRED,
            "turned": self.turned > TURNED,
            "cut": self.outside > CUT,
        }
        return tuple(word for word, is_so in found.items() if is_so)


def find(
    sources: Sequence[Source], workers: int | None = None, progress: Callable[[int, int], None] | None = None
) -> tuple[list[Candidate], list[str]]:
    """The candidates of all clips, best first.

    Args:
        sources: the clips.
        workers: processes; see `processes.spread`.
        progress: called with the number of clips done and of all.

    Returns:
        The candidates, and a line for each clip in which none was found, with the reason.

    Raises:
        DataError: there are none in any clip.
    """
    found: list[Candidate] = []
    failures: list[str] = []
    for done, outcome in enumerate(spread(_find_or_say, sources, workers), 1):
        if isinstance(outcome, str):
            failures.append(outcome)
        else:
            found += outcome
        if progress:
            progress(done, len(sources))
    if not found:
        raise DataError(f"no face in any of {len(sources)} clips" + (f"; the first: {failures[0]}" if failures else ""))
    return ranked(found), sorted(failures)


def ranked(candidates: Sequence[Candidate]) -> list[Candidate]:
    """Candidates with the fewest faults first; among those the sharpest of each clip, then the second of each ..."""
    places: Counter[str] = Counter()
    keys = []
    for candidate in sorted(candidates, key=_goodness):
        keys.append((len(candidate.faults), places[candidate.clip], candidate))
        places[candidate.clip] += 1
    return [candidate for _, _, candidate in sorted(keys, key=lambda key: (*key[:2], _goodness(key[2])))]


def _goodness(candidate: Candidate) -> tuple[int, float, str, float]:
    return len(candidate.faults), -candidate.sharpness, candidate.clip, candidate.time


def distinct(candidates: Sequence[Candidate]) -> list[Candidate]:
    """The candidates of a clip, best first, without those that look like a better one: correlation above `ALIKE`."""
    kept: list[Candidate] = []
    looks = np.empty((len(candidates), SIDE * SIDE), np.float32)
    for candidate in ranked(candidates):
        own = looks[len(kept)] = _even(candidate.face).ravel()
        if not (looks[: len(kept)] @ own > ALIKE * own.size).any():
            kept.append(candidate)
    return kept


def of_clip(source: Source) -> list[Candidate]:
    """The distinct candidates of a clip, best first: of the person who is seen in most frames.

    Raises:
        MediaError: the clip cannot be read.
        DataError: no face is in it.
    """
    tracker: Tracker | None = None
    seen: dict[int, list[Candidate]] = {}
    with open_media(source.path) as media:
        for item in media:
            if item.time > LONGEST_S:
                break
            if isinstance(item, Frame):
                tracker = tracker or Tracker(Detector(min_face=smallest_face(item.image)))
                for track in tracker.update(item.image, item.time):
                    seen.setdefault(track.person, []).append(_candidate(source, item, track))
    if not seen:
        raise DataError(f"{source.path}: no face in it")
    return distinct(max(seen.values(), key=len))


def _find_or_say(source: Source) -> list[Candidate] | str:
    try:
        return of_clip(source)
    except EmoscopeError as error:
        return str(error)


def _candidate(source: Source, frame: Frame, track: Track) -> Candidate:
    landmarks = track.landmarks.astype(np.float64)
    return Candidate(
        emotion=source.label,
        clip=source.name,
        person=source.person,
        split=source.split,
        time=frame.time,
        confidence=track.score,
        sharpness=sharpness(track.crop),
        turned=_turned(landmarks),
        outside=_outside(similarity(landmarks), *frame.image.shape[:2]),
        face=track.crop,
    )


def sharpness(face: np.ndarray) -> float:
    """Variance of the Laplacian (Pech-Pacheco et al. 2000, doi:10.1109/ICPR.2000.903548) of a grey face `(48, 48)`.

    Its contrast is evened out before, so that a dark face is not taken for a blurred one.
    """
    return float(cv2.Laplacian(_even(face), cv2.CV_32F).var())


def _even(face: np.ndarray) -> np.ndarray:
    """A face `(48, 48)` with mean 0 and deviation 1, float32."""
    grey = face.astype(np.float32)
    return np.asarray((grey - grey.mean()) / (grey.std() + 1e-3))


def _turned(landmarks: np.ndarray) -> float:
    left, right, nose = landmarks[:3]
    across = right - left
    return float(abs((nose - (left + right) / 2) @ across) / max(across @ across, 1e-6))


def _outside(transform: np.ndarray, height: int, width: int) -> float:
    """The share of a crop's pixels that lie beyond a frame."""
    pixels = np.stack(np.meshgrid(np.arange(SIDE) + 0.5, np.arange(SIDE) + 0.5, [1.0]), -1).reshape(-1, 3)
    x, y = cv2.invertAffineTransform(transform) @ pixels.T
    return float(((x < 0) | (y < 0) | (x > width) | (y > height)).mean())
