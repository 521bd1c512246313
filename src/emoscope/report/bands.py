"""The timeline as bands: an SVG picture of stacked scores, one row a person and source, on one axis of time."""

from collections.abc import Iterator

import numpy as np
from markupsafe import escape

from ..timeline import Timeline
from .palette import colours, ink
from .totals import SOURCE_WORDS, Total, shown, totals

BINS = 400
"""Points in time that a row of bands is drawn with, however many observations there are."""

WIDTH, MARGIN = 547, 14  # points of the whole picture, and left and right of the bands
ROW, PITCH = 33, 56  # points of one row of bands, and from one row to the next, its heading included
ABOVE, BELOW = 22, 33  # points of the times above and below
LETTER = 4.1  # points that a letter of a band's name takes, about
STEPS = (0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400)  # seconds between ticks


def bands(timeline: Timeline) -> str:
    """Draw the timeline as stacked bands of the scores.

    Persons observed longest come first, then the scene; of many persons the first `totals.PERSONS_SHOWN` are drawn.
    A stretch without an observation stays empty. Text and axis take the page's text colour (`currentColor`), and the
    background is transparent.

    Returns:
        One `<svg>` element.
    """
    rows, _ = shown(totals(timeline))
    length = float(timeline.end.max(initial=float(timeline.info.get("duration_s") or 0))) or 1.0
    edges = np.linspace(0, length, BINS + 1)
    many = len(rows) > 6  # then the foot is out of sight, and the times are also written above
    top = ABOVE if many else 2
    foot = top + max(len(rows), 1) * PITCH
    parts = list(_axis(length, top, foot, many))
    for place, row in enumerate(rows):
        parts += _row(row, edges, top + place * PITCH + PITCH - ROW)
    size = f'viewBox="0 0 {WIDTH} {foot + BELOW}" width="{WIDTH}" height="{foot + BELOW}"'
    return f'<svg xmlns="http://www.w3.org/2000/svg" {size} font-size="8" fill="currentColor">{"".join(parts)}</svg>'


def bin_means(timeline: Timeline, edges: np.ndarray) -> np.ndarray:
    """The mean scores in each stretch of time, every observation weighted by its overlap with the stretch.

    Args:
        timeline: observations of one person and source; one without a length counts as a thousandth of the axis, or as
            a stretch where those are shorter.
        edges: `(n + 1,)` rising seconds.

    Returns:
        `(n, labels)` means, NaN where no observation overlaps.
    """
    start = timeline.start
    end = np.maximum(timeline.end, start + min((edges[-1] - edges[0]) / 1000, edges[1] - edges[0]))
    scores = np.column_stack([timeline.scores, np.ones(len(timeline))])
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


def _row(row: Total, edges: np.ndarray, top: float) -> Iterator[str]:
    yield _text(MARGIN, top - 4, f"{row.who} · {SOURCE_WORDS[row.source]}", 'font-weight="bold" font-size="8.5"')
    yield f'<rect x="{MARGIN}" y="{top}" width="{WIDTH - 2 * MARGIN}" height="{ROW}" fill-opacity=".07"/>'
    means = bin_means(row.timeline, edges)
    levels = np.cumsum(means, axis=1)
    seen = list(_runs(~np.isnan(means[:, 0]), True))
    paints = list(colours(row.timeline.labels).values())
    # painted from the last label down, each over the one before: no seams, and half the points of separate bands
    for index in reversed(range(len(paints))):
        hills = [_hill(levels[:, index], first, last) for first, last in seen if means[first:last, index].any()]
        if hills:
            outline = "".join(_path(hill[:, 0], top + ROW * (1 - hill[:, 1])) for hill in hills)
            yield f'<path d="{outline}" fill="{paints[index]}"/>'
    yield from _names(row.timeline.labels, means, levels, top)


