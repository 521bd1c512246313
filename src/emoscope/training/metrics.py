"""How good are predictions: accuracy with its interval, recall, F1, calibration, confusion. Needs no torch."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from ..calibration import probabilities

BINS = 15
"""Bins of equal width of the expected calibration error (Guo et al. 2017)."""
Z = 1.959964
"""Two-sided 95 % quantile of the normal distribution."""


def confusion(predicted: np.ndarray, labels: np.ndarray, classes: int) -> np.ndarray:
    """Counts `(classes, classes)`: a row for each true class, a column for each predicted one."""
    counts = np.zeros((classes, classes), np.int64)
    np.add.at(counts, (labels, predicted), 1)
    return counts


def wilson(right: int, n: int) -> tuple[float, float]:
    """The 95 % interval of a share `right / n` (Wilson 1927)."""
    if n == 0:
        return (0.0, 1.0)
    share, z2 = right / n, Z * Z
    centre = (share + z2 / (2 * n)) / (1 + z2 / n)
    half = Z / (1 + z2 / n) * math.sqrt(share * (1 - share) / n + z2 / (4 * n * n))
    return (centre - half, centre + half)


def calibration_error(probabilities: np.ndarray, labels: np.ndarray) -> float:
    """Expected calibration error of the top class (Guo et al. 2017, eq. 3), 0 to 1.

    Args:
        probabilities: `(n, classes)`, rows summing to 1.
        labels: `(n,)`.
    """
    confidence = probabilities.max(1)
    right = probabilities.argmax(1) == labels
    bins = np.minimum((confidence * BINS).astype(int), BINS - 1)
    gaps = [abs(right[bins == b].mean() - confidence[bins == b].mean()) * (bins == b).mean() for b in set(bins)]
    return float(sum(gaps))


def score(logits: np.ndarray, labels: np.ndarray, temperature: float = 1.0) -> dict[str, Any]:
    """All metrics of logits `(n, classes)` against labels `(n,)`.

    Returns:
        `n`, `accuracy`, `interval` (95 %, Wilson), `recall` (one a class, `None` where a class does not occur),
        `uar` (mean of the recalls), `macro_f1`, `ece`, `log_likelihood` (mean, of the true class) and `confusion` (true
        class by row).
    """
    classes = logits.shape[1]
    predicted = logits.argmax(1)
    counts = confusion(predicted, labels, classes)
    right, actual, said = counts.diagonal(), counts.sum(1), counts.sum(0)
    occurs = actual > 0
    recall = np.divide(right, actual, where=occurs, out=np.zeros(classes))
    shares = probabilities(logits, temperature)
    likely = np.log(np.maximum(shares[np.arange(len(labels)), labels], 1e-12))
    f1 = np.divide(2 * right, actual + said, where=occurs, out=np.zeros(classes))
    return {
        "n": len(labels),
        "accuracy": float(right.sum() / max(1, len(labels))),
        "interval": list(wilson(int(right.sum()), len(labels))),
        "recall": [float(r) if o else None for r, o in zip(recall, occurs, strict=True)],
        "uar": unweighted_recall(recall[occurs].tolist()),
        "macro_f1": float(f1[occurs].mean()),
        "ece": calibration_error(shares, labels),
        "log_likelihood": float(likely.mean()) if len(labels) else 0.0,
        "confusion": counts.tolist(),
    }


def unweighted_recall(recalls: Sequence[float | None]) -> float:
    """The mean of the recalls, 0 to 1, of the classes that occur: rare ones count as much as common ones."""
    return float(np.mean([recall for recall in recalls if recall is not None]))


def prior_shift(counts: np.ndarray, share: float) -> np.ndarray:
    """What is added to logits so that rare classes are named more often (Menon et al. 2021, arXiv:2007.07314, eq. 10).

    Args:
        counts: of each class in the training samples `(classes,)`, above 0.
        share: 0 leaves the logits as they are; 1 makes them those of classes that are as frequent as each other.

    Returns:
        `(classes,)`.
    """
    shift: np.ndarray = -share * np.log(counts / counts.sum())
    return shift


def fit_temperature(logits: np.ndarray, labels: np.ndarray) -> float:
    """The temperature that minimises the negative log-likelihood of the labels (Guo et al. 2017, section 4.2).

    Found by golden-section search over 0.05 to 20 on a logarithmic scale; the likelihood has one optimum there.
    """

    def loss(log_temperature: float) -> float:
        scaled = logits / math.exp(log_temperature)
        shifted = scaled - scaled.max(1, keepdims=True)
        chosen = shifted[np.arange(len(labels)), labels]
        return float((np.log(np.exp(shifted).sum(1)) - chosen).mean())

    low, high, ratio = math.log(0.05), math.log(20.0), (math.sqrt(5) - 1) / 2
    while high - low > 1e-4:
        left, right = high - ratio * (high - low), low + ratio * (high - low)
        if loss(left) < loss(right):
            high = right
        else:
            low = left
    return math.exp((low + high) / 2)
