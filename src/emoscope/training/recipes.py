"""The recipes of `emoscope train`: each names its data, network, augmentation and settings."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from torch import Tensor, nn

from ..data import cremad, ferplus
from ..data.augment import FaceAugment, LogMelAugment
from ..emotions import CREMAD_EMOTIONS, EMOTIONS
from ..errors import EmoscopeError
from . import sequences
from .features import SlotDrop
from .loop import Augment, Samples, Settings
from .networks import FaceResNet, VoiceResNet
from .sequence_networks import Attention

Splits = tuple[Samples, Samples]
"""Training and validation samples."""

Deployed = tuple[nn.Module, tuple[Tensor, ...]]
"""A network as it is exported, and a batch for each of its inputs."""


@dataclass(frozen=True)
class Recipe:
    """One experiment.

    Attributes:
        name: what `emoscope train` and the registry call it.
        modality: `face`, `voice` or `sequence`.
        description: one line for the card.
        labels: the emotions of the network's outputs.
        protocol: the protocol of the validation labels.
        load: reads training and validation samples from a data folder.
        network: makes the network with fresh weights.
        prepare: turns a batch of inputs in [0, 1] into what the network takes.
        augment: makes the augmentation.
        gentle: makes that of the finishing epochs.
        settings: the hyperparameters.
        input: for the card: shape, kind and range of the input.
        data: for the card: data set, split, use, licence.
        limits: for the card.
        deploy: from the trained network and a batch of its inputs to the network that is exported and a batch for each
            of its inputs; by default the network itself.
        marks: the protocols of the card's metrics; by default all of the modality.
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
    gentle: Callable[[], Augment]
    settings: Settings
    input: dict[str, Any]
    data: dict[str, Any]
    limits: tuple[str, ...]
    deploy: Callable[[nn.Module, Tensor], Deployed] = lambda network, inputs: (network, (inputs,))
    marks: tuple[str, ...] = ()


def _ferplus(data: Path) -> Splits:
    """Faces whose most frequent vote is an emotion, with their vote distributions; labels by majority."""
    return _faces(data, "train"), _faces(data, "validation")


def _faces(data: Path, split: ferplus.Split) -> Samples:
    faces = ferplus.load(data, split)
    faces = faces.take(ferplus.plurality(faces.votes) >= 0)
    return Samples(faces.images, ferplus.distribution(faces.votes), ferplus.majority(faces.votes))


def _channel(batch: Tensor) -> Tensor:
    return batch.unsqueeze(1)


def _cremad(data: Path) -> Splits:
    """Log-mels of the clips with the intended emotion."""
    return _voices(data, "train"), _voices(data, "validation")


def _voices(data: Path, split: cremad.Split) -> Samples:
    clips = cremad.load_logmels(data, split)
    return Samples(clips.logmel, np.eye(len(CREMAD_EMOTIONS), dtype=np.float32)[clips.labels], clips.labels)


def _as_it_is(batch: Tensor) -> Tensor:
    return batch


SEQUENCE: dict[str, Any] = {
    "labels": EMOTIONS,
    "network": Attention,
    "prepare": _as_it_is,
    "augment": SlotDrop,
    "gentle": SlotDrop,
    "settings": Settings(epochs=10, batch=128, rate=1e-3, average=0.99),
    "input": sequences.INPUT,
    "deploy": sequences.deploy,
}
"""What the sequence recipes share: only the clips differ."""

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
        Recipe(
            name="voice-cremad",
            modality="voice",
            description="Small residual network with attention pooling for 3 s log-mel windows, trained on CREMA-D",
            labels=CREMAD_EMOTIONS,
            protocol="tfds",
            load=_cremad,
            network=VoiceResNet,
            prepare=_as_it_is,
            augment=LogMelAugment,
            gentle=LogMelAugment,
            settings=Settings(epochs=40, batch=64, rate=2e-3, average=0.99, smoothing=0.1),
            input={
                "shape": ["n", 188, 128],
                "kind": "log-mel of 3 s at 16 kHz, time first (emoscope.voice.features)",
                "range": [0, 1],
                "normalisation": "each window from its quietest to its loudest point, at most 80 dB",
            },
            data={
                "set": "CREMA-D (Cao et al. 2014), sound",
                "train": "the 63 training actors of the tfds split; target: the intended emotion",
                "chosen_on": "the 9 validation actors",
                "rights": "Open Database License 1.0, contents under the Database Contents License 1.0",
            },
            limits=(
                "Trained on 63 actors who speak 12 English sentences: acted, read speech in a quiet room.",
                "People who hear these clips name the intended emotion 40.9 % of the time (Cao et al. 2014).",
                "Surprise and contempt are not among its classes: it gives them 0.",
                "Other languages, ages under 20 and over 74, song, whisper and noise were not trained on.",
            ),
        ),
        Recipe(
            name="sequence-cremad",
            modality="sequence",
            description="Attention over the last 1.5 s of a face's features, trained on moving stills and CREMA-D",
            protocol="tfds",
            load=sequences.cremad_splits,
            data=sequences.CREMAD_DATA,
            limits=sequences.CREMAD_LIMITS,
            marks=("tfds", "tfds-three"),
            **SEQUENCE,
        ),
        Recipe(
            name="sequence-clips",
            modality="sequence",
            description="Attention over the last 1.5 s of a face's features, trained on moving stills and own clips",
            protocol="clips",
            load=sequences.clip_splits,
            data=sequences.CLIP_DATA,
            limits=sequences.CLIP_LIMITS,
            marks=("clips",),
            **SEQUENCE,
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
