"""The recipes of `emoscope train`: each names its data, network, augmentation and settings."""

from functools import partial
from pathlib import Path

import numpy as np
from torch import Tensor

from ..data import ferplus
from ..data.augment import FaceAugment
from ..emotions import EMOTIONS
from ..errors import EmoscopeError
from .loop import Samples, Settings
from .networks import FaceResNet
from .recipe import Recipe, Splits
from .recipes_sequence import RECIPES as SEQUENCES
from .recipes_voice import RECIPES as VOICES


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
            gentle=partial(FaceAugment, gentle=True),
            settings=Settings(epochs=24, finish=8),
            input={
                "shape": ["n", 1, 48, 48],
                "kind": "grey face, upright, eyes and mouth where FER+ has them (emoscope.face.crop)",
                "range": [0, 1],
                "normalisation": "each face by its own mean and deviation, inside the network",
            },
            data={
                "set": "FER+ (Barsoum et al. 2016)",
                "train": "Training, faces whose most frequent vote is an emotion; target: vote distribution",
                "chosen_on": "PublicTest, protocol majority",
                "rights": "labels MIT; the images came from web search for FER-2013, rights in them are unclear",
            },
            limits=(
                "Disgust, fear and contempt are rare in FER+ (0.7, 2.3 and 0.6 % of it) and often missed.",
                "Trained on small grey web pictures: accuracy falls on video, posed faces and faces from the side.",
                "On CREMA-D clips it calls most acted anger and sadness neutral (results/clips).",
                "Age, skin colour and culture of the people in FER+ are unknown; so is how groups differ.",
                "The labels are what ten annotators saw in a still picture, not what the person felt.",
            ),
        ),
        *VOICES,
        *SEQUENCES,
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
