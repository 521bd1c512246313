"""Whose voice it is: the person whose mouth moves while it is heard."""

from collections import deque

import numpy as np

MEMORY = 12.0
"""Seconds for which mouth movement is kept: longer than a voice observation lasts and is waited for."""
SEEN = 0.5
"""A person must be in sight for this share of the voice."""
LAG = 0.06
"""Seconds between the crops that are compared, at least: from frame to frame a mouth hardly moves, noise does."""
STILL = 1.45
"""A mouth that moves less than this, relative to the rest of the face, is still. Nearly all who speak are above it, but
so are many who are about to: it only rules out faces that do not move (`results/constants/`)."""
CLEAR = 1.3
"""With several moving mouths, the first must move this many times as much as the second."""

MOUTH = (slice(31, 47), slice(12, 36))
REST = (slice(6, 26), slice(8, 40))
"""Rows and columns of the mouth and of eyes and forehead in a 48x48 crop (see `face.crop.TEMPLATE`)."""


class MouthWatch:
    """Remembers how much each person's mouth moved, from the crops that the face model saw.

    What a shift of the crop or a change of light explains of the change of the upper face is taken off. What is left
    around the mouth is divided by what is left of the upper face, so that neither a head that moves nor a noisy camera
    counts as speech.
    """

    def __init__(self) -> None:
        self._last: dict[int, deque[tuple[float, np.ndarray]]] = {}
        self._moves: dict[int, deque[tuple[float, float, float]]] = {}

    def add(self, person: int, time: float, crop: np.ndarray) -> None:
        """Take the grey uint8 crop `(48, 48)` of a person at `time` seconds."""
        last = self._last.setdefault(person, deque())
        last.append((time, crop.astype(np.float32)))
        while len(last) > 1 and last[1][0] <= time - LAG:
            last.popleft()
        if last[0][0] <= time - LAG:
            change = abs(_unexplained(last[0][1], last[-1][1]))
            move = (time, float(change[MOUTH].mean()), float(change[REST].mean()))
            self._moves.setdefault(person, deque()).append(move)
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
        self._last = {person: last for person, last in self._last.items() if last[-1][0] >= before}
        self._moves = {person: moves for person, moves in self._moves.items() if person in self._last}
        for moves in self._moves.values():
            while moves and moves[0][0] < before:
                moves.popleft()


def _unexplained(before: np.ndarray, after: np.ndarray) -> np.ndarray:
    """The change of a crop `(48, 48)` less what shift, contrast and brightness explain of it in `REST`.

    The four are found by least squares on the first-order change of the picture (Lucas & Kanade 1981).
    """
    down, across = np.gradient(before)
    causes = np.stack([across, down, before, np.ones_like(before)], axis=-1)
    change = after - before
    amounts, *_ = np.linalg.lstsq(causes[REST].reshape(-1, 4), change[REST].ravel(), rcond=None)
    return np.asarray(change - causes @ amounts)
