"""`emoscope evaluate`: a model on a data set, under a named protocol. Needs no torch."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, get_args

import numpy as np

from ..data import cremad, ferplus, votes
from ..errors import DataError, EmoscopeError
from ..models import Model, load
from .metrics import score

BATCH = 64

Labelled = tuple[np.ndarray, np.ndarray]
"""The inputs of a model and the class of each."""


def evaluate(name: str, data: str | Path, split: str, protocol: str | None = None) -> dict[str, Any]:
    """Measure a registered model.

    Args:
        name: a model's name, or `face` or `voice` for the default one.
        data: the folder that holds `ferplus/` or `cremad/`.
        split: `train`, `validation` or `test`.
        protocol: `majority` (the default) or `plurality` for faces, `tfds` (the default) or `perceived` for voices.

    Returns:
        `model`, `protocol`, `split` and the marks of `metrics.score`.

    Raises:
        ModelError: there is no such model.
        DataError: the data is not there.
        EmoscopeError: the model's modality has no such protocol or split.
    """
    return measure(load(name, threads=2), Path(data), split, protocol)


def measure(model: Model, data: Path, split: str, protocol: str | None = None) -> dict[str, Any]:
    """Measure a model that need not be registered; see `evaluate`."""
    protocols = READERS[model.card.modality]
    protocol = protocol or next(iter(protocols))
    if protocol not in protocols:
        raise EmoscopeError(
            f"no protocol {protocol!r} for {model.card.modality} models; there are {', '.join(protocols)}"
        )
    if split not in get_args(ferplus.Split):
        raise EmoscopeError(f"no split {split!r}; there are train, validation and test")
    inputs, labels = protocols[protocol](data, split)
    if not len(labels):
        raise DataError(f"{data}: the {split} split holds nothing that counts under {protocol}")
    marks = score(logits(model, inputs), labels, model.card.temperature)
    return {"model": model.card.name, "protocol": protocol, "split": split, "labels": list(model.card.labels), **marks}


def logits(model: Model, inputs: np.ndarray) -> np.ndarray:
    """Run a model over uint8 inputs `(n, ...)`, which it is given as `inputs / 255`; returns `(n, labels)`."""
    parts = [model.logits(inputs[i : i + BATCH].astype(np.float32) / 255) for i in range(0, len(inputs), BATCH)]
    return np.concatenate(parts)


def _faces(protocol: str) -> Callable[[Path, str], Labelled]:
    def read(data: Path, split: str) -> Labelled:
        faces = ferplus.load(data, split)  # type: ignore[arg-type]
        labels = ferplus.PROTOCOLS[protocol](faces.votes)
        kept = labels >= 0
        return faces.images[kept][:, None], labels[kept]

    return read


def _voices(data: Path, split: str) -> Labelled:
    clips = cremad.load_logmels(data, split)  # type: ignore[arg-type]
    return clips.logmel, clips.labels


def _heard(data: Path, split: str) -> Labelled:
    clips = cremad.load_logmels(data, split)  # type: ignore[arg-type]
    labels = votes.perceived(votes.votes(data, clips.clips))
    return clips.logmel[labels >= 0], labels[labels >= 0]


READERS: dict[str, dict[str, Callable[[Path, str], Labelled]]] = {
    "face": {protocol: _faces(protocol) for protocol in ferplus.PROTOCOLS},
    "voice": {"tfds": _voices, "perceived": _heard},
}
"""For each modality its protocols, the default first, each with the function that reads a split."""
