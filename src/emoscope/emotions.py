"""The label sets and the maps between them: the one place where a class has an index."""

from collections.abc import Sequence

import numpy as np

EMOTIONS: tuple[str, ...] = ("neutral", "happiness", "surprise", "sadness", "anger", "disgust", "fear", "contempt")
"""The eight emotions of every `Observation`, in the order of FER+ (Barsoum et al. 2016, arXiv:1608.01041)."""

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


def columns(labels: Sequence[str]) -> list[int]:
    """Return the index in `EMOTIONS` of each label.

    Raises:
        ValueError: a label is none of the eight.
    """
    return [EMOTIONS.index(label) for label in labels]


def expand(scores: np.ndarray, labels: Sequence[str]) -> np.ndarray:
    """Spread scores over a model's own labels to the eight emotions.

    Args:
        scores: `(..., k)`, one column per label.
        labels: the `k` emotions that the columns stand for.

    Returns:
        `(..., 8)` float32, 0 for the emotions that the model cannot say.
    """
    if scores.shape[-1] != len(labels):
        raise ValueError(f"expected {len(labels)} scores for the labels {tuple(labels)}, got shape {scores.shape}")
    full = np.zeros((*scores.shape[:-1], len(EMOTIONS)), np.float32)
    full[..., columns(labels)] = scores
    return full
