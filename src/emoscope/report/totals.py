"""What a timeline comes to, per person and source, and the words for it."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from ..emotions import EMOTIONS
from ..timeline import SOURCES, Observation, Source, Timeline

PERSONS_SHOWN = 20
"""A report shows the persons that were seen longest; the rest are in the table of the timeline."""

SOURCE_WORDS: dict[Source, str] = {"face": "face", "voice": "voice", "fused": "face and voice together"}


@dataclass(frozen=True)
class Total:
    """One person (or the scene) as one source saw it, over the whole timeline.

    Attributes:
        person: track number, or `None` for the scene.
        source: `face`, `voice` or `fused`.
        timeline: the observations that were summed up, at least one.
        seconds: how long there was an observation; overlapping ones count once.
        scores: emotion to mean score, 0 to 1, each observation weighted by its length.
        emotion: the emotion that was the highest for the longest time.
    """

    person: int | None
    source: Source
    timeline: Timeline
    seconds: float
    scores: dict[str, float]
    emotion: str

    @property
    def ranked(self) -> list[tuple[str, float]]:
        """The emotions that reach half a percent, highest first."""
        return ranked(self.scores)

    @property
    def who(self) -> str:
        """`Person 3`, or `Scene`."""
        return who(self.person)


def is_still(timeline: Timeline) -> bool:
    """Whether the timeline is of pictures only: one, or a folder where every face lasts as long as its picture."""
    info = timeline.info
    if info.get("kind") == "picture":
        return True
    pictures = {(part["start_s"], part["end_s"]) for part in info.get("parts") or ()}
    return len(timeline) > 0 and all(
        o.end == o.start or (o.source != "voice" and (o.start, o.end) in pictures) for o in timeline
    )


def together(timeline: Timeline) -> list[Total]:
    """One `Total` a source over everybody, as it makes sense for the faces of many pictures."""
    groups = {source: timeline.select(source).observations for source in SOURCES}
    return [_total(None, source, group) for source, group in groups.items() if group]


def totals(timeline: Timeline) -> list[Total]:
    """One `Total` a person and source: persons observed longest first, then the scene; face, voice, fused within."""
    groups: dict[tuple[int | None, Source], list[Observation]] = defaultdict(list)
    for observation in timeline:
        groups[observation.person, observation.source].append(observation)
    rows = [_total(person, source, group) for (person, source), group in groups.items()]
    longest: dict[int | None, tuple[float, int]] = defaultdict(lambda: (0.0, 0))
    for row in rows:
        longest[row.person] = max(longest[row.person], (row.seconds, len(row.timeline)))

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
        best: dict[str, Observation] = {}
        for o in row.timeline:
            if o.box is not None and (o.emotion not in best or o.confidence > best[o.emotion].confidence):
                best[o.emotion] = o
        queues.append(sorted(best.values(), key=lambda o: -o.confidence))
    rounds = [queue[place] for place in range(len(EMOTIONS)) for queue in queues if place < len(queue)]
    return sorted(rounds[:limit], key=lambda o: o.start)


def who(person: int | None) -> str:
    """`Person 3`, or `Scene` for a voice that belongs to nobody in the picture."""
    return "Scene" if person is None else f"Person {person}"


def ranked(scores: dict[str, float]) -> list[tuple[str, float]]:
    """The emotions that reach half a percent, highest first; there is always one, as eight scores sum to 1."""
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


def _total(person: int | None, source: Source, group: list[Observation]) -> Total:
    # the same sums as Timeline.mean_scores, in NumPy: an hour of video is 100,000 observations a person
    start, end = np.array([(o.start, o.end) for o in group]).T
    scores = np.array([o.scores for o in group])
    weights = end - start if (end > start).any() else np.ones(len(group))
    mean = weights @ scores / weights.sum()
    longest = np.bincount(scores.argmax(axis=1), weights, minlength=len(EMOTIONS)).argmax()
    return Total(
        person,
        source,
        Timeline(group),
        _covered(start, end),
        dict(zip(EMOTIONS, mean.tolist(), strict=True)),
        EMOTIONS[longest],
    )


def _covered(start: np.ndarray, end: np.ndarray) -> float:
    """Seconds that lie within at least one of the stretches."""
    order = np.argsort(start)
    start, end = start[order], end[order]
    reached = np.concatenate([start[:1], np.maximum.accumulate(end)[:-1]])
    return float(np.maximum(end - np.maximum(start, reached), 0).sum())
