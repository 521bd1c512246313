"""Rows of timelines, for tests of any room."""

from collections.abc import Iterable

from emoscope.emotions import EMOTIONS
from emoscope.timeline import Observation, Source, Timeline


def in_order(rows: Iterable[Observation]) -> list[Observation]:
    """Observations in the order of a sorted timeline."""
    return list(Timeline.of(rows).sorted())


def as_fused(rows: Iterable[Observation]) -> list[Observation]:
    """The same observations as if both sources had been read together."""
    return [Observation(o.start, o.end, "fused", o.person, o.box, o.scores, o.labels) for o in rows]


def row(
    start: float, end: float, person: int | None, emotion: str, source: Source = "fused", sure: float = 0.8
) -> Observation:
    """A row that says an emotion with this score; the others share the rest."""
    scores = [(1 - sure) / (len(EMOTIONS) - 1)] * len(EMOTIONS)
    scores[EMOTIONS.index(emotion)] = sure
    return Observation(start, end, source, person, None, tuple(scores))
