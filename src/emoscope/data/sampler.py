"""Windows of faces for training and evaluation: random or covering, never across clips or persons, classes balanced."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from ..face.windows import FaceWindows

EARLY = 0.25
"""Share of the random windows that end before they can be full, as at the start of a stream."""
TEMPO = (0.85, 1.2)
"""Random windows are this much slower or faster."""


class Windows(NamedTuple):
    """Which faces of which clips make `n` windows.

    Attributes:
        clip: `(n,)` int64: each window's clip.
        slots: `(n, faces)` int64: the face of each slot, 0 where there is none.
        known: `(n, faces)` bool: whether there is one.
    """

    clip: np.ndarray
    slots: np.ndarray
    known: np.ndarray

    def gather(self, frames: Sequence[np.ndarray]) -> np.ndarray:
        """What stands in the slots, `(n, faces, ...)`: faces or features, 0 where there is none.

        Args:
            frames: of each clip, `(its faces, ...)`.
        """
        rows = [frames[clip][slots] for clip, slots in zip(self.clip, self.slots, strict=True)]
        gathered = np.stack(rows)
        gathered[~self.known] = 0
        return gathered


def covering_windows(times: Sequence[np.ndarray], plan: FaceWindows) -> Windows:
    """The windows that cover each clip, for evaluation.

    Args:
        times: of each clip's faces, `(its faces,)` seconds.
        plan: of the windows.
    """
    kept = [plan.kept(one) for one in times]
    ends = [plan.covering(one[rows]) for one, rows in zip(times, kept, strict=True)]
    drawn = [(clip, float(end), plan.dilation) for clip, some in enumerate(ends) for end in some]
    return _windows(plan, times, kept, drawn)


def random_windows(
    times: Sequence[np.ndarray],
    labels: Sequence[object] | np.ndarray,
    count: int,
    plan: FaceWindows,
    random: np.random.Generator,
) -> Windows:
    """Random windows for training: as many of each class, as many of each of its clips, as can be.

    Args:
        times: of each clip's faces, `(its faces,)` seconds.
        labels: the class of each clip.
        count: windows in all.
        plan: of the windows.
        random: where chance comes from.
    """
    chosen = balanced_order(labels, count, random)
    kept = [plan.kept(one) for one in times]
    drawn = [(int(clip), *_draw(times[clip][kept[clip]], plan, random)) for clip in chosen]
    return _windows(plan, times, kept, drawn)


def balanced_order(labels: Sequence[object] | np.ndarray, count: int, random: np.random.Generator) -> np.ndarray:
    """`count` samples in an order in which the classes come in turn, so that every batch is balanced.

    Args:
        labels: the class of each sample.
        count: how many to draw; a class that is used up begins anew, in another order.
        random: where chance comes from.

    Returns:
        `(count,)` int64: indices of samples.
    """
    names = sorted({str(label) for label in labels})
    members = [np.flatnonzero([str(label) == name for label in labels]) for name in names]
    rounds = -(-count // len(names))
    columns = []
    for member in members:
        again = [random.permutation(member) for _ in range(-(-rounds // len(member)))]
        columns.append(np.concatenate(again)[:rounds])
    turns = [random.permutation(turn) for turn in np.stack(columns, 1)]
    return np.concatenate(turns)[:count]


def _draw(times: np.ndarray, plan: FaceWindows, random: np.random.Generator) -> tuple[float, float]:
    """The end and the dilation of a random window."""
    dilation = plan.dilation * random.uniform(*TEMPO)
    full = float(times[0]) + (plan.faces - 1) * dilation
    earliest = float(times[0]) if random.random() < EARLY else min(full, float(times[-1]))
    end = random.uniform(earliest, float(times[-1]))
    return float(times[int(abs(times - end).argmin())]), dilation


def _windows(
    plan: FaceWindows,
    times: Sequence[np.ndarray],
    kept: Sequence[np.ndarray],
    drawn: Sequence[tuple[int, float, float]],
) -> Windows:
    """The windows of clips, ends and dilations, over the faces that are kept of each clip."""
    index = np.zeros((len(drawn), plan.faces), np.int64)
    known = np.zeros((len(drawn), plan.faces), bool)
    for row, (clip, end, dilation) in enumerate(drawn):
        found, known[row] = plan.window(times[clip][kept[clip]], end, dilation)
        index[row] = np.where(known[row], kept[clip][found], 0)
    return Windows(np.array([clip for clip, _, _ in drawn], np.int64), index, known)
