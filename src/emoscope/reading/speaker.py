"""Whose voice it is: the person whose mouth moves while it is heard."""

import numpy as np

MEMORY_S = 12.0
"""Seconds for which mouth movement is kept: longer than a voice lasts and is waited for."""
SEEN = 0.5
"""A person must be in sight for this share of the voice."""
STILL = 1.45
"""A mouth that moves less than this, relative to the rest of the face, is still. Nearly all who speak are above it, but
so are many who are about to: it only rules out faces that do not move (`results/faces/`)."""
CLEAR = 1.3
"""With several moving mouths, the first must move this many times as much as the second."""


class Mouths:
    """Remembers how much each person's mouth moved (see `face.mouth`)."""

    def __init__(self) -> None:
        self._time = np.zeros(0)
        self._person = np.zeros(0, np.int32)
        self._moved = np.zeros((0, 2))

    def add(self, time: np.ndarray, person: np.ndarray, mouth: np.ndarray, rest: np.ndarray) -> None:
        """Take the faces of the next frames: `(n,)` each, in order of time; unknown movement is left out."""
        known = np.isfinite(mouth)
        self._time = np.concatenate([self._time, time[known]])
        self._person = np.concatenate([self._person, person[known]])
        self._moved = np.concatenate([self._moved, np.stack([mouth[known], rest[known]], 1)])

    def forget(self, before: float) -> None:
        """Drop what is older than `before` seconds."""
        kept = slice(int(np.searchsorted(self._time, before)), None)
        self._time, self._person, self._moved = self._time[kept], self._person[kept], self._moved[kept]

    def speaker(self, start: float, end: float) -> int | None:
        """The person who most clearly spoke from `start` to `end` seconds, or `None` where that is undecided."""
        movement = self.movements(start, end)
        ranked = sorted(movement, key=lambda p: movement[p], reverse=True)
        if not ranked or movement[ranked[0]] < STILL:
            return None
        if len(ranked) > 1 and movement[ranked[0]] < CLEAR * movement[ranked[1]]:
            return None
        return ranked[0]

    def movements(self, start: float, end: float) -> dict[int, float]:
        """How much the mouth of each person in sight moved from `start` to `end` seconds, by the rest of the face."""
        during = slice(*np.searchsorted(self._time, (start, end)))
        time, person, moved = self._time[during], self._person[during], self._moved[during]
        movement = {}
        for one in np.unique(person).tolist():
            own = person == one
            if own.sum() >= 2 and np.ptp(time[own]) >= SEEN * (end - start):
                mouth, rest = moved[own].mean(0)
                movement[one] = float((mouth + 0.5) / (rest + 0.5))
        return movement
