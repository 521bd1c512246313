"""The voice model on the sound of the clips against the packed log-mels of the same clips.

The clips of the 9 validation actors that have a video: once from `logmel_validation.npz`, once from the sound of the
.flv as a whole, once through the pipeline (voice activity, then 3 s windows).
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

import emoscope
from emoscope.data.cremad import load_logmels, video_clips
from emoscope.emotions import EMOTIONS, expand
from emoscope.media import Sound, open_media
from emoscope.training.metrics import wilson
from emoscope.voice.features import window_input

from ..rows import Row, Where
from ..runner import Context


def sounds(context: Context) -> Iterator[Row]:
    """Each way, and how often the first two agree."""
    (model,) = context.models
    packed = load_logmels(context.data, "validation")
    logmels = dict(zip(map(str, packed.clips), packed.logmel, strict=True))
    clips = [(clip, path) for clip, path in video_clips(context.data) if str(clip) in logmels]
    truth = np.array([EMOTIONS.index(clip.emotion) for clip, _ in clips])
    inputs = {
        "packed log-mels": np.stack([logmels[str(clip)] for clip, _ in clips]).astype(np.float32) / 255,
        "sound of the .flv": np.stack([window_input(sound(path)) for _, path in clips]),
    }
    scores = {name: expand(model.scores(batch), model.card.labels) for name, batch in inputs.items()}
    timelines = [emoscope.analyze(path, voice_model=model, baseline="none") for _, path in clips]
    heard = [list(timeline.select("voice").mean_scores().values()) for timeline in timelines]
    scores["pipeline on the .flv"] = np.array(heard)
    agree = float((scores["packed log-mels"].argmax(1) == scores["sound of the .flv"].argmax(1)).mean())
    yield from rows(model.card.name, [metrics(name, part, truth) for name, part in scores.items()], agree)


def sound(path: Path) -> np.ndarray:
    """All samples of a file."""
    with open_media(path) as media:
        return np.concatenate([item.samples for item in media if isinstance(item, Sound)])


def metrics(name: str, scores: np.ndarray, truth: np.ndarray) -> dict[str, Any]:
    right = int((scores.argmax(1) == truth).sum())
    return {"from": name, "n": len(truth), "accuracy": right / len(truth), "interval": wilson(right, len(truth))}


def rows(model: str, found: list[dict[str, Any]], agree: float) -> Iterator[Row]:
    """The accuracy of each way; how often the first two name the same emotion."""
    where: Where = {"model": model, "protocol": "alone", "split": "CREMA-D clips of the 9 validation actors"}
    for of in found:
        low, high = of["interval"]
        yield Row(metric="accuracy", value=of["accuracy"], low=low, high=high, n=of["n"], condition=of["from"], **where)
    yield Row(metric="share in which the first two agree", value=agree, n=found[0]["n"], **where)
