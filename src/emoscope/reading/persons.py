"""Who is who: tracks and stretches of speech become persons.

A track is one person unless its looks say that it changed. Tracks are joined by looks, and never two that are in one
frame. Whose voice it is, is decided in `reading.voices` over the whole recording.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ..evidence import Evidence, Faces, Looks, Pieces
from ..timeline import NOBODY
from .alike import agglomerate
from .voices import attribute

JOIN = 0.45
"""Cosine of two tracks' looks from which on they are one person. Of 72 CREMA-D actors, two clips of one are alike by
0.76 and more, of two actors by 0.47 and less (`results/persons/`)."""
DOUBT = 0.35
"""Cosine from which on they may be: they are kept apart, and it is said."""
MARGIN = 0.03
"""By how much somebody must look more like one of two people seen together than like the other."""
CHANGED = 0.2
"""Cosine of a look and those before it under which a track has gone over to somebody else."""
CLEAR = 0.3
"""Quality of a view that may say so."""
SAME_PLACE = 0.3
"""Overlap of two boxes in one frame above which they are one face, found twice."""
SMALLEST = 24.0
"""Pixels of the longer side of a box: smaller faces are counted, not numbered."""
MOST = 2500
"""Pieces of tracks that are compared with each other, those with the best looks; each other one is a person."""
STILL_S = 3.0
"""Seconds for which a face must be seen to be taken for a picture of one."""
STILL = 1.2
"""Grey values by which mouth and forehead of a picture of a face change, at most, in 19 of 20 frames; of living faces
they change more (`results/persons/`)."""


@dataclass(frozen=True, eq=False)
class Grouping:
    """Who is who in a recording.

    Attributes:
        pieces: the stretches of tracks and of speech, with the person of each.
        names: what people are called: `Voice A` who is only heard, and whom `Known` people are.
        doubts: pairs of persons who may be one, with how alike they are.
        pictures: persons that do not move: pictures of faces.
        crowd: of the faces that are too small to tell: most at once, and seconds in which there were any.
    """

    pieces: Pieces
    names: dict[int, str] = field(default_factory=dict)
    doubts: list[tuple[int, int, float]] = field(default_factory=list)
    pictures: list[int] = field(default_factory=list)
    crowd: tuple[int, float] = (0, 0.0)

    def to_json(self) -> dict[str, Any]:
        """What is not in the pieces."""
        return {
            "names": {str(person): name for person, name in self.names.items()},
            "doubts": [[a, b, round(alike, 2)] for a, b, alike in self.doubts],
            "pictures": self.pictures,
            "crowd": list(self.crowd),
        }

    @classmethod
    def from_json(cls, pieces: Pieces, facts: Mapping[str, Any]) -> "Grouping":
        """The grouping that `to_json` described."""
        return cls(
            pieces,
            {int(person): str(name) for person, name in facts["names"].items()},
            [(int(a), int(b), float(alike)) for a, b, alike in facts["doubts"]],
            [int(person) for person in facts["pictures"]],
            (int(facts["crowd"][0]), float(facts["crowd"][1])),
        )


@dataclass(frozen=True, eq=False)
class Known:
    """Somebody known from elsewhere.

    Attributes:
        name: theirs.
        face: `(d,)` of unit length, or none.
        voice: `(d,)` of unit length, or none.
    """

    name: str
    face: np.ndarray | None = None
    voice: np.ndarray | None = None


def grouping(evidence: Evidence, smallest: float = SMALLEST, known: tuple[Known, ...] = ()) -> Grouping:
    """Who is who in a recording, from its embeddings; without them every track is a person.

    Args:
        evidence: of the recording.
        smallest: pixels of the longer side of a face that gets a number.
        known: people who may be in it.
    """
    faces = evidence.faces
    tracks = _pieces(faces, evidence.looks, evidence.shots)
    small = np.array([_size(faces, piece) < smallest for piece in _rows(tracks)], bool)
    pictures = np.array([_is_picture(evidence, piece) for piece in _rows(tracks)], bool)
    person, sure, doubts = _persons(evidence, tracks, small, pictures)
    tracks = Pieces(person, tracks.track, tracks.start, tracks.end, sure)
    stills = sorted({int(p) for p in np.unique(person[pictures & (person > 0)])})
    heard, names, more = attribute(evidence, person_of_faces(faces, tracks), frozenset(stills), known)
    names |= _recognised(evidence, tracks, known)
    return Grouping(Pieces.join([tracks, heard]), names, doubts + more, stills, _crowd(faces, tracks))


def person_of_faces(faces: Faces, pieces: Pieces) -> np.ndarray:
    """The person of each face `(n,)` int32; `NOBODY` where it is in no piece."""
    person = np.zeros(len(faces), np.int32)
    order = np.lexsort((faces.time, faces.track))
    track, time = faces.track[order], faces.time[order]
    edges = {int(t): (int(a), int(b)) for t, a, b in _runs(track)}
    for number, one, start, end, _ in _rows(pieces):
        if one not in edges:
            continue
        first, last = edges[one]
        within = slice(first + int(np.searchsorted(time[first:last], start - 1e-9)),
                       first + int(np.searchsorted(time[first:last], end + 1e-9)))  # fmt: skip
        person[order[within]] = number
    return person


def person_of_voices(start: np.ndarray, end: np.ndarray, pieces: Pieces) -> np.ndarray:
    """The person of each window of speech `(n,)` int32: whose stretch it overlaps longest."""
    heard = pieces.take(pieces.track == 0)
    person = np.zeros(len(start), np.int32)
    if not len(heard):
        return person
    order = np.argsort(heard.start, kind="stable")
    heard = heard.take(order)
    for row, (a, b) in enumerate(zip(start.tolist(), end.tolist(), strict=True)):
        first = max(int(np.searchsorted(heard.start, a, side="right")) - 1, 0)
        last = int(np.searchsorted(heard.start, b))
        shared: dict[int, float] = {}
        for place in range(first, last):
            common = min(b, float(heard.end[place])) - max(a, float(heard.start[place]))
            if common > 0:
                one = int(heard.person[place])
                shared[one] = shared.get(one, 0.0) + common
        if shared:
            person[row] = max(shared, key=lambda one: (shared[one], -one))
    return person


def _rows(pieces: Pieces) -> list[tuple[int, int, float, float, float]]:
    columns = (pieces.person, pieces.track, pieces.start, pieces.end, pieces.sure)
    return list(zip(*(column.tolist() for column in columns), strict=True))


def _runs(sorted_values: np.ndarray) -> list[tuple[int, int, int]]:
    """Value, first row and the row after the last, of each run."""
    values, first = np.unique(sorted_values, return_index=True)
    last = [*first[1:].tolist(), len(sorted_values)][: len(values)]
    return list(zip(values.tolist(), first.tolist(), last, strict=True))


def _pieces(faces: Faces, looks: Looks, shots: np.ndarray) -> Pieces:
    """The tracks, cut where their looks change."""
    found = []
    order = np.lexsort((faces.time, faces.track))
    track, time = faces.track[order], faces.time[order]
    for one, first, last in _runs(track):
        own = time[first:last]
        edges = [float(own[0]), *_changes(own, looks.take(looks.track == one), shots)]
        for place, start in enumerate(edges):
            upto = own[own < edges[place + 1]] if place + 1 < len(edges) else own
            found.append((one, start, float(upto[-1])))
    found.sort(key=lambda piece: (piece[1], piece[0]))
    n = len(found)
    columns = tuple(zip(*found, strict=True)) if found else ((), (), ())
    return Pieces(np.zeros(n, np.int32), np.array(columns[0], np.int32), np.array(columns[1], np.float64),
                  np.array(columns[2], np.float64), np.full(n, np.nan, np.float32))  # fmt: skip


def _changes(time: np.ndarray, looks: Looks, shots: np.ndarray) -> list[float]:
    """The times of faces with which a track goes over to somebody else."""
    found: list[float] = []
    mean, since = None, 0.0
    order = np.argsort(looks.time, kind="stable")
    for row in order[looks.quality[order] >= CLEAR].tolist():
        look, at = looks.embedding[row].astype(np.float64), float(looks.time[row])
        if mean is not None and float(look @ mean) / (np.linalg.norm(mean) + 1e-9) < CHANGED:
            found.append(_between(time, since, at, shots))
            mean = None
        mean, since = (look if mean is None else mean + look), at
    return found


def _between(time: np.ndarray, start: float, end: float, shots: np.ndarray) -> float:
    """The face with which it most likely went over: at a cut, else after the longest gap, else in the middle."""
    within = time[(time > start) & (time <= end)]
    cuts = shots[(shots > start) & (shots <= end)]
    if len(cuts):
        return float(within[np.searchsorted(within, cuts[0], side="left").clip(max=len(within) - 1)])
    gaps = np.diff(np.concatenate([[start], within]))
    usual = float(np.median(gaps))
    if gaps.max() > 3 * usual:
        return float(within[gaps.argmax()])
    return float(within[len(within) // 2])


def _faces_of(faces: Faces, piece: tuple[int, int, float, float, float]) -> np.ndarray:
    _, track, start, end, _ = piece
    return np.flatnonzero((faces.track == track) & (faces.time >= start - 1e-9) & (faces.time <= end + 1e-9))


def _size(faces: Faces, piece: tuple[int, int, float, float, float]) -> float:
    own = _faces_of(faces, piece)
    return float(np.median(faces.box[own][:, 2:].max(1))) if len(own) else 0.0


def _is_picture(evidence: Evidence, piece: tuple[int, int, float, float, float]) -> bool:
    """Whether a face does not move at all, though the recording does."""
    faces = evidence.faces
    own = _faces_of(faces, piece)
    if evidence.info.get("kind") != "video" or len(own) < 10 or piece[3] - piece[2] < STILL_S:
        return False
    moved = np.maximum(faces.mouth[own], faces.rest[own])
    moved = moved[np.isfinite(moved)]
    return len(moved) > 5 and float(np.percentile(moved, 95)) < STILL


def _persons(
    evidence: Evidence, tracks: Pieces, small: np.ndarray, pictures: np.ndarray
) -> tuple[np.ndarray, np.ndarray, list[tuple[int, int, float]]]:
    """The person of each piece of a track, how sure that is, and the doubts."""
    n = len(tracks)
    mean, weight = _looks_of(evidence.looks, tracks)
    apart = _together(evidence.faces, tracks) | (pictures[:, None] != pictures[None])
    seen = np.flatnonzero((weight > 0) & ~small)
    seen = np.sort(seen[np.argsort(-weight[seen], kind="stable")[:MOST]])
    groups = agglomerate(mean[seen], weight[seen], apart[np.ix_(seen, seen)], JOIN, DOUBT, MARGIN)
    group = np.full(n, -1)
    group[seen] = groups.group
    unseen = np.setdiff1d(np.flatnonzero(~small), seen)
    group[unseen] = len(seen) + np.arange(len(unseen))
    number: dict[int, int] = {}
    for one in group.tolist():  # pieces are in order of time
        if one >= 0:
            number.setdefault(one, len(number) + 1)
    person = np.array([number.get(one, NOBODY) for one in group.tolist()], np.int32)
    sure = np.full(n, np.nan, np.float32)
    for one in np.unique(person[seen]).tolist():
        own = seen[person[seen] == one]
        centre = (mean[own] * weight[own, None]).sum(0)
        sure[own] = mean[own] @ (centre / max(float(np.linalg.norm(centre)), 1e-9))
    pairs = [sorted((number[a], number[b])) for a, b, _ in groups.doubts]
    doubts = [(a, b, alike) for (a, b), (_, _, alike) in zip(pairs, groups.doubts, strict=True)]
    return person, sure, sorted(doubts)


def _looks_of(looks: Looks, tracks: Pieces) -> tuple[np.ndarray, np.ndarray]:
    """Of each piece the mean of its looks `(n, d)`, of unit length, and their weight; 0 where there is none."""
    mean = np.zeros((len(tracks), looks.embedding.shape[1]))
    weight = np.zeros(len(tracks))
    for row, (_, track, start, end, _) in enumerate(_rows(tracks)):
        own = (looks.track == track) & (looks.time >= start - 1e-9) & (looks.time <= end + 1e-9)
        if own.any():
            quality = looks.quality[own].astype(np.float64) + 1e-3
            total = (looks.embedding[own].astype(np.float64) * quality[:, None]).sum(0)
            mean[row] = total / max(float(np.linalg.norm(total)), 1e-9)
            weight[row] = quality.sum()
    return mean, weight


def _together(faces: Faces, tracks: Pieces) -> np.ndarray:
    """Which pieces are in one frame, beside each other, `(n, n)`."""
    rows = _rows(tracks)
    own = [_faces_of(faces, piece) for piece in rows]
    apart = np.zeros((len(rows), len(rows)), bool)
    for a, (_, track, _, end, _) in enumerate(rows):
        for b in range(a + 1, len(rows)):
            if rows[b][2] > end:
                break  # they are in order of start
            if rows[b][1] == track:
                continue
            _, first, second = np.intersect1d(faces.time[own[a]], faces.time[own[b]], return_indices=True)
            if len(first):
                overlap = _overlaps(faces.box[own[a][first]], faces.box[own[b][second]])
                apart[a, b] = apart[b, a] = float(np.median(overlap)) < SAME_PLACE
    return apart


def _overlaps(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Intersection over union of boxes `(n, 4)`, one by one."""
    sides = np.minimum(a[:, :2] + a[:, 2:], b[:, :2] + b[:, 2:]) - np.maximum(a[:, :2], b[:, :2])
    common = np.maximum(sides, 0).prod(1)
    return np.asarray(common / np.maximum(a[:, 2:].prod(1) + b[:, 2:].prod(1) - common, 1e-9))


