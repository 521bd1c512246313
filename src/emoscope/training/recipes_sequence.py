"""The recipes for sequences of faces: the shipped model, and the same on one's own clips."""

from typing import Any

from torch import Tensor

from ..emotions import EMOTIONS
from . import sequences
from .features import SlotDrop
from .loop import Settings
from .recipe import Recipe
from .sequence_networks import Attention


def _as_it_is(batch: Tensor) -> Tensor:
    return batch


SHARED: dict[str, Any] = {
    "modality": "sequence",
    "labels": EMOTIONS,
    "network": Attention,
    "prepare": _as_it_is,
    "augment": SlotDrop,
    "gentle": SlotDrop,
    "settings": Settings(epochs=10, batch=128, rate=1e-3, average=0.99),
    "input": sequences.INPUT,
    "deploy": sequences.deploy,
}
"""What the recipes have in common: only the clips differ."""

RECIPES: tuple[Recipe, ...] = (
    Recipe(
        name="sequence-cremad",
        description="Attention over the last 1.5 s of a face's features, trained on moving stills and CREMA-D",
        protocol="tfds",
        load=sequences.cremad_splits,
        data=sequences.CREMAD_DATA,
        limits=sequences.CREMAD_LIMITS,
        **SHARED,
    ),
    Recipe(
        name="sequence-clips",
        description="Attention over the last 1.5 s of a face's features, trained on moving stills and own clips",
        protocol="clips",
        load=sequences.clip_splits,
        labels_in=sequences.clip_labels,
        data=sequences.CLIP_DATA,
        limits=sequences.CLIP_LIMITS,
        **SHARED,
    ),
)
