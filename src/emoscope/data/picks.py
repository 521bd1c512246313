"""Candidate faces as a folder to look through and pick from; what is picked is added to a class.

FACES/candidates.csv       what was measured of each face
FACES/EMOTION/NUMBER.png   the faces of an emotion, 48x48, numbered from the best
FACES/EMOTION-1.png ...    contact sheets: all of them, with number, clip and time; green is picked
FACES/EMOTION.txt          the numbers that are picked, in the order in which they are taken; made to be edited
"""

import csv
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from ..emotions import EMOTIONS
from ..errors import DataError
from ..face.crop import SIDE
from .candidates import Candidate
from .contact import write_sheets

MOST_OF_ONE = 8
"""Faces of one person that are picked of an emotion, at most, so that the faces are varied."""
_COLUMNS = (
    "emotion", "number", "clip", "person", "split", "time_s", "confidence", "sharpness", "turned", "outside", "faults",
)  # fmt: skip


def write(candidates: Sequence[Candidate], out: Path) -> dict[str, tuple[int, int]]:
    """Write candidates, best first, with contact sheets and a first choice of numbers.

    Picked are those without a fault, at most `MOST_OF_ONE` of a person, and none of a person who validates or tests.

    Args:
        candidates: best first, of any emotions.
        out: the folder; it must hold no candidates yet.

    Returns:
        For each emotion how many candidates there are, and how many of them are picked.

    Raises:
        DataError: there are candidates in the folder.
    """
    check(out)
    out.mkdir(parents=True, exist_ok=True)
    of_emotion = {emotion: [c for c in candidates if c.emotion == emotion] for emotion in EMOTIONS}
    counts = {}
    for emotion, faces in of_emotion.items():
        if faces:
            chosen = first_choice(faces)
            counts[emotion] = len(faces), len(chosen)
            _write_faces(faces, out / emotion)
            write_sheets(faces, set(chosen), out, emotion)
            (out / f"{emotion}.txt").write_text(_list(emotion, chosen))
    with (out / "candidates.csv").open("w", newline="", encoding="utf-8", errors="replace") as file:
        table = csv.writer(file)
        table.writerow(_COLUMNS)
        for faces in of_emotion.values():
            table.writerows(_row(number, face) for number, face in enumerate(faces, 1))
    return counts


def check(out: Path) -> None:
    """Refuse a folder that holds candidates: new numbers would not fit what was picked.

    Raises:
        DataError: it does.
    """
    if (out / "candidates.csv").exists():
        raise DataError(f"{out} holds candidates and what was picked of them; expected a new folder")


def first_choice(candidates: Sequence[Candidate]) -> list[int]:
    """The numbers, from 1, that are picked unless somebody chooses others; see `write`."""
    taken: Counter[str] = Counter()
    chosen = []
    for number, candidate in enumerate(candidates, 1):
        if candidate.split == "train" and not candidate.faults and taken[candidate.person] < MOST_OF_ONE:
            taken[candidate.person] += 1
            chosen.append(number)
    return chosen


def picked(folder: Path, emotion: str, count: int | None = None) -> np.ndarray:
    """The picked faces of an emotion, in the order of `EMOTION.txt`.

    Args:
        folder: as `write` left it, and somebody may have edited `EMOTION.txt`.
        emotion: one of `emotions.EMOTIONS`.
        count: at most so many; by default all.

    Returns:
        uint8 grey `(n, 48, 48)`, fewer than `count` where fewer are picked; none where there are no candidates.

    Raises:
        DataError: the folder holds no candidates, a line of the list is no number of one, a number is there twice or
            is of a person who does not train, or a picture is missing or damaged.
    """
    paths = picks(folder, emotion)[:count]
    images = np.empty((len(paths), SIDE, SIDE), np.uint8)
    for image, path in zip(images, paths, strict=True):
        try:
            with Image.open(path) as picture:
                image[:] = np.asarray(picture.convert("L")).reshape(SIDE, SIDE)
        except (OSError, ValueError) as error:
            raise DataError(f"{path} is not a 48x48 picture: {error}") from None
    return images


def picks(folder: Path, emotion: str) -> list[Path]:
    """The files of the picked faces; see `picked`."""
    table = folder / "candidates.csv"
    if not table.is_file():
        raise DataError(f"no candidates in {folder}: make them with `emoscope research faces CLIPS --out {folder}`")
    with table.open(newline="", encoding="utf-8", errors="replace") as file:
        splits = {row["number"]: row["split"] for row in csv.DictReader(file) if row.get("emotion") == emotion}
    path = folder / f"{emotion}.txt"
    if not splits or not path.is_file():
        return []
    numbers: dict[str, None] = {}
    for line, text in enumerate(path.read_text(encoding="utf-8", errors="replace").splitlines(), 1):
        number = text.partition("#")[0].strip()
        if not number:
            continue
        if number not in splits or number in numbers:
            raise DataError(
                f"{path}, line {line}: expected a number from 1 to {len(splits)}, once each, got {number!r}"
            )
        if splits[number] != "train":
            raise DataError(f"{path}, line {line}: face {number} is of a person of the {splits[number]} split")
        numbers[number] = None
    return [folder / emotion / f"{number}.png" for number in numbers]


def _write_faces(faces: Sequence[Candidate], folder: Path) -> None:
    folder.mkdir(exist_ok=True)
    for number, candidate in enumerate(faces, 1):
        Image.fromarray(candidate.face).save(folder / f"{number}.png")


def _list(emotion: str, chosen: Sequence[int]) -> str:
    lines = [f"# faces picked for {emotion}, the first ones are taken first; see {emotion}-1.png", *map(str, chosen)]
    return "\n".join(lines) + "\n"


def _row(number: int, c: Candidate) -> list[object]:
    measures = (f"{c.time:.3f}", f"{c.confidence:.4f}", f"{c.sharpness:.3f}", f"{c.turned:.3f}", f"{c.outside:.3f}")
    return [c.emotion, number, c.clip, c.person, c.split, *measures, " ".join(c.faults)]
