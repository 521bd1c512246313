"""Faces of one's own in folders: `DATA/LABEL/*.jpg`, and who is in each picture if a csv says so."""

import csv
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..errors import DataError, MediaError
from ..face.crop import crop_faces
from ..face.detect import Detector, smallest_face
from ..face.upright import UprightDetector
from ..media import Frame, open_media

PICTURES = (".bmp", ".jpeg", ".jpg", ".png", ".webp")
PERSONS = "persons.csv"
"""Columns `path`, relative to the folder, and `person`. Without it, every picture counts as a person of its own."""


@dataclass(frozen=True)
class OwnFaces:
    """Faces that were found.

    Attributes:
        images: `(n, 48, 48)` uint8, cut as FER+'s are.
        labels: the folder of each.
        persons: whose each is.
        without: pictures in which no face was found.
    """

    images: np.ndarray
    labels: list[str]
    persons: list[str]
    without: list[Path]


def labels_of(folder: str | Path) -> tuple[str, ...]:
    """The labels: the folders that hold pictures, in order of name.

    Raises:
        DataError: there are fewer than two.
    """
    found = sorted({path.parent.name for path in _pictures(Path(folder))})
    if len(found) < 2:
        raise DataError(
            f"{folder}: expected two folders of pictures or more, as {folder}/happy/*.jpg, got {len(found)}"
        )
    return tuple(found)


def load(folder: str | Path, progress: Callable[[int, int], None] = lambda done, total: None) -> OwnFaces:
    """The largest face of each picture.

    Raises:
        DataError: there are no pictures with faces, a picture cannot be read, or the csv is not what it should be.
    """
    root = Path(folder)
    pictures = _pictures(root)
    persons = _persons(root)
    crops, kept, without = [], [], []
    for place, path in enumerate(pictures):
        image = _pixels(path)
        faces = UprightDetector(Detector(min_face=smallest_face(image))).detect(image)
        if len(faces):
            largest = int((faces.boxes[:, 2] * faces.boxes[:, 3]).argmax())
            crops.append(crop_faces(image, faces.landmarks[largest : largest + 1])[0])
            kept.append(path)
        else:
            without.append(path)
        progress(place + 1, len(pictures))
    if not kept:
        raise DataError(f"{root}: no face was found in its {len(pictures)} pictures")
    names = [path.relative_to(root).as_posix() for path in kept]
    return OwnFaces(
        np.array(crops), [path.parent.name for path in kept], [persons.get(name, name) for name in names], without
    )


def _pictures(root: Path) -> list[Path]:
    found = sorted(path for path in root.glob("*/*") if path.suffix.lower() in PICTURES)
    if not found:
        raise DataError(f"{root}: no pictures; expected a folder for each label, as {root}/happy/*.jpg")
    return found


def _pixels(path: Path) -> np.ndarray:
    try:
        with open_media(path) as media:
            return next(item.image for item in media if isinstance(item, Frame))
    except MediaError as error:
        raise DataError(str(error)) from None


def _persons(root: Path) -> dict[str, str]:
    path = root / PERSONS
    if not path.is_file():
        return {}
    with path.open(newline="", encoding="utf-8-sig") as file:
        rows = list(csv.DictReader(file))
    if not rows or not {"path", "person"} <= set(rows[0]):
        raise DataError(f"{path}: expected the columns path and person")
    return {row["path"]: row["person"] for row in rows}
