"""Sound as pictures for the networks of the literature: STFT, mel spectrogram and MFCC, padded to one width.

The computing is librosa's (McFee et al. 2015). What the shipped models see is made by `voice.features` instead, which
needs no librosa; `cepstra` makes MFCC from those log-mels.
"""

from dataclasses import dataclass
from functools import cache
from typing import Literal

import numpy as np

from ..media.types import SAMPLE_RATE

Kind = Literal["stft", "mel", "mfcc"]
FLOOR_DB = -80.0


@dataclass(frozen=True, slots=True)
class Setting:
    """How a sound becomes a picture.

    Attributes:
        rate: samples a second; the sound is brought to it first.
        n_fft: samples of one analysis frame.
        hop: samples from one frame to the next.
        seconds: what is shorter is padded with zeros, what is longer is cut.
        mels: bands of the mel spectrogram.
        cepstra: coefficients of the MFCC.
    """

    rate: int = SAMPLE_RATE
    n_fft: int = 1024
    hop: int = 256
    seconds: float = 3.0
    mels: int = 128
    cepstra: int = 40

    @property
    def width(self) -> int:
        """Frames of the picture."""
        return int(self.rate * self.seconds) // self.hop + 1

    def height(self, kind: Kind) -> int:
        """Rows of the picture."""
        return {"stft": self.n_fft // 2 + 1, "mel": self.mels, "mfcc": self.cepstra}[kind]


REFERENCE = Setting(rate=44_100, n_fft=2048, hop=512, seconds=2.5)
"""The setting of the reference system: MFCC of (40, 216)."""


def picture(samples: np.ndarray, kind: Kind, setting: Setting = REFERENCE) -> np.ndarray:
    """One sound as a picture, low frequencies first.

    Args:
        samples: mono `(n,)` at `media.SAMPLE_RATE`.
        kind: `stft` and `mel` in dB below the loudest point, down to `FLOOR_DB`; `mfcc` the cepstrum of the latter.
        setting: rate, frames and size.

    Returns:
        `(setting.height(kind), setting.width)` float32.

    Raises:
        ValueError: the sound is not mono, or the kind is unknown.
    """
    import librosa

    sound = np.asarray(samples, np.float32)
    if sound.ndim != 1:
        raise ValueError(f"expected mono sound of shape (n,), got {sound.shape}")
    if kind not in ("stft", "mel", "mfcc"):
        raise ValueError(f"no kind {kind!r}; there are stft, mel and mfcc")
    if setting.rate != SAMPLE_RATE and len(sound):
        sound = librosa.resample(sound, orig_sr=SAMPLE_RATE, target_sr=setting.rate)
    sound = librosa.util.fix_length(sound, size=int(setting.rate * setting.seconds))
    power = np.abs(librosa.stft(sound, n_fft=setting.n_fft, hop_length=setting.hop)) ** 2
    if kind != "stft":
        power = librosa.feature.melspectrogram(S=power, sr=setting.rate, n_fft=setting.n_fft, n_mels=setting.mels)
    peak = power.max()
    decibel = librosa.power_to_db(power / peak if peak > 0 else power, ref=1.0, amin=1e-8, top_db=None)
    if kind == "mfcc":
        decibel = librosa.feature.mfcc(S=decibel, n_mfcc=setting.cepstra)
    return np.asarray(decibel, np.float32)


@cache
def cosines(mels: int, cepstra: int) -> np.ndarray:
    """The orthonormal DCT-II from mel bands to cepstral coefficients: `(mels, cepstra)` float32."""
    band, k = np.arange(mels)[:, None], np.arange(cepstra)[None]
    basis = np.cos(np.pi * (band + 0.5) * k / mels) * np.sqrt(2 / mels)
    basis[:, 0] /= np.sqrt(2)
    return basis.astype(np.float32)


def cepstra(log_mel: np.ndarray, count: int = 40) -> np.ndarray:
    """MFCC from log-mels as `voice.features` makes them, and as CREMA-D is packed.

    Args:
        log_mel: `(..., frames, mels)` in [0, 1], where 1 is the loudest point and 0 is `FLOOR_DB` below it.
        count: coefficients.

    Returns:
        `(..., count, frames)` float32, what `picture(..., "mfcc")` gives for the sound.
    """
    decibel = np.asarray(log_mel, np.float32) * -FLOOR_DB + FLOOR_DB
    return np.swapaxes(decibel @ cosines(log_mel.shape[-1], count), -1, -2)
