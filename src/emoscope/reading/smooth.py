"""Stable scores over the faces of one person."""

import math
from collections import deque
from collections.abc import Callable
from typing import Protocol

import numpy as np

FORGET_S = 10.0
"""Seconds out of sight after which a person starts anew."""


class Smoother(Protocol):
    """Takes one person's scores, or logits, in order of time, however many at once, and returns steadier ones."""

    def update(self, times: np.ndarray, scores: np.ndarray) -> np.ndarray:
        """Map the scores `(n, k)` of faces at `times` `(n,)`, in seconds, to steadier ones; sums of rows stay."""
        ...


class Exponential:
    """An exponential mean over time.

    The weight of a frame falls to 1/e after `constant` seconds, whatever the frame rate. On CREMA-D clips the constant
    in use changes the label as often as `MajorityVote`, with likelier scores (`results/faces/`).
    """

    def __init__(self, constant: float = 0.35) -> None:
        self.constant = constant
        self._time = -math.inf
        self._mean: np.ndarray | None = None

    def update(self, times: np.ndarray, scores: np.ndarray) -> np.ndarray:
        """See `Smoother`."""
        if not len(times):
            return np.array(scores, np.float64)
        elapsed = np.diff(times, prepend=self._time)
        keep = np.exp(-np.maximum(elapsed, 0.0) / self.constant).tolist()
        columns = np.array(scores, np.float64).T.tolist()
        before = columns if self._mean is None else self._mean[:, None].tolist()
        steady = np.array([_means(column, keep, mean[0]) for column, mean in zip(columns, before, strict=True)]).T
        self._time, self._mean = float(times[-1]), steady[-1]
        return np.ascontiguousarray(steady)


def _means(values: list[float], keep: list[float], mean: float) -> list[float]:
    """The running mean of numbers, of which each keeps a part of the mean before it."""
    return [mean := value + kept * (mean - value) for value, kept in zip(values, keep, strict=True)]


class MajorityVote:
    """The reference system's rule: one prediction for each batch of 10 faces, the label that most of them got.

    A batch's prediction holds until the next batch is complete; before the first one is, the faces so far vote. The
    scores are the mean of the faces that voted for the winner.
    """

    def __init__(self, batch: int = 10) -> None:
        self.batch = batch
        self._time = -math.inf
        self._begin()

    def update(self, times: np.ndarray, scores: np.ndarray) -> np.ndarray:
        """See `Smoother`."""
        return np.array([self._next(time, face) for time, face in zip(times.tolist(), scores, strict=True)]).reshape(
            scores.shape
        )

    def _begin(self) -> None:
        self._faces: deque[np.ndarray] = deque(maxlen=self.batch)
        self._count = 0
        self._decision: np.ndarray | None = None

    def _next(self, time: float, face: np.ndarray) -> np.ndarray:
        if time - self._time > FORGET_S:
            self._begin()
        self._time = time
        self._faces.append(face)
        self._count += 1
        if self._decision is None or self._count < self.batch or self._count % self.batch == 0:
            self._decision = _vote(np.array(self._faces))
        return self._decision


class Unsmoothed:
    """Every face by itself."""

    def update(self, times: np.ndarray, scores: np.ndarray) -> np.ndarray:
        """See `Smoother`."""
        return scores


def _vote(faces: np.ndarray) -> np.ndarray:
    """The mean of the faces `(n, k)` that say what most say; of several such labels, the one that was said first."""
    said = faces.argmax(1)
    labels, first, count = np.unique(said, return_index=True, return_counts=True)
    winner = min(range(len(labels)), key=lambda i: (-count[i], first[i]))
    return np.asarray(faces[said == labels[winner]].mean(0))


SMOOTHERS: dict[str, Callable[[], Smoother]] = {
    "mean": Exponential,
    "vote": MajorityVote,
    "none": Unsmoothed,
}
