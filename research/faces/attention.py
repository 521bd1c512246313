"""Where a face model looks, emotion by emotion.

Occlusion (Zeiler and Fergus 2014, arXiv:1311.2901): a patch of the face's own mean grey slides over validation faces
(`majority`) that the model reads rightly; how far the probability of their emotion falls says what it needed. A minute
on one core.
"""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from rich.progress import track

from emoscope.data import ferplus
from emoscope.emotions import EMOTIONS
from emoscope.face.crop import SIDE

from ..face_models import scorer
from ..intervals import interval
from ..rows import Point, Row, Where
from ..runner import Context

PATCH = 8
STRIDE = 4
"""Pixels: the side of the patch, and how far it moves each time; the map has cells of this size."""
FACES = 50
PARTS: dict[str, tuple[int, int, int, int]] = {
    "brows and eyes": (8, 12, 40, 24),
    "nose": (18, 24, 30, 34),
    "mouth": (11, 34, 37, 46),
}
"""Left, top, right and bottom of parts of a face that lies as `TEMPLATE` does, in pixels."""

Scorer = Callable[[np.ndarray], np.ndarray]
"""From crops uint8 `(n, 48, 48)` to probabilities `(n, 8)`."""


def looks(context: Context) -> Iterator[Row | Point]:
    """Each model, emotion by emotion."""
    faces = ferplus.load(context.data, "validation")
    labels = ferplus.majority(faces.votes)
    for model in context.models:
        found = attention(scorer(model), faces.images[labels >= 0], labels[labels >= 0])
        yield from rows(model.card.name, found)
        yield from maps(found)


def attention(scores: Scorer, images: np.ndarray, labels: np.ndarray) -> dict[str, dict[str, Any]]:
    """For each emotion how many faces were looked at, and the mean map `(12, 12)` of what hiding a cell costs.

    With it the mean over each part of the face, and its 95 % interval over the faces.

    Args:
        scores: the model.
        images: uint8 `(n, 48, 48)`.
        labels: `(n,)` columns of `EMOTIONS`.
    """
    before = np.concatenate([scores(part) for part in np.array_split(images, len(images) // 64 + 1)])
    random = np.random.default_rng(0)
    found = {}
    for column, name in track(list(enumerate(EMOTIONS)), "hiding parts"):
        right = np.flatnonzero((labels == column) & (before.argmax(1) == column))
        chosen = random.permutation(right)[:FACES]
        maps = np.array([cells(falls(scores, images[i], column, before[i, column])) for i in chosen])
        found[name] = (
            {"n": len(chosen), "map": maps.mean(0).round(4).tolist(), **over_parts(maps)} if len(maps) else {"n": 0}
        )
    return found


def over_parts(maps: np.ndarray) -> dict[str, Any]:
    """The mean and its interval of each part of the face over maps `(n, 12, 12)`."""
    each = [parts(one) for one in maps]
    values = {name: np.array([one[name] for one in each]) for name in each[0]}
    return {
        "parts": {name: float(some.mean()) for name, some in values.items()},
        "intervals": {name: interval(some, np.arange(len(some))) for name, some in values.items()},
    }


def hidden(face: np.ndarray) -> np.ndarray:
    """The face `(48, 48)` with each place hidden in turn, `(places, 48, 48)`, row by row."""
    starts = range(0, SIDE - PATCH + 1, STRIDE)
    copies = np.repeat(face[None], len(starts) ** 2, axis=0)
    for copy, (top, left) in zip(copies, ((y, x) for y in starts for x in starts), strict=True):
        copy[top : top + PATCH, left : left + PATCH] = round(float(face.mean()))
    return copies


def falls(scores: Scorer, face: np.ndarray, column: int, before: float) -> np.ndarray:
    """How far the probability of an emotion falls at each place of the patch, `(11, 11)`; below 0 where it rises."""
    after = scores(hidden(face))[:, column]
    side = round(len(after) ** 0.5)
    return before - after.reshape(side, side)


def cells(places: np.ndarray) -> np.ndarray:
    """The mean over the patches that cover each cell: from places `(k, k)` to cells `(k + 1, k + 1)`."""
    size = PATCH // STRIDE
    shape = (places.shape[0] + size - 1, places.shape[1] + size - 1)
    total, count = np.zeros(shape), np.zeros(shape)
    for y in range(size):
        for x in range(size):
            total[y : y + places.shape[0], x : x + places.shape[1]] += places
            count[y : y + places.shape[0], x : x + places.shape[1]] += 1
    return total / count


def parts(over: np.ndarray) -> dict[str, float]:
    """The mean of a map `(12, 12)` over the cells of each of `PARTS`, and over all others."""
    middle = (np.arange(len(over)) + 0.5) * STRIDE
    elsewhere = np.ones(over.shape, bool)
    means = {}
    for name, (left, top, right, bottom) in PARTS.items():
        inside = ((middle > top) & (middle < bottom))[:, None] & ((middle > left) & (middle < right))
        means[name] = float(over[inside].mean())
        elsewhere &= ~inside
    return {**means, "elsewhere": float(over[elsewhere].mean())}


def maps(found: dict[str, dict[str, Any]]) -> Iterator[Point]:
    """The fall in points where each cell is hidden: a curve each emotion, a metric each row of cells, from the top."""
    for emotion, of in found.items():
        for y, line in enumerate(of.get("map", ())):
            for x, value in enumerate(line):
                yield Point(curve=emotion, metric=f"row {y + 1}", at=x + 1, value=round(100 * value, 2))


def rows(model: str, found: dict[str, dict[str, Any]]) -> Iterator[Row]:
    """The fall over each part of the face, and the most anywhere, in points."""
    for emotion, of in found.items():
        if not of["n"]:
            continue
        where: Where = {
            "model": model,
            "protocol": "majority",
            "split": "FER+ validation",
            "group": emotion,
            "n": of["n"],
        }
        for part, value in of["parts"].items():
            low, high = of["intervals"][part]
            yield Row(metric=f"points, {part}", value=100 * value, low=100 * low, high=100 * high, **where)
        over = np.array(of["map"])
        y, x = (int(i) for i in np.unravel_index(over.argmax(), over.shape))
        place = f"at {(x + 0.5) * STRIDE:.0f}, {(y + 0.5) * STRIDE:.0f}"
        yield Row(metric="points, most", value=100 * over.max(), note=place, **where)
