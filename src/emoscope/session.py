"""The pipeline: frames and sound go in with their times, observations come out."""

from collections.abc import Sequence

import numpy as np

from .errors import ModelError
from .face.classify import FaceClassifier
from .face.crop import SIDE
from .face.detect import Detector, smallest_face
from .face.sequence import SequenceClassifier
from .face.smooth import SMOOTHERS, Smoother
from .face.steady import SteadyCrops
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

    Frames and sound are fed in order of time, each for itself; what comes out is in order of time for each source and
    person. A voice comes once the frames up to its end have been seen, and a fused observation once neither face nor
    voice can change it any more; neither waits longer than `MAX_WAIT`. So it makes no difference how the sound is cut.
    The state is bounded, however long the stream.

    Args:
        faces: whether frames will be fed.
        voice: whether sound will be fed.
        face_model: a registered name, or `face` for the default; `sequence` for the default of those that look at each
            person's last moments rather than at single frames.
        voice_model: a registered name, or `voice` for the default.
        smoothing: of each face's scores: `mean` (exponential mean over time), `vote` (majority of each batch of 10
            faces) or `none`. By default `mean`, but `none` for a sequence model, which looks back by itself.
        threads: threads of each network.

    Raises:
        ModelError: a model is unknown, damaged, or of the other kind.
        ValueError: no smoothing has that name.
    """

    def __init__(
        self,
        faces: bool = True,
        voice: bool = True,
        face_model: str = "face",
        voice_model: str = "voice",
        smoothing: str | None = None,
        threads: int = 1,
    ) -> None:
        self.models: dict[str, Model] = {}
        self.smoothing = smoothing or "mean"
        self._faces = self._voice = None
        labels: Sequence[str] = ()
        if faces:
            self.models["face"] = _load(face_model, ("face", "sequence"), threads)
            over_time = self.models["face"].card.modality == "sequence"
            self.smoothing = smoothing or ("none" if over_time else "mean")
            self._faces = _FaceReader(self.models["face"], self.smoothing, threads)
        if voice:
            self.models["voice"] = _load(voice_model, ("voice",), threads)
            self._voice = VoiceReader(self.models["voice"])
            labels = self.models["voice"].card.labels
        self._fuser = Fuser(labels)
        self._mouths = MouthWatch()
        self._heard: list[VoiceRow] = []
        self._frame_end = 0.0

    def add_frame(self, image: np.ndarray, time: float, duration: float = 0.0) -> list[Observation]:
        """Feed one frame.

        Args:
            image: RGB uint8 `(height, width, 3)`; not to be changed before the next one is fed.
            time: seconds from the start of the stream at which it is shown; not before the last one's.
            duration: seconds until the next one.

        Returns:
            the faces seen in this frame, then the voices and fused observations that became certain.

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

    def search(self) -> None:
        """Search the last frame for newcomers now, rather than when the next one comes.

        For a driver that has time between frames; it makes no difference to the observations.
        """
        if self._faces:
            self._faces.search()

    def add_sound(self, samples: np.ndarray, time: float) -> list[Observation]:
        """Feed a run of sound.

        Args:
            samples: float32 mono `(n,)` at 16 kHz in [-1, 1].
            time: seconds from the start of the stream of the first sample.

        Returns:
            the voices and fused observations that became certain.

        Raises:
            ValueError: the samples have another shape, or the session was made without voice.
        """
        if self._voice is None:
            raise ValueError("this session was made with voice=False")
        self._heard += self._voice.add(Sound(time, samples))
        return self._settle()

    def close(self) -> list[Observation]:
        """End the stream and return what was still waiting."""
        if self._voice:
            self._heard += self._voice.finish()
        return self._voices(float("inf")) + self._fuser.settle(float("inf"))

    def _settle(self) -> list[Observation]:
        seen = self._frame_end if self._faces else float("inf")
        heard = self._voice.settled if self._voice else float("inf")
        waited = max(t for t in (seen, heard) if t != float("inf")) - MAX_WAIT
        voices = self._voices(max(seen, waited))
        waiting = self._heard[0].start if self._heard else float("inf")
        return voices + self._fuser.settle(min(max(min(seen, heard), waited), waiting))

    def _voices(self, seen: float) -> list[Observation]:
        """The voices that end before `seen` seconds: it is known whose mouth moved."""
        known = [row for row in self._heard if row.end <= seen]
        self._heard = self._heard[len(known) :]
        voices = [
            Observation(row.start, row.end, "voice", self._mouths.speaker(row.start, row.end), None, _unit(row.scores))
            for row in known
        ]
        self._fuser.add(voices)
        return voices


class _FaceReader:
    """Detection, tracking, crops, classification and smoothing of one stream's faces."""

    def __init__(self, model: Model, smoothing: str, threads: int) -> None:
        if smoothing not in SMOOTHERS:
            raise ValueError(f"no smoothing is named {smoothing!r}; there are {', '.join(SMOOTHERS)}")
        self.smoother = SMOOTHERS[smoothing]
        self.threads = threads
        self.tracker: Tracker | None = None
        self.scorer = _Sequences(model) if model.card.modality == "sequence" else _Stills(model)
        self.states: dict[int, tuple[float, Smoother]] = {}

    def read(self, image: np.ndarray, time: float) -> tuple[list[Track], np.ndarray, list[np.ndarray]]:
        """The persons in a frame, their crops `(n, 48, 48)` and their smoothed scores, `(8,)` each."""
        if self.tracker is None:
            self.tracker = Tracker(Detector(min_face=smallest_face(image), threads=self.threads))
        tracks = self.tracker.update(image, time)
        crops = np.array([track.crop for track in tracks]).reshape(-1, SIDE, SIDE)
        scores = self.scorer(image, time, tracks, crops)
        steady = [self._steady(track.person, time, score) for track, score in zip(tracks, scores, strict=True)]
        self.states = {p: state for p, state in self.states.items() if state[0] > time - FORGET_S}
        return tracks, crops, steady

    def search(self) -> None:
        """See `Session.search`."""
        if self.tracker:
            self.tracker.search()

    def _steady(self, person: int, time: float, scores: np.ndarray) -> np.ndarray:
        smoother = self.states[person][1] if person in self.states else self.smoother()
        self.states[person] = (time, smoother)
        return smoother.update(time, scores)


class _Stills:
    """Scores each face by itself."""

    def __init__(self, model: Model) -> None:
        self.classifier = FaceClassifier(model)

    def __call__(self, image: np.ndarray, time: float, tracks: Sequence[Track], crops: np.ndarray) -> np.ndarray:
        return self.classifier(crops)


class _Sequences:
    """Scores each person's last moments, from steady crops."""

    def __init__(self, model: Model) -> None:
        self.classifier, self.steady = SequenceClassifier(model), SteadyCrops()

    def __call__(self, image: np.ndarray, time: float, tracks: Sequence[Track], crops: np.ndarray) -> np.ndarray:
        return self.classifier([t.person for t in tracks], time, self.steady.update(image, time, tracks))


def _load(name: str, modalities: tuple[str, ...], threads: int) -> Model:
    model = load(name, threads)
    if model.card.modality not in modalities:
        expected = " or ".join(modalities)
        raise ModelError(f"{model.card.name} is a {model.card.modality} model; expected a {expected} model")
    return model


def _unit(scores: np.ndarray) -> tuple[float, ...]:
    """Scores as floats that sum to 1 within rounding."""
    exact = np.asarray(scores, np.float64)
    return tuple((exact / exact.sum()).tolist())
