"""CREMA-D (Cao et al. 2014, doi:10.1109/TAFFC.2014.2336244): 91 actors, 12 sentences, six emotions, picture and sound.

Read from `DIR/cremad/`, or from `DIR` if that is the data set's own folder:

    logmel_SPLIT.npz     sound as log-mel pictures, packed; or
    AudioWAV/*.wav       the data set's own sound, from which the pictures are made
    VideoFlash/*.flv     the data set's own clips, picture and sound
    sequences/*.npz      the faces of these clips (see `emoscope.data.clips`)
    tabulatedVotes.csv   what raters perceived

For 1057_IEO_ANG_HI and 1064_IEO_ANG_HI the packed log-mel is not the sound of the .flv.
"""

import csv
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np

from ..emotions import CREMAD, CREMAD_EMOTIONS
from ..errors import DataError
from ..media.read import open_media
from ..media.types import Sound
from ..voice.features import HOP, MELS, N_FFT, WINDOW_FRAMES, window_input

Split = Literal["train", "validation", "test"]
SPLITS: tuple[Split, ...] = ("train", "validation", "test")

ACTORS = range(1001, 1092)
VALIDATION_ACTORS = frozenset({1015, 1020, 1021, 1030, 1050, 1070, 1079, 1089, 1090})
TEST_ACTORS = frozenset(
    {1010, 1013, 1022, 1026, 1037, 1038, 1040, 1045, 1047, 1048, 1059, 1065, 1066, 1068, 1071, 1073, 1084, 1086, 1088}
)
"""The protocol `tfds`: the speaker-disjoint split of TensorFlow Datasets' `crema_d`; the other 63 actors train."""

_NAME = re.compile(r"(\d{4})_([A-Z]{3})_([A-Z]{3})_(LO|MD|HI|XX?)")


@dataclass(frozen=True, slots=True)
class Clip:
    """One clip, by what its file name says.

    Attributes:
        actor: 1001 to 1091.
        sentence: three letters, such as `IEO` ("It's eleven o'clock").
        code: the emotion that was acted, a key of `emotions.CREMAD`.
        level: `LO`, `MD`, `HI`, or `XX` where none was asked for.
    """

    actor: int
    sentence: str
    code: str
    level: str

    @property
    def emotion(self) -> str:
        """The emotion that was acted, one of `emotions.CREMAD_EMOTIONS`."""
        return CREMAD[self.code]

    @property
    def label(self) -> int:
        """The index of `emotion` in `emotions.CREMAD_EMOTIONS`."""
        return CREMAD_EMOTIONS.index(self.emotion)

    @property
    def split(self) -> Split:
        """The split that the actor is in."""
        return split_of(self.actor)

    def __str__(self) -> str:
        return f"{self.actor}_{self.sentence}_{self.code}_{self.level}"

    @classmethod
    def parse(cls, name: str) -> "Clip":
        """Read a file name without its ending, such as `1001_DFA_ANG_XX`.

        Raises:
            DataError: it is not the name of a CREMA-D clip.
        """
        match = _NAME.fullmatch(name)
        if match is None or int(match[1]) not in ACTORS or match[3] not in CREMAD:
            raise DataError(f"{name!r} is not the name of a CREMA-D clip: expected one like '1001_DFA_ANG_XX'")
        level = "XX" if match[4] == "X" else match[4]  # one file upstream is named 1040_ITH_SAD_X
        return cls(int(match[1]), match[2], match[3], level)


class LogMels(NamedTuple):
    """The sound of `n` clips as log-mel pictures (see `emoscope.voice.features`).

    Attributes:
        clips: the `n` clips.
        logmel: `(n, 188, 128)` uint8, time first; 255 is the loudest point of the clip.
        frames: `(n,)` int64: how many of the 188 frames hold sound; after them all is 0.
        labels: `(n,)` int64: index in `emotions.CREMAD_EMOTIONS`.
    """

    clips: list[Clip]
    logmel: np.ndarray
    frames: np.ndarray
    labels: np.ndarray


def split_of(actor: int) -> Split:
    """The split of the protocol `tfds` that an actor is in."""
    if actor in VALIDATION_ACTORS:
        return "validation"
    return "test" if actor in TEST_ACTORS else "train"


def folder(data_dir: str | Path) -> Path:
    """The folder of the data set: `data_dir/cremad` or `data_dir` itself.

    Raises:
        DataError: neither holds any part of it.
    """
    for candidate in (Path(data_dir) / "cremad", Path(data_dir)):
        parts = (candidate / "AudioWAV", candidate / "VideoFlash", *candidate.glob("logmel_*.npz"))
        if any(part.exists() for part in parts):
            return candidate
    raise DataError(
        f"no CREMA-D in {data_dir}: expected {Path(data_dir) / 'cremad'} with logmel_SPLIT.npz, AudioWAV or VideoFlash"
    )


