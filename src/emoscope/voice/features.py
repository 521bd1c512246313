"""Log-mel pictures of sound: what the voice models see.

The mel scale and the area norm are those of Slaney's Auditory Toolbox (Technical Report 1998-010, Interval Research).
"""

from functools import cache

import numpy as np

from ..media.types import SAMPLE_RATE
from ..models import VoiceInput

LOG_MEL = VoiceInput()
"""What the shipped models see: 3 s at 16 kHz, 128 bands, a frame of 64 ms every 16 ms, 80 dB."""
N_FFT, HOP, MELS, FLOOR_DB = LOG_MEL.n_fft, LOG_MEL.hop, LOG_MEL.mels, LOG_MEL.floor_db
WINDOW_S, WINDOW, WINDOW_FRAMES = LOG_MEL.window_s, LOG_MEL.samples, LOG_MEL.frames

_LINEAR_HZ = 200 / 3  # Slaney's mel scale: one mel is 66.7 Hz wide up to 1 kHz (15 mel) ...
_BREAK_HZ = 1000.0
_BREAK_MEL = _BREAK_HZ / _LINEAR_HZ
_LOG_STEP = np.log(6.4) / 27  # ... and above it 27 mel are a factor of 6.4


def log_mel(samples: np.ndarray, wanted: VoiceInput = LOG_MEL) -> np.ndarray:
    """The log-mel picture of a sound, scaled to 0..1 between its quietest and its loudest point.

    Power spectra of centred Hann frames (zeros beyond the ends) in mel bands, in dB below the loudest point and not
    under the floor. The loudness of the whole sound is lost on purpose: it tells of the microphone, not of the voice.

    Args:
        samples: mono `(n,)` at the rate that is wanted; values that are not finite count as silence.
        wanted: how it is made.

    Returns:
        `(n // hop + 1, mels)` float32 in [0, 1]; all 0 for silence.

    Raises:
        ValueError: the sound has more than one dimension.
    """
    sound = _unit_peak(samples)
    power = _mel_power(sound, wanted)
    peak = power.max()
    if peak == 0:
        return np.zeros(power.shape, np.float32)
    decibel = 10 * np.log10(np.maximum(power / peak, 10 ** (wanted.floor_db / 10)))
    low = decibel.min()
    scaled: np.ndarray = (decibel - low) / -low if low < 0 else np.zeros_like(decibel)
    return scaled.astype(np.float32)


def window_input(samples: np.ndarray, wanted: VoiceInput = LOG_MEL) -> np.ndarray:
    """What a voice model sees of a sound: as much as it sees at once, followed by silence if it is shorter.

    Args:
        samples: mono `(n,)` at `SAMPLE_RATE`.
        wanted: how its input is made.

    Returns:
        float32 log-mels `(frames, mels)` in [0, 1], time first, by default `(WINDOW_FRAMES, MELS)` = `(188, 128)`; or
        samples `(n,)` in [-1, 1] at the rate that is wanted.
    """
    padded = np.zeros(round(wanted.window_s * SAMPLE_RATE), np.float32)
    kept = np.asarray(samples)[: len(padded)]
    padded[: len(kept)] = kept
    sound = _at_rate(padded, wanted.rate)
    return log_mel(sound, wanted) if wanted.features == "log-mel" else sound


def _at_rate(samples: np.ndarray, rate: int) -> np.ndarray:
    """Samples at another rate, `(n * rate / SAMPLE_RATE,)`."""
    if rate == SAMPLE_RATE:
        return samples
    from av.audio.frame import AudioFrame

    from ..media.sound import resampler

    frame = AudioFrame.from_ndarray(samples[None], "fltp", "mono")
    frame.sample_rate = SAMPLE_RATE
    made = resampler(rate, "mono")
    parts = [part.to_ndarray()[0] for given in (frame, None) for part in made.resample(given)]
    exact = np.zeros(round(len(samples) * rate / SAMPLE_RATE), np.float32)
    whole = np.concatenate(parts)[: len(exact)]
    exact[: len(whole)] = whole
    return exact


def band_hz() -> np.ndarray:
    """The centre of each mel band in Hz: `(MELS,)`, rising."""
    return _band_edges(LOG_MEL)[1:-1]


def band_at(hz: np.ndarray) -> np.ndarray:
    """Where a frequency lies among the bands: 0 at the centre of the first, between two for what is between them.

    Args:
        hz: any shape, not negative.

    Returns:
        The same shape; under 0 below the first centre, above `MELS - 1` beyond the last.
    """
    position: np.ndarray = _hz_to_mel(hz) / _hz_to_mel(SAMPLE_RATE / 2) * (MELS + 1) - 1
    return position


def _unit_peak(samples: np.ndarray) -> np.ndarray:
    """The sound scaled to a peak of 1, so that its level can neither overflow nor vanish in a power."""
    sound = np.asarray(samples, np.float64)
    if sound.ndim != 1:
        raise ValueError(f"expected mono sound of shape (n,), got {sound.shape}")
    sound = np.where(np.isfinite(sound), sound, 0.0)
    peak = np.abs(sound).max(initial=0.0)
    return (sound / peak if peak > 0 else sound).astype(np.float32)


def _mel_power(sound: np.ndarray, wanted: VoiceInput) -> np.ndarray:
    """Power in each band of each frame: `(n // hop + 1, mels)`."""
    padded = np.pad(sound, wanted.n_fft // 2)
    frames = np.lib.stride_tricks.sliding_window_view(padded, wanted.n_fft)[:: wanted.hop]
    spectrum = np.fft.rfft(frames * _hann(wanted.n_fft))
    power = spectrum.real**2 + spectrum.imag**2
    mel: np.ndarray = power @ mel_filters(wanted)
    return mel


@cache
def _hann(size: int) -> np.ndarray:
    """The periodic Hann window, `(size,)` float32."""
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(size) / size)
    return window.astype(np.float32)


@cache
def mel_filters(wanted: VoiceInput) -> np.ndarray:
    """Triangles of equal area, evenly spaced in mel, `(n_fft // 2 + 1, mels)` float32."""
    edges = _band_edges(wanted)
    bins = np.arange(wanted.n_fft // 2 + 1)[:, None] * (wanted.rate / wanted.n_fft)
    low, centre, high = edges[:-2], edges[1:-1], edges[2:]
    rising = (bins - low) / (centre - low)
    falling = (high - bins) / (high - centre)
    triangles: np.ndarray = np.maximum(0.0, np.minimum(rising, falling)) * 2 / (high - low)
    return triangles.astype(np.float32)


@cache
def _band_edges(wanted: VoiceInput) -> np.ndarray:
    """The bands' centres in Hz, with the ends before and after: each is the edge of its neighbours, `(mels + 2,)`."""
    return _mel_to_hz(np.linspace(0.0, _hz_to_mel(wanted.rate / 2), wanted.mels + 2))


def _hz_to_mel(hz: float | np.ndarray) -> np.ndarray:
    above = _BREAK_MEL + np.log(np.maximum(hz, _BREAK_HZ) / _BREAK_HZ) / _LOG_STEP
    return np.where(np.less(hz, _BREAK_HZ), np.divide(hz, _LINEAR_HZ), above)


def _mel_to_hz(mel: np.ndarray) -> np.ndarray:
    above = _BREAK_HZ * np.exp(_LOG_STEP * (mel - _BREAK_MEL))
    return np.where(mel < _BREAK_MEL, mel * _LINEAR_HZ, above)
