"""The figure of a comparison: every condition's mean scores, with their intervals over persons."""

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ..errors import missing_extra

if TYPE_CHECKING:
    from .compare import Comparison

MARKS = "osD^vPX*"
"""A mark for each condition, so that colour is not all that tells them apart."""


def draw(comparison: "Comparison", path: Path) -> None:
    """Draw the mean scores of each emotion and condition.

    Raises:
        EmoscopeError: matplotlib is not installed.
    """
    try:
        from matplotlib.figure import Figure
    except ModuleNotFoundError:
        raise missing_extra("the figure", "matplotlib", "study") from None
    means = comparison.means[comparison.means["measure"] == "mean_score"]
    emotions, conditions = list(means["emotion"].unique()), list(means["condition"].unique())
    figure = Figure(figsize=(7, 0.9 + 0.3 * len(emotions) * max(1, len(conditions) / 2)), layout="constrained")
    axes = figure.subplots()
    for place, condition in enumerate(conditions):
        own = means[means["condition"] == condition].set_index("emotion").loc[emotions]
        at = np.arange(len(emotions)) + 0.6 * ((place + 0.5) / len(conditions) - 0.5)
        middle = own["mean"].to_numpy()
        reach = np.nan_to_num(np.abs(np.stack([middle - own["low"], own["high"] - middle])))
        axes.errorbar(middle, at, xerr=reach, fmt=MARKS[place % len(MARKS)], capsize=3, markersize=5,
                      label=f"{condition} (n = {own['n'].iloc[0]})")  # fmt: skip
    axes.set_yticks(range(len(emotions)), emotions)
    axes.invert_yaxis()
    axes.set_xlabel("mean score over persons, 95 % interval")
    axes.legend(title=comparison.by, frameon=False)
    axes.grid(axis="x", alpha=0.3)
    figure.savefig(path, metadata={"Date": None})
