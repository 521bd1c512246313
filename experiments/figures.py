"""Pictures of the experiments as SVG text: confusions side by side, curves of several runs."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from emoscope.report.palette import COLOURS
from emoscope.report.plots import draw_confusions
from emoscope.report.svg import svg


def confusion_pair(pair: Sequence[tuple[str, np.ndarray]], labels: Sequence[str]) -> str:
    """Draw confusion matrices side by side, as `confusion_matrix` does one.

    Args:
        pair: a title and counts `(k, k)` each.
        labels: the `k` class names.

    Returns:
        One `<svg>` element on white.

    Raises:
        ValueError: counts are not square, or do not fit the labels.
    """
    size = 0.72 * len(labels)
    figure = Figure(((size + 1.2) * len(pair), size + 1.4), facecolor="white", layout="constrained")
    for axes, (title, counts) in zip(np.ravel(figure.subplots(1, len(pair))), pair, strict=True):
        draw_confusions(axes, counts, labels, title)
    return svg(figure)


def accuracy_curves(runs: Mapping[str, Sequence[float]]) -> str:
    """Draw the validation accuracy of several runs over their epochs.

    Args:
        runs: of each run its name and its accuracy, 0 to 1, after each epoch; at most eight.

    Returns:
        One `<svg>` element on white.
    """
    figure = Figure((6, 3.4), facecolor="white", layout="constrained")
    axes = figure.add_subplot()
    for (name, values), colour in zip(runs.items(), COLOURS.values(), strict=False):
        axes.plot(range(1, len(values) + 1), values, label=name, color=colour, marker="o", markersize=3)
    axes.set(xlabel="epoch", title="validation accuracy")
    axes.yaxis.set_major_formatter(lambda share, _: f"{share:.0%}")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(alpha=0.25)
    axes.legend(frameon=False)
    return svg(figure)
