"""nEMO (Christop 2024, arXiv:2404.06292): Polish, nine actors, everyday sentences, six emotions.

Read from `DIR/nemo/`, or from `DIR` if that is the data set's own folder: `*.wav` or `*.ogg`, there or in folders. A
name is actor, emotion and sentence: `EB0_anger_1`. The data set may not be used commercially (CC BY-NC-SA 4.0): it
measures the models that are used by default and trains none of them.
"""

import re
from pathlib import Path

from ..errors import DataError
from .recordings import Recording, by_name, places

EMOTIONS: dict[str, str] = {
    "anger": "anger",
    "fear": "fear",
    "happiness": "happiness",
    "neutral": "neutral",
    "sadness": "sadness",
    "surprised": "surprise",
}
"""The second part of a file's name, and what it stands for."""

_NAME = re.compile(r"(?P<person>[A-Z]{2}\d)_(?P<emotion>[a-z]+)_\d+\.(wav|ogg)")


def recordings(data_dir: str | Path) -> list[Recording]:
    """The recordings, by name; the person is the actor.

    Raises:
        DataError: there are none.
    """
    for root in places(data_dir, "nemo"):
        if found := by_name(root.rglob("*"), _NAME, EMOTIONS):
            return found
    raise DataError(f"no nEMO in {data_dir}: expected nemo/ with files named like EB0_anger_1.wav or .ogg")
