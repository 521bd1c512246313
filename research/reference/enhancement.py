"""A class cut down to 191 images, with and without 300 faces from clips added to it.

Balanced five; anger, happiness and sadness are cut down in turn. The faces are those of `emoscope research faces`: they
are looked for in `CACHE/faces`, and made there if they are missing.
"""

import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image

from emoscope.data import candidates, picks
from emoscope.data.clips import labelled_sources
from emoscope.data.ferplus import FIVE
from emoscope.data.picks import picked
from emoscope.emotions import EMOTIONS
from emoscope.training.loop import Samples
from emoscope.training.pretrained import averaged
from emoscope.training.recipes_face import channel, compact

from ..intervals import interval
from ..reference.common import balanced, hard, settings_of, trained
from ..rows import Row, Where
from ..runner import Context

STARVED = ("anger", "happiness", "sadness")
LEFT, ADDED = 191, 300
ARMS = {"without": f"{LEFT} images", "with": f"the same {LEFT}, and {ADDED} faces from clips"}
FOUND = {
    "clips": "clips",
    "actors": "actors",
    "distinct": "distinct faces",
    "with_faults": "of these with faults",
    "train_actors": "actors who train",
    "picked": "picked",
}
"""What is counted of the clips, and how pages call it."""


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


def enhancement(context: Context) -> Iterator[Row]:
    """Each class cut down, without and with the faces; and what came out of the clips."""
    faces = context.cache / "faces"
    if not (faces / "candidates.csv").exists():
        picks.write(candidates.find(labelled_sources(context.data / "cremad"))[0], faces)
    train, validation = (balanced(context.data, split, FIVE) for split in ("train", "validation"))
    web = Faces(validation.inputs, validation.labels, np.arange(len(validation.labels)))
    clips = unseen(faces)
    for emotion in STARVED:
        column = FIVE.index(emotion)
        hits = {}
        for arm in ARMS:
            networks = []
            for seed in context.run.seeds:
                run = context.runs / f"{emotion}-{arm}-{seed}"
                samples = changed(train, column, seed, arm, faces)
                trained(run, partial(compact, len(FIVE)), samples, validation, settings_of(context.run, seed))
                networks.append(averaged(run, compact(len(FIVE)), "last"))
            hits[arm] = {
                "recall": right(networks, web, column),
                "accuracy": right(networks, web),
                "clips": right(networks, clips, column),
                "three": right(networks, clips),
            }
        of_arms = {
            arm: {mark: figures(*of_arm[mark], hits["without"][mark][0]) for mark in MARKS}
            for arm, of_arm in hits.items()
        }
        yield from rows(emotion, of_arms)
    yield from counted(found(faces))


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


def rows(emotion: str, of_arms: dict[str, dict[str, Any]]) -> Iterator[Row]:
    """The shares of one class cut down, and their changes."""
    for arm, marks in of_arms.items():
        for mark, of in marks.items():
            where: Where = {"condition": ARMS[arm], "group": emotion, "n": of["n"]}
            low, high = of["interval"]
            yield Row(metric=f"share {MARKS[mark]}", value=of["share"], low=low, high=high, **where)
            if arm == "with":
                low, high = of["change_interval"]
                yield Row(metric=f"change of {MARKS[mark]}", value=of["change"], low=low, high=high, **where)
        yield Row(metric="spread", value=marks["recall"]["spread"], condition=ARMS[arm], group=emotion)


def counted(emotions: list[dict[str, Any]]) -> Iterator[Row]:
    """What came out of the clips."""
    for of in emotions:
        for name, value in of.items():
            if name != "emotion":
                yield Row(metric=FOUND[name], value=value, condition="found in the clips", group=of["emotion"])
