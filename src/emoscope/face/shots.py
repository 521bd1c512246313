"""Where the picture is cut to another shot: nobody is followed across a cut.

Frames are compared on copies of 32 x 18 pixels, less what a change of light explains. At a cut a frame differs from the
one before as none of late did, and is not that one moved. A flash is bright everywhere and over soon. In a dissolve the
frame in the middle is the mean of both ends, which no movement makes.
"""

import math
from collections import deque
from dataclasses import dataclass, field
from typing import Any, Literal

import cv2
import numpy as np

WIDTH, HEIGHT = 32, 18
"""Pixels of the copies that are compared."""
CHANGED = 6.0
"""Mean grey values by which the frames of a cut differ. In CREMA-D's clips two frames in a row differ by up to 4.8, at
5,112 cuts between two of its actors in the same framing by 7.0 and more."""
SUDDEN = 2.5
"""Times that the frames of a cut differ more than any of late did."""
SPARSE_S = 0.2
SPARSE_CHANGED = 15.0
"""Frames so many seconds apart and more differ more by themselves: in CREMA-D's clips over 0.35 s by up to 14.6."""
LATELY = 8
"""Frames that are "of late"."""
MOVED = 5
"""Pixels by which the camera moves a copy from one frame to the next, at most."""
FLASH = 40.0
"""Grey values by which a flash makes a frame brighter."""
FLASH_S = 0.4
"""Seconds after which a flash is over: then it was a cut."""
DISSOLVED = 5.0
"""Mean grey values by which the ends of a dissolve differ."""
STRAIGHT = 0.19
"""How far the middle of a dissolve lies from the mean of its ends, by the ends' difference, at most. In CREMA-D's clips
it is 0.26 and more, in dissolves between two of them 0.14 and less in nine of ten."""
SPANS_S = (0.35, 0.7)
"""Seconds over which a dissolve is looked for."""
APART_S = 1.5
"""Seconds between a cut and a dissolve, at least."""

Cut = Literal["hard", "gradual"]


@dataclass
class _Seen:
    time: float
    small: np.ndarray


@dataclass
class Shots:
    """Finds the cuts of one stream, frame by frame."""

    _before: deque[_Seen] = field(default_factory=deque)
    _lately: deque[float] = field(default_factory=lambda: deque(maxlen=LATELY))
    _flash: _Seen | None = None
    _cut: float = -np.inf

    def cut(self, image: np.ndarray, time: float) -> Cut | None:
        """Whether a frame begins another shot, and how it came.

        Args:
            image: RGB uint8 `(height, width, 3)`.
            time: seconds; not before the last frame's.
        """
        if not image.size or image.ndim != 3:
            return None  # the detector refuses it
        now = _Seen(time, _small(image))
        if not self._before:
            return self._begin(now, None)
        last = self._before[-1]
        if last.time == time:
            return None
        if self._flash:
            return self._after_flash(now)
        change = difference(last.small, now.small)
        least = CHANGED if time - last.time < SPARSE_S else SPARSE_CHANGED
        sudden = change > max(least, SUDDEN * max(self._lately, default=0.0))
        self._lately.append(change)
        if sudden and not _moved(last.small, now.small):
            if _brighter(last.small, now.small):
                self._flash = last
                return None
            return self._begin(now, "hard", change)
        self._keep(now)
        return self._begin(now, "gradual") if self._dissolved(now) else None

    def _begin(self, now: _Seen, how: Cut | None, change: float = 0.0) -> Cut | None:
        self._before.clear()
        self._before.append(now)
        self._lately.clear()
        self._lately.append(change)  # where as much changes in the next frames too, none of them is a cut
        self._flash = None
        if how:
            self._cut = now.time
        return how

    def _keep(self, now: _Seen) -> None:
        self._before.append(now)
        while self._before[0].time < now.time - SPANS_S[-1] - 0.1:
            self._before.popleft()

    def _after_flash(self, now: _Seen) -> Cut | None:
        assert self._flash
        if difference(self._flash.small, now.small) < CHANGED:
            self._flash = None
            self._lately.clear()
            self._keep(now)
        elif now.time - self._flash.time > FLASH_S:
            return self._begin(now, "hard")
        return None

    def _dissolved(self, now: _Seen) -> bool:
        if now.time - self._cut < APART_S:
            return False
        for span in SPANS_S:
            if self._before[0].time > now.time - span:
                continue
            first = self._nearest(now.time - span)
            middle = self._nearest((first.time + now.time) / 2)
            if len(self._before) < 5 or difference(first.small, now.small) < DISSOLVED:
                continue
            share = (middle.time - first.time) / (now.time - first.time)
            between = first.small + share * (now.small - first.small)
            away = np.abs(middle.small - between).mean() / (np.abs(now.small - first.small).mean() + 0.5)
            if away < STRAIGHT:
                return True
        return False

    def _nearest(self, time: float) -> _Seen:
        return min(self._before, key=lambda seen: abs(seen.time - time))

    def state(self) -> dict[str, Any]:
        """What `restore` needs to go on from here, as numbers and arrays."""
        flash = self._flash
        return {
            "before": [[seen.time, seen.small] for seen in self._before],
            "lately": list(self._lately),
            "flash": flash and [flash.time, flash.small],
            "cut": self._cut,
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Go on from a state."""
        self._before = deque(_Seen(*seen) for seen in state["before"])
        self._lately = deque(state["lately"], maxlen=LATELY)
        self._flash = _Seen(*state["flash"]) if state["flash"] else None
        self._cut = state["cut"]


def difference(before: np.ndarray, after: np.ndarray) -> float:
    """Mean difference of two copies, less what a change of brightness and contrast explains."""
    x, y = before - before.mean(), after - after.mean()
    gain = min(max(float((x * y).mean() / ((x * x).mean() + 1.0)), 0.3), 3.0)
    return float(np.abs(y - gain * x).mean())


def _small(image: np.ndarray) -> np.ndarray:
    sampled = cv2.resize(image, (3 * WIDTH, 3 * HEIGHT), interpolation=cv2.INTER_NEAREST)
    return np.asarray(cv2.resize(sampled, (WIDTH, HEIGHT), interpolation=cv2.INTER_AREA), np.float32)


def _moved(before: np.ndarray, after: np.ndarray) -> bool:
    """Whether a frame is the one before, moved: as when the camera turns."""
    (x, y), _ = cv2.phaseCorrelate(before.mean(2), after.mean(2))
    if abs(x) > MOVED or abs(y) > MOVED:
        return False
    moved = cv2.warpAffine(before, np.array([[1, 0, x], [0, 1, y]]), (WIDTH, HEIGHT))
    across, down = math.ceil(abs(x)), math.ceil(abs(y))
    here = moved[down : HEIGHT - down, across : WIDTH - across]
    there = after[down : HEIGHT - down, across : WIDTH - across]
    return difference(here, there) < CHANGED


def _brighter(before: np.ndarray, after: np.ndarray) -> bool:
    """Whether a frame is brighter than the one before everywhere, as in a flash."""
    rise = after.mean(2) - before.mean(2)
    return float(rise.mean()) > FLASH and float((rise > -3).mean()) > 0.98
