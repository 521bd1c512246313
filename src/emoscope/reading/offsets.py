"""The baselines of a whole recording: of each person, from the face and from the voice."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..calibration import probabilities
from ..evidence import Evidence, Faces, Voices
from ..timeline import NOBODY
from .baseline import Baseline, Offset, Population, resting, scores
from .source import Source
from .speaker import Mouths

Key = tuple[str, int]
"""A source, `face` or `voice`, and a person's number."""

EVERYDAY: Mapping[str, float] = {
    "neutral": 0.5, "happiness": 0.2, "surprise": 0.06, "sadness": 0.08, "anger": 0.07, "disgust": 0.03, "fear": 0.04,
    "contempt": 0.02,
}  # fmt: skip
"""A mix of emotions that is mostly neutral; a rule of thumb, not a measurement."""


@dataclass(frozen=True)
class Span:
    """A stretch of a recording in which somebody is known to be neutral.

    Attributes:
        start: seconds.
        end: seconds, after `start`.
        person: whose, or `None` for everybody.
    """

    start: float
    end: float
    person: int | None = None


def recording_offsets(
    evidence: Evidence,
    sources: Mapping[str, Source],
    mix: Mapping[str, float] | None = None,
    neutral: Sequence[Span] = (),
) -> dict[Key, Offset]:
    """What the whole recording says of everybody's offsets; still pictures and models without statistics have none."""
    found: dict[Key, Offset] = {}
    for name, moments in (("face", _face_moments(evidence)), ("voice", _voice_moments(evidence))):
        source = sources.get(name)
        if source is None or source.population is None:
            continue
        person, start, seconds, logits = moments
        expected = source.population.mix(mix)
        for one in np.unique(person).tolist():
            own = person == one
            known = np.zeros(len(person), bool)
            for span in neutral:
                known |= (start >= span.start) & (start < span.end) & (span.person in (None, one))
            baseline = Baseline(source.population, expected)
            baseline.add(logits[own & known], seconds[own & known], neutral=True)
            baseline.add(logits[own & ~known], seconds[own & ~known])
            found[name, one] = baseline.offset
    return found


def speakers(faces: Faces, voices: Voices) -> np.ndarray:
    """Whose each window of speech is, `(n,)`; `NOBODY` where that is undecided."""
    mouths = Mouths()
    mouths.add(faces.time, faces.track, faces.mouth, faces.rest)
    spans = zip(voices.start.tolist(), voices.end.tolist(), strict=True)
    return np.array([mouths.speaker(start, end) or NOBODY for start, end in spans], np.int32)


def describe(
    evidence: Evidence, sources: Mapping[str, Source], offsets: Mapping[Key, Offset], mix: Mapping[str, float] | None
) -> list[dict[str, Any]]:
    """For each person and source: where the baseline is from, how well it is known, and what it moved.

    Returns:
        dicts with `person`, `source`, `how`, `seconds`, `known` (0 to 1: how much of what was open about the offset is
        known), `resting` (what the model by itself would say of the neutral face or voice) and `changed` (0 to 1: of
        how many moments another emotion is read than without a baseline).
    """
    rows = []
    moments = {"face": _face_moments(evidence), "voice": _voice_moments(evidence)}
    for (name, one), offset in offsets.items():
        source = sources[name]
        assert source.population
        person, _, seconds, logits = moments[name]
        own = person == one
        now = scores(logits[own], offset, source.population, source.population.mix(mix)).argmax(1)
        before = probabilities(logits[own], source.temperature).argmax(1)
        rest = resting(offset, source.population, source.temperature)
        top = max(rest, key=lambda label: rest[label])
        rows.append({
            "person": one or None,
            "source": name,
            "how": offset.how,
            "seconds": round(offset.seconds, 1),
            "known": round(_known(offset, source.population), 2),
            "resting": {top: round(rest[top], 2)},
            "changed": round(float(np.average(now != before, weights=seconds[own])), 2),
        })  # fmt: skip
    return rows


def _known(offset: Offset, population: Population) -> float:
    return float(1 - np.trace(offset.covariance) / np.trace(population.inner[2]))


def _face_moments(evidence: Evidence) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Person, start, seconds and logits of the faces that move: not of still pictures."""
    faces = evidence.faces
    moving = np.full(len(faces), evidence.info.get("kind") != "picture")
    for part in evidence.info.get("parts", ()):
        if part["kind"] == "picture":
            moving &= (faces.time < part["start_s"]) | (faces.time >= part["end_s"])
    faces = faces.take(moving)
    return faces.track, faces.time, np.maximum(faces.duration, 1e-3), faces.logits


def _voice_moments(evidence: Evidence) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    voices = evidence.voices
    return speakers(evidence.faces, voices), voices.start, voices.end - voices.start, voices.logits
