"""The reference system's sets of faces, built from FER+ and counted.

OUT/SPLIT/EMOTION/NAME.png   the faces, 48x48 grey
OUT/images.csv               split, emotion, file and where it is from, a row each
OUT/counts.csv               how many there are, and whether FER+ holds as many of each emotion as published
"""

import csv
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import astuple, dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from ..emotions import EMOTIONS, columns
from ..errors import DataError
from . import ferplus, picks
from .ferplus import FIVE, SEVEN, Split

SETS: dict[str, tuple[str, ...]] = {"five": FIVE, "seven": SEVEN, "enhanced": SEVEN}
"""The sets and their emotions; `enhanced` is `seven` with faces from clips added to the rare ones in training."""
FILLED: dict[str, int] = {"disgust": 550, "fear": 998}
"""Faces of the rare emotions that the enhanced set trains on."""
CLIPS = "clips/"
"""What the origin of a picked face begins with."""
PUBLISHED: dict[Split, dict[str, int]] = {
    "train": dict(zip(EMOTIONS, (10_309, 7_528, 3_562, 3_515, 2_467, 191, 652, 165), strict=True)),
    "test": {"anger": 325, "disgust": 23, "fear": 93},
}
"""Faces of an emotion in FER+ by `plurality`, as published for the reference system."""


@dataclass(frozen=True)
class FaceSet:
    """Faces with one label each.

    Attributes:
        images: uint8 grey `(n, 48, 48)`.
        labels: int64 `(n,)`, index in `emotions.EMOTIONS`.
        origins: `n` names: FER+'s of the file, or `clips/EMOTION/NUMBER.png` of a picked face.
    """

    images: np.ndarray
    labels: np.ndarray
    origins: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.labels)


@dataclass(frozen=True, slots=True)
class Count:
    """How many faces of an emotion there are.

    Attributes:
        split: of FER+.
        emotion: one of `emotions.EMOTIONS`.
        images: in the set.
        from_clips: of these, picked ones.
        plurality: in FER+ by `plurality`.
        published: what that should be; `None` where nothing was published.
    """

    split: Split
    emotion: str
    images: int
    from_clips: int
    plurality: int
    published: int | None


def face_set(data: Path, name: str, split: Split, picked: Path | None = None, seed: int = 0) -> FaceSet:
    """A set's faces of a split.

    Args:
        data: the folder that holds `ferplus/`.
        name: a key of `SETS`.
        split: of FER+.
        picked: the folder of candidate faces (see `data.picks`) that the enhanced set is filled up from.
        seed: of the choice where there are more than `ferplus.MOST` of an emotion.

    Raises:
        DataError: the split is not there, or the enhanced set is asked for without `picked` or from a bad one.
    """
    return _chosen(ferplus.load(data, split), name, split, picked, seed)


def _chosen(faces: ferplus.Faces, name: str, split: Split, picked: Path | None, seed: int) -> FaceSet:
    labels = ferplus.balanced(faces.votes, SETS[name], split, seed)
    kept = faces.take(labels >= 0)
    chosen = FaceSet(kept.images, labels[labels >= 0], kept.names)
    return _filled(chosen, picked) if name == "enhanced" and split == "train" else chosen


def _filled(faces: FaceSet, picked: Path | None) -> FaceSet:
    """The training faces with picked ones added to the rare emotions, up to `FILLED`."""
    if picked is None:
        raise DataError("the enhanced set needs picked faces (--faces): make some with `emoscope research faces CLIPS`")
    images, labels, origins = [faces.images], [faces.labels], list(faces.origins)
    for emotion, goal in FILLED.items():
        (column,) = columns([emotion])
        missing = max(0, goal - int((faces.labels == column).sum()))
        more = picks.picked(picked, emotion, missing)
        images.append(more)
        labels.append(np.full(len(more), column))
        origins += [f"{CLIPS}{emotion}/{path.name}" for path in picks.picks(picked, emotion)[:missing]]
    return FaceSet(np.concatenate(images), np.concatenate(labels), tuple(origins))


def write(
    data: Path,
    name: str,
    out: Path,
    picked: Path | None = None,
    seed: int = 0,
    progress: Callable[[int, int], None] | None = None,
) -> list[Count]:
    """Write a set's faces of all splits that are there.

    Args:
        data: the folder that holds `ferplus/`.
        name: a key of `SETS`.
        out: a new or empty folder.
        picked: see `face_set`.
        seed: see `face_set`.
        progress: called with the number of faces of a split that are written and of all.

    Returns:
        The counts, by split and in the order of `emotions.EMOTIONS`; splits that are not there have none.

    Raises:
        DataError: as `face_set`, or the folder holds something.
    """
    if out.exists() and any(out.iterdir()):
        raise DataError(f"{out} holds something; expected a new or empty folder")
    counts: list[Count] = []
    rows: list[tuple[str, str, str, str]] = []
    for split in ferplus.splits(data):
        faces = ferplus.load(data, split)
        chosen = _chosen(faces, name, split, picked, seed)
        counts += _counted(split, faces, chosen)
        rows += _write_images(split, chosen, out, progress)
    _write_table(out / "images.csv", ("split", "emotion", "file", "origin"), rows)
    _write_table(out / "counts.csv", Count.__slots__, [astuple(count) for count in counts])
    return counts


def differences(counts: Sequence[Count]) -> list[str]:
    """Where FER+ holds another number of faces than was published, a line each."""
    return [
        f"{c.split} {c.emotion}: expected {c.published:,} under plurality, got {c.plurality:,}"
        for c in counts
        if c.published not in (None, c.plurality)
    ]


def shortfalls(counts: Sequence[Count]) -> list[str]:
    """Which emotions of the enhanced set's training split were not filled up, a line each."""
    return [
        f"{c.emotion}: {c.images:,} of {FILLED[c.emotion]:,}, for only {c.from_clips} picked faces were there"
        for c in counts
        if c.split == "train" and c.images < FILLED.get(c.emotion, 0)
    ]


def _counted(split: Split, faces: ferplus.Faces, chosen: FaceSet) -> Iterator[Count]:
    natural = ferplus.plurality(faces.votes)
    for column, emotion in enumerate(EMOTIONS):
        own = [o for o, label in zip(chosen.origins, chosen.labels, strict=True) if label == column]
        clips = sum(origin.startswith(CLIPS) for origin in own)
        published = PUBLISHED.get(split, {}).get(emotion)
        yield Count(split, emotion, len(own), clips, int((natural == column).sum()), published)


def _write_images(
    split: Split, faces: FaceSet, out: Path, progress: Callable[[int, int], None] | None
) -> list[tuple[str, str, str, str]]:
    rows: list[tuple[str, str, str, str]] = []
    taken: set[str] = set()
    for i, (image, label, origin) in enumerate(zip(faces.images, faces.labels, faces.origins, strict=True), 1):
        emotion = EMOTIONS[label]
        stem = Path(origin).stem if not origin.startswith(CLIPS) else f"clip{Path(origin).stem}"
        while (file := f"{split}/{emotion}/{stem}.png") in taken:  # upstream names three faces twice
            stem += "-again"
        taken.add(file)
        (out / file).parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(image).save(out / file)
        rows.append((split, emotion, file, origin))
        if progress:
            progress(i, len(faces))
    return rows


def _write_table(path: Path, heads: Iterable[str], rows: Iterable[Sequence[object]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="", encoding="utf-8") as file:
        table = csv.writer(file)
        table.writerow(heads)
        table.writerows(rows)
