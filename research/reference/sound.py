"""The reference system's sound network, reproduced: features, splits, and the best of its 66,150 parameters."""

import json
from collections.abc import Iterator
from typing import Any

from emoscope.data.splits import INFLATED
from emoscope.emotions import CREMAD_EMOTIONS

from ..rows import Point, Row, Where
from ..runner import Context
from ..scores import confused, curve, per_class, scored

REPORT = "the reference's report"
TEACHERS = 3
"""Networks of our own, of other seeds, that teach the last recipe."""
PUBLISHED = {"anger": (0.58, 0.74, 0.65), "neutral": (0.67, 0.94, 0.78)}
"""Precision, recall and F1 of the reference's own report, where it gives them."""
PICTURES = {
    "reference-mfcc": "MFCC, 40 x 188",
    "reference-mel": "log-mel, 42 x 188",
    "reference-mfcc-random": "MFCC, 40 x 188",
    "reference-mfcc-sentences": "MFCC, 40 x 188",
    "reference-best": "log-mel, 32 x 47",
}
"""The recipes, and what the network is shown: bands by frames."""


def sound(context: Context) -> Iterator[Row | Point]:
    """What the reference's report says, and the metrics and curves of each recipe."""
    yield from reported()
    singles = [context.trained(f"voice-{seed}", "voice-single", seed=seed) for seed in range(TEACHERS)]
    for recipe in context.run.recipes:
        teachers = [run / "voice-single.onnx" for run in singles] if recipe == "reference-best" else []
        run = context.trained(recipe, teachers=teachers)
        yield from rows(recipe, json.loads((run / "validation.json").read_text()))
        yield from curve(json.loads((run / "history.json").read_text()), recipe)


def reported() -> Iterator[Row]:
    """The reference's report, which names neither its split nor its n."""
    where: Where = {"model": REPORT, "condition": "MFCC, 40 x 216"}
    yield Row(metric="accuracy", value=0.64, **where)
    for label, values in PUBLISHED.items():
        for name, value in zip(("precision", "recall", "f1"), values, strict=True):
            yield Row(metric=name, value=value, group=label, **where)
    for label in ("disgust", "fear"):
        yield Row(metric="recall", group=label, note="near 0", **where)


def rows(recipe: str, metrics: dict[str, Any]) -> Iterator[Row]:
    """The metrics of one training."""
    note = "inflated: the same speakers on both sides" if metrics["protocol"] in INFLATED else ""
    where: Where = {"model": recipe, "condition": PICTURES[recipe], "protocol": metrics["protocol"],
             "split": "CREMA-D validation"}  # fmt: skip
    for row in scored(metrics, CREMAD_EMOTIONS, **where):
        yield row.of(note=note) if row.metric == "accuracy" else row
    yield from per_class(metrics["confusion"], CREMAD_EMOTIONS, **where)
    yield from confused(metrics["confusion"], CREMAD_EMOTIONS, **where)
