"""How close the twins on log-mels come to noise, stretch and shift of the sound itself.

RAVDESS, actors 13 to 24, two recordings of each emotion and actor. Each is changed as sound and pictured, and pictured
and changed as picture; the two pictures are compared point by point. Beside it: the picture that was not changed, and
the sound changed once more with another draw of the noise, which is as close as a twin can come.
"""

from collections.abc import Iterator
from typing import Any

import librosa
import numpy as np
import torch
from rich.progress import track

from emoscope.data import ravdess, twins
from emoscope.data.recordings import samples
from emoscope.data.waveform import Change, apply
from emoscope.voice.features import FLOOR_DB, window_input

from ..rows import Row
from ..runner import Context

CHANGES = {
    "stretch, 0.85 x": Change(rate=0.85),
    "stretch, 1.2 x": Change(rate=1.2),
    "shift, -2.5 semitones": Change(semitones=-2.5),
    "shift, +2.5 semitones": Change(semitones=2.5),
    "noise, 30 dB": Change(snr_db=30.0),
    "noise, 20 dB": Change(snr_db=20.0),
    "noise, 10 dB": Change(snr_db=10.0),
    "all three": Change(snr_db=20.0, rate=1.1, semitones=1.5),
}
PAIRS = {"twin": "twin and real", "untouched": "untouched and real", "another draw": "two draws of the real"}
QUIET_DB = 50
"""What is so far below the loudest at a recording's ends is cut off: CREMA-D's clips end with the speech, too."""


def compared(context: Context) -> Iterator[Row]:
    """Every change."""
    listed = [r for r in ravdess.recordings(context.data) if "-01-01-01-" in r.path.stem or "-01-02-01-" in r.path.stem]
    sounds = [librosa.effects.trim(samples(r.path), top_db=QUIET_DB)[0] for r in track(listed, "reading")]
    for name, change in track(CHANGES.items(), "comparing"):
        yield from rows(compare(name, change, sounds), len(sounds))


def compare(name: str, change: Change, sounds: list[np.ndarray]) -> dict[str, Any]:
    torch.manual_seed(0)
    pairs: dict[str, list[tuple[np.ndarray, np.ndarray]]] = {"twin": [], "untouched": [], "another draw": []}
    for seed, sound in enumerate(sounds):
        before, real = window_input(sound), window_input(apply(sound, change, seed))
        pairs["twin"].append((changed(before, change), real))
        pairs["untouched"].append((before, real))
        if change.snr_db is not None:
            pairs["another draw"].append((window_input(apply(sound, change, seed + len(sounds))), real))
    return {"change": name} | {
        what: {
            "correlation": quantiles([correlation(a, b) for a, b in both]),
            "difference_db": quantiles([float(np.abs(a - b).mean()) * -FLOOR_DB for a, b in both]),
        }
        for what, both in pairs.items()
        if both
    }


def changed(picture: np.ndarray, change: Change) -> np.ndarray:
    """The twin of a change: `(188, 128)`."""
    window = torch.from_numpy(picture)[None]
    if change.rate is not None or change.semitones is not None:
        window = twins.warp(window, torch.tensor([change.rate or 1.0]), torch.tensor([change.semitones or 0.0]))
    if change.snr_db is not None:
        window = twins.noise(window, torch.tensor([change.snr_db]))
    return window[0].numpy()


def correlation(one: np.ndarray, other: np.ndarray) -> float:
    return float(np.corrcoef(one.ravel(), other.ravel())[0, 1])


def quantiles(values: list[float]) -> list[float]:
    """The median, and the values that 95 % lie between."""
    return [float(q) for q in np.quantile(values, (0.5, 0.025, 0.975))]


def rows(of: dict[str, Any], n: int) -> Iterator[Row]:
    """Medians of one change; low and high are what the middle 95 % of the recordings lie between."""
    for what, words in PAIRS.items():
        for key, metric in (("correlation", "correlation"), ("difference_db", "difference, dB")):
            if what in of:
                middle, low, high = of[what][key]
                yield Row(metric=f"{metric}, {words}", value=middle, low=low, high=high, n=n, condition=of["change"],
                          split="RAVDESS 13-24")  # fmt: skip
