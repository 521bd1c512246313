"""Whose voice it is, decided over the whole recording.

A voice that keeps coinciding with a moving mouth is that person's, also where they are out of the picture. Of the
others, those that sound alike become voices of their own: "Voice A".
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from ..evidence import Evidence, Pieces, Speakers
from ..timeline import NOBODY
from .alike import agglomerate
from .speaker import STILL, Mouths

if TYPE_CHECKING:
    from .persons import Known

JOIN = 0.42
"""Cosine of the stretches of two voices, in the mean, from which on they are one (`results/persons/`)."""
DOUBT = 0.36
"""Cosine from which on they may be: they are kept apart, and it is said."""
SOUNDS = 0.31
"""Cosine that is enough for a person whose mouth was seen to speak elsewhere, and ..."""
IN_SIGHT = 0.28
"""... where they are in sight and their mouth is not still."""
MOST = 2500
"""Stretches whose speaker no mouth tells that are compared with each other, the longest first; others are nobody's."""
ROUNDS = 5
"""Times that stretches may go over to a voice that they are more like."""
CHANGED = 0.25
"""Cosine of a stretch and those before it in an utterance under which somebody else begins."""
LEAST_S = 1.0
"""Seconds that a voice of its own must be heard."""

Doubts = list[tuple[int, int, float]]


@dataclass
class _Segment:
    """Stretches of an utterance that are one speaker's.

    Attributes:
        rows: of `Speakers`.
        total: sum of their embeddings, each by its seconds.
        seconds: of them.
        spoke: seconds for which each person's mouth said that they spoke.
        still: persons who were in sight and did not speak.
        moved: persons who were in sight and may have spoken.
    """

    rows: list[int]
    total: np.ndarray
    seconds: float
    spoke: dict[int, float] = field(default_factory=dict)
    still: set[int] = field(default_factory=set)
    moved: set[int] = field(default_factory=set)

    @property
    def speaker(self) -> int:
        """The person whose mouth moved most, or `NOBODY`."""
        return max(self.spoke, key=lambda one: (self.spoke[one], -one), default=NOBODY)

    @property
    def mean(self) -> np.ndarray:
        return np.asarray(self.total / max(float(np.linalg.norm(self.total)), 1e-9))


def attribute(
    evidence: Evidence, person: np.ndarray, pictures: frozenset[int], known: "Sequence[Known]" = ()
) -> tuple[Pieces, dict[int, str], Doubts]:
    """Whose the stretches of speech are.

    Args:
        evidence: of the recording.
        person: of each face.
        pictures: persons who are pictures, and cannot speak.
        known: people who may be heard.

    Returns:
        the stretches, the names of persons who are only heard or are known by their voice, and the doubts.
    """
    mouths = _mouths(evidence, person, pictures)
    if not len(evidence.speakers):
        return _by_mouth(evidence, mouths), {}, []
    segments = _segments(evidence.speakers, mouths)
    persons = int(person.max(initial=NOBODY))
    owner, doubts = _owners(segments, persons)
    return _pieces(evidence.speakers, segments, owner), _names(segments, owner, persons, known), doubts


def _mouths(evidence: Evidence, person: np.ndarray, pictures: frozenset[int]) -> Mouths:
    faces = evidence.faces
    own = (person != NOBODY) & ~np.isin(person, list(pictures))
    mouths = Mouths()
    mouths.add(faces.time[own], person[own], faces.mouth[own], faces.rest[own])
    return mouths


def _by_mouth(evidence: Evidence, mouths: Mouths) -> Pieces:
    """Each window of speech by itself."""
    start, end = evidence.voices.start, evidence.voices.end
    spoke = [mouths.speaker(a, b) or NOBODY for a, b in zip(start.tolist(), end.tolist(), strict=True)]
    n = len(start)
    return Pieces(np.array(spoke, np.int32), np.zeros(n, np.int32), start, end, np.full(n, np.nan, np.float32))


