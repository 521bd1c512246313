"""Face and voice together: two calibrated distributions into one, and one timeline of both."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from .emotions import columns
from .timeline import Observation

FACE_WEIGHT = 1.0
VOICE_WEIGHT = 1.0
"""Exponents of the two sources, chosen on the validation actors' clips (`results/fusion/`)."""

MAX_WAIT = 10.0
"""Seconds that one source is waited for before the other is passed on alone: what bounds the memory."""

SHORTEST = 0.15
"""Seconds: a shorter stretch of voice without its face is not reported."""


def fuse(
    face: np.ndarray,
    voice: np.ndarray,
    voice_labels: Sequence[str],
    face_weight: float = FACE_WEIGHT,
    voice_weight: float = VOICE_WEIGHT,
) -> np.ndarray:
    """Combine the face's and the voice's scores by a weighted product of experts (Hinton 2002, eq. 1).

    The voice only moves probability among the emotions that it can say; what the face gives the others stays.

    Args:
        face: `(..., 8)` probabilities.
        voice: `(..., 8)` probabilities, 0 outside `voice_labels`.
        voice_labels: the emotions that the voice model can say.

    Returns:
        `(..., 8)` probabilities.
    """
    shared = columns(voice_labels)
    fused = np.array(face, np.float64)
    mass = fused[..., shared].sum(-1, keepdims=True)
    product = np.maximum(face[..., shared], 1e-6) ** face_weight * np.maximum(voice[..., shared], 1e-6) ** voice_weight
    fused[..., shared] = mass * product / product.sum(-1, keepdims=True)
    return fused


class Fuser:
    """Makes the fused observations of a stream of face and voice observations.

    A face observation is fused with the voice of its person at its start, or passed on as it is where that person is
    silent. Where a voice has no face (it belongs to the scene, or its person is out of sight), it is passed on alone.

    Args:
        voice_labels: the emotions that the voice model can say.
    """

    def __init__(self, voice_labels: Sequence[str]) -> None:
        self.voice_labels = voice_labels
        self._faces: list[Observation] = []
        self._voices: list[_Voice] = []

    def add(self, observations: Sequence[Observation]) -> None:
        """Take face and voice observations, each source in order of time."""
        for observation in observations:
            if observation.source == "face":
                self._faces.append(observation)
            else:
                self._voices.append(_Voice(observation))

    def settle(self, time: float) -> list[Observation]:
        """Return the fused observations that start before `time` seconds.

        No observation that starts before `time` may be added afterwards.
        """
        done = [face for face in self._faces if face.start < time]
        self._faces = [face for face in self._faces if face.start >= time]
        fused = [self._fused(face) for face in done]
        for voice in self._voices:
            if voice.observation.end <= time:
                fused += voice.uncovered()
        self._voices = [voice for voice in self._voices if voice.observation.end > time]
        return fused

    def _fused(self, face: Observation) -> Observation:
        scores = face.scores
        for voice in self._voices:
            if voice.observation.person == face.person and voice.covers(face.start):
                voice.seen.append((face.start, face.end))
                both = fuse(np.array(face.scores), np.array(voice.observation.scores), self.voice_labels)
                scores = tuple(both.tolist())
        return replace(face, source="fused", scores=scores)


@dataclass(slots=True)
class _Voice:
    """A voice observation, and when its person's face was seen during it."""

    observation: Observation
    seen: list[tuple[float, float]] = field(default_factory=list)

    def covers(self, time: float) -> bool:
        return self.observation.start <= time < self.observation.end

    def uncovered(self) -> list[Observation]:
        """The stretches without a face, as fused observations; shorter than `SHORTEST`, they are a frame's rounding."""
        bounds = [self.observation.start, *(t for span in self.seen for t in span), self.observation.end]
        gaps = zip(bounds[::2], bounds[1::2], strict=True)
        return [
            replace(self.observation, source="fused", start=start, end=end)
            for start, end in gaps
            if end - start >= SHORTEST
        ]
