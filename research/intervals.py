"""Intervals over actors."""

import numpy as np

DRAWS = 5000


def interval(hits: np.ndarray, actors: np.ndarray) -> list[float]:
    """95 % interval of the mean of `hits` `(n,)`, drawing whole actors: what one actor did is not independent.

    Args:
        hits: `(n,)` of any number or truth.
        actors: `(n,)`, whose each is.

    Returns:
        The 2.5 % and 97.5 % quantiles over `DRAWS` draws with replacement, from a fixed seed.
    """
    groups = [hits[actors == actor] for actor in np.unique(actors)]
    sums, sizes = np.array([g.sum() for g in groups]), np.array([len(g) for g in groups])
    draws = np.random.default_rng(0).integers(0, len(groups), (DRAWS, len(groups)))
    shares = sums[draws].sum(1) / sizes[draws].sum(1)
    return [float(q) for q in np.quantile(shares, (0.025, 0.975))]
