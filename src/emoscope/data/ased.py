"""ASED (Retta et al. 2022, arXiv:2201.02710): Amharic, 65 speakers, five emotions that eight judges agreed on.

Read from `DIR/ased/`, or from `DIR` if that is the data set's own folder: `*.wav` or `*.ogg`, there or in folders. A
name is the emotion's letter and number, sentence, repetition, sex and speaker: `a5-01-01-01-03`. The data set states no
licence: it measures the models that are used by default and trains none of them.
"""

import re
from pathlib import Path

from ..errors import DataError
from .recordings import Recording, by_name, places

EMOTIONS: dict[str, str] = {"n": "neutral", "f": "fear", "h": "happiness", "s": "sadness", "a": "anger"}
"""The first letter of a file's name, and what it stands for."""

_NAME = re.compile(r"(?P<emotion>[nfhsa])\d-\d\d-\d\d-\d\d-(?P<person>\d\d)\.(?-i:wav|ogg)", re.IGNORECASE)


def recordings(data_dir: str | Path) -> list[Recording]:
    """The recordings, by name; the person is the speaker's number.

    Raises:
        DataError: there are none.
    """
    for root in places(data_dir, "ased"):
        if found := by_name(root.rglob("*"), _NAME, EMOTIONS):
            return found
    raise DataError(f"no ASED in {data_dir}: expected ased/ with files named like a5-01-01-01-03.wav or .ogg")
