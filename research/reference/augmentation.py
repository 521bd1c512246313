"""What each part of the augmentation is worth: alone, all together, and with mixing."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from emoscope.data.augment import PARTS
from emoscope.emotions import EMOTIONS
from emoscope.training.loop import Samples
from emoscope.training.recipes_face import compact

from ..reference.common import faces, settings_of, together, trained
from ..rows import Row, Where
from ..runner import Context
from ..scores import scored

THIRD = 3
"""One training face in so many: few enough for a small network to learn by heart in a short schedule."""
PLANS: dict[str, tuple[str, ...]] = {
    "none": (),
    **{part: (part,) for part in (*PARTS, "mixing")},
    "all but mixing": PARTS,
    "all": (*PARTS, "mixing"),
}


def augmentation(context: Context) -> Iterator[Row]:
    """Each plan, and how far it is from none."""
    train = every_third(faces(context.data, "train"))
    validation = faces(context.data, "validation")
    found = {}
    for name, parts in PLANS.items():
        runs = [context.runs / f"{name.replace(' ', '-')}-{seed}" for seed in context.run.seeds]
        settings = [settings_of(context.run, seed) for seed in context.run.seeds]
        found[name] = together([
            trained(run, compact, train, validation, one, parts=parts)
            for run, one in zip(runs, settings, strict=True)
        ])  # fmt: skip
    yield from rows(found)


def every_third(samples: Samples) -> Samples:
    chosen = np.arange(0, len(samples.inputs), THIRD)
    return Samples(samples.inputs[chosen], samples.targets[chosen], samples.labels[chosen])


def rows(found: dict[str, dict[str, Any]]) -> Iterator[Row]:
    """The metrics of each plan."""
    where: Where = {"protocol": "plurality", "split": "FER+ validation"}
    for name, metrics in found.items():
        yield from scored(metrics, EMOTIONS, condition=name, **where)
        if name != "none":
            change = metrics["accuracy"] - found["none"]["accuracy"]
            yield Row(metric="change", value=change, condition=name, **where)
