"""Who a face looks like: a few of the best views of each track, as SFace sees them (Zhong et al. 2021).

`scripts/convert_identity.py` says where the network comes from. Faces are turned upright and scaled so that their
landmarks lie where OpenCV's `FaceRecognizerSF.alignCrop` puts them.
"""

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from ..evidence import Looks
from ..models import FaceInput
from ..models.model import session
from .crop import crop_faces
from .track import Track

NETWORK = Path(__file__).parent / "weights" / "identity.onnx"
VALUES = 128
"""Of an embedding."""
ALIGNED = FaceInput(
    side=112,
    channels=3,
    template=((38.2946, 51.6963), (73.5318, 51.5014), (56.0252, 71.7366), (41.5493, 92.3655), (70.7299, 92.2041)),
)
"""How the network's faces are cut (OpenCV 4, modules/objdetect/src/face_recognize.cpp)."""

AGES_S = (0.2, 2.0, 8.0)
"""Seconds since a track began after each of which its best view so far is looked at."""
EVERY_S = 15.0
"""Seconds from one such view to the next, later on."""
CLEARER = 1.1
"""Times that a view must be better to take the place of the one before."""
DOUBTFUL = 0.25
"""Quality of a view under which another one is looked at where the track ends."""
SETTLED_S = 0.5
"""Seconds after a dissolve in which two shots are seen at once."""
LOST_S = 6.0
"""Seconds out of sight after which a track is over: longer than it is looked for."""
MOST_WAITING = 64
"""Views that wait for the network, at most."""


class FaceIdentity:
    """SFace on ONNX Runtime; loaded once a process.

    Args:
        threads: of one call.
    """

    def __init__(self, threads: int = 1) -> None:
        self._network = _network(threads)

    def embed(self, faces: np.ndarray) -> np.ndarray:
        """Embeddings of unit length.

        Args:
            faces: RGB uint8 `(n, 112, 112, 3)`, as `ALIGNED` says.

        Returns:
            `(n, 128)` float32; the cosine of two is about 0.8 for one person and 0.1 for two.
        """
        rows = [self._network.run(None, {"pixels": _planes(face)})[0] for face in faces]
        found = np.concatenate(rows) if rows else np.zeros((0, VALUES), np.float32)
        return np.asarray(found / np.maximum(np.linalg.norm(found, axis=1, keepdims=True), 1e-9), np.float32)


@dataclass(slots=True)
class _View:
    """A view of a track that may be looked at."""

    track: int
    time: float
    quality: float
    face: np.ndarray


@dataclass(slots=True)
class _Track:
    since: float
    last: float
    looks: int = 0
    best: float = 0.0
    due: float = 0.0


class BestViews:
    """Chooses which views of each track are looked at, and looks at them when there is time.

    Args:
        threads: of the network.
    """

    def __init__(self, threads: int = 1) -> None:
        self.identity = FaceIdentity(threads)
        self._tracks: dict[int, _Track] = {}
        self._best: dict[int, _View] = {}
        self._waiting: list[_View] = []
        self._settled = -np.inf
        self._found: list[tuple[_View, np.ndarray]] = []

    def add(self, image: np.ndarray, time: float, tracks: Sequence[Track], qualities: Sequence[float]) -> None:
        """Take the faces of the next frame, with the quality of each view."""
        if time < self._settled:
            return
        for track, quality in zip(tracks, qualities, strict=True):
            known = self._tracks.setdefault(track.person, _Track(time, time, due=time + AGES_S[0]))
            known.last = time
            best = self._best.get(track.person)
            if best is None or quality > CLEARER * best.quality:
                face = crop_faces(image, track.landmarks[None], ALIGNED)[0]
                self._best[track.person] = _View(track.person, time, quality, face)
            if time >= known.due and track.person in self._best:
                self._look(track.person)
                self._plan(known, time)
        self.forget(time - LOST_S)

    def cut(self, time: float, gradual: bool) -> None:
        """A shot ends here, and with it every track."""
        self.forget(np.inf)
        if gradual:
            self._settled = time + SETTLED_S

    def forget(self, before: float) -> None:
        """The tracks that were not seen since are over."""
        for number in [n for n, known in self._tracks.items() if known.last < before]:
            known = self._tracks.pop(number)
            view = self._best.get(number)
            if view and (not known.looks or (known.best < DOUBTFUL and view.quality > known.best)):
                self._look(number, known)
            self._best.pop(number, None)

    def embed(self) -> None:
        """Look at the views that are waiting: what takes time."""
        if self._waiting:
            waiting, self._waiting = self._waiting, []
            self._found += zip(waiting, self.identity.embed(np.stack([view.face for view in waiting])), strict=True)

    def take(self) -> tuple[Looks, list[np.ndarray]]:
        """What was found since it was taken last, and the faces `(112, 112, 3)` that were looked at."""
        found, self._found = self._found, []
        if not found:
            return Looks.empty(VALUES), []
        views, embeddings = zip(*found, strict=True)
        return Looks(
            np.array([view.track for view in views], np.int32),
            np.array([view.time for view in views], np.float64),
            np.array([view.quality for view in views], np.float32),
            np.array(embeddings).astype(np.float16),
        ), [view.face for view in views]

    def state(self) -> dict[str, Any]:
        """What `restore` needs to go on from here, as numbers and arrays; nothing is waiting any more."""
        self.embed()
        return {
            "tracks": [[number, asdict(known)] for number, known in self._tracks.items()],
            "best": [asdict(view) for view in self._best.values()],
            "settled": self._settled,
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Go on from a state."""
        self._tracks = {number: _Track(**known) for number, known in state["tracks"]}
        self._best = {view["track"]: _View(**view) for view in state["best"]}
        self._settled = state["settled"]

    def _look(self, number: int, known: _Track | None = None) -> None:
        known = known or self._tracks[number]
        view = self._best.pop(number)
        known.looks, known.best = known.looks + 1, max(known.best, view.quality)
        if len(self._waiting) < MOST_WAITING:
            self._waiting.append(view)

    def _plan(self, known: _Track, time: float) -> None:
        later = [known.since + age for age in AGES_S if known.since + age > time]
        known.due = later[0] if later else time + EVERY_S


def quality(box: Sequence[float], score: float, sharpness: float, turn: float) -> float:
    """How good a view is to tell who it is, 0 to 1: large, sharp and frontal.

    Args:
        box: x, y, width, height in pixels.
        score: the probability that it is a face.
        sharpness: see `view.sharpness`.
        turn: degrees, see `view.turn`.
    """
    size = min(1.0, max(box[2], box[3]) / 100)
    return score * size * min(1.0, max(sharpness, 0.02) / 0.2) ** 0.5 * math.cos(math.radians(min(turn, 85.0))) ** 2


def _planes(face: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(face.transpose(2, 0, 1)[None], np.float32)


@cache
def _network(threads: int) -> Any:
    return session(NETWORK, "cpu", threads)
