"""What `emoscope models`, `emoscope evaluate` and `emoscope research dataset` print on a terminal."""

from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table


def show_models(rows: Sequence[Mapping[str, Any]]) -> None:
    """Print the shipped models, a row each: see `models.summaries`."""
    table = Table(box=None, header_style="dim")
    for heading in ("name", "emotions", "parameters", "MB", "validation accuracy (95 % interval)"):
        table.add_column(heading, justify="right" if heading in ("emotions", "parameters", "MB") else "left")
    for row in rows:
        metrics = "\n".join(_short(m) for m in row["metrics"])
        size = f"{row['bytes'] / 1e6:.1f}"
        table.add_row(row["name"], str(len(row["labels"])), f"{row['parameters']:,}", size, metrics)
    Console().print(table)


def show_evaluation(metrics: Mapping[str, Any]) -> None:
    """Print the metrics of one model on one split: see `training.evaluate.evaluate`."""
    console = Console()
    console.print(f"{metrics['model']}, protocol {metrics['protocol']}, {metrics['split']} split, n = {metrics['n']}")
    console.print(f"accuracy {interval(metrics)}")
    console.print(
        f"unweighted recall {metrics['uar']:.3f}, macro F1 {metrics['macro_f1']:.3f}, "
        f"calibration error {metrics['ece']:.3f}"
    )
    table = Table(box=None, header_style="dim", title="true class by row, predicted by column", title_justify="left")
    table.add_column("")
    for heading in ("recall", *(label[:5] for label in metrics["labels"])):
        table.add_column(heading, justify="right")
    for label, recall, counts in zip(metrics["labels"], metrics["recall"], metrics["confusion"], strict=True):
        table.add_row(label, "-" if recall is None else f"{recall:.3f}", *map(str, counts))
    console.print(table)


def show_counts(counts: Sequence[Any]) -> None:
    """Print how many faces of each emotion a set has: see `data.face_sets.Count`."""
    table = Table(box=None, header_style="dim")
    for heading in ("split", "emotion", "images", "from clips", "FER+, plurality", "as published"):
        table.add_column(heading, justify="left" if heading in ("split", "emotion") else "right")
    for c in counts:
        mark = "" if c.published is None else "yes" if c.published == c.plurality else f"no: {c.published:,}"
        table.add_row(c.split, c.emotion, f"{c.images:,}", f"{c.from_clips:,}", f"{c.plurality:,}", mark)
    Console().print(table)


def _short(metrics: Mapping[str, Any]) -> str:
    low, high = metrics["interval"]
    return f"{metrics['protocol']} {metrics['accuracy']:.1%} ({low * 100:.1f} to {high * 100:.1f})"


def interval(metrics: Mapping[str, Any]) -> str:
    """`86.9 % (95 % interval 85.7 to 88.0)`."""
    low, high = metrics["interval"]
    return f"{metrics['accuracy']:.1%} (95 % interval {low * 100:.1f} to {high * 100:.1f}, n = {metrics['n']})"


def show_runs(rows: Sequence[Mapping[str, Any]]) -> None:
    """Print a row for each training."""
    table = Table(box=None, header_style="dim")
    for name in rows[0]:
        table.add_column(name.replace("_", " "), justify="left" if name in ("run", "recipe", "settings") else "right")
    for row in rows:
        table.add_row(*(f"{v:.1%}" if k in ("accuracy", "best") else escape(str(v)) for k, v in row.items()))
    Console().print(table)
