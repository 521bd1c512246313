"""What a recipe of `emoscope train` is."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from torch import Tensor, nn

from .loop import Augment, Prepare, Samples, Settings

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
        half: whether the model's file keeps its weights as float16.
        labels_in: reads the labels from the data, where they are one's own: then the network is made for so many.
        views: how many changed views of each sample teachers are asked about too, where there are any.
        view: makes what changes them.
        licence: of the weights, where the data's allows no other than this.
    """

    name: str
    modality: str
    description: str
    labels: tuple[str, ...]
    protocol: str
    load: Callable[[Path], Splits]
    network: Callable[[], nn.Module]
    prepare: Prepare
    augment: Callable[[], Augment]
    gentle: Callable[[], Augment]
    settings: Settings
    input: dict[str, Any]
    data: dict[str, Any]
    limits: tuple[str, ...]
    deploy: Callable[[nn.Module, Tensor], Deployed] = lambda network, inputs: (network, (inputs,))
    half: bool = False
    labels_in: Callable[[Path], tuple[str, ...]] | None = None
    views: int = 0
    view: Callable[[], Augment] | None = None
    licence: str = "Apache-2.0"

    def of(self, data: Path) -> "Recipe":
        """The recipe for the labels that the data has."""
        if self.labels_in is None:
            return self
        labels = self.labels_in(data)
        return replace(self, labels=labels, network=partial(self.network, classes=len(labels)))  # type: ignore[call-arg]
