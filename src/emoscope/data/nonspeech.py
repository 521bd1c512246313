"""Sound that nobody speaks in, made by formula: silence, noise, hum, tones, chords, melodies, clicks."""

from collections.abc import Callable

import numpy as np

from ..media.types import SAMPLE_RATE

Random = np.random.Generator


def silence(random: Random, n: int) -> np.ndarray:
    """Nothing, or the last bit of a converter: `(n,)`."""
    return np.round(random.normal(0, 0.5, n)) / 32768 * random.integers(2)


def noise(random: Random, n: int) -> np.ndarray:
    """Noise that falls by 0 to 6 dB an octave: `(n,)` with a peak of 1."""
    spectrum = np.fft.rfft(random.standard_normal(n))
    spectrum *= np.maximum(1, np.arange(len(spectrum))) ** (-random.uniform(0, 1))
    return _peak(np.fft.irfft(spectrum, n))


def hum(random: Random, n: int) -> np.ndarray:
    """The mains and its harmonics, or a fan's, under some noise: `(n,)` with a peak of 1."""
    tones = _harmonics(random, random.uniform(40, 130), n, count=int(random.integers(2, 12)))
    return _peak(_peak(tones) + random.uniform(0, 0.2) * noise(random, n))


def tone(random: Random, n: int) -> np.ndarray:
    """One steady tone, with harmonics or without: `(n,)` with a peak of 1."""
    return _peak(_harmonics(random, 2 ** random.uniform(6.5, 11.5), n, count=int(random.integers(1, 6))))


def music(random: Random, n: int) -> np.ndarray:
    """Chords or single notes of the twelve-tone scale, struck or held, one after another: `(n,)` with a peak of 1."""
    sound = np.zeros(n)
    beat = int(random.uniform(0.12, 1.0) * SAMPLE_RATE)
    voices, decay, count = int(random.integers(1, 5)), random.uniform(0, 6), int(random.integers(1, 8))
    for start in range(0, n, beat):
        length = min(n - start, int(beat * random.uniform(0.7, 1.0)))
        fading = np.exp(-decay * np.arange(length) / SAMPLE_RATE)
        fading *= np.minimum(1, np.arange(length)[::-1] / 200)
        for _ in range(voices):
            pitch = 440 * 2 ** ((random.integers(-24, 15)) / 12)
            sound[start : start + length] += fading * _harmonics(random, pitch, length, count)
    return _peak(sound + random.uniform(0, 0.02) * random.standard_normal(n))


def clicks(random: Random, n: int) -> np.ndarray:
    """Some short knocks: `(n,)` with a peak of 1."""
    sound = np.zeros(n)
    ring = np.exp(-np.arange(400) / random.uniform(1, 80)) * random.standard_normal(400)
    for start in random.integers(0, max(1, n - 400), int(random.integers(1, 8))):
        sound[start : start + 400] += random.uniform(0.2, 1) * ring[: n - start]
    return _peak(sound)


KINDS: dict[str, Callable[[Random, int], np.ndarray]] = {
    "silence": silence,
    "noise": noise,
    "hum": hum,
    "tone": tone,
    "music": music,
    "clicks": clicks,
}


def make(kind: str, seconds: float, seed: int) -> np.ndarray:
    """A sound of a kind: mono float32 at `media.SAMPLE_RATE`; the same seed gives the same.

    Args:
        kind: a key of `KINDS`.
        seconds: its length.
        seed: draws its pitches, colours and times.
    """
    return KINDS[kind](np.random.default_rng(seed), int(seconds * SAMPLE_RATE)).astype(np.float32)


def _harmonics(random: Random, pitch: float, n: int, count: int) -> np.ndarray:
    """A tone and its next `count - 1` harmonics below the highest frequency, each weaker than the one before."""
    time = np.arange(n) / SAMPLE_RATE
    slope = random.uniform(0.5, 2)
    parts = [k for k in range(1, count + 1) if k * pitch < SAMPLE_RATE / 2]
    return sum((np.sin(2 * np.pi * k * pitch * time) / k**slope for k in parts), np.zeros(n))


def _peak(sound: np.ndarray) -> np.ndarray:
    """The sound with a peak of 1."""
    highest = np.abs(sound).max(initial=0.0)
    return sound / highest if highest > 0 else sound
