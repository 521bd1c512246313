"""Pictures of training runs as SVG text: confusion matrices and curves.

matplotlib is imported inside the functions: it comes with the extra `train`, and no other command needs it.
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from .palette import COLOURS
from .svg import svg

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def confusion_matrix(counts: np.ndarray, labels: Sequence[str], title: str) -> str:
    """Draw a confusion matrix: each row is coloured by its shares, and its counts and recall are written in the cells.

    Args:
        counts: `(k, k)` numbers of examples, true class by predicted class.
        labels: the `k` class names.
        title: one line above it.

    Returns:
        One `<svg>` element on white.

    Raises:
        ValueError: `counts` is not square, or does not fit the labels.
    """
    from matplotlib.figure import Figure

    counts = np.asarray(counts)
    if counts.shape != (len(labels), len(labels)):
        raise ValueError(f"expected counts of shape {(len(labels),) * 2}, got {counts.shape}")
    size = 0.72 * len(labels)
    figure = Figure((size + 1.6, size + 1.4), facecolor="white", layout="constrained")
    axes = figure.add_subplot()
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    axes.set_xticks(range(len(labels)), labels, rotation=40, ha="right")
    axes.set_yticks(range(len(labels)), labels)
    axes.set(xlabel="predicted", ylabel="true")
    axes.set_title(title, fontsize=10)
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    for (i, j), count in np.ndenumerate(counts):
        text = f"{int(count):,}\n{shares[i, j]:.0%}" if i == j else f"{int(count):,}" if count else ""
        colour = "white" if shares[i, j] > 0.55 else "#222222"
        weight = "bold" if i == j else "normal"
        axes.text(j, i, text, ha="center", va="center", color=colour, fontsize=8, fontweight=weight)
    return svg(figure)


def training_curves(history: Sequence[Mapping[str, Any]]) -> str:
    """Draw the losses and the validation accuracy of a training run over its epochs.

    Args:
        history: one mapping an epoch with `epoch`, `train_loss`, `validation_loss` and `validation_accuracy`
            (0 to 1); a value that is missing or `None` leaves a gap.

    Returns:
        One `<svg>` element on white.

    Raises:
        ValueError: the history is empty.
    """
    from matplotlib.figure import Figure
    from matplotlib.ticker import PercentFormatter

    if not history:
        raise ValueError("expected at least one epoch, got an empty history")
    figure = Figure((8, 3.2), facecolor="white", layout="constrained")
    losses, accuracy = figure.subplots(1, 2)
    epochs = [entry["epoch"] for entry in history]

    def line(axes: "Axes", key: str, label: str, emotion: str) -> np.ndarray:
        values = np.array([np.nan if entry.get(key) is None else entry[key] for entry in history], float)
        axes.plot(epochs, values, label=label, color=COLOURS[emotion], marker="o", markersize=2.5, linewidth=1.5)
        return values

    line(losses, "train_loss", "training", "neutral")
    line(losses, "validation_loss", "validation", "sadness")
    losses.set(title="loss", xlabel="epoch")
    losses.legend(frameon=False)
    values = line(accuracy, "validation_accuracy", "validation", "sadness")
    title = "validation accuracy"
    if not np.isnan(values).all():
        best = int(np.nanargmax(values))
        title += f": best {values[best]:.1%}, epoch {epochs[best]}"
        accuracy.axvline(epochs[best], color="#999999", linewidth=0.8, zorder=0)
    accuracy.set(title=title, xlabel="epoch")
    accuracy.yaxis.set_major_formatter(PercentFormatter(1))
    for axes in (losses, accuracy):
        axes.spines[["top", "right"]].set_visible(False)
        axes.grid(alpha=0.25)
        axes.xaxis.get_major_locator().set_params(integer=True)
    return svg(figure)


def run_curves(histories: Mapping[str, Sequence[Mapping[str, Any]]]) -> str:
    """Draw the validation loss and accuracy of several training runs over their epochs, a colour a run.

    Args:
        histories: of each run, by its name, entries as `training_curves` takes them.

    Returns:
        One `<svg>` element on white.
    """
    from matplotlib import colormaps
    from matplotlib.figure import Figure
    from matplotlib.ticker import PercentFormatter

    figure = Figure((9, 3.4 + 0.14 * len(histories)), facecolor="white", layout="constrained")
    losses, accuracy = figure.subplots(1, 2)
    for place, (name, history) in enumerate(histories.items()):
        epochs = [entry["epoch"] for entry in history]
        for axes, key in ((losses, "validation_loss"), (accuracy, "validation_accuracy")):
            colour, style = colormaps["tab10"](place % 10), ("-", "--", ":")[place // 10 % 3]
            axes.plot(epochs, [entry[key] for entry in history], style, color=colour, linewidth=1.4, label=name)
    losses.set(title="validation loss", xlabel="epoch")
    accuracy.set(title="validation accuracy", xlabel="epoch")
    accuracy.yaxis.set_major_formatter(PercentFormatter(1))
    for axes in (losses, accuracy):
        axes.spines[["top", "right"]].set_visible(False)
        axes.grid(alpha=0.25)
        axes.xaxis.get_major_locator().set_params(integer=True)
    figure.legend(*losses.get_legend_handles_labels(), loc="outside lower center", ncols=3, frameon=False, fontsize=8)
    return svg(figure)
