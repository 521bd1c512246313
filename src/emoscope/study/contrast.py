"""Means and differences over persons, with intervals: the statistics of a comparison.

The unit is the person, never the frame: frames of one person are alike, and taken as samples they make any difference
certain. A person's value in a condition is one number, however long their recordings.
"""

import warnings
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from scipy import stats

LEVEL = 0.95
"""Of the intervals."""
RESAMPLES = 2000
"""Of a bootstrap and of a permutation test."""
FEW = 20
"""Persons below whom a bootstrapped interval is known to be somewhat too narrow."""

Design = Literal["within", "between"]


@dataclass(frozen=True, slots=True)
class Estimate:
    """A mean or a difference of means over persons.

    Attributes:
        n: persons.
        value: the estimate.
        low: of its 95 % interval; equal to `value` where all persons are alike, `nan` for a single person.
        high: of the interval.
    """

    n: int
    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Contrast:
    """How two conditions differ.

    Attributes:
        design: `within`: the same persons in both, each against themselves; `between`: other persons.
        first: persons in the first condition.
        second: persons in the second one.
        difference: the first less the second.
        effect: standardised: within persons, the mean difference by the differences' deviation (d_z, Lakens 2013);
            between them, Hedges' g. `nan` where there is no deviation.
        p: of a permutation test, two-sided.
    """

    design: Design
    first: int
    second: int
    difference: Estimate
    effect: float
    p: float


def estimate(values: np.ndarray, seed: int = 0) -> Estimate:
    """The mean `(n,)` of persons' values, with the interval of a bootstrap over them (BCa, Efron 1987)."""
    return Estimate(len(values), float(values.mean()), *_interval((values,), _mean, seed))


def contrast(first: np.ndarray, second: np.ndarray, paired: bool, seed: int = 0) -> Contrast:
    """Compare persons' values in two conditions.

    Args:
        first: `(n,)`.
        second: `(m,)`; where paired, of the same persons in the same order.
        paired: whether they are of the same persons.
        seed: of the bootstrap and the test.
    """
    if paired:
        own = first - second
        difference = estimate(own, seed)
        return Contrast("within", len(own), len(own), difference, _standard(own), _p((own,), _mean, "samples", seed))
    low, high = _interval((first, second), _gap, seed)
    value = float(first.mean() - second.mean())
    n, m = len(first), len(second)
    return Contrast(
        "between", n, m, Estimate(n + m, value, low, high), _hedges(first, second),
        _p((first, second), _gap, "independent", seed),
    )  # fmt: skip


def _mean(values: np.ndarray, axis: int = -1) -> np.ndarray:
    return np.mean(values, axis)


def _gap(first: np.ndarray, second: np.ndarray, axis: int = -1) -> np.ndarray:
    return np.mean(first, axis) - np.mean(second, axis)


def _interval(samples: tuple[np.ndarray, ...], statistic: Any, seed: int) -> tuple[float, float]:
    if min(map(len, samples)) < 2:
        return float("nan"), float("nan")
    if not any(np.ptp(values) for values in samples):
        value = float(statistic(*samples))
        return value, value
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # where BCa cannot be had, the percentiles are
        for method in ("BCa", "percentile"):
            found = stats.bootstrap(
                samples, statistic, n_resamples=RESAMPLES, confidence_level=LEVEL, method=method, vectorized=True,
                rng=np.random.default_rng(seed),
            ).confidence_interval  # fmt: skip
            if np.isfinite(found.low) and np.isfinite(found.high):
                break
    return float(found.low), float(found.high)


def _p(samples: tuple[np.ndarray, ...], statistic: Any, kind: str, seed: int) -> float:
    if min(map(len, samples)) < 2:
        return float("nan")
    test = stats.permutation_test(
        samples, statistic, permutation_type=kind, vectorized=True, n_resamples=RESAMPLES,
        rng=np.random.default_rng(seed),
    )  # fmt: skip
    return float(test.pvalue)


def _standard(own: np.ndarray) -> float:
    deviation = own.std(ddof=1) if len(own) > 1 else 0.0
    return float(own.mean() / deviation) if deviation else float("nan")


def _hedges(first: np.ndarray, second: np.ndarray) -> float:
    freedom = len(first) + len(second) - 2
    squares = ((first - first.mean()) ** 2).sum() + ((second - second.mean()) ** 2).sum()
    if freedom < 1 or not squares:
        return float("nan")
    small = 1 - 3 / (4 * freedom - 1)  # Hedges 1981: d is too large where persons are few
    return float(small * (first.mean() - second.mean()) / np.sqrt(squares / freedom))
