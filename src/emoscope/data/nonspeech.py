"""Sound that nobody speaks in, made by formula: silence, noise, hum, tones, chords, melodies, clicks, and of every day
breath, laughter, a keyboard and traffic."""

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


def breath(random: Random, n: int) -> np.ndarray:
    """Air drawn in and let out, coloured by the mouth, with rests between: `(n,)` with a peak of 1."""
    time, pace = np.arange(n) / SAMPLE_RATE, random.uniform(0.3, 0.8)
    swell = np.maximum(0, np.sin(2 * np.pi * pace * time + random.uniform(0, 2 * np.pi))) ** 2
    return _peak(swell * _coloured(random, n, random.uniform(400, 2500), random.uniform(300, 1500)))


def laughter(random: Random, n: int) -> np.ndarray:
    """Ha-ha: 4 to 6 bursts a second of a falling pitch under breath, each weaker than the last: `(n,)`, peak 1."""
    sound = np.zeros(n)
    beat, pitch = int(SAMPLE_RATE / random.uniform(4, 6)), random.uniform(180, 450)
    for start in range(int(random.uniform(0, 0.3) * SAMPLE_RATE), n, beat):
        length = min(n - start, int(0.55 * beat))
        fall = np.linspace(1.15, 0.9, length) * pitch * random.uniform(0.95, 1.05)
        phase = 2 * np.pi * np.cumsum(fall) / SAMPLE_RATE
        tones = sum((np.sin(k * phase) / k for k in range(1, 9)), np.zeros(length))
        air = _coloured(random, length, random.uniform(800, 2000), 800)
        swell = np.sin(np.pi * np.arange(length) / length)
        sound[start : start + length] = swell * (_peak(tones) + random.uniform(0.2, 0.8) * air)
    return _peak(sound * np.exp(-random.uniform(0, 1) * np.arange(n) / SAMPLE_RATE))


def keyboard(random: Random, n: int) -> np.ndarray:
    """Keys struck 4 to 10 times a second, each down and up, in a room's noise: `(n,)` with a peak of 1."""
    sound = random.uniform(0, 0.02) * random.standard_normal(n)
    at = int(random.uniform(0, 0.2) * SAMPLE_RATE)
    while at < n:
        for start, loud in ((at, 1.0), (at + int(random.uniform(0.05, 0.1) * SAMPLE_RATE), 0.4)):
            knock = np.exp(-np.arange(800) / random.uniform(20, 150)) * random.standard_normal(800)
            knock = loud * random.uniform(0.4, 1) * knock[: max(0, n - start)]
            sound[start : start + len(knock)] += knock
        at += int(SAMPLE_RATE / random.uniform(4, 10))
    return _peak(sound)


def traffic(random: Random, n: int) -> np.ndarray:
    """Tyres' and wind's low noise that swells as cars pass, with engines whose pitch falls: `(n,)` with a peak of 1."""
    time = np.arange(n) / SAMPLE_RATE
    sound = 0.2 * _coloured(random, n, 100, 300)
    for _ in range(int(random.integers(1, 4))):
        passing, speed = random.uniform(0, n / SAMPLE_RATE), random.uniform(0.3, 1.5)
        near = 1 / (1 + ((time - passing) / speed) ** 2)
        pitch = random.uniform(40, 120) * (1 - 0.1 * np.tanh((time - passing) / speed))
        phase = 2 * np.pi * np.cumsum(pitch) / SAMPLE_RATE
        engine = _peak(sum((np.sin(k * phase + random.uniform(0, 6)) / k for k in range(1, 10)), np.zeros(n)))
        sound += near * (_coloured(random, n, random.uniform(500, 1200), 700) + random.uniform(0, 0.8) * engine)
    return _peak(sound)


KINDS: dict[str, Callable[[Random, int], np.ndarray]] = {
    "silence": silence,
    "noise": noise,
    "hum": hum,
    "tone": tone,
    "music": music,
    "clicks": clicks,
}
"""What training draws from."""
EVERYDAY: dict[str, Callable[[Random, int], np.ndarray]] = {
    "breath": breath,
    "laughter": laughter,
    "keyboard": keyboard,
    "traffic": traffic,
}
"""What it never draws."""


def make(kind: str, seconds: float, seed: int) -> np.ndarray:
    """A sound of a kind: mono float32 at `media.SAMPLE_RATE`; the same seed gives the same.

    Args:
        kind: a key of `KINDS` or `EVERYDAY`.
        seconds: its length.
        seed: draws its pitches, colours and times.
    """
    return (KINDS | EVERYDAY)[kind](np.random.default_rng(seed), int(seconds * SAMPLE_RATE)).astype(np.float32)


def _harmonics(random: Random, pitch: float, n: int, count: int) -> np.ndarray:
    """A tone and its next `count - 1` harmonics below the highest frequency, each weaker than the one before."""
    time = np.arange(n) / SAMPLE_RATE
    slope = random.uniform(0.5, 2)
    parts = [k for k in range(1, count + 1) if k * pitch < SAMPLE_RATE / 2]
    return sum((np.sin(2 * np.pi * k * pitch * time) / k**slope for k in parts), np.zeros(n))


def _coloured(random: Random, n: int, centre: float, width: float) -> np.ndarray:
    """Noise around a frequency, both in Hz: `(n,)` with a peak of 1."""
    hertz = np.fft.rfftfreq(n, 1 / SAMPLE_RATE)
    spectrum = np.fft.rfft(random.standard_normal(n)) / (1 + ((hertz - centre) / width) ** 2)
    return _peak(np.fft.irfft(spectrum, n))


def _peak(sound: np.ndarray) -> np.ndarray:
    """The sound with a peak of 1."""
    highest = np.abs(sound).max(initial=0.0)
    return sound / highest if highest > 0 else sound
