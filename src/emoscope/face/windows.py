"""Which faces of a person a sequence model sees at once: a few, evenly spaced in time, whatever the frame rate.

A window ends with a face and looks back from it: slot `k` before the end is for the face nearest to `k * dilation`
seconds earlier. A slot that no face is near stays empty. So a window can be had from a stream as it comes, and in
training and evaluation it is cut in the same way.
"""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, slots=True)
class FaceWindows:
    """A plan of windows.

    Attributes:
        faces: slots of a window.
        dilation: seconds from one slot to the next.
        stride: seconds from one window to the next, where windows cover a clip.

    Raises:
        ValueError: a value is not above 0, or windows so far apart would leave faces out.
    """

    faces: int = 16
    dilation: float = 0.1
    stride: float = 0.4

    def __post_init__(self) -> None:
        if self.faces < 1 or self.dilation <= 0 or self.stride <= 0:
            raise ValueError(f"expected faces, dilation and stride above 0, got {self}")
        if self.stride > self.faces * self.dilation:
            raise ValueError(f"expected a stride of at most {self.faces * self.dilation:g} s, got {self.stride:g}")

    @property
    def span(self) -> float:
        """Seconds from the first slot to the last."""
        return (self.faces - 1) * self.dilation

    @property
    def apart(self) -> float:
        """Seconds that faces must be apart to be kept: of a faster video, some are left out, which bounds the state."""
        return self.dilation / 4

    def far_enough(self, last: float, time: float) -> bool:
        """Whether a face at `time` is kept after one at `last` seconds."""
        return time - last >= self.apart - 1e-9

    def kept(self, times: np.ndarray) -> np.ndarray:
        """The indices of the faces that are kept of a person's `(n,)` ascending times."""
        rows: list[int] = []
        for row, time in enumerate(times):
            if not rows or self.far_enough(float(times[rows[-1]]), float(time)):
                rows.append(row)
        return np.array(rows, np.int64)

    def window(self, times: np.ndarray, end: float, dilation: float | None = None) -> tuple[np.ndarray, np.ndarray]:
        """The faces of the window that ends at a time.

        Args:
            times: `(n,)` seconds, ascending; what is later than `end` is not looked at.
            end: seconds.
            dilation: instead of the plan's.

        Returns:
            The index of each slot's face `(faces,)` int64, oldest first, 0 where there is none, and whether there is
            one, `(faces,)` bool. No face is in two slots.
        """
        step = dilation or self.dilation
        index = np.zeros(self.faces, np.int64)
        away = np.full(self.faces, np.inf)
        back = (end - np.asarray(times, np.float64)) / step
        for row in np.flatnonzero((back > -1e-6) & (back < self.faces - 0.5)):
            slot = int(np.floor(back[row] + 0.5))
            if abs(back[row] - slot) <= away[slot]:
                index[slot], away[slot] = row, abs(back[row] - slot)
        return index[::-1].copy(), np.isfinite(away[::-1])

    def covering(self, times: np.ndarray) -> np.ndarray:
        """The ends of the windows that together cover `(n,)` times, ascending: the last face's and others before it.

        A clip that is no longer than a window has one.
        """
        first, last = float(times[0]), float(times[-1])
        ends = [last]
        while ends[-1] - self.span > first + 1e-9:
            ends.append(max(ends[-1] - self.stride, first + self.span))
        return np.array(sorted(_at_faces(times, ends)))


def _at_faces(times: np.ndarray, ends: list[float]) -> set[float]:
    """For each end the nearest face's time."""
    return {float(times[int(abs(times - end).argmin())]) for end in ends}