def _recognised(evidence: Evidence, tracks: Pieces, known: tuple[Known, ...]) -> dict[int, str]:
    """The names of persons who look like somebody known: the likeliest first, each name once."""
    mean, weight = _looks_of(evidence.looks, tracks)
    pairs = []
    for person in [p for p in np.unique(tracks.person).tolist() if p != NOBODY]:
        own = (tracks.person == person) & (weight > 0)
        if not own.any():
            continue
        total = (mean[own] * weight[own, None]).sum(0)
        centre = total / max(float(np.linalg.norm(total)), 1e-9)
        alike = sorted(((float(centre @ k.face), k.name) for k in known if k.face is not None), reverse=True)
        if alike and alike[0][0] >= JOIN and (len(alike) == 1 or alike[0][0] - alike[1][0] > MARGIN):
            pairs.append((alike[0][0], person, alike[0][1]))
    named: dict[int, str] = {}
    for _, person, name in sorted(pairs, reverse=True):
        if name not in named.values():
            named[person] = name
    return named


def _crowd(faces: Faces, tracks: Pieces) -> tuple[int, float]:
    """Of the faces without a number: most in one frame, and seconds of the frames with any."""
    nobody = person_of_faces(faces, tracks) == NOBODY
    if not nobody.any():
        return 0, 0.0
    _, first, counts = np.unique(faces.time[nobody], return_index=True, return_counts=True)
    return int(counts.max()), round(float(faces.duration[nobody][first].sum()), 2)
