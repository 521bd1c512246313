"""The best face model: several networks together, on faces and their mirror images, exported as one.

Two networks learn from the votes; together they teach the same two, which go on from where they were; all four together
are the model, which is left with its card in `CACHE/trainings/best`. How the compact one is taught is in
docs/train-a-model.md.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from emoscope.calibration import probabilities
from emoscope.data import ferplus
from emoscope.data.ferplus import FIVE
from emoscope.emotions import EMOTIONS, columns
from emoscope.training.loop import logits_of
from emoscope.training.metrics import prior_shift, score, unweighted_recall
from emoscope.training.pretrained import averaged
from emoscope.training.recipe import Recipe
from emoscope.training.recipes import find
from emoscope.training.recipes_face import BEST, channel
from emoscope.training.run import publish

from ..reference.architectures import Ensemble
from ..rows import Point, Row, Where
from ..runner import Context
from ..scores import curve, scored

FIRST = ("wide", "vgg")
MEMBERS = (*FIRST, "wide-again", "vgg-again")
SHARES = (0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.8, 1.0)
RECALL = 0.8
"""Unweighted recall over the first seven emotions that the model must have on validation."""


def best(context: Context) -> Iterator[Row | Point]:
    """Trains what is not there; each network alone, and all together under each shift."""
    for name in FIRST:
        context.trained(name, recipe_of(name).name)
    teacher = joined(context, FIRST, "first") / "face-ferplus-best.onnx"
    for name in FIRST:
        context.trained(f"{name}-again", recipe_of(name).name, seed=1, teachers=[teacher], start=runs(context) / name)
    yield from rows(json.loads((joined(context, MEMBERS, "best") / "best.json").read_text()))
    for name in MEMBERS:
        yield from curve(json.loads((runs(context) / name / "history.json").read_text()), name)


def runs(context: Context) -> Path:
    """The folder of the trainings."""
    return context.cache / "trainings"


def joined(context: Context, members: tuple[str, ...], folder: str) -> Path:
    """The folder of the model that some networks are together; made, with its figures, if it is not there."""
    out = runs(context) / folder
    if (out / "face-ferplus-best.onnx").exists():
        return out
    train, validation = BEST.load(context.data)
    kept = validation.labels >= 0
    networks = {name: averaged(runs(context) / name, recipe_of(name).network()) for name in members}
    counts = train.targets.sum(0)
    said = {name: both_ways(network, validation.inputs) for name, network in networks.items()}
    together = np.mean([logits for pair in said.values() for logits in pair], 0)

    def metrics(logits: np.ndarray) -> dict[str, Any]:
        return score(logits[kept], validation.labels[kept])

    shifted = {share: metrics(together + prior_shift(counts, share)) for share in SHARES}
    results: dict[str, Any] = {
        "chosen": choose(shifted),
        "alone": {name: metrics(pair[0]) for name, pair in said.items()},
        "shifted": shifted,
        "five": five(context.data, together, counts),
    }
    out.mkdir(exist_ok=True)
    (out / "best.json").write_text(json.dumps(results) + "\n")
    model = Ensemble(list(networks.values()), torch.from_numpy(prior_shift(counts, results["chosen"])).float())
    publish(BEST, model, validation, context.data, out, context.command)
    return out


def recipe_of(member: str) -> Recipe:
    return find(f"face-ferplus-{member.removesuffix('-again')}")


def both_ways(network: nn.Module, inputs: np.ndarray) -> list[np.ndarray]:
    """Log-probabilities of faces and of their mirror images."""
    return [np.log(probabilities(logits_of(network, some, channel))) for some in (inputs, inputs[:, :, ::-1].copy())]


def choose(shifted: dict[float, dict[str, Any]]) -> float:
    """The share with the highest accuracy, among those whose recall over the first seven emotions is at least `RECALL`.

    Where there is none, the share with the highest recall.
    """
    good = [share for share, metrics in shifted.items() if seven(metrics) >= RECALL]
    if not good:
        return max(shifted, key=lambda share: seven(shifted[share]))
    return max(good, key=lambda share: shifted[share]["accuracy"])


def seven(metrics: dict[str, Any]) -> float:
    """Unweighted recall over the first seven emotions, without contempt."""
    return unweighted_recall(metrics["recall"][:7])


def five(data: Path, logits: np.ndarray, counts: np.ndarray) -> dict[float, dict[str, Any]]:
    """Protocol `five`: the metrics of the logits of its classes, shifted by each share.

    Args:
        data: the folder that holds `ferplus/`.
        logits: of all validation faces whose most frequent vote is an emotion.
        counts: of the eight emotions in training.
    """
    votes = ferplus.load(data, "validation").votes
    labels = ferplus.balanced(votes, FIVE, "validation")[ferplus.plurality(votes) >= 0]
    kept, chosen = labels >= 0, columns(FIVE)
    places = np.array([chosen.index(label) for label in labels[kept]])
    return {share: score((logits + prior_shift(counts, share))[kept][:, chosen], places) for share in SHARES}


def rows(results: dict[str, Any]) -> Iterator[Row]:
    """The networks alone, and together under each shift: of the eight emotions, and of the reference's five."""
    where: Where = {"protocol": "majority", "split": "FER+ validation"}
    found = {
        **results["alone"],
        **{f"together, mirrored, share {float(share):g}": metrics for share, metrics in results["shifted"].items()},
    }
    for name, metrics in found.items():
        chosen = "chosen" if name.endswith(f"share {results['chosen']:g}") else ""
        for row in scored(metrics, EMOTIONS, condition=name, **where):
            yield row.of(note=chosen) if row.metric == "accuracy" else row
        yield Row(metric="recall of seven", value=seven(metrics), n=metrics["n"], condition=name, **where)
    for share, metrics in results["five"].items():
        where = {"protocol": "five", "split": "FER+ validation", "condition": f"share {float(share):g}"}
        yield from scored(metrics, FIVE, **where)
