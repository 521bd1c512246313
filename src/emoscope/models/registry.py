"""The registry: `weights/NAME.json` is a model's card, `weights/NAME.onnx` its network."""

import json
import math
from dataclasses import dataclass, fields
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from ..emotions import columns, expand
from ..errors import ModelError

WEIGHTS = Path(__file__).parent / "weights"
DEFAULTS: dict[str, str] = {"face": "face-ferplus-compact", "voice": "voice-cremad", "sequence": "sequence-cremad"}
"""The model that each modality uses unless another is named."""


@dataclass(frozen=True)
class Card:
    """What a model is, what it was made from and how well it does.

    Attributes:
        name: the name in the registry.
        modality: `face`, `voice` or `sequence`.
        description: one line.
        labels: the emotions of the output columns, in order.
        input: the input's shape, kind and value range, in words and numbers.
        parameters: number of trained parameters.
        temperature: the logits are divided by it before the softmax (Guo et al. 2017, arXiv:1706.04599).
        data: data set, split and what was used of it.
        metrics: one entry a protocol and split: accuracy, 95 % interval, n, unweighted recall, macro F1,
            expected calibration error, command.
        licence: of the weights.
        limits: what the model is weak at, a sentence each.
        not_for: what it must not be used for, a sentence each.
        recipe: the `emoscope train` recipe that makes it, or the command, where no single training does.
    """

    name: str
    modality: str
    description: str
    labels: tuple[str, ...]
    input: dict[str, Any]
    parameters: int
    temperature: float
    data: dict[str, Any]
    metrics: tuple[dict[str, Any], ...]
    licence: str
    limits: tuple[str, ...]
    not_for: tuple[str, ...]
    recipe: str

    @classmethod
    def read(cls, path: Path) -> "Card":
        """Read a card from its JSON file.

        Raises:
            ModelError: the file is missing, is not JSON, lacks a field, or says what no model can be.
        """
        try:
            values = json.loads(path.read_text(encoding="utf-8"))
            values = {f.name: values[f.name] for f in fields(cls)}
            for name in ("labels", "metrics", "limits", "not_for"):
                values[name] = tuple(values[name])
            columns(values["labels"])
            if not 0 < values["temperature"] < math.inf:
                raise ValueError(f"expected a temperature above 0, got {values['temperature']}")
        except FileNotFoundError:
            raise ModelError(f"no model card at {path}") from None
        except (ValueError, KeyError, TypeError) as error:
            raise ModelError(f"{path} is not a model card: {error!r}") from None
        return cls(**values)

    def write(self, path: Path) -> None:
        """Write the card as indented JSON."""
        values = {f.name: getattr(self, f.name) for f in fields(self)}
        path.write_text(json.dumps(values, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


class Model:
    """A network on ONNX Runtime with its card.

    Args:
        path: the `.onnx` file; its card is the `.json` beside it.
        threads: threads of one call.
    """

    def __init__(self, path: Path, threads: int = 1) -> None:
        self.path = path
        self.card = Card.read(path.with_suffix(".json"))
        self.threads = threads

    @cached_property
    def _session(self) -> Any:
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = self.threads
        options.inter_op_num_threads = 1
        options.log_severity_level = 3
        try:
            session = onnxruntime.InferenceSession(str(self.path), options, providers=["CPUExecutionProvider"])
        except Exception as error:  # ONNX Runtime raises its own unexported types
            raise ModelError(f"{self.path} does not load as an ONNX model: {str(error).splitlines()[0]}") from None
        outputs, labels = session.get_outputs()[0].shape[-1:], len(self.card.labels)
        if outputs != [labels]:
            raise ModelError(f"{self.path} does not match its card: expected {labels} outputs, got {outputs}")
        return session

    def run(self, *inputs: np.ndarray) -> list[np.ndarray]:
        """Run the network on a batch for each of its inputs, in their order; returns all its outputs, logits first."""
        names = [one.name for one in self._session.get_inputs()]
        feed = {n: np.ascontiguousarray(i, np.float32) for n, i in zip(names, inputs, strict=True)}
        outputs: list[np.ndarray] = self._session.run(None, feed)
        return outputs

    def logits(self, inputs: np.ndarray) -> np.ndarray:
        """Run the network on a batch of inputs of the card's shape; returns `(n, labels)` float32."""
        return self.run(inputs)[0]

    def scores(self, inputs: np.ndarray) -> np.ndarray:
        """Calibrated probabilities of the eight emotions, `(n, 8)` float32, for a batch of inputs."""
        return expand(softmax(self.logits(inputs) / self.card.temperature), self.card.labels)


def softmax(logits: np.ndarray) -> np.ndarray:
    """Probabilities along the last axis."""
    shifted = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return np.asarray(shifted / shifted.sum(axis=-1, keepdims=True))


def names() -> list[str]:
    """The names of the shipped models."""
    return sorted(path.stem for path in WEIGHTS.glob("*.onnx"))


def _path(name: str) -> Path:
    name = DEFAULTS.get(name, name)
    if name not in names():
        raise ModelError(f"no model is named {name!r}; shipped are {', '.join(names()) or 'none'}")
    return WEIGHTS / f"{name}.onnx"


def card(name: str) -> Card:
    """The card of a model, by its name or by its modality for the default one.

    Raises:
        ModelError: no such model is shipped.
    """
    return Card.read(_path(name).with_suffix(".json"))


def summaries() -> list[dict[str, Any]]:
    """What is shipped: `name`, `modality`, `labels`, `parameters`, `bytes`, `metrics` and `licence` of each model."""
    rows = []
    for name in names():
        one = card(name)
        facts = {key: getattr(one, key) for key in ("name", "modality", "labels", "parameters")}
        rows.append({**facts, "bytes": _path(name).stat().st_size, "metrics": one.metrics, "licence": one.licence})
    return rows


def load(name: str, threads: int = 1) -> Model:
    """Load a model by its name, or by its modality (`face`, `voice`, `sequence`) for the default one.

    Raises:
        ModelError: no such model is shipped, or its file is damaged.
    """
    return Model(_path(name), threads)
