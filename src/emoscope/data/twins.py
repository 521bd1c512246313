"""Twins on log-mels of what `data.waveform` does to sound: for data that is only there as features.

Pictures are `(n, frames, bands)` float32 in [0, 1], time first, as `voice.features` makes them; `bands` may be fewer
than 128, where neighbours were averaged.
"""

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from ..media.types import SAMPLE_RATE
from ..voice.features import FLOOR_DB, MELS, N_FFT, band_at, band_hz


def warp(windows: Tensor, rate: Tensor, semitones: Tensor) -> Tensor:
    """Time stretch and pitch shift in one: each point is looked up where it came from.

    A shift multiplies all frequencies, formants too, as a shift of the sound does that does not correct them.

    Args:
        windows: `(n, frames, bands)`.
        rate: `(n,)` speeds: at 2 everything is over in half the time.
        semitones: `(n,)` by which pitches rise.

    Returns:
        The same shape; what comes from beyond the window's end or above the highest band is 0.
    """
    _, frames, bands = windows.shape
    group = MELS // bands  # bands that were averaged into one
    hz = np.interp(np.arange(bands) * group + (group - 1) / 2, np.arange(MELS), band_hz())
    factor = 2 ** (semitones.double().cpu().numpy()[:, None] / 12)
    source = (band_at(hz / factor) - (group - 1) / 2) / group
    band = torch.from_numpy(source).to(windows).clamp(min=0) * 2 / (bands - 1) - 1
    time = torch.arange(frames, device=windows.device) * rate[:, None] * 2 / (frames - 1) - 1
    shape = windows.shape
    grid = torch.stack([band[:, None, :].expand(shape), time[:, :, None].expand(shape)], dim=3)
    moved = functional.grid_sample(windows.unsqueeze(1), grid, padding_mode="zeros", align_corners=True)
    return moved.squeeze(1)


def noise(windows: Tensor, snr_db: Tensor, slope: Tensor | None = None) -> Tensor:
    """Noise of a given signal-to-noise ratio, added as power, to all frames up to the last that sounds.

    The powers of the window's points and the widths of its bands give the power of its sound. That of noise in a band
    is a mean over the few bins it is made of, so it scatters: here as a log-normal variable of the same variance.

    Args:
        windows: `(n, frames, bands)`.
        snr_db: `(n,)` signal-to-noise ratios in dB.
        slope: `(n,)` dB an octave by which the noise falls; white if not given.

    Returns:
        The same shape, scaled anew to its loudest point; a window without sound stays as it is.
    """
    bands = windows.shape[2]
    hz = torch.from_numpy(band_hz()).to(windows).view(bands, -1)
    width = torch.from_numpy(np.gradient(band_hz())).to(windows).view(bands, -1)
    power = 10 ** ((windows - 1) * -FLOOR_DB / 10)
    sounds = _sounding(windows)
    total = (power * width.sum(1) * sounds).sum((1, 2)) / sounds.sum((1, 2)).clamp(min=1)
    colour = torch.ones_like(windows[:, 0])
    if slope is not None:
        colour = (hz.mean(1).clamp(min=100) / 1000) ** (-slope[:, None] / (10 * np.log10(2)))
    level = total / (colour * width.sum(1)).sum(1) / 10 ** (snr_db / 10)
    bins = (width.mean(1) * N_FFT / SAMPLE_RATE).clamp(min=1)
    deviation = torch.log1p(1 / bins).sqrt()
    scatter = torch.exp(torch.randn_like(windows) * deviation - deviation**2 / 2)
    noisy = power + (level[:, None] * colour)[:, None] * scatter * sounds
    return _scaled(torch.where(sounds.bool(), noisy, 0.0))


def _sounding(windows: Tensor) -> Tensor:
    """1 for the frames up to the last that sounds, 0 after it: `(n, frames, 1)`."""
    return (windows.amax(2, keepdim=True) > 0).float().flip(1).cummax(1).values.flip(1)


def _scaled(power: Tensor) -> Tensor:
    """Powers `(n, frames, bands)` as log-mels between the loudest point and `FLOOR_DB` below it."""
    peak = power.amax((1, 2), keepdim=True).clamp(min=1e-30)
    decibel = 10 * torch.log10((power / peak).clamp(min=10 ** (FLOOR_DB / 10)))
    return 1 - decibel / FLOOR_DB
