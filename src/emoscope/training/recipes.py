"""The recipes of `emoscope train`: each names its data, network, augmentation and settings."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from torch import Tensor, nn

from ..data import ferplus
from ..data.augment import FaceAugment
from ..emotions import EMOTIONS
from ..errors import EmoscopeError
from .loop import Augment, Samples, Settings
from .networks import FaceResNet

Splits = tuple[Samples, Samples]
"""Training and validation samples."""


@dataclass(frozen=True)
class Recipe:
    """One experiment.

    Attributes:
        name: what `emoscope train` and the registry call it.
        modality: `face` or `voice`.
        description: one line for the card.
        labels: the emotions of the network's outputs.
        protocol: the protocol of the validation labels.
        load: reads training and validation samples from a data folder.
        network: makes the network with fresh weights.
        prepare: turns a batch of inputs in [0, 1] into what the network takes.
        augment: makes the augmentation.
        settings: the hyperparameters.
    """

    name: str
    modality: str
    description: str
    labels: tuple[str, ...]
    protocol: str
    load: Callable[[Path], Splits]
    network: Callable[[], nn.Module]
    prepare: Callable[[Tensor], Tensor]
    augment: Callable[[], Augment]
    settings: Settings


def _ferplus(data: Path) -> Splits:
    """Faces whose most frequent vote is an emotion, with their vote distributions; labels by majority."""
    return _faces(data, "train"), _faces(data, "validation")


def _faces(data: Path, split: ferplus.Split) -> Samples:
    faces = ferplus.load(data, split)
    faces = faces.take(ferplus.plurality(faces.votes) >= 0)
    return Samples(faces.images, ferplus.distribution(faces.votes), ferplus.majority(faces.votes))


def _channel(batch: Tensor) -> Tensor:
    return batch.unsqueeze(1)


RECIPES: dict[str, Recipe] = {
    recipe.name: recipe
    for recipe in (
        Recipe(
            name="face-ferplus",
            modality="face",
            description="Small residual network for 48x48 grey faces, trained on FER+ vote distributions",
            labels=EMOTIONS,
            protocol="majority",
            load=_ferplus,
            network=FaceResNet,
            prepare=_channel,
            augment=FaceAugment,
            settings=Settings(epochs=32),
        ),
    )
}


def find(name: str) -> Recipe:
    """The recipe of that name.

    Raises:
        EmoscopeError: there is none.
    """
    if name not in RECIPES:
        raise EmoscopeError(f"no recipe is named {name!r}; there are {', '.join(RECIPES)}")
    return RECIPES[name]


def fingerprint(*splits: Samples) -> str:
    """SHA-256 over inputs and targets of the splits: the same string means the same data."""
    import hashlib

    digest = hashlib.sha256()
    for samples in splits:
        for array in (samples.inputs, samples.targets, samples.labels):
            digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()
