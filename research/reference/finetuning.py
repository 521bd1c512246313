"""From five classes to seven: earlier weights loaded, against training from scratch."""

from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from emoscope.data.ferplus import FIVE, SEVEN
from emoscope.training.pretrained import averaged
from emoscope.training.recipes_face import compact

from ..reference.common import balanced, settings_of, together, trained
from ..rows import Point, Row
from ..runner import Context
from ..scores import scored

RATE = 1e-3
"""A third of the rate of training from scratch: what was learned is to stay."""
SCRATCH, TUNED = "from scratch", "from five classes"


def finetuning(context: Context) -> Iterator[Row | Point]:
    """Both starts, and their validation accuracy over the epochs."""
    names = (FIVE, SEVEN)
    sets = {name: [balanced(context.data, split, name) for split in ("train", "validation")] for name in names}
    scratch, tuned = [], []
    for seed in context.run.seeds:
        settings = settings_of(context.run, seed)
        five = context.runs / f"five-{seed}"
        trained(five, lambda: compact(len(FIVE)), *sets[FIVE], settings)
        scratch.append(trained(context.runs / f"scratch-{seed}", lambda: compact(len(SEVEN)), *sets[SEVEN], settings))
        fine = replace(settings, rate=RATE)
        tuned.append(trained(context.runs / f"tuned-{seed}", partial(from_five, five), *sets[SEVEN], fine))
    for start, runs in ((SCRATCH, scratch), (TUNED, tuned)):
        yield from rows(start, together(runs) | {"curve": curve(runs)})


def from_five(run: Path) -> nn.Module:
    """The network for seven classes with the weights of five: the two new outputs start as they are made."""
    network = compact(len(SEVEN))
    earlier = averaged(run, compact(len(FIVE)), "last")
    network.features.load_state_dict(earlier.features.state_dict())
    with torch.no_grad():
        for new, old in zip(network.head.parameters(), earlier.head.parameters(), strict=True):
            new[: len(FIVE)] = old
    return network


def curve(runs: list[dict[str, Any]]) -> list[float]:
    """Validation accuracy after each epoch, mean of the runs."""
    return [float(a) for a in np.mean([[e["validation_accuracy"] for e in run["history"]] for run in runs], 0)]


def rows(start: str, metrics: dict[str, Any]) -> Iterator[Row | Point]:
    """The metrics and the curve of one start."""
    yield from scored(metrics, SEVEN, protocol="seven", split="FER+ validation", condition=start)
    for epoch, value in enumerate(metrics["curve"], 1):
        yield Point(curve=start, metric="validation accuracy", at=epoch, value=value)