def _hill(level: np.ndarray, first: int, last: int) -> np.ndarray:
    """The outline of one run of bins, `(points, 2)`: up at its first edge, along the level, down at its last edge."""
    at = np.linspace(MARGIN, WIDTH - MARGIN, BINS + 1)
    middles = (at[first:last] + at[first + 1 : last + 1]) / 2
    x = np.concatenate([[at[first]], middles, [at[last]]])
    y = np.round(np.pad(level[first:last], 1, mode="edge"), 3)
    turns = np.ones(len(y), bool)
    turns[1:-1] = (y[1:-1] != y[:-2]) | (y[1:-1] != y[2:])  # a point on a level stretch adds nothing
    x, y = x[turns], y[turns]
    return np.column_stack([[x[0], *x, x[-1]], [0, *y, 0]])


def _path(x: np.ndarray, y: np.ndarray) -> str:
    points = [f"{a:.1f} {b:.1f}" for a, b in zip(x.tolist(), y.tolist(), strict=True)]
    return f"M{'L'.join(points)}Z"


def _names(labels: tuple[str, ...], means: np.ndarray, levels: np.ndarray, top: float) -> Iterator[str]:
    """The name of every band that is wide and thick enough, so that the bands can be read without colour."""
    width = (WIDTH - 2 * MARGIN) / BINS
    for index, (name, paint) in enumerate(colours(labels).items()):
        for first, last in _runs(np.nan_to_num(means[:, index]) > 0.45, True):
            low = (levels[first:last, index] - means[first:last, index]).max()
            high = levels[first:last, index].min()
            if (last - first) * width > LETTER * len(name) + 9 and high - low > 0.32:
                fill = "#000" if ink(paint) == (0, 0, 0) else "#fff"
                middle = MARGIN + (first + last) / 2 * width
                yield _text(
                    middle, top + ROW * (1 - (low + high) / 2) + 2.6, name, f'fill="{fill}" font-size="7.5"', True
                )


def _runs(values: np.ndarray, wanted: object) -> Iterator[tuple[int, int]]:
    """First and one past the last index of every unbroken run of the wanted value."""
    marks = np.flatnonzero(np.diff(np.concatenate([[0], (values == wanted).astype(np.int8), [0]])))
    return ((int(a), int(b)) for a, b in zip(marks[::2], marks[1::2], strict=True))


def _axis(length: float, top: float, foot: float, above: bool) -> Iterator[str]:
    """The line of time at the foot, its ticks, and a thin line up from each."""
    step = next((s for s in STEPS if length / s <= 10), STEPS[-1] * np.ceil(length / STEPS[-1] / 10))
    yield f'<path d="M{MARGIN} {foot}H{WIDTH - MARGIN}" stroke="currentColor" stroke-width=".8"/>'
    for time in np.arange(0, length * 1.0001, step).tolist():
        x = MARGIN + time / length * (WIDTH - 2 * MARGIN)
        yield f'<path d="M{x:.1f} {top}V{foot}" stroke="currentColor" stroke-width=".6" stroke-opacity=".12"/>'
        yield _text(x, foot + 11, _tick(time, length, step), "", True)
        if above:
            yield _text(x, top - 6, _tick(time, length, step), "", True)
    yield _text(WIDTH / 2, foot + 24, "time in seconds" if length < 120 else "time", "", True)


def _text(x: float, y: float, words: str, style: str, centred: bool = False) -> str:
    anchor = ' text-anchor="middle"' if centred else ""
    return f'<text x="{x:.1f}" y="{y:.1f}"{anchor} {style}>{escape(words)}</text>'


def _tick(seconds: float, length: float, step: float) -> str:
    if length < 120:
        return f"{seconds:.1f}" if step < 1 else f"{seconds:.0f}"
    minutes, rest = divmod(round(seconds), 60)
    if length < 3600:
        return f"{minutes}:{rest:02}"
    return f"{minutes // 60}:{minutes % 60:02}:{rest:02}"
