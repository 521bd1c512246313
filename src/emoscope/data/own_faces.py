"""Faces of one's own in folders: `DATA/LABEL/*.jpg`, and who is in each picture if a csv says so."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..errors import DataError, MediaError
from ..face.crop import FERPLUS, SIDE, TEMPLATE, crop_faces
from ..face.detect import Detector, smallest_face
from ..face.upright import UprightDetector
from ..media import Frame, open_media
from ..models import FaceInput
from .tables import rows

PICTURES = (".bmp", ".jpeg", ".jpg", ".png", ".webp")
PERSONS = "persons.csv"
"""Columns `path`, relative to the folder, and `person`. Without it, every picture counts as a person of its own; with
it, it names every picture."""


@dataclass(frozen=True)
class OwnFaces:
    """Faces that were found.

    Attributes:
        images: uint8, cut as was wanted: see `face.crop.crop_faces`.
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


def load(
    folder: str | Path,
    wanted: FaceInput = FERPLUS,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> OwnFaces:
    """The largest face of each picture; a picture as small as a face of FER+, 48x48, is taken for one.

    Args:
        folder: with a folder for each label.
        wanted: how the faces are cut.
        progress: called with the number of pictures done and of all.

    Raises:
        DataError: there are no pictures with faces, a picture cannot be read, or the csv is not what it should be.
    """
    root = Path(folder)
    pictures = _pictures(root)
    persons = _persons(root)
    if persons and (left := [path for path in pictures if path.relative_to(root).as_posix() not in persons]):
        raise DataError(f"{root / PERSONS}: who is in {left[0].relative_to(root).as_posix()}? Expected every picture")
    crops, kept, without = [], [], []
    for place, path in enumerate(pictures):
        image = _pixels(path)
        landmarks = _landmarks(image)
        if len(landmarks):
            crops.append(crop_faces(image, landmarks, wanted)[0])
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


def _landmarks(image: np.ndarray) -> np.ndarray:
    """Those of the largest face, `(1, 5, 2)`, or none, `(0, 5, 2)`."""
    if image.shape[:2] == (SIDE, SIDE):
        return TEMPLATE[None]
    faces = UprightDetector(Detector(min_face=smallest_face(image))).detect(image)
    largest = np.argsort(-faces.boxes[:, 2] * faces.boxes[:, 3])[:1]
    return faces.landmarks[largest]


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
    return {row["path"]: row["person"] for _, row in rows(path, ("path", "person"))}
