"""Labelled clips as sequences of faces: made once from video, kept as one small file a clip, read for training.

OUT/NAME.npz      the faces of a clip, their times, its sound as log-mel, its label
OUT/clips.csv     what was found in each clip
OUT/preview.mp4   the sequences as they will be seen, to look at before training
"""

import csv
import zipfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..errors import DataError
from ..face.crop import SIDE
from ..media import is_media
from ..voice.features import MELS
from . import cremad, ravdess
from .folds import person_folds
from .tables import rows


@dataclass(frozen=True, slots=True)
class Source:
    """A clip that is yet to be prepared.

    Attributes:
        path: of the video.
        name: of the file that it becomes.
        label: any word.
        person: who is in it: clips of one person are never in two folds.
        split: the part of the data set that the person is in, if it has parts.
    """

    path: Path
    name: str
    label: str
    person: str
    split: cremad.Split = "train"


@dataclass(frozen=True, slots=True)
class FaceClip:
    """The face of one person over a clip.

    Attributes:
        name: of the clip.
        label: of the clip, any word.
        person: who it is.
        faces: `(n, 48, 48)` uint8 grey, steady (see `face.steady`).
        times: `(n,)` float64 seconds from the clip's start, ascending.
        landmarks: `(n, 5, 2)` float32 pixels of the video's frame, as they were found.
        logmel: `(m, 128)` uint8, the clip's sound every 16 ms (see `voice.features`); no rows where there is none.
        unseen: frames without the face.
        skipped: frames and packets that did not decode.
    """

    name: str
    label: str
    person: str
    faces: np.ndarray
    times: np.ndarray
    landmarks: np.ndarray
    logmel: np.ndarray
    unseen: int
    skipped: int

    def write(self, path: Path) -> None:
        """Write it beside, then rename: an interruption leaves no half file."""
        partial = path.with_suffix(".partial")
        with partial.open("wb") as file:
            np.savez_compressed(
                file,
                **{field: getattr(self, field) for field in self.__slots__},
            )
        partial.replace(path)

    @classmethod
    def read(cls, path: Path) -> "FaceClip":
        """Read a prepared clip.

        Raises:
            DataError: the file is no prepared clip.
        """
        try:
            with np.load(path) as arrays:
                clip = cls(
                    name=str(arrays["name"]),
                    label=str(arrays["label"]),
                    person=str(arrays["person"]),
                    faces=arrays["faces"],
                    times=arrays["times"],
                    landmarks=arrays["landmarks"],
                    logmel=arrays["logmel"],
                    unseen=int(arrays["unseen"]),
                    skipped=int(arrays["skipped"]),
                )
        except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
            raise DataError(f"{path} is not a prepared clip: {error}; delete it and prepare again") from None
        n = len(clip.times)
        shapes = clip.faces.shape == (n, SIDE, SIDE) and clip.landmarks.shape == (n, 5, 2)
        if not shapes or clip.faces.dtype != np.uint8 or clip.logmel.shape[1:] != (MELS,):
            expected = f"uint8 ({n}, {SIDE}, {SIDE})"
            raise DataError(f"{path}: expected faces {expected} got {clip.faces.shape}")
        return clip


def cremad_sources(data_dir: str | Path) -> list[Source]:
    """CREMA-D's clips, `cremad/VideoFlash/*.flv`, labelled by what was acted.

    Raises:
        DataError: there are none.
    """
    return [_cremad_source(clip, path) for clip, path in cremad.video_clips(data_dir)]


def _cremad_source(clip: cremad.Clip, path: Path) -> Source:
    return Source(path, str(clip), clip.emotion, str(clip.actor), clip.split)


def labelled_sources(folder: Path, labels: Path | None = None) -> list[Source]:
    """The clips of a folder with their labels.

    Args:
        folder: the clips, RAVDESS's folders `Actor_NN/`, or a folder that holds `cremad/`.
        labels: a csv with the columns `path` (from `folder`), `label` and `person`; without one, the files must have
            the names that they have in CREMA-D or in RAVDESS.

    Raises:
        DataError: the csv or a clip is missing, a cell is empty, or nothing is there.
    """
    if labels is not None:
        return [_source(folder, labels, line, row) for line, row in rows(labels, ("path", "label", "person"))]
    paths = sorted(p for p in folder.glob("*") if is_media(p)) if folder.is_dir() else []
    if paths:
        return [_cremad_source(cremad.Clip.parse(path.stem), path) for path in paths]
    if videos := ravdess.videos(folder):
        return [Source(video.path, video.path.stem, video.emotion, video.person) for video in videos]
    return cremad_sources(folder)


def _source(folder: Path, labels: Path, line: int, row: dict[str, str]) -> Source:
    path = folder / row["path"]
    if not path.is_file():
        raise DataError(f"{labels}, line {line}: there is no clip {path}")
    name = "-".join(part for part in Path(row["path"]).with_suffix("").parts if part not in ("/", ".", ".."))
    return Source(path, name, row["label"], row["person"])


def load(folder: str | Path) -> list[FaceClip]:
    """The prepared clips of a folder, by name.

    Raises:
        DataError: there are none, or one is damaged.
    """
    paths = sorted(Path(folder).glob("*.npz"))
    if not paths:
        raise DataError(f"no prepared clips in {folder}: make them with `emoscope prepare CLIPS --out {folder}`")
    return [FaceClip.read(path) for path in paths]


OWN_FOLDS = 5
"""One person in so many of one's own clips validates; the others train."""


def own_clips(data_dir: str | Path, split: str) -> list[FaceClip]:
    """The prepared clips in `data_dir/sequences` of a split: every fifth person validates, the others train; `test` is
    all of them.

    Raises:
        DataError: there are none, or, to train and validate on, they are of fewer than five persons.
    """
    clips = load(Path(data_dir) / "sequences")
    everybody = {clip.person for clip in clips}
    if split != "test" and len(everybody) < OWN_FOLDS:
        raise DataError(
            f"the clips show {len(everybody)} persons; expected at least {OWN_FOLDS}, to validate on others"
        )
    if split == "test":
        return clips
    folds = person_folds([clip.person for clip in clips], OWN_FOLDS)
    return [clip for clip, fold in zip(clips, folds, strict=True) if (fold == 0) == (split == "validation")]


def write_table(clips: Iterable[FaceClip], path: Path) -> None:
    """Write what was found in each clip, a row each."""
    with path.open("w", newline="", encoding="utf-8") as file:
        table = csv.writer(file)
        table.writerow(["clip", "label", "person", "faces", "seconds", "frames_without_face", "frames_not_decoded"])
        for c in clips:
            seconds = f"{c.times[-1] - c.times[0]:.2f}"
            table.writerow([c.name, c.label, c.person, len(c.times), seconds, c.unseen, c.skipped])