def _segments(speakers: Speakers, mouths: Mouths) -> list[_Segment]:
    found: list[_Segment] = []
    for row in range(len(speakers)):
        start, end = float(speakers.start[row]), float(speakers.end[row])
        embedding, seconds = speakers.embedding[row].astype(np.float64), end - start
        movements, spoke = mouths.movements(start, end), mouths.speaker(start, end)
        last = found[-1] if found else None
        goes_on = (
            last is not None
            and speakers.utterance[last.rows[-1]] == speakers.utterance[row]
            and (spoke is None or last.speaker in (NOBODY, spoke))
            and float(last.mean @ embedding) >= CHANGED
        )
        if not goes_on or last is None:
            last = _Segment([], np.zeros_like(embedding), 0.0)
            found.append(last)
        last.rows.append(row)
        last.total = last.total + embedding * seconds
        last.seconds += seconds
        if spoke is not None:
            last.spoke[spoke] = last.spoke.get(spoke, 0.0) + seconds
        for one, moved in movements.items():
            (last.moved if moved >= STILL or spoke == one else last.still).add(one)
    return found


def _owners(segments: Sequence[_Segment], persons: int) -> tuple[list[int], Doubts]:
    """The person of each segment, who is only heard with the numbers after `persons`; and the doubts."""
    nodes = _nodes(segments)
    apart = np.array([[_apart(segments, a, b) for b in nodes] for a in nodes], bool).reshape(len(nodes), len(nodes))
    seconds = np.array([sum(segments[row].seconds for row in node) for node in nodes])
    means = np.array([sum(segments[row].total for row in node) for node in nodes]) / seconds[:, None]
    groups = agglomerate(means, seconds, apart, JOIN, DOUBT, 0.0, each=True)
    speaker = np.array([segments[node[0]].speaker for node in nodes])
    alike = means @ means.T
    group = _settled(groups.group.copy(), alike, seconds, apart, speaker)
    number: dict[int, int] = {int(group[node]): int(speaker[node]) for node in np.flatnonzero(speaker)}
    spoken = {one: np.flatnonzero(group == one) for one in number}
    following = persons
    for one in dict.fromkeys(group.tolist()):
        if one in number:
            continue
        own = np.flatnonzero(group == one)
        rows = [row for node in own for row in nodes[node]]
        number[one] = _who(segments, rows, own, spoken, number, alike, seconds, apart)
        if number[one] == NOBODY and seconds[own].sum() >= LEAST_S:
            following += 1
            number[one] = following
    owner = [NOBODY] * len(segments)
    for node, one in zip(nodes, group.tolist(), strict=True):
        for row in node:
            owner[row] = number[one]
    pairs = {(number.get(a, NOBODY), number.get(b, NOBODY)): alike for a, b, alike in groups.doubts}
    doubts = [(min(pair), max(pair), alike) for pair, alike in pairs.items() if min(pair) and pair[0] != pair[1]]
    return owner, sorted(doubts)


def _settled(
    group: np.ndarray, alike: np.ndarray, seconds: np.ndarray, apart: np.ndarray, speaker: np.ndarray
) -> np.ndarray:
    """The groups, after each node went to the one that it is most like, all at once, again and again."""
    free = np.flatnonzero(speaker == NOBODY)
    for _ in range(ROUNDS if len(free) else 0):
        member = (group[:, None] == np.arange(group.max() + 1)).astype(np.float64)
        weights = member * seconds[:, None]
        own = weights[free] * np.diag(alike)[free, None]
        total = np.maximum(weights.sum(0) - weights[free], 1e-9)
        fits = np.where(weights.sum(0) - weights[free] > 0, (alike[free] @ weights - own) / total, -1.0)
        fits[apart[free].astype(np.float64) @ member > 0] = -1.0
        now = fits[np.arange(len(free)), group[free]]
        best = fits.argmax(1)
        better = fits[np.arange(len(free)), best] > np.maximum(now, JOIN)
        if not better.any():
            break
        group[free[better]] = best[better]
    return group


