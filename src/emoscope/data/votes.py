"""What CREMA-D's raters perceived: the votes of `tabulatedVotes.csv` (Cao et al. 2014, doi:10.1109/TAFFC.2014.2336244).

The file comes with the data set and may be compressed: `tabulatedVotes.csv` or `tabulatedVotes.csv.gz`, in the data
set's folder or in its `processedResults/`. About ten raters judged each clip by voice, by face, and by both.
"""

import csv
import gzip
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import numpy as np

from ..emotions import CREMAD, CREMAD_EMOTIONS, one_hot
from ..errors import DataError
from .cremad import Clip, folder

Channel = Literal["voice", "face", "both"]
CHANNELS: dict[Channel, str] = {"voice": "1", "face": "2", "both": "3"}
"""What the raters were given, and the first digit of the row's number that says so."""

_COLUMNS = [code[0] for code in CREMAD]  # A, D, F, H, N, S: in the order of CREMAD_EMOTIONS
_NAMES = ("tabulatedVotes.csv", "tabulatedVotes.csv.gz")


def votes(data_dir: str | Path, clips: Sequence[Clip], channel: Channel = "voice") -> np.ndarray:
    """How many raters heard (or saw) each emotion in each clip.

    Args:
        data_dir: the folder with `cremad/` in it, or that folder itself.
        clips: the `n` clips.
        channel: what the raters were given.

    Returns:
        `(n, 6)` int64, a column for each of `emotions.CREMAD_EMOTIONS`; all 0 where nobody judged the clip.

    Raises:
        DataError: the file is missing or is not that table.
    """
    path = _find(folder(data_dir))
    try:
        content = path.read_bytes()
        text = (gzip.decompress(content) if path.suffix == ".gz" else content).decode()
        counts = {
            row["fileName"]: [int(row[column]) for column in _COLUMNS]
            for row in csv.DictReader(text.splitlines())
            if row[""].startswith(CHANNELS[channel])
        }
    except (OSError, EOFError, KeyError, ValueError, TypeError, csv.Error) as error:
        raise DataError(f"{path} is not CREMA-D's table of votes: {error!r}") from None
    nobody = [0] * len(CREMAD_EMOTIONS)
    return np.array([counts.get(str(clip), nobody) for clip in clips], np.int64).reshape(len(clips), len(nobody))


def perceived(counts: np.ndarray) -> np.ndarray:
    """The emotion that most raters named: `(n,)` int64, -1 where two or more share the first place or nobody voted.

    Args:
        counts: `(n, classes)` votes.
    """
    ranked = np.sort(counts, axis=1)
    return np.where(ranked[:, -1] > ranked[:, -2], counts.argmax(1), -1)


def distribution(counts: np.ndarray, labels: np.ndarray, share: float) -> np.ndarray:
    """Targets between what was acted and what was perceived.

    Args:
        counts: `(n, classes)` votes.
        labels: `(n,)` the acted class.
        share: 0 for the acted class alone, 1 for the raters' distribution alone. A clip without votes keeps its acted
            class.

    Returns:
        `(n, classes)` float32, rows summing to 1.
    """
    acted = one_hot(labels, counts.shape[1])
    total = counts.sum(1, keepdims=True)
    heard = np.where(total > 0, counts / np.maximum(total, 1), acted)
    return ((1 - share) * acted + share * heard).astype(np.float32)


def _find(root: Path) -> Path:
    candidates = [place / name for place in (root, root / "processedResults") for name in _NAMES]
    for path in candidates:
        if path.exists():
            return path
    raise DataError(f"no raters' votes in {root}: expected {_NAMES[0]}, which comes with CREMA-D")
