"""Where a face model looks, emotion by emotion.

    python experiments/face_attention.py --data DATA --out results/face --model face

Occlusion (Zeiler and Fergus 2014, arXiv:1311.2901): a patch of the face's own mean grey slides over validation faces
(`majority`) that the model reads rightly; how far the probability of their emotion falls says what it needed. The mean
over up to 50 faces an emotion is drawn over a line drawing of the crop's template. A minute on one core.
"""

import json
from collections.abc import Callable
from typing import Any

import numpy as np
from arguments import parser, read
from bootstrap import interval
from face_models import face_models, scorer
from rich.progress import track

from emoscope.data import ferplus
from emoscope.emotions import EMOTIONS
from emoscope.face.crop import SIDE, TEMPLATE
from emoscope.report.svg import svg

COMMAND = "python experiments/face_attention.py --data DATA --out results/face --model"
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


def main() -> None:
    made = parser(__doc__)
    made.add_argument("--model", default="face", help="a registered name, or an .onnx file with its card beside it")
    args = read(made)
    (model,) = face_models([args.model])
    faces = ferplus.load(args.data, "validation")
    labels = ferplus.majority(faces.votes)
    found = attention(scorer(model), faces.images[labels >= 0], labels[labels >= 0])
    results = {"command": f"{COMMAND} {model.card.name}", "model": model.card.name, "emotions": found}
    (args.out / "attention.json").write_text(json.dumps(results) + "\n")
    (args.out / "attention.md").write_text(page(results))
    (args.out / "attention.svg").write_text(picture(results))
    print(page(results))


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


def picture(results: dict[str, Any]) -> str:
    """Eight panels: red where hiding costs, blue where it helps, each on a scale of its own."""
    from matplotlib.figure import Figure

    figure = Figure((9.6, 5.6), dpi=36, facecolor="white", layout="constrained")  # the maps are smooth
    for axes, (name, found) in zip(figure.subplots(2, 4).flat, results["emotions"].items(), strict=True):
        axes.set(xticks=[], yticks=[], xlim=(0, SIDE), ylim=(SIDE, 0), aspect="equal")
        axes.spines[:].set_visible(False)
        title = f"{name}, n = {found['n']}"
        if found["n"]:
            over = np.array(found["map"])
            most = max(float(np.abs(over).max()), 1e-6)
            axes.imshow(over, cmap="RdBu_r", vmin=-most, vmax=most, extent=(0, SIDE, SIDE, 0), interpolation="bilinear")
            title += f"\nat most {100 * over.max():.1f} points"
        axes.set_title(title, fontsize=9)
        draw_template(axes)
    figure.suptitle(
        f"{results['model']}: how far the emotion's probability falls where the face is hidden", fontsize=10
    )
    return svg(figure)


def draw_template(axes: Any) -> None:
    """A face in a few lines, its eyes, nose and mouth where `TEMPLATE` has them."""
    from matplotlib.patches import Arc, Ellipse

    line = {"fill": False, "edgecolor": "#222222", "linewidth": 1.2}
    left, right, nose, mouth_left, mouth_right = TEMPLATE
    axes.add_patch(Ellipse((SIDE / 2, 26), 41, 54, **line))
    for x, y in (left, right):
        axes.add_patch(Ellipse((x, y), 8, 4, **line))
        axes.add_patch(Ellipse((x, y), 2.4, 2.4, color="#222222"))
        axes.add_patch(Arc((x, y - 2), 10, 7, theta1=205, theta2=335, color="#222222", linewidth=1.2))
    axes.plot([nose[0] - 0.6, nose[0] - 3, nose[0] + 2.5], [nose[1] - 9, nose[1] + 1, nose[1] + 1.5], color="#222222",
              linewidth=1.2)  # fmt: skip
    middle, width = (mouth_left + mouth_right) / 2, mouth_right[0] - mouth_left[0]
    axes.add_patch(Ellipse(middle, width, 5, **line))
    axes.plot([mouth_left[0], mouth_right[0]], [mouth_left[1], mouth_right[1]], color="#222222", linewidth=1.2)


def page(results: dict[str, Any]) -> str:
    lines = [
        "# Where the face model looks",
        "",
        f"Command: `{results['command']}`",
        "",
        f"Up to {FACES} FER+ validation faces an emotion (`majority`) that {results['model']} reads rightly. A patch "
        f"of {PATCH}x{PATCH} pixels in the face's mean grey hides one place after another, every {STRIDE} pixels; the "
        "figure is by how many points the calibrated probability of the emotion falls, mean over faces and over the "
        "places of each part of the face, in brackets its 95 % interval over faces. It says what the model needs on a "
        "face that it reads rightly, not why it errs.",
        "",
        "![Where the model looks, for each emotion](attention.svg)",
        "",
        "| emotion | n | " + " | ".join([*PARTS, "elsewhere"]) + " | most, at x, y |",
        "|---" * (len(PARTS) + 4) + "|",
    ]
    for name, found in results["emotions"].items():
        if not found["n"]:
            lines.append(f"| {name} | 0 |" + " |" * (len(PARTS) + 2))
            continue
        over = np.array(found["map"])
        y, x = (int(i) for i in np.unravel_index(over.argmax(), over.shape))
        means = " | ".join(points(found["parts"][part], *found["intervals"][part]) for part in found["parts"])
        where = f"{(x + 0.5) * STRIDE:.0f}, {(y + 0.5) * STRIDE:.0f}"
        lines.append(f"| {name} | {found['n']} | {means} | {100 * over.max():.1f} at {where} |")
    return "\n".join([*lines, ""])


def points(mean: float, low: float, high: float) -> str:
    return f"{100 * mean:.1f} ({100 * low:.1f} to {100 * high:.1f})"


if __name__ == "__main__":
    main()
