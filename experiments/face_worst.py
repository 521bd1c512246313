"""The validation faces on which a face model is surest of a wrong emotion, with what the annotators said.

    python experiments/face_worst.py --data DATA --out results/face --model face --sheet /tmp/sheet

Protocol `majority`. `--sheet` also writes the faces as one picture to look at. It must lie outside the repository:
pictures of people never enter it.
"""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from arguments import parser
from face_models import face_models, scorer
from PIL import Image, ImageDraw, ImageFont

from emoscope.data import ferplus
from emoscope.emotions import EMOTIONS
from emoscope.face.crop import SIDE
from emoscope.training.metrics import wilson

COMMAND = "python experiments/face_worst.py --data DATA --out results/face --model"
REPOSITORY = Path(__file__).resolve().parents[1]
SHOWN = 30
SOME = 2
"""Votes that the model's emotion needs for the face to count as ambiguous: a single one may be a slip."""
CLEAR = 0.7
"""A winner with a smaller share of all votes leaves the face ambiguous, whatever the model says."""
COLUMNS, SCALE, LINE = 6, 3, 13


def main() -> None:
    made = parser(__doc__)
    made.add_argument("--model", default="face", help="a registered name, or an .onnx file with its card beside it")
    made.add_argument("--sheet", type=Path, help="folder for a picture of the faces, outside the repository")
    args = made.parse_args()
    if args.sheet and args.sheet.resolve().is_relative_to(REPOSITORY):
        made.error(f"--sheet {args.sheet} is in the repository, which pictures of people must not enter")
    args.out.mkdir(parents=True, exist_ok=True)
    (model,) = face_models([args.model])
    faces = ferplus.load(args.data, "validation")
    faces = faces.take(ferplus.majority(faces.votes) >= 0)
    parts = np.array_split(faces.images, len(faces) // 64 + 1)
    found = judged(faces, np.concatenate([scorer(model)(part) for part in parts]))
    wrong = sorted((row for row in found if row["said"] != row["label"]), key=lambda row: -row["probability"])
    results = {
        "command": f"{COMMAND} {model.card.name}",
        "model": model.card.name,
        "n": len(found),
        "counts": {"worst": counts(wrong[:SHOWN]), "wrong": counts(wrong), "all": counts(found)},
        "worst": wrong[:SHOWN],
    }
    (args.out / "worst.json").write_text(json.dumps(results, indent=1) + "\n")
    (args.out / "worst.md").write_text(page(results))
    print(page(results))
    if args.sheet:
        args.sheet.mkdir(parents=True, exist_ok=True)
        sheet(wrong[:SHOWN], faces).save(args.sheet / "worst.png")
        print(f"the faces are in {args.sheet / 'worst.png'}")


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


def page(results: dict[str, Any]) -> str:
    words = {"worst": f"the {SHOWN} below", "wrong": "all that it gets wrong", "all": "all faces"}
    lines = [
        "# What the face model gets most wrong",
        "",
        f"Command: `{results['command']}`  ",
        f"Protocol: `majority`, FER+ validation, n = {results['n']:,}. The {SHOWN} faces on which {results['model']} "
        "is surest of a wrong emotion. The pictures are not here; `--sheet FOLDER` writes them.",
        "",
        f"A face counts as ambiguous where the emotion that the model says has at least {SOME} of the votes, or where "
        f"the winner has less than {CLEAR:.0%} of them.",
        "",
        f"| | n | the model's emotion has {SOME} votes | the winner has under {CLEAR:.0%} | ambiguous, 95 % interval |",
        "|---|---|---|---|---|",
    ]
    for key, count in results["counts"].items():
        shares = " | ".join(f"{count[k]} ({count[k] / max(1, count['n']):.0%})" for k in list(count)[1:])
        low, high = wilson(count["ambiguous"], count["n"])
        lines.append(f"| {words[key]} | {count['n']:,} | {shares}, {low:.0%} to {high:.0%} |")
    lines += ["", "| | file | votes | label | the model says | probability | ambiguous |", "|---" * 7 + "|"]
    for number, row in enumerate(results["worst"], 1):
        ambiguous = "yes" if row["voted for"] or row["divided"] else "no"
        lines.append(
            f"| {number} | {row['file']} | {voted(row)} | {row['label']} | {row['said']} | {row['probability']:.0%} "
            f"| {ambiguous} |"
        )
    return "\n".join([*lines, ""])


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


if __name__ == "__main__":
    main()
