"""Pictures as SVG text: the timeline as bands, a confusion matrix, the curves of a training run.

matplotlib is imported inside the functions, because the commands that draw nothing must start fast.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ..emotions import EMOTIONS
from ..timeline import Timeline
from .palette import COLOURS, ink
from .svg import svg
from .totals import SOURCE_WORDS, Total, shown, totals

if TYPE_CHECKING:
    from matplotlib.axes import Axes

BINS = 400
"""Points in time that a row of bands is drawn with, however many observations there are."""

WIDTH = 7.6  # inches of the whole bands picture
MARGIN = 0.2  # inches left and right of the bands
ROW = 0.46  # inches of one row of bands
PITCH = 0.78  # inches from one row to the next, its heading included
INK = "#010203"  # drawn as the page's text colour, so that the bands follow a dark scheme
STEPS = (0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400)  # seconds between ticks


def bands(timeline: Timeline) -> str:
    """Draw the timeline as stacked bands of the eight scores: one row a person and source, on one axis of time.

    Persons observed longest come first, then the scene; of many persons the first `totals.PERSONS_SHOWN` are drawn.
    A stretch without an observation stays empty. Text and axis take the page's text colour (`currentColor`), and the
    background is transparent.

    Returns:
        One `<svg>` element.
    """
    from matplotlib.figure import Figure

    rows, _ = shown(totals(timeline))
    ends = [o.end for o in timeline] + [float(timeline.info.get("duration_s") or 0)]
    edges = np.linspace(0, max(ends) or 1.0, BINS + 1)
    many = len(rows) > 6  # then the foot is out of sight, and the times are also written above
    below, above = 0.46, 0.3 if many else 0.02
    height = max(len(rows), 1) * PITCH + below + above
    figure = Figure((WIDTH, height), facecolor="none")
    axes = figure.add_axes((MARGIN / WIDTH, below / height, 1 - 2 * MARGIN / WIDTH, 1 - (below + above) / height))
    axes.set(xlim=(0, edges[-1]), ylim=(max(len(rows), 1) * PITCH, 0), facecolor="none")
    _time_axis(axes, many)
    for place, row in enumerate(rows):
        _draw_row(axes, row, edges, place * PITCH + PITCH - ROW)
    return svg(figure).replace(INK, "currentColor")


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

    size = 0.72 * len(labels)
    figure = Figure((size + 1.6, size + 1.4), facecolor="white", layout="constrained")
    _draw_confusions(figure.add_subplot(), counts, labels, title)
    return svg(figure)


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
    from matplotlib.figure import Figure

    size = 0.72 * len(labels)
    figure = Figure(((size + 1.2) * len(pair), size + 1.4), facecolor="white", layout="constrained")
    for axes, (title, counts) in zip(np.ravel(figure.subplots(1, len(pair))), pair, strict=True):
        _draw_confusions(axes, counts, labels, title)
    return svg(figure)


def _draw_confusions(axes: "Axes", counts: np.ndarray, labels: Sequence[str], title: str) -> None:
    counts = np.asarray(counts)
    if counts.shape != (len(labels), len(labels)):
        raise ValueError(f"expected counts of shape {(len(labels),) * 2}, got {counts.shape}")
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


def accuracy_curves(runs: Mapping[str, Sequence[float]]) -> str:
    """Draw the validation accuracy of several runs over their epochs.

    Args:
        runs: of each run its name and its accuracy, 0 to 1, after each epoch; at most eight.

    Returns:
        One `<svg>` element on white.
    """
    from matplotlib.figure import Figure
    from matplotlib.ticker import MaxNLocator

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


def bin_means(timeline: Timeline, edges: np.ndarray) -> np.ndarray:
    """The mean scores in each stretch of time, every observation weighted by its overlap with the stretch.

    Args:
        timeline: observations of one person and source; one without a length counts as a thousandth of the axis.
        edges: `(n + 1,)` rising seconds.

    Returns:
        `(n, 8)` means, NaN where no observation overlaps.
    """
    start = np.array([o.start for o in timeline])
    end = np.maximum([o.end for o in timeline], start + (edges[-1] - edges[0]) / 1000)
    scores = np.array([(*o.scores, 1.0) for o in timeline])
    # the integral over time of all scores, and of how many observations there are: straight lines between the events
    events = np.concatenate([start, end])
    order = np.argsort(events, kind="stable")
    events = events[order]
    slopes = np.concatenate([scores, -scores])[order].cumsum(axis=0)
    steps = slopes[:-1] * np.diff(events)[:, None]
    integral = np.concatenate([np.zeros((1, scores.shape[1])), steps.cumsum(axis=0)])
    at_edges = np.stack([np.interp(edges, events, column) for column in integral.T], axis=1)
    sums = np.diff(at_edges, axis=0)
    weight = sums[:, -1:]
    # below a millionth of a bin it is rounding, not an observation
    seen = weight > (edges[1] - edges[0]) * 1e-6
    means: np.ndarray = np.where(seen, sums[:, :-1] / np.where(seen, weight, 1), np.nan)
    return means


def _draw_row(axes: "Axes", row: Total, edges: np.ndarray, top: float) -> None:
    from matplotlib.patches import PathPatch, Rectangle
    from matplotlib.path import Path

    # names of the rows carry no name of a file, so nothing hostile can enter the SVG
    words = f"{row.who} · {SOURCE_WORDS[row.source]}"
    axes.text(0, top - 0.06, words, color=INK, fontsize=8.5, fontweight="bold", va="bottom")
    axes.add_artist(Rectangle((0, top), edges[-1], ROW, facecolor=INK, alpha=0.07, linewidth=0))
    means = bin_means(row.timeline, edges)
    levels = np.cumsum(means, axis=1)
    runs = list(_runs(~np.isnan(means[:, 0]), True))
    # painted from the last emotion down, each over the one before: no seams, and half the points of separate bands
    for index in reversed(range(len(EMOTIONS))):
        parts = [_hill(edges, levels[:, index], first, last) for first, last in runs if means[first:last, index].any()]
        if parts:
            path = Path.make_compound_path(*[Path([(x, top + ROW * (1 - y)) for x, y in part]) for part in parts])
            axes.add_artist(PathPatch(path, facecolor=COLOURS[EMOTIONS[index]], linewidth=0, clip_on=False))
    _name_bands(axes, means, levels, edges, top)


def _hill(edges: np.ndarray, level: np.ndarray, first: int, last: int) -> np.ndarray:
    """The outline of one run of bins, `(points, 2)`: up at its first edge, along the level, down at its last edge."""
    middles = (edges[first:last] + edges[first + 1 : last + 1]) / 2
    x = np.concatenate([[edges[first]], middles, [edges[last]]])
    y = np.round(np.pad(level[first:last], 1, mode="edge"), 3)
    turns = np.ones(len(y), bool)
    turns[1:-1] = (y[1:-1] != y[:-2]) | (y[1:-1] != y[2:])  # a point on a level stretch adds nothing
    x, y = x[turns], y[turns]
    return np.column_stack([[x[0], *x, x[-1], x[0]], [0, *y, 0, 0]])


def _name_bands(axes: "Axes", means: np.ndarray, levels: np.ndarray, edges: np.ndarray, top: float) -> None:
    """Write the emotion on every band that is wide and thick enough, so that the bands can be read without colour."""
    inches_a_bin = (WIDTH - 2 * MARGIN) / BINS
    for index, emotion in enumerate(EMOTIONS):
        for first, last in _runs(np.nan_to_num(means[:, index]) > 0.45, True):
            low = (levels[first:last, index] - means[first:last, index]).max()
            high = levels[first:last, index].min()
            if (last - first) * inches_a_bin > 0.075 * len(emotion) + 0.12 and high - low > 0.32:
                x = (edges[first] + edges[last]) / 2
                y = top + ROW * (1 - (low + high) / 2)
                colour = "black" if ink(emotion) == (0, 0, 0) else "white"
                axes.text(x, y, emotion, color=colour, fontsize=7.5, ha="center", va="center_baseline")


def _runs(values: np.ndarray, wanted: object) -> Iterator[tuple[int, int]]:
    """First and one past the last index of every unbroken run of the wanted value."""
    marks = np.flatnonzero(np.diff(np.concatenate([[0], (values == wanted).astype(np.int8), [0]])))
    return ((int(a), int(b)) for a, b in zip(marks[::2], marks[1::2], strict=True))


def _time_axis(axes: "Axes", above: bool) -> None:
    length = axes.get_xlim()[1]
    step = next((s for s in STEPS if length / s <= 10), STEPS[-1] * np.ceil(length / STEPS[-1] / 10))
    axes.set_xticks(np.arange(0, length * 1.0001, step))
    axes.xaxis.set_major_formatter(lambda seconds, _: _tick(seconds, length, step))
    axes.tick_params(colors=INK, labelsize=8, length=3, labeltop=above, pad=3)
    axes.set_xlabel("time in seconds" if length < 120 else "time", color=INK, fontsize=8)
    axes.set_yticks([])
    axes.spines[["left", "right", "top"]].set_visible(False)
    axes.spines["bottom"].set_color(INK)
    axes.grid(axis="x", color=INK, alpha=0.12, linewidth=0.6)
    axes.set_axisbelow(True)


def _tick(seconds: float, length: float, step: float) -> str:
    if length < 120:
        return f"{seconds:.1f}" if step < 1 else f"{seconds:.0f}"
    minutes, rest = divmod(round(seconds), 60)
    if length < 3600:
        return f"{minutes}:{rest:02}"
    return f"{minutes // 60}:{minutes % 60:02}:{rest:02}"
