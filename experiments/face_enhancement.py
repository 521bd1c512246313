"""A class cut down to 191 images, with and without 300 faces from clips added to it.

    emoscope faces DATA/cremad --out FACES
    python experiments/face_enhancement.py --data DATA --faces FACES --runs RUNS --out results/face

Balanced five; anger, happiness and sadness are cut down in turn. Without clips the class has its 191 images; beside
that, the same 191 with 300 repetitions of them, so that it is seen as often as with the clips.
"""

import csv
import json
from dataclasses import replace
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

COMMAND = "python experiments/face_enhancement.py --data DATA --faces FACES --runs RUNS --out results/face"
STARVED = ("anger", "happiness", "sadness")
LEFT, ADDED = 191, 300
ARMS = {
    "without": f"{LEFT} images",
    "repeated": f"the same {LEFT}, and {ADDED} repetitions",
    "with": f"the same {LEFT}, and {ADDED} faces from clips",
}


def main() -> None:
    args = arguments(__doc__, runs=True, faces=True)
    train, validation = (balanced(args.data, split, FIVE) for split in ("train", "validation"))
    clips, clip_labels, actors = unseen(args.faces)
    faces = np.arange(len(validation.labels))
    results: dict[str, Any] = {"command": COMMAND, "epochs": SHORT.passes, "seeds": len(SEEDS), "classes": {}}
    for emotion in STARVED:
        column = FIVE.index(emotion)
        own, acted = validation.labels == column, clip_labels == column
        rows: dict[str, dict[str, Any]] = {}
        hits: dict[str, dict[str, np.ndarray]] = {}
        for arm in ARMS:
            said, said_of_clips = [], []
            for seed in SEEDS:
                run = args.runs / f"{emotion}-{arm}-{seed}"
                more = picked(args.faces, emotion, ADDED) if arm == "with" else None
                samples = changed(train, column, seed, arm, more)
                trained(run, partial(compact, len(FIVE)), samples, validation, replace(SHORT, seed=seed))
                network = averaged(run, compact(len(FIVE)), "last")
                said.append(predictions(network, validation.inputs) == validation.labels)
                said_of_clips.append(predictions(network, clips) == clip_labels)
            right, right_of_clips = np.mean(said, 0), np.mean(said_of_clips, 0)
            hits[arm] = {"recall": right[own], "accuracy": right, "clips": right_of_clips[acted]}
            groups = {"recall": faces[own], "accuracy": faces, "clips": actors[acted]}
            rows[arm] = {mark: figures(hit, hits["without"][mark], groups[mark]) for mark, hit in hits[arm].items()} | {
                "images": int((samples.labels == column).sum())
            }
        results["classes"][emotion] = rows
    results["found"] = found(args.faces)
    (args.out / "enhancement.json").write_text(json.dumps(results, indent=1) + "\n")
    (args.out / "enhancement.md").write_text(page(results))
    print(page(results))


def changed(train: Samples, column: int, seed: int, arm: str, more: np.ndarray | None) -> Samples:
    """The training faces with a class cut down to `LEFT` of its images, and what the arm adds to it.

    Args:
        train: balanced five.
        column: the class.
        seed: of the choice of images.
        arm: a key of `ARMS`.
        more: the faces from clips `(ADDED, 48, 48)`.
    """
    random = np.random.default_rng(seed)
    own = np.flatnonzero(train.labels == column)
    left = random.permutation(own)[:LEFT]
    kept = np.sort(np.concatenate([np.flatnonzero(train.labels != column), left]))
    images = [train.inputs[kept]]
    if arm == "repeated":
        images.append(train.inputs[np.resize(left, ADDED)])
    if more is not None:
        if len(more) < ADDED:
            raise SystemExit(f"expected {ADDED} picked faces of {FIVE[column]}, got {len(more)}")
        images.append(more)
    added = sum(map(len, images[1:]))
    return hard(np.concatenate(images), np.concatenate([train.labels[kept], np.full(added, column)]), len(FIVE))


def predictions(network: torch.nn.Module, images: np.ndarray) -> np.ndarray:
    """The class `(n,)` that a network says of faces `(n, 48, 48)`."""
    with torch.inference_mode():
        parts = [network(channel(torch.from_numpy(part).float() / 255)) for part in np.array_split(images, 8)]
    return torch.cat(parts).argmax(1).numpy()


def figures(hits: np.ndarray, before: np.ndarray, groups: np.ndarray) -> dict[str, Any]:
    """The mean of `hits`, mean over seeds of each face, and its change, with 95 % intervals drawn over the groups."""
    return {
        "n": len(hits),
        "share": float(hits.mean()),
        "interval": interval(hits, groups),
        "change": float((hits - before).mean()),
        "change_interval": interval(hits - before, groups),
    }


def table(folder: Path) -> list[dict[str, str]]:
    with (folder / "candidates.csv").open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def unseen(folder: Path) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Faces from clips of the actors who validate: `(n, 48, 48)`, their class of five and their actors `(n,)`."""
    rows = [row for row in table(folder) if row["split"] == "validation" and row["emotion"] in STARVED]
    images = [np.asarray(Image.open(folder / row["emotion"] / f"{row['number']}.png")) for row in rows]
    labels = np.array([FIVE.index(row["emotion"]) for row in rows])
    return np.array(images), labels, np.array([row["person"] for row in rows])


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
        "training split alone, the best ranked, none chosen by hand. 95 % intervals, drawn over faces, those on clips "
        "over actors; a change is against the first row of its class, face by face.",
        "",
        "Clips: recall of the same class, among the five, on the distinct faces of the nine validation actors.",
    ]
    for emotion, rows in results["classes"].items():
        n, clips = rows["without"]["recall"]["n"], rows["without"]["clips"]["n"]
        lines += [
            "",
            f"## {emotion.capitalize()} cut down",
            "",
            f"Recall of {emotion} on capped PublicTest (n = {n:,}), accuracy over all five there "
            f"(n = {rows['without']['accuracy']['n']:,}), recall of {emotion} on clips (n = {clips:,}).",
            "",
            "| training images of the class | recall | change | accuracy | change | recall on clips | change |",
            "|---" * 7 + "|",
        ]
        for arm, words in ARMS.items():
            cells = [cell for mark in ("recall", "accuracy", "clips") for cell in shares(rows[arm][mark], arm)]
            lines.append(f"| {words} | " + " | ".join(cells) + " |")
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


def shares(marks: dict[str, Any], arm: str) -> tuple[str, str]:
    """A share and its change in points, with their intervals."""
    low, high = marks["interval"]
    share = f"{marks['share']:.1%} ({low:.1%} to {high:.1%})"
    if arm == "without":
        return share, ""
    first, last = (100 * end for end in marks["change_interval"])
    return share, f"{100 * marks['change']:+.1f} ({first:+.1f} to {last:+.1f})"


if __name__ == "__main__":
    main()
