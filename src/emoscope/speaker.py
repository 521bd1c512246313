"""Whose voice it is: the person whose mouth moves while it is heard."""

from collections import deque

import numpy as np

MEMORY = 12.0
"""Seconds for which mouth movement is kept: longer than a voice observation lasts and is waited for."""
SEEN = 0.5
"""A person must be in sight for this share of the voice."""
STILL = 1.3
"""A mouth that moves less than this, relative to the rest of the face, is still. In CREMA-D clips 95 % of those who
speak are above 1.44, half of those who are silent below 1.15."""
CLEAR = 1.3
"""With several moving mouths, the first must move this many times as much as the second."""

MOUTH = (slice(31, 47), slice(12, 36))
REST = (slice(6, 26), slice(8, 40))
"""Rows and columns of the mouth and of eyes and forehead in a 48x48 crop (see `face.crop.TEMPLATE`)."""


class MouthWatch:
    """Remembers how much each person's mouth moved, from the crops that the face model saw.

    The change from crop to crop around the mouth is divided by the change of the upper face, so that a head that
    moves, a noisy camera and a change of light do not count as speech.
    """

    def __init__(self) -> None:
        self._last: dict[int, tuple[float, np.ndarray]] = {}
        self._moves: dict[int, deque[tuple[float, float, float]]] = {}

    def add(self, person: int, time: float, crop: np.ndarray) -> None:
        """Take the grey uint8 crop `(48, 48)` of a person at `time` seconds."""
        face = crop.astype(np.float32)
        if person in self._last:
            change = abs(face - self._last[person][1])
            move = (time, float(change[MOUTH].mean()), float(change[REST].mean()))
            self._moves.setdefault(person, deque()).append(move)
        self._last[person] = (time, face)
        self._forget(time - MEMORY)

    def speaker(self, start: float, end: float) -> int | None:
        """The person who most clearly spoke from `start` to `end` seconds, or `None` where that is undecided."""
        movement = {}
        for person, moves in self._moves.items():
            during = [(mouth, rest) for time, mouth, rest in moves if start <= time < end]
            times = [time for time, _, _ in moves if start <= time < end]
            if len(during) >= 2 and times[-1] - times[0] >= SEEN * (end - start):
                mouth, rest = np.mean(during, axis=0)
                movement[person] = (mouth + 0.5) / (rest + 0.5)
        ranked = sorted(movement, key=lambda p: movement[p], reverse=True)
        if not ranked or movement[ranked[0]] < STILL:
            return None
        if len(ranked) > 1 and movement[ranked[0]] < CLEAR * movement[ranked[1]]:
            return None
        return ranked[0]

    def _forget(self, before: float) -> None:
        self._last = {person: last for person, last in self._last.items() if last[0] >= before}
        self._moves = {person: moves for person, moves in self._moves.items() if person in self._last}
        for moves in self._moves.values():
            while moves and moves[0][0] < before:
                moves.popleft()
