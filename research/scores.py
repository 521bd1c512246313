"""What `emoscope.training.metrics.score` measures, as rows; a training's history, as points."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from .rows import Point, Row

WHOLE = ("uar", "macro_f1", "ece", "log_likelihood", "spread")
"""Metrics of all classes together, beside the accuracy."""


def scored(metrics: Mapping[str, Any], labels: Sequence[str], **where: Any) -> Iterator[Row]:
    """Accuracy with its interval, what else there is of all classes together, and the recall of each.

    Args:
        metrics: of `score`, or a part of them.
        labels: of the classes, in the metrics' order.
        where: columns of all rows.
    """
    low, high = metrics["interval"]
    yield Row(metric="accuracy", value=metrics["accuracy"], low=low, high=high, n=metrics["n"], **where)
    for name in WHOLE:
        if metrics.get(name) is not None:
            yield Row(metric=name, value=metrics[name], n=metrics["n"], **where)
    for label, recall in zip(labels, metrics.get("recall", ()), strict=False):
        if recall is not None:
            yield Row(metric="recall", value=recall, group=label, **where)


def confused(
    counts: Sequence[Sequence[int]], labels: Sequence[str], said: Sequence[str] = (), **where: Any
) -> Iterator[Row]:
    """Counts of a confusion: the true class is the group, what was said is the metric; classes that do not occur are
    left out.

    Args:
        counts: a row a true class.
        labels: of the rows.
        said: of the columns, if they are others.
        where: columns of all rows.
    """
    for label, row in zip(labels, counts, strict=True):
        if sum(row):
            for name, value in zip(said or labels, row, strict=True):
                yield Row(metric=f"said {name}", value=float(value), group=label, n=int(sum(row)), **where)


def per_class(counts: Sequence[Sequence[int]], labels: Sequence[str], **where: Any) -> Iterator[Row]:
    """Precision and F1 of each class, from a confusion."""
    from emoscope.training import report

    for label, of in zip(labels, report.per_class(counts), strict=True):
        for name in ("precision", "f1"):
            yield Row(metric=name, value=of[name], group=label, **where)


def curve(history: Sequence[Mapping[str, Any]], name: str, seed: int | None = None) -> Iterator[Point]:
    """The losses and the accuracy on validation of a training, over its epochs.

    Args:
        history: of `emoscope.training.loop.Trainer.run`: a mapping an epoch.
        name: of the curve.
        seed: of the training.
    """
    for epoch, one in enumerate(history, 1):
        for key in ("validation_accuracy", "validation_loss", "train_loss"):
            if key in one:
                metric = key.replace("_", " ")
                yield Point(curve=name, metric=metric, at=epoch, value=one[key], seed=seed)
