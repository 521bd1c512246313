"""A folder of recordings, each written eight times: as it is and changed (`waveform.versions`)."""

import csv
import wave
from collections.abc import Callable
from pathlib import Path

import numpy as np

from ..errors import DataError
from ..media.read import is_media
from ..media.types import SAMPLE_RATE
from .recordings import samples as read_samples
from .waveform import versions


def write_versions(
    folder: Path, out: Path, seed: int = 0, progress: Callable[[float, float | None], None] | None = None
) -> int:
    """Write each recording of a folder eight times as `out/.../NAME-CHANGE.wav`, and `out/changes.csv` that lists all.

    Args:
        folder: its recordings, and those of folders in it; what has no sound is passed over.
        out: another folder, made if it is not there.
        seed: the same gives the same files.
        progress: called with the number of recordings done and of all.

    Returns:
        How many files were written.

    Raises:
        DataError: there is no such folder, it holds no recording, or `out` lies in it.
        MediaError: one cannot be read.
    """
    if not folder.is_dir():
        raise DataError(f"{folder}: there is no such folder")
    if out.resolve().is_relative_to(folder.resolve()):
        raise DataError(f"{out} lies in {folder}: expected a folder outside, so that nothing is changed twice")
    paths = [path for path in sorted(folder.rglob("*")) if path.is_file() and is_media(path)]
    if not paths:
        raise DataError(f"no recording in {folder}")
    out.mkdir(parents=True, exist_ok=True)
    written = 0
    with (out / "changes.csv").open("w", newline="", encoding="utf-8") as file:
        table = csv.writer(file)
        table.writerow(["path", "source", "snr_db", "rate", "semitones"])
        for i, path in enumerate(paths):
            source, sound = path.relative_to(folder), read_samples(path)
            for change, changed in versions(sound, seed + i) if sound.any() else ():
                target = source.with_name(f"{source.stem}-{change.name}.wav")
                _write(changed, out / target)
                table.writerow([target, source, change.snr_db, change.rate, change.semitones])
                written += 1
            if progress:
                progress(i + 1, len(paths))
    return written


def _write(samples: np.ndarray, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(SAMPLE_RATE)
        file.writeframes((np.clip(samples, -1, 1) * 32767).astype("<i2").tobytes())
