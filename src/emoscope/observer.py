"""From pixels and samples to evidence: one stream of frames and sound, whoever feeds it."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from .evidence import Faces, Looks, Speakers, Views, Voices
from .face.classify import FaceClassifier
from .face.crop import FERPLUS, SIDE
from .face.detect import Detector, smallest_face
from .face.identity import BestViews, quality
from .face.mouth import MouthMeter
from .face.sequence import SequenceClassifier
from .face.shots import Shots
from .face.steady import SteadyCrops
from .face.track import Track, Tracker
from .face.upright import UprightDetector
from .face.view import sharpness, turn
from .media import Sound
from .models import Model, VoiceInput
from .voice.classify import VoiceReader, VoiceRow
from .voice.identity import VALUES as VOICE_VALUES
from .voice.identity import SpeakerRow

LOUDEST = 4.0
"""Largest sample that is taken for one that overshoots [-1, 1]; above, the samples are on another scale."""


@dataclass(eq=False)
class Identities:
    """What tells who is who.

    Attributes:
        looks: who the faces look like.
        views: the pictures that were looked at.
        speakers: who the voices sound like.
        shots: `(n,)` float64, seconds at which the picture was cut to another shot.
    """

    looks: Looks = field(default_factory=Looks.empty)
    views: Views = field(default_factory=Views.empty)
    speakers: Speakers = field(default_factory=Speakers.empty)
    shots: np.ndarray = field(default_factory=lambda: np.zeros(0))


class Observer:
    """Observes one stream. Frames and sound are fed in order of time, each for itself; the state is bounded.

    Args:
        face: the model of faces or sequences of them, or `None` where no frames will be fed.
        voice: the model of voices, or `None` where no sound will be fed.
        threads: threads of the face detector.
        min_face: side in pixels of the smallest face to look for; by default, `detect.smallest_face` of the frames.

    Attributes:
        seen: seconds up to which frames were fed; infinite where none will be.
    """

    def __init__(self, face: Model | None, voice: Model | None, threads: int = 1, min_face: int | None = None) -> None:
        self.seen = 0.0 if face else np.inf
        self._watcher = _Watcher(face, threads, min_face) if face else None
        self._voice = VoiceReader(voice, wanted=_voice_input(voice)) if voice else None
        self._voice_labels = len(voice.card.labels) if voice else 0

    @property
    def heard(self) -> float:
        """Seconds before which no further window of speech can start; infinite where no sound will be fed."""
        return self._voice.settled if self._voice else np.inf

    def add_frame(self, image: np.ndarray, time: float, duration: float = 0.0) -> Faces:
        """Feed one frame; see `Session.add_frame`. Returns its faces."""
        if self._watcher is None:
            raise ValueError("this session was made with faces=False")
        faces = self._watcher.watch(image, time, duration)
        self.seen = max(self.seen, time + duration)
        return faces

    def search(self) -> None:
        """Search the last frame for newcomers now, and look at who they are; see `Session.search`."""
        if self._watcher:
            self._watcher.search()

    def identities(self) -> Identities:
        """What was found of who is who since this was asked last."""
        found = self._watcher.identities() if self._watcher else Identities()
        found.speakers = _speakers(self._voice.speakers() if self._voice else [])
        return found

    def add_sound(self, samples: np.ndarray, time: float) -> Voices:
        """Feed a run of sound; see `Session.add_sound`. Returns the windows of speech that are certain by now."""
        if self._voice is None:
            raise ValueError("this session was made with voice=False")
        return self._rows(self._voice.add(Sound(time, _checked(samples))))

    def finish(self) -> Voices:
        """The stream has ended: return the windows that were waiting for its end."""
        if self._watcher:
            self._watcher.finish()
        return self._rows(self._voice.finish() if self._voice else [])

    def state(self) -> dict[str, Any]:
        """What `restore` needs to go on from here, exactly, as numbers, texts and arrays."""
        self.search()
        return {
            "seen": self.seen,
            "watcher": self._watcher and self._watcher.state(),
            "voice": self._voice and self._voice.state(),
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Go on from a state of an observer with the same models."""
        self.seen = state["seen"]
        if self._watcher:
            self._watcher.restore(state["watcher"])
        if self._voice:
            self._voice.restore(state["voice"])

    def _rows(self, rows: Sequence[VoiceRow]) -> Voices:
        if not rows:
            return Voices.empty(self._voice_labels)
        start, end, utterance, logits = zip(*rows, strict=True)
        return Voices(
            np.array(start), np.array(end), np.array(utterance, np.int32), np.array(logits).astype(np.float16)
        )


