"""A class cut down to 191 images, with and without 300 faces from clips added to it.

    emoscope faces DATA/cremad --out FACES
    python experiments/face_enhancement.py --data DATA --faces FACES --runs RUNS --out results/face

Balanced five; anger, happiness and sadness are cut down in turn.
"""

import csv
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from arguments import arguments
from bootstrap import interval
from face_common import SEEDS, SHORT, balanced, hard, trained
from PIL import Image

from emoscope.data.ferplus import FIVE
from emoscope.data.picks import picked
from emoscope.emotions import EMOTIONS
from emoscope.training.loop import Samples
from emoscope.training.pretrained import averaged
from emoscope.training.recipes_face import channel, compact

SETTINGS = replace(SHORT, epochs=5)
COMMAND = "python experiments/face_enhancement.py --data DATA --faces FACES --runs RUNS --out results/face"
STARVED = ("anger", "happiness", "sadness")
LEFT, ADDED = 191, 300
ARMS = {
    "without": f"{LEFT} images",
    "with": f"the same {LEFT}, and {ADDED} faces from clips",
}


MARKS = {
    "recall": "recall",
    "accuracy": "accuracy",
    "clips": "recall on clips",
    "three": "the three emotions on clips",
}


@dataclass(frozen=True)
class Faces:
    """Faces that mark a network: images `(n, 48, 48)`, class of five and whose each is `(n,)`."""

    images: np.ndarray
    labels: np.ndarray
    owners: np.ndarray


def main() -> None:
    args = arguments(__doc__, runs=True, faces=True)
    train, validation = (balanced(args.data, split, FIVE) for split in ("train", "validation"))
    web = Faces(validation.inputs, validation.labels, np.arange(len(validation.labels)))
    clips = unseen(args.faces)
    classes: dict[str, dict[str, dict[str, Any]]] = {}
    for emotion in STARVED:
        column = FIVE.index(emotion)
        hits = {}
        for arm in ARMS:
            networks = []
            for seed in SEEDS:
                run = args.runs / f"{emotion}-{arm}-{seed}"
                samples = changed(train, column, seed, arm, args.faces)
                trained(run, partial(compact, len(FIVE)), samples, validation, replace(SETTINGS, seed=seed))
                networks.append(averaged(run, compact(len(FIVE)), "last"))
            hits[arm] = {
                "recall": right(networks, web, column),
                "accuracy": right(networks, web),
                "clips": right(networks, clips, column),
                "three": right(networks, clips),
            }
        classes[emotion] = {
            arm: {mark: figures(*of_arm[mark], hits["without"][mark][0]) for mark in MARKS}
            for arm, of_arm in hits.items()
        }
    results = {
        "command": COMMAND,
        "epochs": SETTINGS.passes,
        "seeds": len(SEEDS),
        "classes": classes,
        "found": found(args.faces),
    }
    (args.out / "enhancement.json").write_text(json.dumps(results, indent=1) + "\n")
    (args.out / "enhancement.md").write_text(page(results))
    print(page(results))


def changed(train: Samples, column: int, seed: int, arm: str, faces: Path) -> Samples:
    """The training faces with a class cut down to `LEFT` of its images, and what the arm adds to it.

    Args:
        train: balanced five.
        column: the class.
        seed: of the choice of images.
        arm: a key of `ARMS`.
        faces: the folder of candidates.
    """
    random = np.random.default_rng(seed)
    own = np.flatnonzero(train.labels == column)
    left = random.permutation(own)[:LEFT]
    kept = np.sort(np.concatenate([np.flatnonzero(train.labels != column), left]))
    images = [train.inputs[kept]]
    if arm == "with":
        images.append(picked(faces, FIVE[column], ADDED))
        if len(images[1]) < ADDED:
            raise SystemExit(f"expected {ADDED} picked faces of {FIVE[column]}, got {len(images[1])}")
    added = sum(map(len, images[1:]))
    return hard(np.concatenate(images), np.concatenate([train.labels[kept], np.full(added, column)]), len(FIVE))


