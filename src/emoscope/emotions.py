"""The label sets and the maps between them: the one place where a class has an index."""

from collections.abc import Sequence

import numpy as np

EMOTIONS: tuple[str, ...] = ("neutral", "happiness", "surprise", "sadness", "anger", "disgust", "fear", "contempt")
"""The emotions of a timeline unless its models say others, in the order of FER+ (Barsoum et al. 2016,
arXiv:1608.01041)."""

CREMAD: dict[str, str] = {
    "ANG": "anger",
    "DIS": "disgust",
    "FEA": "fear",
    "HAP": "happiness",
    "NEU": "neutral",
    "SAD": "sadness",
}
"""CREMA-D's file-name codes (Cao et al. 2014) and the emotion that each stands for."""

CREMAD_EMOTIONS: tuple[str, ...] = tuple(CREMAD.values())
"""The six emotions of CREMA-D, in alphabetical order: the class order of models trained on it."""


def columns(labels: Sequence[str], among: Sequence[str] = EMOTIONS) -> list[int]:
    """Return the index of each label among others.

    Raises:
        ValueError: a label is none of them.
    """
    return [tuple(among).index(label) for label in labels]


def expand(scores: np.ndarray, labels: Sequence[str], onto: Sequence[str] = EMOTIONS) -> np.ndarray:
    """Spread scores over a model's own labels to those of a timeline.

    Args:
        scores: `(..., k)`, one column per label.
        labels: the `k` emotions that the columns stand for.
        onto: the `m` labels of the timeline.

    Returns:
        `(..., m)` of the same type, 0 for what the model cannot say.
    """
    if scores.shape[-1] != len(labels):
        raise ValueError(f"expected {len(labels)} scores for the labels {tuple(labels)}, got shape {scores.shape}")
    full = np.zeros((*scores.shape[:-1], len(onto)), scores.dtype)
    full[..., columns(labels, onto)] = scores
    return full


def joined(*label_sets: Sequence[str]) -> tuple[str, ...]:
    """The labels of a timeline that several models write to: all `EMOTIONS` if one of them occurs, then the others."""
    found = dict.fromkeys(label for labels in label_sets for label in labels)
    known = EMOTIONS if any(label in EMOTIONS for label in found) else ()
    return (*known, *(label for label in found if label not in EMOTIONS))


def one_hot(index: np.ndarray, classes: int) -> np.ndarray:
    """Distributions that are sure of one class each: `(n, classes)` float32 from `(n,)` indices."""
    return np.eye(classes, dtype=np.float32)[index]
