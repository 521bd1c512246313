"""Bars with their intervals, several things beside each other."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure

from emoscope.report.palette import COLOURS
from emoscope.report.svg import svg

Bar = tuple[float, float, float]
"""A share, and the lower and upper end of its interval, 0 to 1 each."""


def bars(rows: Sequence[str], series: Mapping[str, Sequence[Bar | None]], title: str) -> str:
    """Draw shares as horizontal bars, a group for each row, with a line for each interval.

    Args:
        rows: the names of the groups, from the top.
        series: of each thing its name and one bar a row; `None` where there is none. At most eight.
        title: one line above.

    Returns:
        One `<svg>` element on white.

    Raises:
        ValueError: a series has another length than `rows`, or there are none or more than eight.
    """
    if not 1 <= len(series) <= len(COLOURS):
        raise ValueError(f"expected 1 to {len(COLOURS)} series, got {len(series)}")
    if wrong := [name for name, values in series.items() if len(values) != len(rows)]:
        raise ValueError(f"expected {len(rows)} bars, one a row, of each series; not so: {', '.join(wrong)}")
    thick = 0.8 / len(series)
    figure = Figure((7.5, 1.0 + len(rows) * (0.18 + 0.14 * len(series))), facecolor="white", layout="constrained")
    axes = figure.add_subplot()
    for place, ((name, values), colour) in enumerate(zip(series.items(), COLOURS.values(), strict=False)):
        there = [i for i, bar in enumerate(values) if bar]
        share, low, high = np.array([values[i] for i in there]).reshape(-1, 3).T
        at = np.array(there) + (place - (len(series) - 1) / 2) * thick
        axes.barh(at, share, thick * 0.9, color=colour, label=name)
        axes.errorbar(share, at, xerr=np.maximum((share - low, high - share), 0), fmt="none", ecolor="#222222",
                      elinewidth=1)  # fmt: skip
    axes.set_yticks(range(len(rows)), rows)
    axes.set(ylim=(len(rows) - 0.5, -0.5), xlim=(0, 1))
    axes.xaxis.set_major_formatter(lambda share, _: f"{share:.0%}")
    axes.set_title(title, fontsize=10)
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(axis="x", alpha=0.25)
    axes.set_axisbelow(True)
    if len(series) > 1:
        figure.legend(loc="outside lower center", ncols=min(len(series), 4), frameon=False, fontsize=9)
    return svg(figure)
