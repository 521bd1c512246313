"""Who trains and who validates. Speakers are kept apart unless `random` is asked for by name."""

from collections.abc import Sequence

import numpy as np

INFLATED = frozenset({"random"})
"""The splits in which a speaker is on both sides: a figure from them says little about people who were not heard."""


def by_speaker(speakers: Sequence[object], share: float, seed: int = 0) -> np.ndarray:
    """Which samples validate: those of a random `share` of the speakers, at least one and not all.

    Args:
        speakers: whose each of `n` samples is.
        share: of the speakers, above 0 and below 1.
        seed: of the choice.

    Returns:
        `(n,)` bool.

    Raises:
        ValueError: there are fewer than two speakers.
    """
    names = sorted({str(speaker) for speaker in speakers})
    if len(names) < 2:
        raise ValueError(f"expected at least two speakers to keep apart, got {len(names)}")
    count = min(max(1, round(share * len(names))), len(names) - 1)
    chosen = set(np.random.default_rng(seed).permutation(names)[:count].tolist())
    return np.array([str(speaker) in chosen for speaker in speakers])


def random(n: int, share: float, seed: int = 0) -> np.ndarray:
    """Which of `n` samples validate: a random `share` of them, whoever speaks. Inflated: see `INFLATED`."""
    validates = np.zeros(n, bool)
    validates[np.random.default_rng(seed).permutation(n)[: round(share * n)]] = True
    return validates
