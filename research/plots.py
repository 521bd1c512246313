"""The one plot maker: rows or curves of a study as a small SVG."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from emoscope.report.palette import COLOURS
from emoscope.report.svg import svg

from .bars import Bar, bars
from .rows import Point, Row, select


@dataclass(frozen=True)
class Picture:
    """What a picture shows.

    Attributes:
        name: of its file.
        title: above it.
        kind: `curves` draws the points of the run over their epochs, a line each curve; `bars` a bar each row, in
            groups by model; `maps` a square each curve, whose points are its columns and whose metrics its rows.
        where: only rows, or points, whose columns are so.
        metric: that is drawn.
        label: of `bars`, the column that names a bar.
    """

    name: str
    title: str
    kind: str = "curves"
    where: dict[str, Any] = field(default_factory=dict)
    metric: str = "accuracy"
    label: str = "condition"


def draw(picture: Picture, rows: Sequence[Row], points: Sequence[Point]) -> str | None:
    """One `<svg>` element on white; none where there is nothing to draw."""
    if picture.kind == "curves":
        return _curves(picture, select(points, metric=picture.metric, **picture.where))
    if picture.kind == "maps":
        return _maps(picture, select(points, **picture.where))
    return _bars(picture, select(rows, metric=picture.metric, **picture.where))


def _curves(picture: Picture, points: Sequence[Point]) -> str | None:
    if not points:
        return None
    figure = Figure((6, 3.4), facecolor="white", layout="constrained")
    axes = figure.add_subplot()
    names = list(dict.fromkeys(point.curve for point in points))
    for place, name in enumerate(names):
        own = select(points, curve=name)
        at = sorted({point.at for point in own})
        means = [float(np.mean([point.value for point in own if point.at == one])) for one in at]
        style = ("-", "--", ":")[place // len(COLOURS) % 3]
        axes.plot(at, means, style, label=name, color=list(COLOURS.values())[place % len(COLOURS)], linewidth=1.2)
    axes.set(xlabel="epoch", title=picture.title)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.grid(alpha=0.25)
    axes.spines[["top", "right"]].set_visible(False)
    if picture.metric.endswith("accuracy"):
        axes.yaxis.set_major_formatter(lambda value, _: f"{value:.0%}")
    if len(names) > 1:
        axes.legend(frameon=False, fontsize=8)
    return svg(figure)


def _bars(picture: Picture, rows: Sequence[Row]) -> str | None:
    if not rows:
        return None
    labels = list(dict.fromkeys(getattr(row, picture.label) for row in rows))
    series: dict[str, list[Bar | None]] = {}
    for row in rows:
        if row.value is not None:
            low, high = (row.value if end is None else end for end in (row.low, row.high))
            series.setdefault(row.model, [None] * len(labels))[labels.index(getattr(row, picture.label))] = (
                row.value, low, high)  # fmt: skip
    return bars(labels, series, picture.title)


def _maps(picture: Picture, points: Sequence[Point]) -> str | None:
    """Red above zero, blue below, each map on a scale of its own."""
    if not points:
        return None
    names = list(dict.fromkeys(point.curve for point in points))
    figure = Figure((9, 2.5 * -(-len(names) // 4)), facecolor="white", layout="constrained")
    for axes, name in zip(figure.subplots(-(-len(names) // 4), 4).flat, names, strict=False):
        own = select(points, curve=name)
        lines = dict.fromkeys(point.metric for point in own)
        over = np.array([[point.value for point in own if point.metric == line] for line in lines])
        most = max(float(np.abs(over).max()), 1e-6)
        axes.imshow(over, cmap="RdBu_r", vmin=-most, vmax=most, interpolation="none")
        axes.set(xticks=[], yticks=[], title=f"{name}, at most {over.max():.1f}")
    figure.suptitle(picture.title)
    return svg(figure)
