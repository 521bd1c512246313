"""What a training run leaves for people to look at: precision, recall and F1 of each emotion, confusions, curves."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ..report.plots import confusion_matrix, training_curves


def per_class(confusion: Sequence[Sequence[int]]) -> list[dict[str, float]]:
    """Precision, recall, F1 and support of each class, 0 where a class is never said or never true.

    Args:
        confusion: `(k, k)` counts; a row for each true class, a column for each predicted one.
    """
    counts = np.asarray(confusion, float)
    right, true, said = counts.diagonal(), counts.sum(1), counts.sum(0)
    rows = []
    for hit, actual, claimed in zip(right, true, said, strict=True):
        rows.append(
            {
                "precision": float(hit / claimed) if claimed else 0.0,
                "recall": float(hit / actual) if actual else 0.0,
                "f1": float(2 * hit / (actual + claimed)) if actual + claimed else 0.0,
                "support": int(actual),
            }
        )
    return rows


def table(metrics: Mapping[str, Any]) -> str:
    """A Markdown table of `per_class`, with the accuracy and its interval above it."""
    low, high = metrics["interval"]
    lines = [
        f"n = {metrics['n']}, accuracy **{metrics['accuracy']:.1%}** (95 % interval {low:.1%} to {high:.1%}), "
        f"unweighted recall {metrics['uar']:.3f}, macro F1 {metrics['macro_f1']:.3f}, "
        f"calibration error {metrics['ece']:.3f}",
        "",
        "| emotion | precision | recall | F1 | n |",
        "|---|---|---|---|---|",
    ]
    for label, row in zip(metrics["labels"], per_class(metrics["confusion"]), strict=True):
        lines.append(f"| {label} | {row['precision']:.2f} | {row['recall']:.2f} | {row['f1']:.2f} | {row['support']} |")
    return "\n".join(lines)


def write(metrics: Mapping[str, Any], history: Sequence[Mapping[str, Any]], out: Path) -> None:
    """Leave `validation.json`, `validation.md`, `confusion.svg` and `curves.svg` in a run's folder."""
    (out / "validation.json").write_text(json.dumps(metrics, indent=1) + "\n")
    title = f"{metrics['model']}, {metrics['protocol']}, validation, n = {metrics['n']}"
    (out / "validation.md").write_text(f"# {title}\n\nCommand: `{metrics['command']}`\n\n{table(metrics)}\n")
    (out / "confusion.svg").write_text(confusion_matrix(np.array(metrics["confusion"]), metrics["labels"], title))
    (out / "curves.svg").write_text(training_curves(history))
