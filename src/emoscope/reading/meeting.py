"""Who is who as it comes: the tracks of a live stream, one after the other."""

from dataclasses import dataclass, replace

import numpy as np

from ..evidence import Faces, Looks
from .persons import CHANGED, CLEAR, JOIN, MARGIN

WAIT_S = 0.5
"""Seconds for which a new track waits for its first look, where it may be somebody who comes back."""
FORGET_S = 60.0
"""Seconds out of sight after which a track is forgotten; the person is not."""
MOST = 200
"""Persons that are remembered; who was seen longest ago is forgotten first."""


@dataclass
class _Person:
    """Somebody: the sum of their looks, and when they were seen last."""

    number: int
    total: np.ndarray
    last: float

    def alike(self, look: np.ndarray) -> float:
        """The cosine of a look and those before it."""
        return float(self.total @ look) / max(float(np.linalg.norm(self.total)), 1e-9)


@dataclass
class _Track:
    since: float
    last: float
    person: int | None = None


class Meeting:
    """Gives the faces of a stream the numbers of persons; for one stream, in order of time. The state is bounded."""

    def __init__(self) -> None:
        self._people: dict[int, _Person] = {}
        self._tracks: dict[int, _Track] = {}
        self._count = 0

    def number(self, faces: Faces, looks: Looks) -> Faces:
        """The faces of the next frames with the person of each as its track.

        A face may be left out until it is known whether it is somebody who comes back, for `WAIT_S` at most.

        Args:
            faces: of the next frame, or none.
            looks: what was found of tracks since, which counts from now on.
        """
        for track, embedding, good in zip(looks.track.tolist(), looks.embedding, looks.quality.tolist(), strict=True):
            self._learn(track, embedding.astype(np.float64), good)
        if not len(faces):
            return faces
        now = float(faces.time[-1])
        here = faces.track.tolist()
        for one in here:
            known = self._tracks.setdefault(one, _Track(now, now))
            known.last = now
            if known.person is None and not (self._absent(here) and now - known.since < WAIT_S):
                known.person = self._new(now)
            if known.person in self._people:
                self._people[known.person].last = now
        self._tracks = {track: known for track, known in self._tracks.items() if known.last > now - FORGET_S}
        person = np.array([self._tracks[one].person or 0 for one in here], np.int32)
        order = np.argsort(person[person > 0], kind="stable")
        return replace(faces, track=person).take(np.flatnonzero(person > 0)[order])

    def _learn(self, track: int, look: np.ndarray, quality: float) -> None:
        known = self._tracks.get(track)
        if known is None:
            return
        person = self._people.get(known.person or 0)
        if person is not None and person.total.any():
            if person.alike(look) >= CHANGED or quality < CLEAR:
                person.total += quality * look
                return
            known.person = None
        others = {one.person for number, one in self._tracks.items() if number != track and one.last >= known.last}
        met = self._meets(look, {one for one in others if one})
        if met is not None:
            if known.person is not None:
                self._people.pop(known.person, None)  # nobody but this track had that number
            known.person = met.number
        elif known.person is None:
            known.person = self._new(known.last)
        self._people[known.person].total += quality * look

    def _meets(self, look: np.ndarray, others: set[int]) -> _Person | None:
        """The person of an absent track that a look is of."""
        ranked = sorted(((one.alike(look), one.number) for one in self._people.values() if one.number not in others
                         and one.total.any()), reverse=True)  # fmt: skip
        if not ranked or ranked[0][0] < JOIN or (len(ranked) > 1 and ranked[0][0] - ranked[1][0] < MARGIN):
            return None
        return self._people[ranked[0][1]]

    def _absent(self, here: list[int]) -> bool:
        """Whether anybody is known who is not in sight."""
        seen = {self._tracks[one].person for one in here if one in self._tracks}
        return any(number not in seen for number in self._people)

    def _new(self, now: float) -> int:
        self._count += 1
        self._people[self._count] = _Person(self._count, np.zeros(_WIDTH), now)
        if len(self._people) > MOST:
            oldest = min(self._people.values(), key=lambda one: one.last)
            del self._people[oldest.number]
        return self._count


_WIDTH = 128
"""Values of a look."""
