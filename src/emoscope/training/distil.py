"""Distillation: a network learns what others say, beside what is true (Hinton et al. 2015, arXiv:1503.02531)."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from ..calibration import probabilities as calibrated
from ..errors import EmoscopeError
from ..models import Model
from .evaluate import logits
from .loop import Augment, Samples

SHARE = 0.7
"""How much of a target is the teachers'; the rest is the recipe's own."""

AS_THEY_ARE = 1 / 3
"""Share of the samples drawn that are unchanged, where there are views."""
VIEWS_AT_ONCE = 512


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


def views(samples: Samples, augment: Augment, count: int, seed: int = 0) -> Samples:
    """The samples, and `count` changed views of each after them: teachers are asked about what the student is shown.

    Fixed targets of unchanged pictures teach a student, over a long training, what is not in its views (Beyer et al.
    2022, arXiv:2106.05237).

    Args:
        samples: with uint8 pictures `(n, height, width)` as inputs.
        augment: changes them, and leaves their targets.
        count: of the views of each, at least 1.
        seed: of the changes.

    Returns:
        `n * (count + 1)` samples; of those drawn, `AS_THEY_ARE` are unchanged.
    """
    torch.manual_seed(seed)
    parts = [samples.inputs]
    for _ in range(count):
        for some in np.array_split(samples.inputs, max(1, len(samples.inputs) // VIEWS_AT_ONCE)):
            changed, _targets = augment(torch.from_numpy(some).float().unsqueeze(1) / 255, torch.zeros(len(some), 1))
            parts.append((changed.squeeze(1) * 255).round().clamp(0, 255).byte().numpy())

    drawn = np.full(len(samples.inputs), 1 / len(samples.inputs)) if samples.drawn is None else samples.drawn
    taught = [] if samples.taught is None else [samples.taught] * (count + 1)
    return Samples(
        inputs=np.concatenate(parts),
        targets=np.concatenate([samples.targets] * (count + 1)),
        labels=np.concatenate([samples.labels] * (count + 1)),
        drawn=np.concatenate([AS_THEY_ARE * drawn, *[(1 - AS_THEY_ARE) / count * drawn] * count]),
        taught=np.concatenate(taught) if taught else None,
    )


def together(*parts: Samples) -> Samples:
    """All samples of several."""
    taught = [np.full(len(part.inputs), SHARE, np.float32) if part.taught is None else part.taught for part in parts]
    return Samples(
        inputs=np.concatenate([part.inputs for part in parts]),
        targets=np.concatenate([part.targets for part in parts]),
        labels=np.concatenate([part.labels for part in parts]),
        taught=np.concatenate(taught),
    )
