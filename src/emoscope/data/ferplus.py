"""FER+ (Barsoum et al. 2016, arXiv:1608.01041): 48x48 grey faces with the votes of ten annotators."""

import csv
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from PIL import Image

from ..emotions import EMOTIONS, columns
from ..errors import DataError
from ..face.crop import SIDE

Split = Literal["train", "validation", "test"]
SPLITS: tuple[Split, ...] = ("train", "validation", "test")
USAGE: dict[str, str] = {"train": "Training", "validation": "PublicTest", "test": "PrivateTest"}
FOLDER: dict[str, str] = {"train": "FER2013Train", "validation": "FER2013Valid", "test": "FER2013Test"}
VOTES: tuple[str, ...] = (*EMOTIONS, "unknown", "NF")
"""The ten columns of votes; NF is "no face"."""


@dataclass(frozen=True)
class Faces:
    """Faces with their votes.

    Attributes:
        names: the `n` file names.
        images: uint8 `(n, 48, 48)`.
        votes: int64 `(n, 10)`, in the order of `VOTES`.
    """

    names: tuple[str, ...]
    images: np.ndarray
    votes: np.ndarray

    def __len__(self) -> int:
        return len(self.names)

    def take(self, index: np.ndarray) -> "Faces":
        """The faces at the given positions, or where a boolean mask holds."""
        positions = np.arange(len(self))[index]
        return Faces(tuple(self.names[i] for i in positions), self.images[positions], self.votes[positions])


def load(data: Path, split: Split) -> Faces:
    """Read one split from the layout of the FER+ repository, or from Kaggle's `fer2013.csv` beside `fer2013new.csv`.

    Args:
        data: the folder that holds `ferplus/`, or that folder itself.

    Raises:
        DataError: neither layout is there, or the split is not in it.
    """
    root = _root(data)
    labels = root / "fer2013new.csv"
    pictures = root / FOLDER[split]
    if pictures.is_dir():
        faces = _from_folder(pictures, _rows(labels, split))
    elif (root / "fer2013.csv").is_file():
        faces = _from_kaggle(root / "fer2013.csv", labels, split)
    else:
        raise DataError(f"no FER+ faces for the {split} split: expected {pictures} or {root / 'fer2013.csv'}")
    if not len(faces):
        raise DataError(f"the {split} split of {root} holds no faces")
    return faces


def splits(data: Path) -> list[Split]:
    """The splits whose faces are there.

    Raises:
        DataError: there are no labels.
    """
    root = _root(data)
    kaggle = (root / "fer2013.csv").is_file()
    return [split for split in SPLITS if kaggle or (root / FOLDER[split]).is_dir()]


def _root(data: Path) -> Path:
    root = data / "ferplus" if (data / "ferplus").is_dir() else data
    if not (root / "fer2013new.csv").is_file():
        raise DataError(
            f"no FER+ labels at {root / 'fer2013new.csv'}; expected fer2013new.csv beside FER2013Train/ or fer2013.csv"
        )
    return root


def _rows(labels: Path, split: Split) -> list[dict[str, str]]:
    """The rows of a split that name an image. Upstream names three twice; they stay, so that counts agree with it."""
    return [row for row in _table(labels, ("Usage", "Image name", *VOTES)) if _belongs(row, split)]


def _belongs(row: dict[str, str], split: Split) -> bool:
    return row["Usage"] == USAGE[split] and bool(row["Image name"])


def _table(path: Path, columns: Sequence[str]) -> Iterator[dict[str, str]]:
    """The rows of a csv file.

    Raises:
        DataError: it lacks a column.
    """
    with path.open(newline="", encoding="utf-8", errors="replace") as file:
        reader = csv.DictReader(file, restval="")
        missing = [name for name in columns if name not in (reader.fieldnames or ())]
        if missing:
            raise DataError(f"{path} has no column {', '.join(missing)}; expected the table as FER+ or Kaggle has it")
        yield from reader


def _votes(rows: Iterable[dict[str, str]]) -> np.ndarray:
    try:
        votes = [[int(row[name]) for name in VOTES] for row in rows]
    except ValueError as error:
        raise DataError(f"fer2013new.csv: a vote is not a number: {error}") from None
    return np.array(votes, np.int64).reshape(-1, len(VOTES))


