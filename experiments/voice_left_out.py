"""Train on all corpora but one, for each of them: what a voice model brings to people, rooms and languages unheard.

    python experiments/voice_left_out.py --data DATA --out RUNS

Leaves `RUNS/without-NAME/` with the model, for `voice_corpora.py`. All have as many steps, fewer than `voice-research`
has. Those that learn from CREMA-D start from the shipped model, which has heard nothing else; the one that does not
starts from nothing. `--resume` goes on where it was.
"""

from dataclasses import replace
from pathlib import Path

import torch
from arguments import parser, read

from emoscope.models import load
from emoscope.training.loop import Samples, Trainer, batch_of
from emoscope.training.pretrained import unfolded
from emoscope.training.recipe import Recipe
from emoscope.training.recipes import find
from emoscope.training.run import publish
from emoscope.training.voice_samples import CORPORA, listened, load_tfds, together

COMMAND = "python experiments/voice_left_out.py --data DATA --out RUNS"
STEPS = 400


def main() -> None:
    made = parser(__doc__)
    made.add_argument("--resume", action="store_true", help="go on from the checkpoints")
    args = read(made)
    own, validation = load_tfds(args.data)
    corpora = {"cremad": own, **{name: listened(args.data, name) for name in CORPORA}}
    for left_out in reversed(corpora):
        train = together([part for name, part in corpora.items() if name != left_out])
        learn(left_out, train, validation, args.data, args.out / f"without-{left_out}", args.resume)


def learn(left_out: str, train: Samples, validation: Samples, data: Path, out: Path, resume: bool) -> None:
    recipe = find("voice-research")
    if (out / f"{recipe.name}.onnx").exists() and resume:
        return
    epochs = round(STEPS * recipe.settings.batch / len(train.labels))
    recipe = replace(recipe, settings=replace(recipe.settings, epochs=epochs))
    torch.manual_seed(0)
    network = recipe.network() if left_out == "cremad" else started(recipe, train)
    trainer = Trainer(
        network, train, validation, recipe.settings, recipe.prepare, recipe.augment(), recipe.gentle(), out
    )
    trainer.run(resume)
    publish(recipe, trainer.last(), validation, data, out, COMMAND)


def started(recipe: Recipe, train: Samples) -> torch.nn.Module:
    """The network of the model that was trained on CREMA-D alone."""
    return unfolded(load("voice-cremad").path, recipe.network(), batch_of(train.inputs[:: len(train.inputs) // 512],
                                                                         recipe.prepare))  # fmt: skip


if __name__ == "__main__":
    main()
