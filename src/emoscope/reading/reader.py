"""The reading of evidence as it comes: logits in, observations out; the same for a whole file and frame by frame."""

from dataclasses import dataclass, field, fields
from typing import Any

import numpy as np

from ..calibration import probabilities
from ..emotions import columns, expand, joined
from ..evidence import Faces, Voices
from ..timeline import NOBODY, Timeline, column_names
from .fusion import FACE, MAX_WAIT_S, VOICE, Fuser
from .smooth import FORGET_S, SMOOTHERS, Smoother
from .speaker import MEMORY_S, Mouths

QUALITY: tuple[str, ...] = ("face_score", "sharpness", "turn")
"""The extra columns of faces: the detector's probability that it is one, and how good the view was (see `evidence`)."""


@dataclass(frozen=True)
class Source:
    """What a reading needs to know of the model that made the logits of one source.

    Attributes:
        name: of the model.
        modality: `face`, `voice` or `sequence`.
        labels: what its logits stand for.
        temperature: they are divided by it before the softmax.
        fusion_weight: exponent of its scores where face and voice are read together.
    """

    name: str
    modality: str
    labels: tuple[str, ...]
    temperature: float
    fusion_weight: float

    @classmethod
    def from_json(cls, facts: dict[str, Any]) -> "Source":
        """The source that `evidence.info["models"]` describes."""
        known = {f.name: facts[f.name] for f in fields(cls)}
        return cls(**{**known, "labels": tuple(facts["labels"])})


@dataclass(eq=False)
class _Steady:
    smoother: Smoother
    time: float = field(default=-np.inf)


class Reader:
    """Reads evidence in order of time.

    Faces come out at once. A voice comes once the frames up to its end have been seen, since then it is known whose
    mouth moved, and a fused observation once neither face nor voice can change it; neither waits longer than
    `MAX_WAIT_S`. How the evidence is cut makes no difference to what comes out, and the state is bounded.

    Args:
        face: the model of the faces, or `None` where there are none.
        voice: the model of the voices, or `None` where there are none.
        smoothing: of each person's face: `mean`, `vote` or `none`; by default `mean`, but `none` for a sequence model,
            which looks back by itself.

    Attributes:
        labels: of the timeline.
        columns: of its tables.
        smoothing: the one in use.

    Raises:
        ValueError: no smoothing has that name.
    """

    def __init__(self, face: Source | None, voice: Source | None, smoothing: str | None = None) -> None:
        self.smoothing = smoothing or ("none" if face and face.modality == "sequence" else "mean")
        if self.smoothing not in SMOOTHERS:
            raise ValueError(f"no smoothing is named {smoothing!r}; there are {', '.join(SMOOTHERS)}")
        self.face, self.voice = face, voice
        self.labels = joined(*(source.labels for source in (face, voice) if source))
        self.columns = column_names(self.labels, QUALITY if face else ())
        both = [label for label in (voice.labels if voice else ()) if face and label in face.labels]
        weights = face.fusion_weight if face else 0.0, voice.fusion_weight if voice else 0.0
        self._fuser = Fuser(self.labels, columns(both, self.labels), *weights)
        self._nothing = Timeline.empty(self.labels)
        self._mouths = Mouths()
        self._steady: dict[int, _Steady] = {}
        self._waiting = Voices.empty(len(voice.labels) if voice else 0)

    def add(self, faces: Faces | None, voices: Voices | None, seen: float, heard: float) -> Timeline:
        """Take the next evidence.

        Args:
            faces: of the next frames, or none.
            voices: the next windows of speech, or none.
            seen: seconds up to which all frames have been given; infinite where none will come.
            heard: seconds before which no further window can start; infinite where none will come.

        Returns:
            the faces, then the voices and fused observations that became certain.
        """
        parts = [self._nothing]
        if faces is not None and len(faces):
            parts.append(self._read_faces(faces))
            self._fuser.add(parts[-1], self._nothing)
        if voices is not None and len(voices):
            self._waiting = Voices.join([self._waiting, voices])
        waited = max((time for time in (seen, heard) if time != np.inf), default=np.inf) - MAX_WAIT_S
        parts.append(self._read_voices(max(seen, waited)))
        first = self._waiting.start.min(initial=np.inf)
        parts.append(self._fuser.settle(min(max(min(seen, heard), waited), first)))
        self._mouths.forget(min(seen, first) - MEMORY_S)
        return Timeline.join(parts)

    def close(self) -> Timeline:
        """The stream has ended: return what was still waiting."""
        return self.add(None, None, np.inf, np.inf)

    def _read_faces(self, faces: Faces) -> Timeline:
        assert self.face
        person = faces.track
        self._mouths.add(faces.time, person, faces.mouth, faces.rest)
        scores = _unit(probabilities(faces.logits, self.face.temperature))
        for one in np.unique(person).tolist():
            own = person == one
            scores[own] = self._smoother(one, faces.time[own]).update(faces.time[own], scores[own])
        ago = float(faces.time[-1]) - FORGET_S
        self._steady = {one: steady for one, steady in self._steady.items() if steady.time > ago}
        quality = zip(QUALITY, (faces.score, faces.sharpness, faces.turn), strict=True)
        return Timeline(
            faces.time,
            faces.time + faces.duration,
            np.full(len(faces), FACE, np.int8),
            person,
            faces.box,
            expand(scores, self.face.labels, self.labels),
            self.labels,
            {name: column.astype(np.float64) for name, column in quality},
        )

    def _smoother(self, person: int, times: np.ndarray) -> Smoother:
        steady = self._steady.setdefault(person, _Steady(SMOOTHERS[self.smoothing]()))
        steady.time = float(times[-1])
        return steady.smoother

    def _read_voices(self, seen: float) -> Timeline:
        """The voices that end by `seen` seconds: it is known whose mouth moved."""
        known = self._waiting.end <= seen
        if not known.any():
            return self._nothing
        assert self.voice
        voices, self._waiting = self._waiting.take(known), self._waiting.take(~known)
        spans = zip(voices.start.tolist(), voices.end.tolist(), strict=True)
        scores = _unit(probabilities(voices.logits, self.voice.temperature))
        read = Timeline(
            voices.start,
            voices.end,
            np.full(len(voices), VOICE, np.int8),
            np.array([self._mouths.speaker(start, end) or NOBODY for start, end in spans], np.int32),
            np.full((len(voices), 4), np.nan),
            expand(scores, self.voice.labels, self.labels),
            self.labels,
        )
        self._fuser.add(self._nothing, read)
        return read


def _unit(scores: np.ndarray) -> np.ndarray:
    """Scores as float64 whose rows sum to 1 within its rounding."""
    exact = scores.astype(np.float64)
    return exact / exact.sum(1, keepdims=True)
