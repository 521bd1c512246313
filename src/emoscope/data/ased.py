"""ASED (Retta et al. 2022, arXiv:2201.02710): Amharic, 65 speakers, five emotions that eight judges agreed on.

Read from `DIR/ased/`, or from `DIR` if that is the data set's own folder: `*.wav` or `*.ogg`, there or in folders. A
name is the emotion's letter and number, sentence, repetition, sex and speaker: `a5-01-01-01-03`. The data set states no
licence: it measures the models that are used by default and trains none of them.
"""

import re
from pathlib import Path

from ..errors import DataError
from .recordings import Recording

EMOTIONS: dict[str, str] = {"n": "neutral", "f": "fear", "h": "happiness", "s": "sadness", "a": "anger"}
"""The first letter of a file's name, and what it stands for."""

_NAME = re.compile(r"([nfhsa])\d-\d\d-\d\d-\d\d-(\d\d)", re.IGNORECASE)
_SOUNDS = (".wav", ".ogg")


def recordings(data_dir: str | Path) -> list[Recording]:
    """The recordings, by name; the person is the speaker's number.

    Raises:
        DataError: there are none.
    """
    for root in (Path(data_dir) / "ased", Path(data_dir)):
        paths = [path for path in sorted(root.rglob("*")) if path.suffix in _SOUNDS]
        found = [(path, match) for path in paths if (match := _NAME.fullmatch(path.stem))]
        if found:
            return [Recording(path, EMOTIONS[match[1].lower()], match[2]) for path, match in found]
    raise DataError(f"no ASED in {data_dir}: expected ased/ with files named like a5-01-01-01-03.wav or .ogg")
