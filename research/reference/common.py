"""What the reference system's face runs share: the sets, and one short training."""

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from emoscope.data import ferplus
from emoscope.data.augment import PARTS, FaceAugment
from emoscope.emotions import EMOTIONS, one_hot
from emoscope.training.loop import Samples, Settings, Trainer
from emoscope.training.losses import Loss, cross_entropy
from emoscope.training.metrics import score, wilson
from emoscope.training.recipes_face import channel

from ..plan import Run

SHORT = Settings(epochs=8, average=0.99)


def faces(data: Path, split: ferplus.Split, labels: Callable[[np.ndarray], np.ndarray] = ferplus.plurality) -> Samples:
    """FER+ faces with one label each, which is also the target.

    Args:
        data: the folder that holds `ferplus/`.
        split: `train` or `validation`.
        labels: from votes `(n, 10)` to the class of each face among all eight emotions, -1 where it is dropped.
    """
    read = ferplus.load(data, split)
    found = labels(read.votes)
    kept = found >= 0
    return hard(read.images[kept], found[kept], len(EMOTIONS))


def balanced(data: Path, split: ferplus.Split, classes: Sequence[str]) -> Samples:
    """The reference system's five or seven classes; the class of a face is its place in `classes`."""
    eight = faces(data, split, lambda votes: ferplus.balanced(votes, classes, split))
    places = np.array([classes.index(e) if e in classes else -1 for e in EMOTIONS])
    return hard(eight.inputs, places[eight.labels], len(classes))


def settings_of(run: Run, seed: int = 0) -> Settings:
    """`SHORT`, with the plan's overrides."""
    return replace(SHORT, **run.overrides, seed=seed)


def hard(images: np.ndarray, labels: np.ndarray, classes: int) -> Samples:
    """Images with their labels as one-hot targets."""
    return Samples(images, one_hot(labels, classes), labels)


def trained(
    run: Path,
    network: Callable[[], nn.Module],
    train: Samples,
    validation: Samples,
    settings: Settings = SHORT,
    *,
    parts: Sequence[str] = PARTS,
    loss: Loss = cross_entropy,
) -> dict[str, Any]:
    """Train, and mark the last epoch's averaged network on validation: nothing is chosen there.

    A run that is in its folder already is not made again; one that was interrupted goes on.

    Args:
        run: its folder.
        network: makes the network from the settings' seed.
        train: to learn from.
        validation: to mark, where the label is not -1.
        settings: of the training.
        parts: of the augmentation.
        loss: what is minimised.

    Returns:
        The metrics of `metrics.score`, with `history` and `settings`.
    """
    marked = run / "marks.json"
    if marked.exists():
        return json.loads(marked.read_text())
    print(run.name, flush=True)
    torch.manual_seed(settings.seed)
    augment = FaceAugment(parts)
    trainer = Trainer(
        network(), train, validation, settings, channel, augment, FaceAugment(gentle=True), run, loss=loss
    )
    history = trainer.run(resume=True)
    kept = validation.labels >= 0
    logits = trainer.logits(trainer.averaged.module, validation.inputs[kept])
    metrics = {**score(logits, validation.labels[kept]), "history": history, "settings": asdict(settings)}
    marked.write_text(json.dumps(metrics) + "\n")
    return metrics


def together(runs: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """The runs of several seeds as one: means, spread over seeds, and the 95 % interval of the mean accuracy.

    The interval is Wilson's for one run's n: the seeds share their faces.
    """
    accuracy = np.array([run["accuracy"] for run in runs])
    n = runs[0]["n"]
    recall = np.array([[np.nan if r is None else r for r in run["recall"]] for run in runs])
    return {
        "n": n,
        "accuracy": float(accuracy.mean()),
        "interval": list(wilson(round(accuracy.mean() * n), n)),
        "spread": float(np.ptp(accuracy)) if len(runs) > 1 else None,
        "uar": float(np.mean([run["uar"] for run in runs])),
        "recall": [float(r) for r in recall.mean(0)],
        "confusion": np.sum([run["confusion"] for run in runs], 0).tolist(),
    }
