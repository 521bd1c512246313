"""RAVDESS speech (Livingstone and Russo 2018, doi:10.1371/journal.pone.0196391): 24 actors, two statements.

Read from `DIR/ravdess/`, or from `DIR` if that is the data set's own folder: `Actor_NN/*.wav` or `*.flac`, and the
videos `Actor_NN/01-01-*.mp4`. The data set may not be used commercially (CC BY-NC-SA 4.0): it measures the models that
are shipped and trains none of them.
"""

import re
from pathlib import Path

from ..errors import DataError
from .recordings import Recording

EMOTIONS: dict[str, str] = {
    "01": "neutral",
    "03": "happiness",
    "04": "sadness",
    "05": "anger",
    "06": "fear",
    "07": "disgust",
    "08": "surprise",
}
"""The third number of a file's name, and what it stands for; `02`, calm, has no counterpart and is left out."""

# modality (01: picture and sound, 03: sound alone), channel (01: speech), emotion, intensity, statement, repetition,
# actor
_SPOKEN = r"-01-(\d\d)-\d\d-\d\d-\d\d-(\d\d)"
_NAME, _VIDEO = re.compile("03" + _SPOKEN), re.compile("01" + _SPOKEN)
_SOUNDS = (".wav", ".flac")


def recordings(data_dir: str | Path) -> list[Recording]:
    """The spoken recordings, by actor and name; the speaker is the actor's number.

    Raises:
        DataError: there are none.
    """
    for root in (Path(data_dir) / "ravdess", Path(data_dir)):
        paths = [path for path in sorted(root.glob("Actor_*/*")) if path.suffix in _SOUNDS]
        found = [(path, match) for path in paths if (match := _NAME.fullmatch(path.stem)) and match[1] in EMOTIONS]
        if found:
            return [Recording(path, EMOTIONS[match[1]], match[2]) for path, match in found]
    raise DataError(f"no RAVDESS speech in {data_dir}: expected ravdess/Actor_NN/03-01-...-NN.wav or .flac")


def videos(folder: Path) -> list[Recording]:
    """The spoken videos of a folder's `Actor_NN/`, by actor and name; none where there are none."""
    paths = sorted(folder.glob("Actor_*/*.mp4"))
    found = [(path, match) for path in paths if (match := _VIDEO.fullmatch(path.stem)) and match[1] in EMOTIONS]
    return [Recording(path, EMOTIONS[match[1]], match[2]) for path, match in found]
