"""The baselines of a whole recording: of each person, from the face and from the voice."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np

from ..calibration import probabilities
from ..evidence import Evidence, Faces, Voices
from ..timeline import NOBODY
from .baseline import Baseline, Offset, Population, resting, scores
from .profile import Profile, shared
from .smooth import Exponential
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

    @classmethod
    def parse(cls, text: str) -> "Span":
        """`0:05-0:12` or, of person 1, `0:05-0:12@1`.

        Raises:
            ValueError: it is something else.
        """
        stretch, _, person = text.partition("@")
        start, _, end = stretch.partition("-")
        return cls(seconds(start), seconds(end), int(person) if person else None)


def seconds(text: str) -> float:
    """`5`, `0:05` or `1:00:05.5` in seconds."""
    return sum(float(part) * 60**place for place, part in enumerate(reversed(text.split(":"))))


@dataclass(frozen=True)
class File:
    """A picture or a sound in which somebody is known to be neutral.

    Attributes:
        path: of it.
        person: whose in the recording, or `None` for everybody.
    """

    path: Path
    person: int | None = None


@dataclass(frozen=True, eq=False)
class Sample:
    """Such a file, observed.

    Attributes:
        logits: by source, `(n, k)` of its moments.
        person: whose, or `None` for everybody.
    """

    logits: Mapping[str, np.ndarray]
    person: int | None = None


def recording_offsets(
    evidence: Evidence,
    sources: Mapping[str, Source],
    mix: Mapping[str, float] | None = None,
    neutral: Sequence[Span | Sample] = (),
    profiles: Mapping[int | None, Profile] = MappingProxyType({}),
    spoken: np.ndarray | None = None,
) -> dict[Key, Offset]:
    """What the whole recording says of everybody's offsets; still pictures and models without statistics have none.

    Args:
        evidence: of the recording.
        sources: its models.
        mix: see `Population.mix`.
        neutral: what is known to be neutral.
        profiles: of persons, from other recordings; under `None` for everybody.
        spoken: whose each window of speech is, `(n,)`; by default as `speakers` says.
    """
    found: dict[Key, Offset] = {}
    for name, moments in _moments(evidence, sources, spoken).items():
        source = sources[name]
        if (population := source.population) is None:
            continue
        people = np.unique(moments[0]).tolist()
        before = {one: _before(profiles, one, name, source) for one in people}
        expected = population.mix(mix)

        def learned(one: int, known: Offset | None, moments: _Moments = moments, name: str = name) -> Offset:
            baseline = Baseline(population, expected, known)  # noqa: B023
            _learn(baseline, moments, one, neutral, name)
            return baseline.offset

        alone = {one: learned(one, before[one]) for one in people}
        strangers = [one for one in people if before[one] is None and one != NOBODY]
        if len(strangers) > 1:
            others = shared([alone[one] for one in strangers], population)
            alone |= {one: learned(one, known) for one, known in zip(strangers, others, strict=True)}
        found |= {(name, one): offset for one, offset in alone.items()}
    return found


def _before(profiles: Mapping[int | None, Profile], person: int, name: str, source: Source) -> Offset | None:
    profile = profiles.get(person, profiles.get(None))
    return profile.elsewhere(name, source) if profile else None


def _learn(baseline: Baseline, moments: "_Moments", one: int, neutral: Sequence[Span | Sample], name: str) -> None:
    person, start, seconds, logits = moments
    own, known = person == one, np.zeros(len(person), bool)
    for told in neutral:
        if told.person not in (None, one):
            continue
        if isinstance(told, Span):
            known |= (start >= told.start) & (start < told.end)
        elif len(rows := told.logits.get(name, ())):
            moment = np.full(len(rows), baseline.population.moment_s)  # a picture is a moment
            baseline.add(np.asarray(rows), moment / (len(rows) if name == "face" else 1), neutral=True)
    baseline.add(logits[own & known], seconds[own & known], neutral=bool((own & known).any()))
    baseline.add(logits[own & ~known], seconds[own & ~known])


def speakers(faces: Faces, voices: Voices) -> np.ndarray:
    """Whose each window of speech is, `(n,)`; `NOBODY` where that is undecided."""
    mouths = Mouths()
    mouths.add(faces.time, faces.track, faces.mouth, faces.rest)
    spans = zip(voices.start.tolist(), voices.end.tolist(), strict=True)
    return np.array([mouths.speaker(start, end) or NOBODY for start, end in spans], np.int32)


def describe(
    evidence: Evidence,
    sources: Mapping[str, Source],
    offsets: Mapping[Key, Offset],
    mix: Mapping[str, float] | None,
    spoken: np.ndarray | None = None,
) -> list[dict[str, Any]]:
    """For each person and source: where the baseline is from, how well it is known, and what it moved.

    Returns:
        dicts with `person`, `source`, `how`, `seconds`, `known` (0 to 1: how much of what was open about the offset is
        known), `resting` (what the model by itself would say of the neutral face or voice; empty where it cannot say
        neutral) and `changed` (0 to 1: of how many moments another emotion is read than without a baseline).
    """
    rows = []
    moments = _moments(evidence, sources, spoken)
    for (name, one), offset in offsets.items():
        source = sources[name]
        assert source.population
        person, _, seconds, logits = moments[name]
        own = person == one
        now = scores(logits[own], offset, source.population, source.population.mix(mix), source.temperature).argmax(1)
        before = probabilities(logits[own], source.temperature).argmax(1)
        rest = resting(offset, source.population, source.temperature)
        top = [max(rest, key=lambda label: rest[label])] if rest else []
        rows.append({
            "person": one or None,
            "source": name,
            "how": offset.how,
            "seconds": round(offset.seconds, 1),
            "known": round(_known(offset, source.population), 2),
            "resting": {label: round(rest[label], 2) for label in top},
            "changed": round(float(np.average(now != before, weights=seconds[own])), 2),
        })  # fmt: skip
    return rows


def _known(offset: Offset, population: Population) -> float:
    """How much of what was open is known, 0 to 1; several explanations of a recording may leave more open than none."""
    return max(0.0, float(1 - np.trace(offset.covariance) / np.trace(population.nothing.covariance)))


_Moments = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]
"""Person, start, seconds and logits of each moment."""


def _moments(evidence: Evidence, sources: Mapping[str, Source], spoken: np.ndarray | None) -> dict[str, _Moments]:
    found = {}
    if "face" in sources:
        found["face"] = _face_moments(evidence, sources["face"].modality == "face")
    if "voice" in sources:
        voices = evidence.voices
        lasting = voices.end - voices.start
        whose = speakers(evidence.faces, voices) if spoken is None else spoken
        found["voice"] = whose, voices.start, lasting, voices.logits
    return found


def _face_moments(evidence: Evidence, steady: bool) -> _Moments:
    """Of the faces that move: not of still pictures. Steadied as they are read, where the model does not look back."""
    faces = evidence.faces
    moving = np.full(len(faces), evidence.info.get("kind") != "picture")
    for part in evidence.info.get("parts", ()):
        if part["kind"] == "picture":
            moving &= (faces.time < part["start_s"]) | (faces.time >= part["end_s"])
    faces = faces.take(moving)
    logits = faces.logits.astype(np.float64)
    for one in np.unique(faces.track) if steady else ():
        own = faces.track == one
        logits[own] = Exponential().update(faces.time[own], logits[own])
    return faces.track, faces.time, np.maximum(faces.duration, 1e-3), logits
