"""Perceived or intended? Raters and models against what was acted and against what most raters heard.

CREMA-D, the nine validation actors. What is heard is the emotion that most of a clip's raters named by ear alone; clips
on which they tie are left out of that column.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np

from emoscope.calibration import probabilities
from emoscope.data.cremad import LogMels, load_logmels
from emoscope.data.votes import perceived, votes
from emoscope.emotions import CREMAD_EMOTIONS, columns
from emoscope.models import Model
from emoscope.training.evaluate import logits

from ..intervals import interval
from ..rows import Row, Where
from ..runner import Context


def acted_and_heard(context: Context) -> Iterator[Row]:
    """Nobody, one rater, most raters, and models; and what raters heard."""
    clips = load_logmels(context.data, "validation")
    counts = votes(context.data, clips.clips)
    heard = perceived(counts)
    always = np.full(len(heard), CREMAD_EMOTIONS.index("neutral"))
    found = [{"who": "always neutral", **against(always, clips, heard)}]
    found += [one_rater(clips, counts), most_raters(clips, heard)]
    models = [*context.models, Model(context.trained("voice-perceived") / "voice-perceived.onnx")]
    for model in models:
        scores = probabilities(logits(model, clips.logmel), model.card.temperature)
        found.append(
            {
                "who": model.card.name,
                **against(scores.argmax(1), clips, heard),
                "distance": float(0.5 * np.abs(scores - counts / counts.sum(1, keepdims=True)).sum(1).mean()),
            }
        )
    yield from rows(found)
    yield from heard_rows({
        acted: {CREMAD_EMOTIONS[c]: float(share) for c, share in enumerate(mean)}
        for acted, mean in zip(CREMAD_EMOTIONS, confusion(clips.labels, counts), strict=True)
    })  # fmt: skip


def against(said: np.ndarray, clips: LogMels, heard: np.ndarray) -> dict[str, Any]:
    """How often what somebody says is what was acted, and what most raters heard."""
    actors = np.array([clip.actor for clip in clips.clips])
    clear = heard >= 0
    acted_hits, heard_hits = said == clips.labels, (said == heard)[clear]
    return {
        "acted": float(acted_hits.mean()),
        "acted_interval": interval(acted_hits, actors),
        "heard": float(heard_hits.mean()),
        "heard_interval": interval(heard_hits, actors[clear]),
        "n": [len(said), int(clear.sum())],
    }


def one_rater(clips: LogMels, counts: np.ndarray) -> dict[str, Any]:
    """A rater drawn at random: against the acted, and against what most of the others heard."""
    actors = np.array([clip.actor for clip in clips.clips])
    rows = np.arange(len(counts))
    acted = counts[rows, clips.labels] / counts.sum(1)
    agree, weight = np.zeros(len(counts)), np.zeros(len(counts))
    for emotion in range(counts.shape[1]):
        without = counts.copy()
        without[:, emotion] -= 1
        others = perceived(without)
        some = (counts[:, emotion] > 0) & (others >= 0)
        agree += np.where(some & (others == emotion), counts[:, emotion], 0)
        weight += np.where(some, counts[:, emotion], 0)
    clear = weight > 0
    shares = agree[clear] / weight[clear]
    return {
        "who": "one rater",
        "acted": float(acted.mean()),
        "acted_interval": interval(acted, actors),
        "heard": float(shares.mean()),
        "heard_interval": interval(shares, actors[clear]),
        "n": [len(acted), int(clear.sum())],
    }


def most_raters(clips: LogMels, heard: np.ndarray) -> dict[str, Any]:
    """What most raters heard, against the acted; a tie is wrong."""
    hits = heard == clips.labels
    return {
        "who": "most raters",
        "acted": float(hits.mean()),
        "acted_interval": interval(hits, np.array([clip.actor for clip in clips.clips])),
        "n": [len(hits), int((heard >= 0).sum())],
    }


def confusion(labels: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """The mean distribution of votes for each acted emotion, `(6, 6)`."""
    shares = counts / counts.sum(1, keepdims=True)
    return np.array([shares[labels == c].mean(0) for c in range(len(columns(CREMAD_EMOTIONS)))])


def rows(found: list[dict[str, Any]]) -> Iterator[Row]:
    """Raters and models."""
    for of in found:
        where: Where = {"model": of["who"], "split": "CREMA-D validation"}
        for metric, key, n in (("share says what was acted", "acted", of["n"][0]),
                               ("share says what most raters heard", "heard", of["n"][1])):  # fmt: skip
            if key in of:
                low, high = of[f"{key}_interval"]
                yield Row(metric=metric, value=of[key], low=low, high=high, n=n, **where)
        if "distance" in of:
            yield Row(metric="distance to the votes", value=of["distance"], n=of["n"][0], **where)


def heard_rows(heard: dict[str, dict[str, float]]) -> Iterator[Row]:
    """What raters heard where an emotion was acted, shares of the votes."""
    for acted, shares in heard.items():
        for emotion, value in shares.items():
            yield Row(metric=f"share heard as {emotion}", value=value, group=acted, condition="raters",
                      split="CREMA-D validation")  # fmt: skip
