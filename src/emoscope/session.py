"""The pipeline: frames and sound go in with their times, observations come out."""

from collections.abc import Sequence

import numpy as np

from .face.classify import FaceClassifier
from .face.crop import crop_faces
from .face.detect import Detector
from .face.smooth import SMOOTHERS, Smoother
from .face.track import Track, Tracker
from .fusion import MAX_WAIT, Fuser
from .media import Sound
from .models import Model, load
from .speaker import MouthWatch
from .timeline import Observation
from .voice.classify import VoiceReader, VoiceRow

FORGET_S = 10.0
"""Seconds after which the smoothed state of a person who is out of sight is dropped."""


class Session:
    """One stream of frames and sound, whoever feeds it: a file, a camera, a cluster.

    Frames and sound are fed in order of time, each for itself; what comes out is in order of time for each source.
    Fused observations come as soon as neither face nor voice can change them any more. The state is bounded, however
    long the stream.

    Args:
        faces: whether frames will be fed.
        voice: whether sound will be fed.
        face_model: a registered name, or `face` for the default.
        voice_model: a registered name, or `voice` for the default.
        smoothing: `mean` (exponential mean over time), `vote` (majority of each batch of 10 faces) or `none`.
        threads: threads of each network.

    Raises:
        ModelError: a model is unknown or damaged.
        ValueError: no smoothing has that name.
    """

    def __init__(
        self,
        faces: bool = True,
        voice: bool = True,
        face_model: str = "face",
        voice_model: str = "voice",
        smoothing: str = "mean",
        threads: int = 1,
    ) -> None:
        self.models: dict[str, Model] = {}
        self._faces = self._voice = None
        labels: Sequence[str] = ()
        if faces:
            self.models["face"] = load(face_model, threads)
            self._faces = _FaceReader(self.models["face"], smoothing, threads)
        if voice:
            self.models["voice"] = load(voice_model, threads)
            self._voice = VoiceReader(self.models["voice"])
            labels = self.models["voice"].card.labels
        self._fuser = Fuser(labels)
        self._mouths = MouthWatch()
        self._frame_end = 0.0

    def add_frame(self, image: np.ndarray, time: float, duration: float = 0.0) -> list[Observation]:
        """Feed one frame.

        Args:
            image: RGB uint8 `(height, width, 3)`.
            time: seconds from the start of the stream at which it is shown; not before the last one's.
            duration: seconds until the next one.

        Returns:
            the faces seen in this frame, then what became settled.

        Raises:
            ValueError: the image has another shape or type, or the session was made without faces.
        """
        if self._faces is None:
            raise ValueError("this session was made with faces=False")
        tracks, crops, scores = self._faces.read(image, time)
        self._frame_end = max(self._frame_end, time + duration)
        for track, crop in zip(tracks, crops, strict=True):
            self._mouths.add(track.person, time, crop)
        seen = [
            Observation(time, time + duration, "face", track.person, track.box, _unit(score))
            for track, score in zip(tracks, scores, strict=True)
        ]
        self._fuser.add(seen)
        return seen + self._settle()

    def add_sound(self, samples: np.ndarray, time: float) -> list[Observation]:
        """Feed a run of sound.

        Args:
            samples: float32 mono `(n,)` at 16 kHz in [-1, 1].
            time: seconds from the start of the stream of the first sample.

        Returns:
            the voices whose windows are complete, then what became settled.

        Raises:
            ValueError: the samples have another shape, or the session was made without voice.
        """
        if self._voice is None:
            raise ValueError("this session was made with voice=False")
        return self._heard(self._voice.add(Sound(time, samples))) + self._settle()

    def close(self) -> list[Observation]:
        """End the stream and return what was still waiting."""
        heard = self._heard(self._voice.finish()) if self._voice else []
        return heard + self._fuser.settle(float("inf"))

    def _heard(self, rows: Sequence[VoiceRow]) -> list[Observation]:
        heard = [
            Observation(start, end, "voice", self._mouths.speaker(start, end), None, _unit(scores))
            for start, end, scores in rows
        ]
        self._fuser.add(heard)
        return heard

    def _settle(self) -> list[Observation]:
        seen = self._frame_end if self._faces else float("inf")
        heard = self._voice.settled if self._voice else float("inf")
        furthest = max(t for t in (seen, heard) if t != float("inf"))
        return self._fuser.settle(max(min(seen, heard), furthest - MAX_WAIT))


class _FaceReader:
    """Detection, tracking, crops, classification and smoothing of one stream's faces."""

    def __init__(self, model: Model, smoothing: str, threads: int) -> None:
        if smoothing not in SMOOTHERS:
            raise ValueError(f"no smoothing is named {smoothing!r}; there are {', '.join(SMOOTHERS)}")
        self.smoother = SMOOTHERS[smoothing]
        self.tracker = Tracker(Detector(threads=threads))
        self.classifier = FaceClassifier(model)
        self.states: dict[int, tuple[float, Smoother]] = {}

    def read(self, image: np.ndarray, time: float) -> tuple[list[Track], np.ndarray, list[np.ndarray]]:
        """The persons in a frame, their crops `(n, 48, 48)` and their smoothed scores, `(8,)` each."""
        tracks = self.tracker.update(image, time)
        crops = crop_faces(image, np.array([track.landmarks for track in tracks]))
        scores = self.classifier(crops)
        steady = [self._steady(track.person, time, score) for track, score in zip(tracks, scores, strict=True)]
        self.states = {p: state for p, state in self.states.items() if state[0] > time - FORGET_S}
        return tracks, crops, steady

    def _steady(self, person: int, time: float, scores: np.ndarray) -> np.ndarray:
        smoother = self.states[person][1] if person in self.states else self.smoother()
        self.states[person] = (time, smoother)
        return smoother.update(time, scores)


def _unit(scores: np.ndarray) -> tuple[float, ...]:
    """Scores as floats that sum to 1 within rounding."""
    exact = np.asarray(scores, np.float64)
    return tuple((exact / exact.sum()).tolist())