def _from_folder(folder: Path, rows: list[dict[str, str]]) -> Faces:
    images = np.empty((len(rows), SIDE, SIDE), np.uint8)
    for i, row in enumerate(rows):
        path = folder / row["Image name"]
        try:
            with Image.open(path) as picture:
                images[i] = np.asarray(picture.convert("L")).reshape(SIDE, SIDE)
        except (OSError, ValueError) as error:
            raise DataError(f"{path} is not a 48x48 picture: {error}") from None
    return Faces(tuple(row["Image name"] for row in rows), images, _votes(rows))


def _from_kaggle(pixels: Path, labels: Path, split: Split) -> Faces:
    """Kaggle's table holds the pixels of the same rows in the same order."""
    names, images, kept = [], [], []
    faces = _table(pixels, ("pixels", "Usage"))
    for line, row in enumerate(_table(labels, ("Usage", "Image name", *VOTES)), 2):
        face = next(faces, None)
        if face is None or face["Usage"] != row["Usage"]:
            raise DataError(f"{pixels}, line {line}: expected the same faces in the same order as {labels.name}")
        if not _belongs(row, split):
            continue
        names.append(row["Image name"])
        kept.append(row)
        try:
            images.append(np.array(face["pixels"].split(), np.uint8).reshape(SIDE, SIDE))
        except (ValueError, OverflowError):
            raise DataError(f"{pixels}, line {line}: expected {SIDE * SIDE} pixels from 0 to 255") from None
    stacked = np.stack(images) if images else np.empty((0, SIDE, SIDE), np.uint8)
    return Faces(tuple(names), stacked, _votes(kept))


def without_single_votes(votes: np.ndarray) -> np.ndarray:
    """Votes `(n, 10)` with every column that got a single vote set to 0, as FER+'s authors do."""
    return np.where(votes > 1, votes, 0)


def majority(votes: np.ndarray) -> np.ndarray:
    """Protocol `majority`: class `(n,)` of each face, -1 where it is dropped.

    Single votes are dropped; the winner needs more than half of the rest; unknown and NF are dropped.
    """
    kept = without_single_votes(votes)
    winner = kept.argmax(1)
    clear = kept.max(1) > 0.5 * kept.sum(1)
    return np.where(clear & (winner < len(EMOTIONS)), winner, -1)


def plurality(votes: np.ndarray) -> np.ndarray:
    """Protocol `plurality`: the highest of the ten columns (the first on ties), -1 where it is unknown or NF."""
    winner = votes.argmax(1)
    return np.where(winner < len(EMOTIONS), winner, -1)


FIVE = ("anger", "happiness", "neutral", "sadness", "surprise")
SEVEN = (*FIVE, "disgust", "fear")
"""The classes that the reference system chose among, first without and then with the rare ones."""
MOST: dict[Split, int] = {"train": 2466, "validation": 325, "test": 325}
"""Faces of one class in the balanced sets, at most: as many as there are of anger in Training and in PrivateTest."""


def balanced(votes: np.ndarray, classes: Sequence[str], split: Split, seed: int = 0) -> np.ndarray:
    """The reference system's sets: class `(n,)` of each face by `plurality`, -1 where it is dropped.

    Of each class at most `MOST` faces are kept, chosen at random; faces of other classes are dropped. With `FIVE`
    classes, Training is balanced; with `SEVEN`, disgust and fear stay as rare as they are.

    Args:
        votes: `(n, 10)`.
        classes: the emotions that are kept.
        split: says how many of a class.
        seed: of the choice.
    """
    labels = plurality(votes)
    random = np.random.default_rng(seed)
    kept = np.full(len(labels), -1)
    for column in columns(classes):
        chosen = random.permutation(np.flatnonzero(labels == column))[: MOST[split]]
        kept[chosen] = column
    return kept


PROTOCOLS = {"majority": majority, "plurality": plurality}


def distribution(votes: np.ndarray) -> np.ndarray:
    """Vote distributions over the eight emotions, `(n, 8)` float32, rows summing to 1; single votes are dropped.

    A face whose emotions got single votes only keeps them.
    """
    kept = without_single_votes(votes)[:, : len(EMOTIONS)]
    kept = np.where(kept.sum(1, keepdims=True) > 0, kept, votes[:, : len(EMOTIONS)])
    return (kept / kept.sum(1, keepdims=True)).astype(np.float32)
