"""The names of what is measured: how pages call it, and how they write its values."""

from collections.abc import Callable

Format = Callable[[float], str]


def share(value: float) -> str:
    """0.741 as 74.1 %."""
    return f"{value * 100:.1f} %"


def points(value: float) -> str:
    """0.041 as +4.1: percentage points."""
    return f"{value * 100:+.1f}"


def count(value: float) -> str:
    """With commas."""
    return f"{value:,.0f}"


def number(value: float) -> str:
    """Three significant digits, four from 1,000 on."""
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"


def third(value: float) -> str:
    """Three decimals."""
    return f"{value:.3f}"


def second(value: float) -> str:
    """Two decimals."""
    return f"{value:.2f}"


METRICS: dict[str, tuple[str, Format]] = {
    "accuracy": ("accuracy", share),
    "uar": ("unweighted recall", third),
    "macro_f1": ("macro F1", third),
    "ece": ("calibration error", third),
    "log_likelihood": ("log-likelihood", second),
    "recall": ("recall", share),
    "recall of seven": ("recall of seven", third),
    "persons": ("persons", count),
    "error rate": ("error rate", third),
    "precision": ("precision", second),
    "f1": ("F1", second),
    "change": ("change, points", points),
    "spread": ("between seeds", share),
    "parameters": ("parameters", count),
}
"""Of each metric its heading and its format. A name that is not here is its own heading, its values are `number`s; one
that begins with `said ` is a count, with `change of ` a change in points, with `share ` a share."""


def heading(metric: str) -> str:
    """What a page calls it."""
    if metric in METRICS:
        return METRICS[metric][0]
    if metric.startswith("change of "):
        return f"{metric}, points"
    return (metric if metric.startswith("share of ") else metric.removeprefix("share ")).replace("_", " ")


def written(metric: str, value: float) -> str:
    """A value as a page writes it."""
    if metric in METRICS:
        return METRICS[metric][1](value)
    if metric.startswith("said "):
        return count(value)
    if metric.startswith("change of "):
        return points(value)
    return (share if metric.startswith("share ") else number)(value)


def interval(metric: str, low: float, high: float) -> str:
    """An interval as a page writes it, without the unit, which stands beside its value."""
    return f"{written(metric, low).removesuffix(' %')} to {written(metric, high).removesuffix(' %')}"
