"""Face and voice together: two calibrated distributions into one, and one timeline of both."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from .emotions import columns
from .timeline import Observation

FACE_WEIGHT = 0.35
VOICE_WEIGHT = 1.0
"""Exponents of the two sources. The voice is calibrated on speech; the face, calibrated on pictures, is too sure
of itself on video, so its weight is chosen, on the validation actors' clips (`results/clips/`)."""

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

    A face observation is fused with its person's voice, the one that it overlaps longest if there are several, or
    passed on as it is where that person is silent. Where a voice has no face (it belongs to the scene, or its person is
    out of sight), it is passed on alone. For each person, what comes out is in order of time.

    Args:
        voice_labels: the emotions that the voice model can say.
    """

    def __init__(self, voice_labels: Sequence[str]) -> None:
        self.voice_labels = voice_labels
        self._faces: list[Observation] = []
        self._voices: list[Observation] = []
        self._seen: dict[int | None, float] = {}  # the end of each person's last face

    def add(self, observations: Sequence[Observation]) -> None:
        """Take face and voice observations; those of one source and person do not overlap."""
        for observation in observations:
            (self._faces if observation.source == "face" else self._voices).append(observation)

    def settle(self, time: float) -> list[Observation]:
        """Return the fused observations that nothing after `time` seconds can change.

        No observation that starts before `time` may be added afterwards.
        """
        self._faces.sort(key=lambda face: face.start)
        fused: list[Observation] = []
        while self._faces and self._faces[0].start < time and self._faces[0].end <= time:
            face = self._faces.pop(0)
            fused += self._close(face.start) + self._met(face)
        first = self._faces[0].start if self._faces else time
        fused += self._close(min(time, first))
        needed = min([time, *(voice.start for voice in self._voices)])
        self._seen = {person: end for person, end in self._seen.items() if end > needed}
        return fused

    def _met(self, face: Observation) -> list[Observation]:
        """The fused face, after the stretch of its person's voice since the face was last seen."""
        voices = [voice for voice in self._voices if voice.person == face.person and _overlap(voice, face) is not None]
        alone = [gap for voice in voices for gap in self._gap(voice, face.start)]
        self._seen[face.person] = max(face.end, self._seen.get(face.person, face.end))
        scores = face.scores
        if voices:
            voice = max(voices, key=lambda voice: _overlap(voice, face) or 0.0)
            both = fuse(np.array(face.scores), np.array(voice.scores), self.voice_labels)
            scores = tuple(both.tolist())
        return [*alone, replace(face, source="fused", scores=scores)]

    def _close(self, time: float) -> list[Observation]:
        """The last stretches of the voices that end by `time` and meet no more faces."""
        over = [voice for voice in self._voices if voice.end <= time]
        self._voices = [voice for voice in self._voices if voice.end > time]
        return [gap for voice in over for gap in self._gap(voice, voice.end)]

    def _gap(self, voice: Observation, until: float) -> list[Observation]:
        """The stretch of a voice since its person's face was last seen; a short one is a frame's rounding."""
        start = max(voice.start, self._seen.get(voice.person, voice.start))
        return [replace(voice, source="fused", start=start, end=until)] if until - start >= SHORTEST else []


def _overlap(voice: Observation, face: Observation) -> float | None:
    """Seconds that both last, or `None` where they do not meet; a face without a length is met at its moment."""
    if face.start == face.end:
        return 0.0 if voice.start <= face.start < voice.end else None
    common = min(voice.end, face.end) - max(voice.start, face.start)
    return common if common > 0 else None
