"""`emoscope train`: a recipe from data to a model with its card."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from rich.console import Console
from torch import nn

from ..errors import DataError
from ..models import Card, Model
from . import parallel
from .changes import changed
from .distil import distilled, views
from .evaluate import OWN, READERS, measure
from .export import export
from .loop import Samples, Trainer, batch_of, logits_of
from .metrics import fit_temperature, score
from .pretrained import averaged, unfolded
from .recipe import Recipe
from .recipes import find, fingerprint
from .report import write

STATISTICS = 512
"""Training inputs from which the statistics of the batch normalisation are made anew."""
EXAMPLES = 16
"""Validation inputs on which ONNX and torch are compared."""


def train(
    name: str,
    data: Path,
    out: Path,
    *,
    resume: bool = False,
    epochs: int | None = None,
    seed: int | None = None,
    device: str | None = None,
    teachers: Sequence[Path] = (),
    start: Path | None = None,
    changes: Mapping[str, Any] | None = None,
) -> Path:
    """Run a recipe; leaves in `out` the checkpoints, `configuration.json`, `history.json`, the metrics on validation
    with pictures (`report.write`), the model and its card.

    Args:
        name: of the recipe.
        data: the folder that holds the data set.
        out: the folder to write.
        resume: go on from the checkpoint in `out`.
        epochs: all of them, instead of the recipe's; the finishing ones keep their share.
        seed: instead of the recipe's.
        device: `cpu` or `cuda`; by default `cuda` where there is one.
        teachers: trained models (`.onnx`) whose scores become part of the target.
        start: an earlier training of the same network, its folder or its `.onnx`, from whose weights this one goes on.

        changes: settings instead of the recipe's, by name.

    Returns:
        The path of the ONNX file.

    Raises:
        EmoscopeError: there is no such recipe or setting, or its data is not there, or a teacher or the start is not.
    """
    recipe = find(name)
    recipe = _with(replace(recipe, settings=changed(recipe.settings, changes or {})), epochs, seed).of(data)
    command = _made_by(name, teachers, start, seed, epochs, device, changes or {})
    device = parallel.join(device or ("cuda" if torch.cuda.is_available() else "cpu"))
    console = Console(quiet=not parallel.first())
    console.print(f"{name} on {device}: reading {data}")
    samples, validation = recipe.load(data)
    out.mkdir(parents=True, exist_ok=True)
    if recipe.view:
        samples = views(samples, recipe.view(), recipe.views, recipe.settings.seed)
    if teachers:
        samples = _taught(samples, teachers, recipe, out / "targets.npy", resume)
    configuration = {
        "recipe": name,
        "command": command or f"emoscope train {name} --data DATA --out OUT",
        "labels": recipe.labels,
        "settings": asdict(recipe.settings),
        "device": device,
        "teachers": [f"{path.parent.name}/{path.name}" for path in teachers],
        "start": start.name if start else None,
        "epochs": epochs,
        "seed": seed,
        "samples": {"train": len(samples.inputs), "validation": len(validation.inputs)},
        "data_sha256": fingerprint(samples, validation),
        "torch": torch.__version__,
    }
    if parallel.first():
        (out / "configuration.json").write_text(json.dumps(configuration, indent=2) + "\n")
    torch.manual_seed(recipe.settings.seed)
    network = recipe.network()
    trainer = Trainer(
        _started(network, start, recipe, samples),
        samples,
        validation,
        recipe.settings,
        recipe.prepare,
        recipe.augment(),
        recipe.gentle(),
        out,
        device,
    )
    trainer.run(resume)
    path = _export(recipe, trainer, data, out, command) if parallel.first() else out / f"{recipe.name}.onnx"
    parallel.leave()
    console.print(f"wrote {path} and its card")
    return path


def _taught(samples: Samples, teachers: Sequence[Path], recipe: Recipe, kept: Path, resume: bool) -> Samples:
    """`distilled`, with the targets kept for a run that goes on: teachers may be slow."""
    if resume and kept.is_file():
        return replace(samples, targets=np.load(kept))
    samples = distilled(samples, teachers, recipe.labels)
    np.save(kept, samples.targets)
    return samples


def _started(network: nn.Module, start: Path | None, recipe: Recipe, samples: Samples) -> nn.Module:
    if start is None:
        return network
    if start.suffix != ".onnx":
        return averaged(start, network)
    some = samples.inputs[np.random.default_rng(0).choice(len(samples.inputs), STATISTICS, p=samples.drawn)]
    return unfolded(start, network, batch_of(some, recipe.prepare))


def _with(recipe: Recipe, epochs: int | None, seed: int | None) -> Recipe:
    settings = recipe.settings
    if epochs:
        finish = epochs * settings.finish // settings.passes
        settings = replace(settings, epochs=epochs - finish, finish=finish)
    return replace(recipe, settings=replace(settings, seed=settings.seed if seed is None else seed))


def _made_by(
    name: str,
    teachers: Sequence[Path],
    start: Path | None,
    seed: int | None,
    epochs: int | None,
    device: str | None,
    changes: Mapping[str, Any],
) -> str:
    """The command of a training with options; nothing for one without any."""
    others = [f"--teacher RUNS/{path.parent.name}/{path.name}" for path in teachers]
    others += [f"--start {'WEIGHTS' if start.suffix == '.onnx' else 'RUNS'}/{start.name}"] if start else []
    others += [] if seed is None else [f"--seed {seed}"]
    others += [] if epochs is None else [f"--epochs {epochs}"]
    others += [] if device is None else [f"--device {device}"]
    others += [f"--set {key}={json.dumps(value)}" for key, value in changes.items()]
    return " ".join(["emoscope train", name, "--data DATA --out OUT", *others]) if others else ""


def _export(recipe: Recipe, trainer: Trainer, data: Path, out: Path, made_by: str) -> Path:
    """Publish the network of the last epoch, with the pictures of the run.

    Not that of the epoch with the highest accuracy on validation, which is partly luck.
    """
    network = trainer.last().to("cpu")
    path, metrics = publish(recipe, network, trainer.validation, data, out, made_by)
    write(metrics, trainer.history, out)
    return path


def publish(
    recipe: Recipe, network: nn.Module, validation: Samples, data: Path, out: Path, made_by: str = ""
) -> tuple[Path, dict[str, Any]]:
    """Calibrate a trained network on validation, export it, and put its metrics on its card.

    Args:
        recipe: gives the name, the labels and the words of the card.
        network: trained, on the CPU.
        validation: samples of the recipe's protocol.
        data: the folder that holds the data set.
        out: the folder of the model and its card.
        made_by: the command, where it is more than `emoscope train` with the recipe.

    Returns:
        The path of the ONNX file, and the metrics on validation.

    Raises:
        ModelError: ONNX and torch do not agree.
    """
    kept = validation.labels >= 0
    logits = logits_of(network, validation.inputs, recipe.prepare)
    card = Card(
        name=recipe.name,
        modality=recipe.modality,
        description=recipe.description,
        labels=recipe.labels,
        input=recipe.input,
        parameters=0,
        temperature=fit_temperature(logits[kept], validation.labels[kept]),
        data=recipe.data,
        metrics=(),
        licence=recipe.licence,
        limits=recipe.limits,
        not_for=NOT_FOR,
        recipe=made_by or recipe.name,
    )
    path = out / f"{recipe.name}.onnx"
    deployed, example = recipe.deploy(network, batch_of(validation.inputs[:EXAMPLES], recipe.prepare))
    card = replace(card, parameters=sum(p.numel() for p in deployed.parameters()))
    export(deployed, example, card, path, recipe.half)
    own = {
        "model": recipe.name,
        "protocol": recipe.protocol,
        "split": "validation",
        "labels": list(recipe.labels),
        **score(logits[kept], validation.labels[kept], card.temperature),
        "command": made_by or f"emoscope train {recipe.name} --data DATA --out OUT",
    }
    replace(card, metrics=_metrics(path, data, recipe, own)).write(path.with_suffix(".json"))
    return path, own


def _metrics(path: Path, data: Path, recipe: Recipe, own: dict[str, Any]) -> tuple[dict[str, Any], ...]:
    """For the card: the model's metrics under all protocols that `evaluate` knows, the recipe's first.

    A recipe with a split of its own, such as `random`, has only that one; a protocol whose labels are not there, such
    as raters' votes, is left out.
    """
    kept = ("protocol", "split", "n", "accuracy", "interval", "recall", "uar", "macro_f1", "ece", "command")
    protocols = {recipe.protocol} if recipe.protocol in OWN else set(READERS[recipe.modality]) - OWN
    if recipe.protocol not in READERS[recipe.modality]:
        return ({key: own[key] for key in kept},)
    rows = []
    for protocol in sorted(protocols, key=lambda name: (name != recipe.protocol, name)):
        try:
            metrics = measure(Model(path), data, "validation", protocol)
        except DataError:
            if protocol == recipe.protocol:
                raise
            continue
        metrics["command"] = f"emoscope evaluate {recipe.name} --data DATA --split validation --protocol {protocol}"
        rows.append({key: metrics[key] for key in kept})
    return tuple(rows)


NOT_FOR = (
    "Finding out what a person feels or thinks: the model reads expression, and expression is not feeling.",
    "Emotion recognition at work or in education, which is prohibited in the European Union (AI Act, Art. 5(1)(f)).",
    "Deciding about a person: hiring, credit, insurance, policing, border control, grading, diagnosis.",
    "Use on people who have not been told of it: disclosure is owed in the European Union (AI Act, Art. 50(3)).",
)
