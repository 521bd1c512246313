"""Augmentation of sound itself: noise, time stretch, pitch shift and their combinations, so that one becomes eight.

Stretch and shift are Signalsmith Stretch's, the noise is white, all through audiomentations (MIT).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product

import numpy as np

from ..media.types import SAMPLE_RATE


@dataclass(frozen=True, slots=True)
class Change:
    """What is done to a recording; nothing unless given. The order is stretch, shift, noise.

    Attributes:
        snr_db: signal-to-noise ratio in dB of white noise that is added.
        rate: speed: at 2 the recording is half as long, its pitch as it was.
        semitones: by which the pitch is raised, its length as it was.
    """

    snr_db: float | None = None
    rate: float | None = None
    semitones: float | None = None

    @property
    def name(self) -> str:
        """Such as `noise-stretch`; `original` where nothing is done."""
        done = (("noise", self.snr_db), ("stretch", self.rate), ("shift", self.semitones))
        return "-".join(word for word, value in done if value is not None) or "original"


SNR_DB, RATE, SEMITONES = (10.0, 30.0), (0.85, 1.2), (-2.5, 2.5)
"""Ranges from which `eight` draws."""


def eight(random: np.random.Generator) -> list[Change]:
    """The recording as it is, and noise, stretch and shift in all seven combinations, each drawn anew."""
    changes = []
    for noise, stretch, shift in product((False, True), repeat=3):
        snr, rate, semitones = (float(random.uniform(*ends)) for ends in (SNR_DB, RATE, SEMITONES))
        changes.append(Change(snr if noise else None, rate if stretch else None, semitones if shift else None))
    return changes


def apply(samples: np.ndarray, change: Change, seed: int = 0) -> np.ndarray:
    """A changed copy of a sound.

    Args:
        samples: mono `(n,)` float32 at `media.SAMPLE_RATE`.
        change: what is done to it.
        seed: of the noise. audiomentations draws from NumPy's global state, which is left as it was found.

    Returns:
        `(m,)` float32; `m` is `n / rate`, or `n`.
    """
    from audiomentations import AddGaussianSNR, PitchShift, TimeStretch

    steps = []
    if change.rate is not None:
        steps.append(TimeStretch(change.rate, change.rate, leave_length_unchanged=False, p=1.0))
    if change.semitones is not None:
        steps.append(PitchShift(change.semitones, change.semitones, p=1.0))
    if change.snr_db is not None:
        steps.append(AddGaussianSNR(change.snr_db, change.snr_db, p=1.0))
    changed = np.asarray(samples, np.float32)
    if not changed.any():
        return changed.copy()
    state = np.random.get_state()  # noqa: NPY002
    np.random.seed(seed)  # noqa: NPY002
    try:
        for step in steps:
            changed = step(samples=changed, sample_rate=SAMPLE_RATE)
    finally:
        np.random.set_state(state)  # noqa: NPY002
    return changed.copy()


def versions(samples: np.ndarray, seed: int) -> Iterator[tuple[Change, np.ndarray]]:
    """The eight versions of a sound, the original first; the same seed gives the same eight."""
    random = np.random.default_rng(seed)
    for change in eight(random):
        yield change, apply(samples, change, int(random.integers(2**31)))
