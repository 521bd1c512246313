"""What a timeline comes to, per person and source, and the words for it: the same for table, page and terminal."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..timeline import NOBODY, SCORE_DIGITS, SECONDS_DIGITS, SOURCES, Observation, Source, Timeline

PERSONS_SHOWN = 20
"""A report shows the persons that were seen longest; the rest are in the table of the timeline."""

UNCERTAIN = 0.35
"""A mean score under which nothing is said to be an emotion: with eight labels, even scores are 0.125 each."""

SOURCE_WORDS: dict[Source, str] = {"face": "face", "voice": "voice", "fused": "face and voice together"}


@dataclass(frozen=True)
class Total:
    """One person (or the scene) as one source saw it, over the whole timeline.

    Attributes:
        person: number, or `None` for the scene.
        source: `face`, `voice` or `fused`.
        timeline: the observations that were summed up, at least one.
        seconds: how long there was an observation; overlapping ones count once.
        scores: label to mean score, 0 to 1, each observation weighted by its length.
    """

    person: int | None
    source: Source
    timeline: Timeline
    seconds: float
    scores: dict[str, float]

    @property
    def emotion(self) -> str:
        """The label with the highest mean score."""
        return max(self.scores, key=lambda name: self.scores[name])

    @property
    def uncertain(self) -> bool:
        """Whether no label stands out: the highest mean score is under `UNCERTAIN`."""
        return max(self.scores.values()) < UNCERTAIN

    @property
    def ranked(self) -> list[tuple[str, float]]:
        """The labels that reach half a percent, highest first."""
        return ranked(self.scores)

    @property
    def who(self) -> str:
        """The person's name, `Person 3`, or `Scene`."""
        return self.timeline.who(self.person)

    def as_json(self) -> dict[str, Any]:
        """The total as `summary.json` has it."""
        return {
            "person": self.person,
            "who": self.who,
            "source": self.source,
            "observations": len(self.timeline),
            "start_s": round(float(self.timeline.start.min()), SECONDS_DIGITS),
            "end_s": round(float(self.timeline.end.max()), SECONDS_DIGITS),
            "seconds": round(self.seconds, SECONDS_DIGITS),
            "emotion": self.emotion,
            "uncertain": self.uncertain,
            "scores": {name: round(score, SCORE_DIGITS) for name, score in self.scores.items()},
        }


def is_still(timeline: Timeline) -> bool:
    """Whether the timeline is of pictures only: one, or a folder where every face lasts as long as its picture."""
    info = timeline.info
    if info.get("kind") == "picture":
        return True
    parts = {(part["start_s"], part["end_s"]) for part in info.get("parts") or ()}
    moment = timeline.end == timeline.start
    whole = [span in parts for span in zip(timeline.start.tolist(), timeline.end.tolist(), strict=True)]
    picture = np.array(whole, bool) & (timeline.source != SOURCES.index("voice"))
    return len(timeline) > 0 and bool((moment | picture).all())


def together(timeline: Timeline) -> list[Total]:
    """One `Total` a source over everybody, as it makes sense for the faces of many pictures."""
    groups = [(source, timeline.select(source)) for source in SOURCES]
    return [total(None, source, group) for source, group in groups if len(group)]


def totals(timeline: Timeline) -> list[Total]:
    """One `Total` a person and source: persons observed longest first, then the scene; face, voice, fused within.

    Of whom only the face or only the voice was observed, both together would say the same again, and is left out.
    """
    rows: list[Total] = []
    for person in np.unique(timeline.person).tolist():
        own = timeline[timeline.person == person]
        there = [source for source in SOURCES if (own.source == SOURCES.index(source)).any()]
        kept = there[:1] if len(there) == 2 and there[1] == "fused" else there
        rows += [total(person if person != NOBODY else None, source, own.select(source)) for source in kept]
    longest: dict[int | None, tuple[float, int]] = {}
    for row in rows:
        longest[row.person] = max(longest.get(row.person, (0.0, 0)), (row.seconds, len(row.timeline)))

    def place(row: Total) -> tuple[bool, float, int, int, int]:
        seconds, count = longest[row.person]
        return row.person is None, -seconds, -count, row.person or 0, SOURCES.index(row.source)

    return sorted(rows, key=place)