class _Watcher:
    """Detection, tracking, crops and the face model, frame by frame."""

    def __init__(self, model: Model, threads: int, min_face: int | None) -> None:
        self.threads, self.min_face = threads, min_face
        self.detector: UprightDetector | None = None
        self.tracker: Tracker | None = None
        self.size = (0, 0)
        self.network = _Sequences(model) if model.card.modality == "sequence" else _Stills(model)
        self.mouths = MouthMeter()
        self.shots = Shots()
        self.cuts: list[float] = []
        self.views = BestViews(threads)
        self.labels = len(model.card.labels)

    def watch(self, image: np.ndarray, time: float, duration: float) -> Faces:
        """The faces of a frame."""
        height, width = image.shape[:2]
        if self.tracker is None:
            self.detector, self.tracker = self._begin(self.min_face or smallest_face(image))
        elif self.size != (width, height):
            self.detector, _ = self._begin(self.min_face or smallest_face(image))
            self.tracker.resize(self.detector, width / self.size[0], height / self.size[1])
        self.size = width, height
        if how := self.shots.cut(image, time):
            self.tracker.cut()
            self.views.cut(time, how == "gradual")
            self.cuts.append(time)
        self.views.embed()
        tracks = self.tracker.update(image, time, duration)
        if self.min_face:  # the detector finds somewhat smaller ones too
            tracks = [track for track in tracks if max(track.box[2:]) >= self.min_face]
        crops = np.array([track.crop for track in tracks]).reshape(-1, SIDE, SIDE)
        logits = self.network.logits(image, time, tracks)
        if not tracks:
            return Faces.empty(self.labels)
        numbers = [track.person for track in tracks]
        moved = self.mouths.measure(time, numbers, crops)
        sharp, turned = [sharpness(crop) for crop in crops], [turn(track.landmarks) for track in tracks]
        good = [quality(t.box, t.score, s, angle) for t, s, angle in zip(tracks, sharp, turned, strict=True)]
        self.views.add(image, time, tracks, good)
        return Faces(
            np.full(len(tracks), time, np.float64),
            np.full(len(tracks), duration, np.float64),
            np.array(numbers, np.int32),
            np.array([track.box for track in tracks], np.float64),
            np.array([track.score for track in tracks], np.float32),
            np.array(sharp, np.float32),
            np.array(turned, np.float32),
            moved[:, 0],
            moved[:, 1],
            logits.astype(np.float16),
        )

    def search(self) -> None:
        if self.tracker:
            self.tracker.search()
        self.views.embed()

    def identities(self) -> Identities:
        cuts, self.cuts = np.array(self.cuts, np.float64), []
        looks, faces = self.views.take()
        return Identities(looks, Views.of(looks, faces), shots=cuts)

    def finish(self) -> None:
        self.views.forget(np.inf)
        self.views.embed()

    def state(self) -> dict[str, Any]:
        return {
            "detector": self.detector and self.detector.state(),
            "tracker": self.tracker and self.tracker.state(),
            "size": list(self.size),
            "network": self.network.state(),
            "mouths": self.mouths.state(),
            "shots": self.shots.state(),
            "views": self.views.state(),
        }

    def restore(self, state: dict[str, Any]) -> None:
        if state["tracker"]:
            self.detector, self.tracker = self._begin(state["detector"]["min_face"])
            self.detector.restore(state["detector"])
            self.tracker.restore(state["tracker"])
            self.size = (state["size"][0], state["size"][1])
        self.network.restore(state["network"])
        self.mouths.restore(state["mouths"])
        self.shots.restore(state["shots"])
        self.views.restore(state["views"])

    def _begin(self, min_face: int) -> tuple[UprightDetector, Tracker]:
        """The stream's detector and tracker: made for its first frame."""
        detector = UprightDetector(Detector(min_face=min_face, threads=self.threads))
        return detector, Tracker(detector)


class _Stills:
    """A face model: each face by itself."""

    def __init__(self, model: Model) -> None:
        self.classifier = FaceClassifier(model)

    def logits(self, image: np.ndarray, time: float, tracks: Sequence[Track]) -> np.ndarray:
        if self.classifier.input.same_crop(FERPLUS):  # the tracker has them
            crops = np.array([track.crop for track in tracks]).reshape(-1, SIDE, SIDE)
        else:
            crops = self.classifier.crops(image, np.array([track.landmarks for track in tracks]).reshape(-1, 5, 2))
        return self.classifier.logits(crops)

    def state(self) -> dict[str, Any]:
        return {}

    def restore(self, state: dict[str, Any]) -> None:
        pass


class _Sequences:
    """A sequence model: each person's last moments, from steady crops."""

    def __init__(self, model: Model) -> None:
        self.classifier = SequenceClassifier(model)
        self.steady = SteadyCrops(self.classifier.input.face)

    def logits(self, image: np.ndarray, time: float, tracks: Sequence[Track]) -> np.ndarray:
        return self.classifier.logits([t.person for t in tracks], time, self.steady.update(image, time, tracks))

    def state(self) -> dict[str, Any]:
        return {"classifier": self.classifier.state(), "steady": self.steady.state()}

    def restore(self, state: dict[str, Any]) -> None:
        self.classifier.restore(state["classifier"])
        self.steady.restore(state["steady"])


def _speakers(rows: Sequence[SpeakerRow]) -> Speakers:
    if not rows:
        return Speakers.empty(VOICE_VALUES)
    start, end, utterance, embedding = zip(*rows, strict=True)
    return Speakers(
        np.array(utterance, np.int32), np.array(start), np.array(end), np.array(embedding).astype(np.float16)
    )


def _voice_input(model: Model) -> VoiceInput:
    return VoiceInput.from_card(model.card.name, model.card.input)


def _checked(samples: np.ndarray) -> np.ndarray:
    """The samples as float32.

    Raises:
        ValueError: they are not mono, far louder than full scale, not of a floating type, or not numbers.
    """
    if samples.ndim != 1:
        raise ValueError(f"expected mono samples of shape (n,), got {samples.shape}; mix the channels first")
    if not np.issubdtype(samples.dtype, np.floating):
        raise ValueError(f"expected float samples in [-1, 1], got {samples.dtype}; divide by the type's largest value")
    if not np.isfinite(samples).all():
        raise ValueError("expected samples that are numbers, got infinite values or not-a-number")
    if samples.size and float(np.abs(samples).max()) > LOUDEST:
        raise ValueError(
            f"expected samples in [-1, 1], got up to {np.abs(samples).max():g}; divide by the largest value"
        )
    return samples.astype(np.float32, copy=False)
