"""RAVDESS speech (Livingstone and Russo 2018, doi:10.1371/journal.pone.0196391): 24 actors, two statements.

Read from `DIR/ravdess/`, or from `DIR` if that is the data set's own folder: `Actor_NN/*.wav` or `*.flac`, and the
videos `Actor_NN/01-01-*.mp4`. The data set may not be used commercially (CC BY-NC-SA 4.0): it measures the models that
are shipped and trains none of them.
"""

import re
from pathlib import Path

from ..errors import DataError
from .recordings import Recording, by_name, places

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
_SPOKEN = r"-01-(?P<emotion>\d\d)-\d\d-\d\d-\d\d-(?P<person>\d\d)"
_SOUND, _VIDEO = re.compile(rf"03{_SPOKEN}\.(wav|flac)"), re.compile(rf"01{_SPOKEN}\.mp4")


def recordings(data_dir: str | Path) -> list[Recording]:
    """The spoken recordings, by actor and name; the speaker is the actor's number.

    Raises:
        DataError: there are none.
    """
    for root in places(data_dir, "ravdess"):
        if found := by_name(root.glob("Actor_*/*"), _SOUND, EMOTIONS):
            return found
    raise DataError(f"no RAVDESS speech in {data_dir}: expected ravdess/Actor_NN/03-01-...-NN.wav or .flac")


def videos(folder: Path) -> list[Recording]:
    """The spoken videos of a folder's `Actor_NN/`, by actor and name; none where there are none."""
    return by_name(folder.glob("Actor_*/*"), _VIDEO, EMOTIONS)
