"""How much a mouth moves, measured on the upright crops of a face that is followed."""

from collections import deque
from collections.abc import Sequence
from typing import Any

import numpy as np

LAG_S = 0.06
"""Seconds between the crops that are compared, at least: from frame to frame a mouth hardly moves, noise does."""
FORGET_S = 12.0
"""Seconds out of sight after which a track's last crop is no longer compared."""

MOUTH = (slice(31, 47), slice(12, 36))
REST = (slice(6, 26), slice(8, 40))
"""Rows and columns of the mouth and of eyes and forehead in a 48x48 crop (see `crop.TEMPLATE`)."""


class MouthMeter:
    """Measures the movement of mouths.

    What a shift of the crop or a change of light explains of the change of the upper face is taken off. What is left
    around the mouth stands beside what is left of the upper face, so that neither a head that moves nor a noisy camera
    counts as speech.
    """

    def __init__(self) -> None:
        self._last: dict[int, deque[tuple[float, np.ndarray]]] = {}

    def measure(self, time: float, tracks: Sequence[int], crops: np.ndarray) -> np.ndarray:
        """The movement of the mouths in the next frame since `LAG_S` ago or a little longer.

        Args:
            time: seconds; not before the last frame's.
            tracks: the number of each face.
            crops: grey uint8 `(n, 48, 48)`.

        Returns:
            `(n, 2)` float32: the mean absolute change of the mouth and of the upper face, in grey values; not a number
            where the face was not seen before.
        """
        moved = np.full((len(tracks), 2), np.nan, np.float32)
        for row, track in enumerate(tracks):
            last = self._last.setdefault(track, deque())
            last.append((time, crops[row].astype(np.float32)))
            while len(last) > 1 and last[1][0] <= time - LAG_S:
                last.popleft()
            if last[0][0] <= time - LAG_S:
                change = abs(_unexplained(last[0][1], last[-1][1]))
                moved[row] = change[MOUTH].mean(), change[REST].mean()
        self._last = {track: last for track, last in self._last.items() if last[-1][0] >= time - FORGET_S}
        return moved

    def state(self) -> dict[str, Any]:
        """What `restore` needs to go on from here, as numbers and arrays."""
        return {"last": [[track, [list(seen) for seen in last]] for track, last in self._last.items()]}

    def restore(self, state: dict[str, Any]) -> None:
        """Go on from a state."""
        self._last = {track: deque((time, crop) for time, crop in last) for track, last in state["last"]}


def _unexplained(before: np.ndarray, after: np.ndarray) -> np.ndarray:
    """The change of a crop `(48, 48)` less what shift, contrast and brightness explain of it in `REST`.

    The four are found by least squares on the first-order change of the picture (Lucas & Kanade 1981).
    """
    down, across = np.gradient(before)
    causes = np.stack([across, down, before, np.ones_like(before)], axis=-1)
    change = after - before
    amounts, *_ = np.linalg.lstsq(causes[REST].reshape(-1, 4), change[REST].ravel(), rcond=None)
    return np.asarray(change - causes @ amounts)
