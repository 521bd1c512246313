"""Which part of an utterance the voice model sees, 3 s unless its card says other, and what each answer stands for.

An utterance of up to a window is one. A longer one has a window every half second and a last one that ends with it.
The parts that the answers stand for tile the utterance: each is the half second around the middle of its window, the
first and the last reach to the utterance's ends.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from ..media.types import SAMPLE_RATE
from .features import WINDOW

WINDOW_STEP = SAMPLE_RATE // 2  # from one window to the next: 0.5 s


@dataclass(frozen=True, slots=True)
class Window:
    """One question to the model, in samples.

    Attributes:
        start: first sample that the model sees.
        end: after the last one; at most a window later.
        part_start: first sample that the answer stands for.
        part_end: after the last one.
    """

    start: int
    end: int
    part_start: int
    part_end: int


class WindowPlan:
    """The windows of one utterance, planned while it is still going on.

    Args:
        start: the utterance's first sample.
        window: samples of a window.

    Attributes:
        covered: the sample up to which the parts planned so far reach.
    """

    def __init__(self, start: int, window: int = WINDOW) -> None:
        self._window = window
        self._side = (
            window - WINDOW_STEP
        ) // 2  # from a window's start to that of its part, and from its part's end to its own
        self._start = start
        self._next = start  # where the next window starts, unless it is the last
        self.covered = start

    @property
    def needed(self) -> int:
        """The first sample that a window yet to come may see: the last one starts later than the one before it."""
        return max(self._start, self._next - WINDOW_STEP)

    def reached(self, sample: int) -> Iterator[Window]:
        """The windows that are certain once the utterance is known to go on until `sample` at least."""
        # not at equality: then it could be the last window, whose part reaches further
        while sample > self._next + self._window:
            yield self._plan(self._next, self._next + self._window, self._next + self._side + WINDOW_STEP)
            self._next += WINDOW_STEP

    def ended(self, sample: int) -> Iterator[Window]:
        """The remaining windows of an utterance that ends before `sample`."""
        yield from self.reached(sample)
        yield self._plan(max(self._start, sample - self._window), sample, sample)

    def _plan(self, start: int, end: int, part_end: int) -> Window:
        window = Window(start, end, self.covered, part_end)
        self.covered = part_end
        return window

    def state(self) -> dict[str, Any]:
        """What `restore` needs to go on from here."""
        return {"start": self._start, "next": self._next, "covered": self.covered}

    def restore(self, state: dict[str, Any]) -> None:
        """Go on from a state."""
        self._start, self._next, self.covered = state["start"], state["next"], state["covered"]
