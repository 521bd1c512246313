"""From rows to stretches: what programs for annotation show is who looked how from when to when."""

from dataclasses import dataclass

import numpy as np

from ..timeline import SOURCES, Source, Timeline

GAP_S = 0.1
"""Seconds without a row that do not end a stretch: two frames at 20 a second."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """A stretch of time over which the highest emotion of a person stays the same.

    Attributes:
        start: seconds from the start of the recording.
        end: seconds, after `start`.
        who: the person's name, `Person 3`, or `Scene`.
        emotion: the label with the highest score.
        confidence: its mean over the stretch, each row weighted by its length, 0 to 1.
    """

    start: float
    end: float
    who: str
    emotion: str
    confidence: float


def stretches(timeline: Timeline, source: Source = "fused") -> dict[str, list[Stretch]]:
    """Each person's stretches in order of time, persons by number, the scene last; those of one never overlap.

    Args:
        timeline: any; its rows without a length (pictures) are left out.
        source: whose rows.
    """
    rows = timeline[(timeline.source == SOURCES.index(source)) & (timeline.end > timeline.start)].sorted()
    persons: list[int | None] = [*rows.persons, *([None] if len(rows.scene()) else [])]
    found: dict[str, list[Stretch]] = {}
    for person in persons:
        part = rows.scene() if person is None else rows.select(person=person)
        found.setdefault(rows.who(person), []).extend(_merged(part, rows.who(person)))
    return {who: _apart(sorted(own, key=lambda s: s.start)) for who, own in found.items()}


def _merged(rows: Timeline, who: str) -> list[Stretch]:
    """Rows of one person as stretches."""
    said = rows.scores.argmax(1)
    reached = np.maximum.accumulate(rows.end)
    new = np.ones(len(rows), bool)
    new[1:] = (said[1:] != said[:-1]) | (rows.start[1:] > reached[:-1] + GAP_S)
    firsts = np.flatnonzero(new)
    made = []
    for first, after in zip(firsts, [*firsts[1:], len(rows)], strict=True):
        part = slice(first, after)
        sure = np.average(rows.scores[part].max(1), weights=rows.end[part] - rows.start[part])
        end, emotion = float(rows.end[part].max()), rows.labels[said[first]]
        made.append(Stretch(float(rows.start[first]), end, who, emotion, float(sure)))
    return made


def _apart(own: list[Stretch]) -> list[Stretch]:
    """Stretches in order of time, each cut off where the next one begins."""
    ends = [*(following.start for following in own[1:]), np.inf]
    cut = [Stretch(s.start, min(s.end, end), s.who, s.emotion, s.confidence) for s, end in zip(own, ends, strict=True)]
    return [s for s in cut if s.end > s.start]