def right(
    networks: Sequence[torch.nn.Module], faces: Faces, column: int | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Which faces, of one class or of all, each network names rightly `(networks, n)`, and whose they are `(n,)`."""
    own = np.full(len(faces.labels), True) if column is None else faces.labels == column
    batch = channel(torch.from_numpy(faces.images[own]).float() / 255)
    with torch.inference_mode():
        said = [torch.cat([network(part) for part in batch.split(256)]).argmax(1).numpy() for network in networks]
    return np.array(said) == faces.labels[own], faces.owners[own]


def figures(hits: np.ndarray, owners: np.ndarray, before: np.ndarray) -> dict[str, Any]:
    """The share of `hits` `(seeds, n)` and its change against `before`, with 95 % intervals drawn over the owners."""
    share, change = hits.mean(0), hits.mean(0) - before.mean(0)
    return {
        "n": len(owners),
        "share": float(share.mean()),
        "interval": interval(share, owners),
        "spread": float(np.ptp(hits.mean(1))),
        "change": float(change.mean()),
        "change_interval": interval(change, owners),
    }


def table(folder: Path) -> list[dict[str, str]]:
    with (folder / "candidates.csv").open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def unseen(folder: Path) -> Faces:
    """The candidates of the actors who validate, of the emotions that are cut down."""
    rows = [row for row in table(folder) if row["split"] == "validation" and row["emotion"] in STARVED]
    images = [np.asarray(Image.open(folder / row["emotion"] / f"{row['number']}.png")) for row in rows]
    labels = np.array([FIVE.index(row["emotion"]) for row in rows])
    return Faces(np.array(images), labels, np.array([row["person"] for row in rows]))


def found(folder: Path) -> list[dict[str, Any]]:
    """What came out of the clips, an emotion a row."""
    rows = table(folder)
    counts = []
    for emotion in EMOTIONS:
        own = [row for row in rows if row["emotion"] == emotion]
        if own:
            counts.append(
                {
                    "emotion": emotion,
                    "clips": len({row["clip"] for row in own}),
                    "actors": len({row["person"] for row in own}),
                    "distinct": len(own),
                    "with_faults": sum(row["faults"] != "" for row in own),
                    "train_actors": len({row["person"] for row in own if row["split"] == "train"}),
                    "picked": len(picked(folder, emotion)),
                }
            )
    return counts


def page(results: dict[str, Any]) -> str:
    lines = [
        "# Faces from clips for a class that has few",
        "",
        f"Command: `{results['command']}`, after `emoscope faces DATA/cremad --out FACES`  ",
        f"Balanced five (protocol `five`), of which one class is cut down to {LEFT} training images; compact network "
        f"from scratch, {results['epochs']} epochs on the CPU, marked at the last epoch, mean of {results['seeds']} "
        "seeds, of which each leaves other images. The clips are CREMA-D's; the faces added are of actors of its "
        "training split alone, the best ranked, none chosen by hand.",
        "",
        "Recall is that of the class, accuracy that of all five, on capped PublicTest. On clips: the class, and the "
        "three emotions of the clips, named among the five, on the distinct faces of the nine validation actors. "
        "95 % intervals are drawn over faces, on clips over actors; they do not cover other trainings, of which the "
        "difference between the seeds gives an idea. A change is in points against the first row, face by face.",
    ]
    for emotion, rows in results["classes"].items():
        n = {mark: rows["without"][mark]["n"] for mark in MARKS}
        lines += [
            "",
            f"## {emotion.capitalize()} cut down",
            "",
            "| training images of the class | recall, between seeds | "
            + " | ".join(f"{words}, n = {n[mark]:,} | change" for mark, words in MARKS.items())
            + " |",
            "|---" * (2 + 2 * len(MARKS)) + "|",
        ]
        for arm, words in ARMS.items():
            cells = [cell for mark in MARKS for cell in shares(rows[arm][mark], arm)]
            lines.append(f"| {words} | {rows[arm]['recall']['spread']:.1%} | " + " | ".join(cells) + " |")
    lines += [
        "",
        "## What came out of the clips",
        "",
        "| emotion | clips | actors | distinct faces | of these with faults | actors who train | picked |",
        "|---" * 7 + "|",
    ]
    lines += ["| " + " | ".join(f"{v:,}" if isinstance(v, int) else v for v in row.values()) + " |"
              for row in results["found"]]  # fmt: skip
    return "\n".join([*lines, ""])


def shares(metrics: dict[str, Any], arm: str) -> tuple[str, str]:
    """A share and its change in points, with their intervals."""
    low, high = metrics["interval"]
    share = f"{metrics['share']:.1%} ({low:.1%} to {high:.1%})"
    if arm == "without":
        return share, ""
    first, last = (100 * end for end in metrics["change_interval"])
    return share, f"{100 * metrics['change']:+.1f} ({first:+.1f} to {last:+.1f})"


if __name__ == "__main__":
    main()
