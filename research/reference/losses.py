"""Labels and losses on the natural eight classes; focal loss with against without, on the eight and on the seven."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from emoscope.data import ferplus
from emoscope.data.ferplus import SEVEN
from emoscope.emotions import EMOTIONS
from emoscope.training.loop import Samples
from emoscope.training.losses import Loss, cross_entropy
from emoscope.training.recipes_face import compact

from ..reference.common import balanced, faces, settings_of, together, trained
from ..rows import Row, Where
from ..runner import Context
from ..scores import confused, scored
from .loss_functions import class_balanced, drawn, focal

WORDS = {
    "label": "one label, cross-entropy",
    "votes": "vote distribution, cross-entropy",
    "drawn": "label drawn from the votes at each step",
    "focal": "one label, focal loss (gamma 2, alpha 0.25)",
    "weighted": "one label, class-balanced weights (beta 0.9999)",
}
PUBLISHED = {"disgust": 10, "contempt": 10, "surprise": 13, "fear": 5, "sadness": 5, "happiness": -2, "anger": -2}
"""Points of recall that the reference system says focal loss brought."""

PARTS = ("flip",)
"""With all of the augmentation, so few epochs do not get as far as naming the rare emotions."""


def with_votes(data: Path) -> tuple[Samples, Samples]:
    """The same training faces with one label each, and with their vote distributions."""
    labelled = faces(data, "train")
    votes = ferplus.load(data, "train").votes
    kept = votes[ferplus.plurality(votes) >= 0]
    return labelled, replace(labelled, targets=ferplus.distribution(kept))


def both_seeds(
    context: Context, name: str, network: Callable[[], Any], train: Samples, validation: Samples, loss: Loss
) -> dict[str, Any]:
    """The metrics of trainings from each seed, with the plan's epochs of the set that the name begins with."""
    epochs = context.option("epochs")[name.partition("-")[0]]
    metrics = []
    for seed in context.run.seeds:
        settings = replace(settings_of(context.run, seed), epochs=epochs)
        folder = context.runs / f"{name}-{seed}"
        metrics.append(trained(folder, network, train, validation, settings, parts=PARTS, loss=loss))
    return together(metrics)


def losses(context: Context) -> Iterator[Row]:
    """Every target and loss on the eight classes; focal loss and none on the seven."""
    train, votes = with_votes(context.data)
    validation = faces(context.data, "validation")
    plans: dict[str, tuple[Samples, Loss]] = {
        "label": (train, cross_entropy),
        "votes": (votes, cross_entropy),
        "drawn": (votes, drawn()),
        "focal": (train, focal()),
        "weighted": (train, class_balanced(np.bincount(train.labels, minlength=len(EMOTIONS)))),
    }
    eight = {
        name: both_seeds(context, f"eight-{name}", compact, samples, validation, loss)
        for name, (samples, loss) in plans.items()
    }
    yield from rows("eight", eight)
    few, capped = (balanced(context.data, split, SEVEN) for split in ("train", "validation"))
    make = partial(compact, len(SEVEN))
    seven = {
        name: both_seeds(context, f"seven-{name}", make, few, capped, loss)
        for name, loss in (("label", cross_entropy), ("focal", focal()))
    }
    yield from rows("seven", seven)


def rows(which: str, found: dict[str, dict[str, Any]]) -> Iterator[Row]:
    """Metrics and confusions of each loss, and what focal loss changed."""
    classes, protocol = (EMOTIONS, "plurality") if which == "eight" else (SEVEN, "seven")
    where: Where = {"protocol": protocol, "split": "FER+ validation"}
    for name, metrics in found.items():
        yield from scored(metrics, classes, condition=WORDS[name], **where)
        if name in ("label", "focal"):
            yield from confused(metrics["confusion"], classes, condition=WORDS[name], **where)
    before, after = found["label"]["recall"], found["focal"]["recall"]
    for emotion, one, other in zip(classes, before, after, strict=True):
        yield Row(metric="change", value=other - one, condition="with focal loss", group=emotion, **where)
        if emotion in PUBLISHED:
            yield Row(metric="change", value=PUBLISHED[emotion] / 100, condition="the reference's report",
                      group=emotion, **where)  # fmt: skip