def shown(rows: list[Total]) -> tuple[list[Total], int]:
    """The rows of the first `PERSONS_SHOWN` persons and of the scene, and the number of persons left out."""
    persons = list(dict.fromkeys(row.person for row in rows if row.person is not None))
    kept = {*persons[:PERSONS_SHOWN], None}
    return [row for row in rows if row.person in kept], max(0, len(persons) - PERSONS_SHOWN)


def leading(rows: Iterable[Total]) -> list[Total]:
    """One row a person: the source that observed longest; where equal, fused before face before voice."""
    preference = ("voice", "face", "fused")
    best: dict[int | None, Total] = {}
    for row in rows:
        rival = best.get(row.person)
        key = (round(row.seconds, 1), preference.index(row.source))
        if rival is None or key > (round(rival.seconds, 1), preference.index(rival.source)):
            best[row.person] = row
    return list(best.values())


def key_moments(timeline: Timeline, limit: int = 8) -> list[Observation]:
    """The observations worth a picture, in order of time: each person's most confident moment of each emotion.

    Only observations with a box count. Every person gets one, seen longest first, before any gets a second.
    """
    queues = []
    for row in leading(r for r in totals(timeline) if r.person is not None and r.source != "voice"):
        part = row.timeline[~np.isnan(row.timeline.box[:, 0])]
        if not len(part):
            continue
        said, sure = part.scores.argmax(1), part.scores.max(1)
        best = [np.flatnonzero(said == label)[sure[said == label].argmax()] for label in np.unique(said)]
        queues.append([part[int(at)] for at in sorted(best, key=lambda at: -sure[at])])
    longest = max((len(queue) for queue in queues), default=0)
    rounds = [queue[place] for place in range(longest) for queue in queues if place < len(queue)]
    return sorted(rounds[:limit], key=lambda o: o.start)


def baseline_words(row: Mapping[str, Any]) -> str:
    """A line on where a baseline is from: one of `info["baselines"]`."""
    what = "face" if row["source"] == "face" else "voice"
    rest = "".join(
        f"; at rest, the model alone calls it {name} {percent(share)}" for name, share in row["resting"].items()
    )
    return (
        f"{what}: read against {row['how']}, {clock(row['seconds'])}, known to {percent(row['known'])}{rest}; "
        f"{percent(row['changed'])} of the moments read differently"
    )


def ranked(scores: dict[str, float]) -> list[tuple[str, float]]:
    """The labels that reach half a percent, highest first; there is always one, as the scores sum to 1."""
    return sorted(((name, share) for name, share in scores.items() if share >= 0.005), key=lambda pair: -pair[1])


def percent(share: float) -> str:
    """`0.617` as `62 %`, with a space that does not break."""
    return f"{share:.0%}".replace("%", "\u00a0%")


def clock(seconds: float) -> str:
    """`2.4 s` below two minutes, then `3:25`, then `1:03:25`."""
    if seconds < 119.95:
        return f"{seconds:.1f}\u00a0s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def sentence(ranked: list[tuple[str, float]], most: int = 3) -> str:
    """`happiness 62 %, neutral 30 %, sadness 5 %`, to be broken at the commas only."""
    return ", ".join(f"{name}\u00a0{percent(share)}" for name, share in ranked[:most])


def total(person: int | None, source: Source, part: Timeline) -> Total:
    """The total of one person's rows of one source, at least one."""
    return Total(person, source, part, _covered(part.start, part.end), part.mean_scores())


def _covered(start: np.ndarray, end: np.ndarray) -> float:
    """Seconds that lie within at least one of the stretches."""
    order = np.argsort(start)
    start, end = start[order], end[order]
    reached = np.concatenate([start[:1], np.maximum.accumulate(end)[:-1]])
    return float(np.maximum(end - np.maximum(start, reached), 0).sum())
