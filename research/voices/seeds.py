"""The best small voice model: five seeds, their mean and spread; together; one that they taught; the shipped one."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from emoscope.data.cremad import load_logmels
from emoscope.models import Model
from emoscope.training.distil import probabilities
from emoscope.training.metrics import fit_temperature, score

from ..intervals import interval
from ..rows import Point, Row, Where
from ..runner import Context
from ..scores import curve

TEACHERS = 3


def seeds(context: Context) -> Iterator[Row | Point]:
    """Trains what is not there; each seed, all together, the taught one, and the shipped recipe."""
    clips = load_logmels(context.data, "validation")
    actors = np.array([clip.actor for clip in clips.clips])
    runs = [context.trained(f"voice-{seed}", "voice-single", seed=seed) for seed in context.run.seeds]
    singles = [Model(run / "voice-single.onnx") for run in runs]

    def figures(name: str, models: list[Model], last: float | None = None) -> dict[str, Any]:
        logits = np.log(np.maximum(probabilities(models, clips.logmel), 1e-9))
        metrics = score(logits, clips.labels, fit_temperature(logits, clips.labels))
        hits = logits.argmax(1) == clips.labels
        return {
            "model": name,
            "parameters": sum(model.card.parameters for model in models),
            **{key: metrics[key] for key in ("n", "accuracy", "uar", "ece")},
            "actors_interval": interval(hits, actors),
            "last_epoch": last,
        }

    found = [
        figures(f"seed {seed}", [single], last_epoch(run))
        for seed, single, run in zip(context.run.seeds, singles, runs, strict=True)
    ]
    found.append(figures("the five together", singles))
    teachers = [run / "voice-single.onnx" for run in runs[:TEACHERS]]
    for name, words in (("voice-taught", "taught by the first three"), ("voice-cremad", "shipped")):
        run = context.trained(name, teachers=teachers if name == "voice-taught" else ())
        found.append(figures(f"{name}: {words}", [Model(run / f"{name}.onnx")], last_epoch(run)))
    yield from rows(found)
    for seed, run in zip(context.run.seeds, runs, strict=True):
        yield from curve(json.loads((run / "history.json").read_text()), f"seed {seed}")


def last_epoch(run: Path) -> float:
    """Validation accuracy of the last epoch, which nothing chose."""
    return float(json.loads((run / "history.json").read_text())[-1]["validation_accuracy"])


def rows(found: list[dict[str, Any]]) -> Iterator[Row]:
    """Each model, its interval over actors, and the mean and the standard deviation of the seeds."""
    where: Where = {"protocol": "tfds", "split": "CREMA-D validation"}
    for of in found:
        low, high = of["actors_interval"]
        where |= {"condition": of["model"], "n": of["n"]}
        yield Row(metric="parameters", value=of["parameters"], **where)
        yield Row(metric="accuracy", value=of["accuracy"], low=low, high=high, **where)
        for metric in ("uar", "ece"):
            yield Row(metric=metric, value=of[metric], **where)
        if of["last_epoch"] is not None:
            yield Row(metric="share right at the last epoch", value=of["last_epoch"], **where)
    singles = [of for of in found if of["model"].startswith("seed")]
    for metric, key in (("accuracy", "accuracy"), ("uar", "uar"), ("share right at the last epoch", "last_epoch")):
        values = np.array([of[key] for of in singles])
        for name, value in (("mean of the seeds", values.mean()), ("standard deviation", values.std(ddof=1))):
            yield Row(metric=metric, value=float(value), **{**where, "condition": name})