def _who(
    segments: Sequence[_Segment],
    rows: Sequence[int],
    own: np.ndarray,
    spoken: dict[int, np.ndarray],
    number: dict[int, int],
    alike: np.ndarray,
    seconds: np.ndarray,
    apart: np.ndarray,
) -> int:
    """The person whose voice a group sounds like, though no mouth said so."""
    found = [(NOBODY, -1.0)]
    for one, members in spoken.items():
        if apart[np.ix_(own, members)].any():
            continue
        likeness = alike[np.ix_(own, members)] @ seconds[members] / seconds[members].sum()
        fit = float(np.average(likeness, weights=seconds[own]))
        in_sight = all(number[one] in segments[row].moved for row in rows)
        if fit >= (IN_SIGHT if in_sight else SOUNDS):
            found.append((number[one], fit))
    return max(found, key=lambda pair: (pair[1], -pair[0]))[0]


def _nodes(segments: Sequence[_Segment]) -> list[list[int]]:
    """Segments that are one person's for sure, as their mouth says; the others each by itself."""
    by_person: dict[int, list[int]] = {}
    for row, segment in enumerate(segments):
        if segment.speaker != NOBODY:
            by_person.setdefault(segment.speaker, []).append(row)
    alone = [row for row, segment in enumerate(segments) if segment.speaker == NOBODY]
    longest = sorted(alone, key=lambda row: (-segments[row].seconds, row))[:MOST]
    return sorted([*by_person.values(), *([row] for row in longest)])


def _apart(segments: Sequence[_Segment], a: Sequence[int], b: Sequence[int]) -> bool:
    """Whether two groups cannot be one voice: each is somebody else's, or one is of a person who is seen silent."""
    first, second = segments[a[0]].speaker, segments[b[0]].speaker
    if first and second:
        return first != second
    if first or second:
        who, others = (first, b) if first else (second, a)
        return any(who in segments[row].still for row in others)
    return False


def _names(
    segments: Sequence[_Segment], owner: Sequence[int], persons: int, known: "Sequence[Known]"
) -> dict[int, str]:
    """`Voice A`, or whose voice it is of the people who are known."""
    heard = sorted({one for one in owner if one > persons})
    names = {one: f"Voice {letters(place)}" for place, one in enumerate(heard)}
    found = []
    for one in sorted({one for one in owner if one}):
        total = np.asarray(sum(s.total for s, own in zip(segments, owner, strict=True) if own == one))
        centre = total / max(float(np.linalg.norm(total)), 1e-9)
        alike = sorted(((float(centre @ k.voice), k.name) for k in known if k.voice is not None), reverse=True)
        if alike and alike[0][0] >= JOIN:
            found.append((alike[0][0], one, alike[0][1]))
    taken: set[str] = set()
    for _, one, name in sorted(found, reverse=True):
        if name not in taken:
            names[one] = name
            taken.add(name)
    return names


def letters(place: int) -> str:
    """A, B, ... Z, AA, AB, ..."""
    text = ""
    place += 1
    while place:
        place, letter = divmod(place - 1, 26)
        text = chr(ord("A") + letter) + text
    return text


def _pieces(speakers: Speakers, segments: Sequence[_Segment], owner: Sequence[int]) -> Pieces:
    """A piece for each row of `Speakers`."""
    of_row = {row: one for segment, one in zip(segments, owner, strict=True) for row in segment.rows}
    mean = {row: segment.mean for segment in segments for row in segment.rows}
    n = len(speakers)
    person = np.array([of_row[row] for row in range(n)], np.int32)
    sure = np.array([mean[row] @ speakers.embedding[row].astype(np.float64) for row in range(n)], np.float32)
    return Pieces(person, np.zeros(n, np.int32), speakers.start, speakers.end, sure)
