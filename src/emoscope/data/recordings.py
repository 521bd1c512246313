"""Labelled recordings of speech, whatever data set they are of: where each lies, what is acted in it, and by whom."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..errors import DataError
from ..media.read import open_media
from ..media.types import SAMPLE_RATE, Sound
from ..models import VoiceInput
from ..voice.features import LOG_MEL, MELS, WINDOW_FRAMES, window_input
from .tables import rows

LONGEST_S = 60.0
"""Seconds of a recording that are read: what follows is left out."""


@dataclass(frozen=True, slots=True)
class Recording:
    """One recording.

    Attributes:
        path: of a file with sound.
        emotion: its label, any word.
        person: anything that is the same for the same person.
    """

    path: Path
    emotion: str
    person: str


def places(data_dir: str | Path, name: str) -> tuple[Path, Path]:
    """Where a data set may lie: in the folder of its name, or in the given one itself."""
    return Path(data_dir) / name, Path(data_dir)


def by_name(paths: Iterable[Path], pattern: re.Pattern[str], emotions: Mapping[str, str]) -> list[Recording]:
    """Those files, in order, whose names a data set's pattern knows.

    Args:
        paths: any files.
        pattern: of the whole name, its ending included, with the groups `emotion` and `person`.
        emotions: what the first of them stands for; files of others are left out.
    """
    matches = ((path, pattern.fullmatch(path.name)) for path in sorted(paths))
    known = ((path, match["emotion"].lower(), match["person"]) for path, match in matches if match)
    return [Recording(path, emotions[code], person) for path, code, person in known if code in emotions]


def samples(path: Path) -> np.ndarray:
    """The first `LONGEST_S` seconds of a file: `(n,)` float32 mono in [-1, 1] at `media.SAMPLE_RATE`.

    Raises:
        MediaError: it cannot be read.
    """
    parts, length = [np.zeros(0, np.float32)], 0
    longest = int(LONGEST_S * SAMPLE_RATE)
    with open_media(path) as media:
        for item in media:
            if isinstance(item, Sound):
                parts.append(item.samples)
                length += len(item.samples)
            if length >= longest:
                break
    return np.concatenate(parts)[:longest]


def windows(recordings: Sequence[Recording], wanted: VoiceInput = LOG_MEL) -> np.ndarray:
    """The first window of each recording as a voice model takes it: see `voice.features.window_input`.

    Raises:
        MediaError: a file cannot be read.
    """
    return np.stack([window_input(samples(recording.path), wanted) for recording in recordings])


def log_mels(recordings: Sequence[Recording], progress: Callable[[int, int], None] | None = None) -> np.ndarray:
    """The first 3 s of each recording as `(n, 188, 128)` uint8 log-mels: see `voice.features`.

    Raises:
        MediaError: a file cannot be read.
    """
    pictures = np.zeros((len(recordings), WINDOW_FRAMES, MELS), np.uint8)
    for i, recording in enumerate(recordings):
        pictures[i] = np.round(window_input(samples(recording.path)) * 255)
        if progress:
            progress(i + 1, len(recordings))
    return pictures


def read_table(path: str | Path) -> list[Recording]:
    """The recordings that a csv lists: columns `path` (relative to the csv's folder), `label` (any word) and `person`.

    Raises:
        DataError: the table is missing, empty, lacks a column, or names a missing file.
    """
    table = Path(path)
    found = []
    for line, row in rows(table, ("path", "label", "person")):
        recording = Recording(table.parent / row["path"], row["label"], row["person"])
        if not recording.path.is_file():
            raise DataError(f"{table}, line {line}: there is no file {recording.path}")
        found.append(recording)
    return found
