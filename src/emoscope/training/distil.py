"""Distillation: a network learns what others say, beside what is true (Hinton et al. 2015, arXiv:1503.02531)."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from ..calibration import probabilities as calibrated
from ..errors import EmoscopeError
from ..models import Model
from .evaluate import logits
from .loop import Samples

SHARE = 0.7
"""How much of a target is the teachers'; the rest is the recipe's own."""


def probabilities(models: Sequence[Model], inputs: np.ndarray) -> np.ndarray:
    """The mean of the models' calibrated probabilities.

    Args:
        models: with the same labels.
        inputs: as `evaluate.logits` takes them.

    Returns:
        `(n, labels)` float32.
    """
    each = [calibrated(logits(model, inputs), model.card.temperature) for model in models]
    return np.mean(each, axis=0).astype(np.float32)


def distilled(samples: Samples, teachers: Sequence[Path], labels: tuple[str, ...]) -> Samples:
    """The samples with a share of each target, `SHARE` unless they say another, replaced by what the teachers say.

    Args:
        samples: what the recipe trains on.
        teachers: `.onnx` files with their cards beside them.
        labels: of the recipe.

    Raises:
        ModelError: a teacher cannot be read.
        EmoscopeError: it has other labels.
    """
    models = [Model(path) for path in teachers]
    for model in models:
        if model.card.labels != labels:
            raise EmoscopeError(f"{model.path} says {', '.join(model.card.labels)}; expected {', '.join(labels)}")
    said = probabilities(models, samples.inputs)
    share = np.float32(SHARE) if samples.taught is None else samples.taught[:, None]
    return replace(samples, targets=(1 - share) * samples.targets + share * said)


def together(*parts: Samples) -> Samples:
    """All samples of several."""
    taught = [np.full(len(part.inputs), SHARE, np.float32) if part.taught is None else part.taught for part in parts]
    return Samples(
        inputs=np.concatenate([part.inputs for part in parts]),
        targets=np.concatenate([part.targets for part in parts]),
        labels=np.concatenate([part.labels for part in parts]),
        taught=np.concatenate(taught),
    )
