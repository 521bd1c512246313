"""The voice model out of its world: trained on CREMA-D alone, heard as it is on RAVDESS.

RAVDESS, actors 13 to 24, the six emotions that both data sets have, first repetition of each sentence; every recording
goes through the pipeline's voice activity and windows, and its emotion is the one with the highest mean score among the
six. Level, noise and room echo are varied.
"""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from rich.progress import track

from emoscope.calibration import probabilities
from emoscope.data import ravdess
from emoscope.data.nonspeech import noise
from emoscope.data.recordings import samples
from emoscope.emotions import CREMAD_EMOTIONS, EMOTIONS, columns, expand
from emoscope.media import SAMPLE_RATE, Sound
from emoscope.models import Model
from emoscope.voice.classify import VoiceReader

from ..intervals import interval
from ..rows import Row, Where
from ..runner import Context

SIX = columns(CREMAD_EMOTIONS)

Change = Callable[[np.ndarray, np.random.Generator], np.ndarray]


def louder(decibel: float) -> Change:
    return lambda sound, random: (sound * 10 ** (decibel / 20)).astype(np.float32)


def with_noise(snr_db: float) -> Change:
    return lambda sound, random: at_ratio(sound, random.standard_normal(len(sound)), snr_db)


def with_pink_noise(snr_db: float) -> Change:
    return lambda sound, random: at_ratio(sound, noise(random, len(sound)), snr_db)


def in_a_room(seconds: float) -> Change:
    """Echo that falls by 60 dB in so many seconds and carries as much power as the direct sound."""

    def change(sound: np.ndarray, random: np.random.Generator) -> np.ndarray:
        time = np.arange(int(seconds * SAMPLE_RATE)) / SAMPLE_RATE
        tail = random.standard_normal(len(time)) * 10 ** (-3 * time / seconds) * (time > 0.005)
        answer = tail / np.sqrt((tail**2).sum())
        answer[0] = 1.0
        size = len(sound) + len(answer)
        wet = np.fft.irfft(np.fft.rfft(sound, size) * np.fft.rfft(answer, size), size)[: len(sound)]
        return (0.5 * wet / max(np.abs(wet).max(), 1e-9)).astype(np.float32)

    return change


def at_ratio(sound: np.ndarray, other: np.ndarray, snr_db: float) -> np.ndarray:
    """Both together, scaled to a peak of 0.5; the ratio is that of their mean powers over the whole recording."""
    gain = np.sqrt((sound**2).mean() / (other**2).mean() / 10 ** (snr_db / 10))
    mixed = sound + gain * other
    return (0.5 * mixed / np.abs(mixed).max()).astype(np.float32)


CONDITIONS: dict[str, Change] = {
    "as recorded": louder(0),
    "40 dB quieter": louder(-40),
    "20 dB quieter": louder(-20),
    "white noise, 20 dB": with_noise(20),
    "white noise, 10 dB": with_noise(10),
    "white noise, 0 dB": with_noise(0),
    "coloured noise, 10 dB": with_pink_noise(10),
    "coloured noise, 0 dB": with_pink_noise(0),
    "echo, 0.3 s": in_a_room(0.3),
    "echo, 0.8 s": in_a_room(0.8),
}


def robustness(context: Context) -> Iterator[Row]:
    """Every condition."""
    (model,) = context.models
    listed = [
        r
        for r in ravdess.recordings(context.data)
        if r.emotion in CREMAD_EMOTIONS and int(r.person) >= 13 and r.path.stem.split("-")[5] == "01"
    ]
    sounds = [samples(r.path) for r in track(listed, "reading")]
    truth = np.array([EMOTIONS.index(r.emotion) for r in listed])
    actors = np.array([r.person for r in listed])
    for name in CONDITIONS:
        yield from rows(model.card.name, condition(name, model, sounds, truth, actors))


def condition(
    name: str, model: Model, sounds: list[np.ndarray], truth: np.ndarray, actors: np.ndarray
) -> dict[str, Any]:
    """All recordings under one condition; one in which no voice is found counts as wrong."""
    random = np.random.default_rng(0)
    scores = np.array([heard(model, CONDITIONS[name](sound, random)) for sound in track(sounds, name)])
    found = ~np.isnan(scores[:, 0])
    hits = found & (np.array(SIX)[np.nan_to_num(scores[:, SIX]).argmax(1)] == truth)
    recalls = [hits[truth == c].mean() for c in sorted(set(truth))]
    return {
        "condition": name,
        "n": len(truth),
        "accuracy": float(hits.mean()),
        "interval": interval(hits, actors),
        "uar": float(np.mean(recalls)),
        "confidence": float(scores[found].max(1).mean()),
        "unheard": int((~found).sum()),
        "recall": {EMOTIONS[c]: float(hits[truth == c].mean()) for c in sorted(set(truth))},
    }


def heard(model: Model, sound: np.ndarray) -> np.ndarray:
    """The mean scores `(8,)` over a recording, weighted by the length of the rows; nan where no voice is found."""
    reader = VoiceReader(model)
    rows = reader.add(Sound(0.0, sound)) + reader.finish()
    if not rows:
        return np.full(len(EMOTIONS), np.nan)
    scores = probabilities(np.array([row.logits for row in rows]), model.card.temperature)
    return expand(np.average(scores, axis=0, weights=[row.end - row.start for row in rows]), model.card.labels)


def rows(model: str, of: dict[str, Any]) -> Iterator[Row]:
    """The metrics under one condition."""
    where: Where = {"model": model, "protocol": "other-corpus", "split": "RAVDESS 13-24, repetition 1",
             "condition": of["condition"]}  # fmt: skip
    low, high = of["interval"]
    yield Row(metric="accuracy", value=of["accuracy"], low=low, high=high, n=of["n"], **where)
    yield Row(metric="uar", value=of["uar"], **where)
    yield Row(metric="mean confidence", value=of["confidence"], **where)
    yield Row(metric="no voice found", value=of["unheard"], **where)
    for emotion, value in of["recall"].items():
        yield Row(metric="recall", value=value, group=emotion, **where)
