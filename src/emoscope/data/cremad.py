"""CREMA-D (Cao et al. 2014, doi:10.1109/TAFFC.2014.2336244): 91 actors, 12 sentences, six emotions, picture and sound.

Read from `DIR/cremad/`, or from `DIR` if that is the data set's own folder:

    logmel_SPLIT.npz     sound as log-mel pictures, packed; or
    AudioWAV/*.wav       the data set's own sound, from which the pictures are made; or
    AudioMP3/*.mp3       the same, compressed
    VideoFlash/*.flv     the data set's own clips, picture and sound
    sequences/*.npz      the faces of these clips (see `emoscope.data.clips`)

For 1057_IEO_ANG_HI and 1064_IEO_ANG_HI the packed log-mel is not the sound of the .flv.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np

from ..emotions import CREMAD, CREMAD_EMOTIONS
from ..errors import DataError
from ..voice.features import HOP, MELS, N_FFT, WINDOW_FRAMES, window_input
from .recordings import Recording, places, samples

Split = Literal["train", "validation", "test"]
SPLITS: tuple[Split, ...] = ("train", "validation", "test")

ACTORS = range(1001, 1092)
VALIDATION_ACTORS = frozenset({1015, 1020, 1021, 1030, 1050, 1070, 1079, 1089, 1090})
TEST_ACTORS = frozenset(
    {1010, 1013, 1022, 1026, 1037, 1038, 1040, 1045, 1047, 1048, 1059, 1065, 1066, 1068, 1071, 1073, 1084, 1086, 1088}
)
"""The protocol `tfds`: the speaker-disjoint split of TensorFlow Datasets' `crema_d`; the other 63 actors train."""

SOUNDS: dict[str, str] = {"AudioWAV": "*.wav", "AudioMP3": "*.mp3", "VideoFlash": "*.flv"}
"""The folders with sound, the best first, and the files in each."""

_SOUND_FOLDERS = f"{', '.join(list(SOUNDS)[:-1])} or {list(SOUNDS)[-1]}"
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
    for candidate in places(data_dir, "cremad"):
        parts = (*(candidate / name for name in SOUNDS), *candidate.glob("logmel_*.npz"))
        if any(part.exists() for part in parts):
            return candidate
    raise DataError(
        f"no CREMA-D in {data_dir}: expected {Path(data_dir) / 'cremad'} with logmel_SPLIT.npz, {_SOUND_FOLDERS}"
    )


def load_logmels(data_dir: str | Path, split: Split, progress: Callable[[int, int], None] | None = None) -> LogMels:
    """The sound of one split: the packed pictures where they are, else made from the first folder of `SOUNDS`.

    A file without any sound (upstream has one) is left out.

    Args:
        data_dir: the folder with `cremad/` in it, or that folder itself.
        split: `train`, `validation` or `test`, of the protocol `tfds`.
        progress: called with the number of clips done and of all, as pictures are made.

    Raises:
        DataError: the split is not there, or a file of it is not what it should be.
        MediaError: a file cannot be read.
    """
    if split not in SPLITS:
        raise DataError(f"no split is named {split!r}: expected one of {', '.join(SPLITS)}")
    root = folder(data_dir)
    packed = root / f"logmel_{split}.npz"
    if packed.exists():
        return _read_packed(packed, split)
    return _from_sound(root, split, progress)


def recordings(data_dir: str | Path) -> list[tuple[Clip, Recording]]:
    """The files with sound, of the first folder of `SOUNDS` that is there, by name.

    Raises:
        DataError: there are none, or a file has another name.
    """
    root = folder(data_dir)
    found = _recordings(root)
    if not found:
        raise DataError(f"no CREMA-D sound in {root}: expected {_SOUND_FOLDERS}")
    return found


def _recordings(root: Path) -> list[tuple[Clip, Recording]]:
    for name, pattern in SOUNDS.items():
        if paths := sorted((root / name).glob(pattern)):
            clips = [Clip.parse(path.stem) for path in paths]
            return [(c, Recording(p, c.emotion, str(c.actor))) for c, p in zip(clips, paths, strict=True)]
    return []


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


def _from_sound(root: Path, split: Split, progress: Callable[[int, int], None] | None) -> LogMels:
    found = [(clip, recording) for clip, recording in _recordings(root) if clip.split == split]
    if not found:
        raise DataError(
            f"no CREMA-D sound of the {split} split in {root}: expected logmel_{split}.npz, {_SOUND_FOLDERS}"
        )
    clips: list[Clip] = []
    pictures = np.zeros((len(found), WINDOW_FRAMES, MELS), np.uint8)
    frames: list[int] = []
    for done, (clip, recording) in enumerate(found, 1):
        sound = samples(recording.path)
        if sound.any():
            pictures[len(clips)] = np.round(window_input(sound) * 255)
            clips.append(clip)
            frames.append(sounding_frames(len(sound)))
        if progress:
            progress(done, len(found))
    labels = np.array([clip.label for clip in clips], np.int64)
    return LogMels(clips, pictures[: len(clips)], np.array(frames, np.int64), labels)


def sounding_frames(samples: int) -> int:
    """How many of a window's frames hold any of a sound of so many samples: the last ones only overlap it."""
    return min(WINDOW_FRAMES, samples // HOP + 1 + N_FFT // 2 // HOP)
