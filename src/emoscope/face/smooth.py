"""Stable predictions over the frames of one person."""

import math
from collections import Counter, deque
from collections.abc import Callable
from typing import Protocol

import numpy as np


class Smoother(Protocol):
    """Takes one person's scores frame by frame and returns steadier ones."""

    def update(self, time: float, scores: np.ndarray) -> np.ndarray:
        """Map the scores `(8,)` of the frame at `time` seconds to scores `(8,)` that also sum to 1."""
        ...


class Exponential:
    """An exponential mean of the scores over time.

    The weight of a frame falls to 1/e after `constant` seconds, whatever the frame rate. On CREMA-D clips the constant
    in use changes the label as often as `MajorityVote`, with likelier scores (`results/clips/`).
    """

    def __init__(self, constant: float = 0.35) -> None:
        self.constant = constant
        self._time = -math.inf
        self._mean: np.ndarray = np.zeros(8, np.float32)

    def update(self, time: float, scores: np.ndarray) -> np.ndarray:
        """See `Smoother`."""
        keep = math.exp(-max(0.0, time - self._time) / self.constant)
        self._mean = keep * self._mean + (1 - keep) * scores if keep else scores.astype(np.float32)
        self._time = time
        return self._mean


class MajorityVote:
    """The reference system's rule: one prediction for each batch of 10 faces, the label that most of them got.

    A batch's prediction holds until the next batch is complete; before the first one is, the faces so far vote. The
    scores are the mean of the faces that voted for the winner.
    """

    def __init__(self, batch: int = 10) -> None:
        self._faces: deque[np.ndarray] = deque(maxlen=batch)
        self._count = 0
        self._decision: np.ndarray | None = None

    def update(self, time: float, scores: np.ndarray) -> np.ndarray:
        """See `Smoother`."""
        self._faces.append(scores)
        self._count += 1
        if self._count < self._batch or self._count % self._batch == 0:
            self._decision = _vote(list(self._faces))
        assert self._decision is not None  # the first face decides
        return self._decision

    @property
    def _batch(self) -> int:
        return self._faces.maxlen or 1


class Unsmoothed:
    """Every frame by itself."""

    def update(self, time: float, scores: np.ndarray) -> np.ndarray:
        """See `Smoother`."""
        return scores


def _vote(faces: list[np.ndarray]) -> np.ndarray:
    labels = [int(face.argmax()) for face in faces]
    winner = Counter(labels).most_common(1)[0][0]
    mean: np.ndarray = np.mean([face for face, label in zip(faces, labels, strict=True) if label == winner], axis=0)
    return mean


SMOOTHERS: dict[str, Callable[[], Smoother]] = {
    "mean": Exponential,
    "vote": MajorityVote,
    "none": Unsmoothed,
}