def load_logmels(data_dir: str | Path, split: Split, progress: Callable[[int, int], None] | None = None) -> LogMels:
    """The sound of one split: the packed pictures where they are, else made from `AudioWAV`, in a minute or two.

    A file without any sound (upstream has one) is left out.

    Args:
        data_dir: the folder with `cremad/` in it, or that folder itself.
        split: `train`, `validation` or `test`, of the protocol `tfds`.
        progress: called with the number of clips done and of all, as pictures are made.

    Raises:
        DataError: the split is not there, or a file of it is not what it should be.
        MediaError: a file of `AudioWAV` cannot be read.
    """
    if split not in SPLITS:
        raise DataError(f"no split is named {split!r}: expected one of {', '.join(SPLITS)}")
    root = folder(data_dir)
    packed = root / f"logmel_{split}.npz"
    if packed.exists():
        return _read_packed(packed, split)
    return _from_wav(root / "AudioWAV", split, progress)


def face_votes(data_dir: str | Path) -> dict[str, np.ndarray]:
    """What people saw who watched the clips without their sound, from `tabulatedVotes.csv`; empty without that file.

    Returns:
        For each clip by its name, the share `(6,)` of the votes for each of `emotions.CREMAD_EMOTIONS`, summing to 1.

    Raises:
        DataError: the file is not CREMA-D's.
    """
    path = folder(data_dir) / "tabulatedVotes.csv"
    if not path.exists():
        return {}
    shares: dict[str, np.ndarray] = {}
    try:
        with path.open(newline="", encoding="utf-8") as file:
            for row in csv.DictReader(file):
                if row[""].startswith(FACE_ONLY):
                    votes = np.array([float(row[code[0]]) for code in CREMAD], np.float32)
                    shares[row["fileName"]] = votes / max(1.0, float(votes.sum()))
    except (KeyError, ValueError, csv.Error) as error:
        raise DataError(f"{path} is not CREMA-D's table of votes: {error!r}") from None
    return {name: share for name, share in shares.items() if share.sum() > 0}


FACE_ONLY = "2"
"""How the row names of the votes begin that were given by the picture alone."""


def video_clips(data_dir: str | Path) -> list[tuple[Clip, Path]]:
    """The clips with a picture, `VideoFlash/*.flv`, by name.

    Raises:
        DataError: there are none, or a file has another name.
    """
    root = folder(data_dir)
    paths = sorted((root / "VideoFlash").glob("*.flv"))
    if not paths:
        raise DataError(f"no CREMA-D video in {root}: expected VideoFlash/*.flv")
    return [(Clip.parse(path.stem), path) for path in paths]


def _read_packed(path: Path, split: Split) -> LogMels:
    try:
        with np.load(path) as arrays:
            names, logmel, frames = arrays["clip"], arrays["logmel"], arrays["frames"]
    except (OSError, ValueError, KeyError, EOFError) as error:
        raise DataError(f"{path} is not a packed CREMA-D split: {error}") from None
    if logmel.dtype != np.uint8 or logmel.shape != (len(names), WINDOW_FRAMES, MELS) or frames.shape != names.shape:
        expected = f"uint8 ({len(names)}, {WINDOW_FRAMES}, {MELS})"
        raise DataError(f"{path}: expected logmel {expected}, got {logmel.dtype} {logmel.shape}")
    clips = [Clip.parse(str(name)) for name in names]
    strangers = sorted({clip.actor for clip in clips if clip.split != split})
    if strangers:
        raise DataError(f"{path}: actors {', '.join(map(str, strangers))} are not of the {split} split")
    return LogMels(clips, logmel, frames.astype(np.int64), np.array([clip.label for clip in clips], np.int64))


def _from_wav(wavs: Path, split: Split, progress: Callable[[int, int], None] | None) -> LogMels:
    paths = [path for path in sorted(wavs.glob("*.wav")) if Clip.parse(path.stem).split == split]
    if not paths:
        raise DataError(
            f"no CREMA-D sound of the {split} split in {wavs.parent}: expected logmel_{split}.npz or AudioWAV/*.wav"
        )
    clips: list[Clip] = []
    pictures = np.zeros((len(paths), WINDOW_FRAMES, MELS), np.uint8)
    frames: list[int] = []
    for done, path in enumerate(paths, 1):
        sound = _sound(path)
        if sound.any():
            pictures[len(clips)] = np.round(window_input(sound) * 255)
            clips.append(Clip.parse(path.stem))
            frames.append(sounding_frames(len(sound)))
        if progress:
            progress(done, len(paths))
    labels = np.array([clip.label for clip in clips], np.int64)
    return LogMels(clips, pictures[: len(clips)], np.array(frames, np.int64), labels)


def sounding_frames(samples: int) -> int:
    """How many of a window's frames hold any of a sound of so many samples: the last ones only overlap it."""
    return min(WINDOW_FRAMES, samples // HOP + 1 + N_FFT // 2 // HOP)


def _sound(path: Path) -> np.ndarray:
    with open_media(path) as media:
        parts = [item.samples for item in media if isinstance(item, Sound)]
    return np.concatenate(parts or [np.zeros(0, np.float32)])
