"""Train on all corpora but one: what a voice model brings to people, rooms and languages unheard.

All such models have as many steps, fewer than `voice-research` has. Those that learn from CREMA-D start from the
shipped model, which has heard nothing else; the one that does not starts from nothing.
"""

from dataclasses import replace
from pathlib import Path

import torch

from emoscope.models import load
from emoscope.training.loop import Samples, Trainer, batch_of
from emoscope.training.pretrained import unfolded
from emoscope.training.recipe import Recipe
from emoscope.training.recipes import find
from emoscope.training.run import publish
from emoscope.training.voice_samples import CORPORA, listened, load_tfds, together

STEPS = 400


def without(left_out: str, data: Path, out: Path, command: str) -> Path:
    """The model that has heard all corpora but one; trained in `out` if it is not there.

    Args:
        left_out: `cremad`, or one of `voice_samples.CORPORA`.
        data: the folder that holds the corpora.
        out: its folder.
        command: for its card.
    """
    recipe = find("voice-research")
    path = out / f"{recipe.name}.onnx"
    if path.exists():
        return path
    own, validation = load_tfds(data)
    corpora = {"cremad": own, **{name: listened(data, name) for name in CORPORA}}
    train = together([part for name, part in corpora.items() if name != left_out])
    epochs = round(STEPS * recipe.settings.batch / len(train.labels))
    recipe = replace(recipe, settings=replace(recipe.settings, epochs=epochs))
    torch.manual_seed(0)
    network = recipe.network() if left_out == "cremad" else started(recipe, train)
    trainer = Trainer(
        network, train, validation, recipe.settings, recipe.prepare, recipe.augment(), recipe.gentle(), out
    )
    trainer.run(resume=True)
    publish(recipe, trainer.last(), validation, data, out, command)
    return path


def started(recipe: Recipe, train: Samples) -> torch.nn.Module:
    """The network of the model that was trained on CREMA-D alone."""
    return unfolded(load("voice-cremad").path, recipe.network(), batch_of(train.inputs[:: len(train.inputs) // 512],
                                                                         recipe.prepare))  # fmt: skip
