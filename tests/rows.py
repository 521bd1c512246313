"""Rows of timelines, for tests of any room."""

from collections.abc import Iterable

from emoscope.timeline import Observation, Timeline


def in_order(rows: Iterable[Observation]) -> list[Observation]:
    """Observations in the order of a sorted timeline."""
    return list(Timeline.of(rows).sorted())


def as_fused(rows: Iterable[Observation]) -> list[Observation]:
    """The same observations as if both sources had been read together."""
    return [Observation(o.start, o.end, "fused", o.person, o.box, o.scores, o.labels) for o in rows]
