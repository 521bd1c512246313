"""Who a voice sounds like: a d-vector for each stretch of speech (Wan et al. 2018, arXiv:1710.10467).

`scripts/convert_identity.py` says where the network comes from; its input is made as in that package: 40 mel bands in
log10 of the power of Hamming frames of 25 ms every 10 ms, 80 frames at a time. Of a stretch it hears the loudest such
window, brought to one level.
"""

from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from ..media.types import SAMPLE_RATE
from ..models import VoiceInput
from ..models.model import session
from .features import mel_filters

NETWORK = Path(__file__).parent / "weights" / "identity.onnx"
VALUES = 256
"""Of an embedding."""
N_FFT, FRAME, HOP, FRAMES = 512, 400, 160, 80
WINDOW = (FRAMES - 1) * HOP + N_FFT
"""Samples that the network hears at once: 0.82 s."""
LEVEL = 0.05
"""RMS to which a window is brought."""
STRETCH = round(1.5 * SAMPLE_RATE)
"""Samples of a stretch, for which one embedding stands: who speaks may change after it."""
SHORTEST = STRETCH // 2
"""Samples of the last stretch of an utterance, at least; less than that belongs to the one before it."""


class SpeakerRow(NamedTuple):
    """Who a stretch of speech sounds like.

    Attributes:
        start: seconds of the stream.
        end: seconds, after `start`.
        utterance: number of the stretch of speech, from 1.
        embedding: `(256,)` float32 of unit length.
    """

    start: float
    end: float
    utterance: int
    embedding: np.ndarray


def embed(samples: np.ndarray) -> np.ndarray:
    """The embedding of a stretch of speech.

    Args:
        samples: mono `(n,)` at `SAMPLE_RATE`; a short one is followed by silence.

    Returns:
        `(256,)` float32 of unit length.
    """
    window = _loudest(samples)
    level = float(np.sqrt(np.mean(window**2, dtype=np.float64)))
    found = _network().run(None, {"mel_window": mel_input(window * (LEVEL / max(level, 1e-6)))[None]})[0][0]
    return np.asarray(found / max(float(np.linalg.norm(found)), 1e-9), np.float32)


def stretches(start: int, end: int, ended: bool) -> list[tuple[int, int]]:
    """The stretches of speech from sample `start` that are certain, once it is heard up to `end`."""
    found = []
    while end - start >= STRETCH + SHORTEST:
        found.append((start, start + STRETCH))
        start += STRETCH
    if ended and end > start:
        found.append((start, end))
    return found


def _loudest(samples: np.ndarray) -> np.ndarray:
    if len(samples) <= WINDOW:
        return np.pad(samples, (0, WINDOW - len(samples)))
    energy = np.concatenate([[0.0], np.cumsum(samples.astype(np.float64) ** 2)])
    start = int((energy[WINDOW:] - energy[:-WINDOW])[::HOP].argmax()) * HOP
    return samples[start : start + WINDOW]


def mel_input(window: np.ndarray) -> np.ndarray:
    """Log power in the mel bands, `(80, 40)`."""
    frames = np.lib.stride_tricks.sliding_window_view(window, N_FFT)[::HOP]
    spectrum = np.fft.rfft(frames * _hamming())
    power = (spectrum.real**2 + spectrum.imag**2) @ mel_filters(_INPUT)
    return np.asarray(np.log10(power + 1e-10), np.float32)


_INPUT = VoiceInput(n_fft=N_FFT, hop=HOP, mels=40)


@cache
def _hamming() -> np.ndarray:
    """The periodic window of `FRAME` samples, in the middle of `N_FFT`."""
    window = 0.54 - 0.46 * np.cos(2 * np.pi * np.arange(FRAME) / FRAME)
    aside = (N_FFT - FRAME) // 2
    return np.pad(window, aside).astype(np.float32)


@cache
def _network() -> Any:
    return session(NETWORK, "cpu", 1)
