"""Folds for cross-validation that keep persons apart."""

from collections.abc import Sequence

import numpy as np


def person_folds(persons: Sequence[object], folds: int, seed: int = 0) -> np.ndarray:
    """The fold of each sample, such that nobody is in two.

    The persons are shuffled and dealt out in turn, so the folds differ by one person at most.

    Args:
        persons: `n`, whose each sample is.
        folds: how many.
        seed: of the shuffle; it depends on nothing else but who is there.

    Returns:
        `(n,)` int64 from 0 to `folds - 1`.

    Raises:
        ValueError: there are fewer persons than folds, or fewer than two folds.
    """
    everybody = sorted({str(person) for person in persons})
    if not 2 <= folds <= len(everybody):
        raise ValueError(f"expected 2 to {len(everybody)} folds for {len(everybody)} persons, got {folds}")
    order = np.random.default_rng(seed).permutation(len(everybody))
    fold_of = {everybody[person]: place % folds for place, person in enumerate(order)}
    return np.array([fold_of[str(person)] for person in persons], np.int64)
