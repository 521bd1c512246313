"""The recipes of `emoscope train`: each names its data, network, augmentation and settings."""

import numpy as np

from ..errors import EmoscopeError
from .loop import Samples
from .recipe import Recipe
from .recipes_face import RECIPES as FACES
from .recipes_sequence import RECIPES as SEQUENCES
from .recipes_voice import RECIPES as VOICES

RECIPES: dict[str, Recipe] = {recipe.name: recipe for recipe in (*FACES, *VOICES, *SEQUENCES)}


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
