"""The validation faces on which a face model is surest of a wrong emotion, with what the annotators said.

Protocol `majority`. Where the cache lies outside the repository, the faces are also written there, as one picture to
look at: pictures of people never enter the repository.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from emoscope.data import ferplus
from emoscope.emotions import EMOTIONS
from emoscope.face.crop import SIDE
from emoscope.training.metrics import wilson

from ..face_models import scorer
from ..plan import ROOT
from ..rows import Row, Where
from ..runner import Context

SHOWN = 30
SOME = 2
"""Votes that the model's emotion needs for the face to count as ambiguous: a single one may be a slip."""
CLEAR = 0.7
"""A winner with a smaller share of all votes leaves the face ambiguous, whatever the model says."""
WORDS = {"worst": f"the {SHOWN} below", "wrong": "all that it gets wrong", "all": "all faces"}
COLUMNS, SCALE, LINE = 6, 3, 13


def worst(context: Context) -> Iterator[Row]:
    """How many are ambiguous, and the worst of them."""
    (model,) = context.models
    faces = ferplus.load(context.data, "validation")
    faces = faces.take(ferplus.majority(faces.votes) >= 0)
    parts = np.array_split(faces.images, len(faces) // 64 + 1)
    found = judged(faces, np.concatenate([scorer(model)(part) for part in parts]))
    wrong = sorted((row for row in found if row["said"] != row["label"]), key=lambda row: -row["probability"])
    some = {"worst": counts(wrong[:SHOWN]), "wrong": counts(wrong), "all": counts(found)}
    yield from rows(model.card.name, {"counts": some, "worst": wrong[:SHOWN]})
    if not context.cache.resolve().is_relative_to(ROOT):
        context.cache.mkdir(parents=True, exist_ok=True)
        sheet(wrong[:SHOWN], faces).save(context.cache / "worst.png")


def judged(faces: ferplus.Faces, scores: np.ndarray) -> list[dict[str, Any]]:
    """For each face what was said with which probability, its label, its votes, and in which way it is ambiguous.

    Args:
        faces: `n` faces that count under `majority`.
        scores: `(n, 8)` calibrated probabilities.
    """
    rows = []
    for place, (name, votes, label) in enumerate(
        zip(faces.names, faces.votes, ferplus.majority(faces.votes), strict=True)
    ):
        said = int(scores[place].argmax())
        rows.append({
            "file": name,
            "place": place,
            "said": EMOTIONS[said],
            "probability": float(scores[place, said]),
            "label": EMOTIONS[label],
            "votes": {ferplus.VOTES[i]: int(votes[i]) for i in np.argsort(-votes, kind="stable") if votes[i]},
            "voted for": bool(said != label and votes[said] >= SOME),
            "divided": bool(votes[label] < CLEAR * votes.sum()),
        })  # fmt: skip
    return rows


def counts(rows: Sequence[dict[str, Any]]) -> dict[str, int]:
    """How many there are, and how many are ambiguous, in either way."""
    return {
        "n": len(rows),
        "voted for": sum(row["voted for"] for row in rows),
        "divided": sum(row["divided"] for row in rows),
        "ambiguous": sum(row["voted for"] or row["divided"] for row in rows),
    }


def rows(model: str, found: dict[str, Any]) -> Iterator[Row]:
    """How many faces are ambiguous, and the worst with their votes."""
    where: Where = {"model": model, "protocol": "majority", "split": "FER+ validation"}
    for key, of in found["counts"].items():
        condition = WORDS[key]
        for name, metric in (("voted for", f"share where the model's emotion has {SOME} votes"),
                             ("divided", f"share where the winner has under {CLEAR:.0%}")):  # fmt: skip
            yield Row(metric=metric, value=of[name] / of["n"], n=of["n"], condition=condition, **where)
        low, high = wilson(of["ambiguous"], of["n"])
        yield Row(metric="share of ambiguous faces", value=of["ambiguous"] / of["n"], low=low, high=high, n=of["n"],
                  condition=condition, **where)  # fmt: skip
    for one in found["worst"]:
        ambiguous = "ambiguous" if one["voted for"] or one["divided"] else "clear"
        words = f"says {one['said']}, is {one['label']} ({voted(one)}), {ambiguous}"
        yield Row(metric="share of sureness", value=one["probability"], group=one["file"], note=words, **where)


def voted(row: dict[str, Any]) -> str:
    return ", ".join(f"{name} {count}" for name, count in row["votes"].items())


def sheet(rows: Sequence[dict[str, Any]], faces: ferplus.Faces) -> Image.Image:
    """The faces with their votes and what the model says, numbered as in the table."""
    side = SCALE * SIDE
    width, height = side + 30, side + 5 * LINE + 8
    whole = Image.new("RGB", (COLUMNS * width, -(-len(rows) // COLUMNS) * height), "white")
    draw, font = ImageDraw.Draw(whole), ImageFont.load_default(10)
    for number, row in enumerate(rows):
        y, x = (number // COLUMNS) * height, (number % COLUMNS) * width
        face = Image.fromarray(faces.images[row["place"]]).resize((side, side), Image.Resampling.BICUBIC)
        whole.paste(face.convert("RGB"), (x, y))
        votes = voted(row).split(", ")
        words = [f"{number + 1}. {row['said']} {row['probability']:.0%}, is {row['label']}"]
        words += [", ".join(votes[i : i + 2]) for i in range(0, len(votes), 2)]
        for line, text in enumerate(words[:5]):
            draw.text((x, y + side + 2 + LINE * line), text, "#a21729" if line == 0 else "#222222", font)
    return whole
