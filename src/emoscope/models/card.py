"""The card of a model: what it is, how its input is made, what it was made from and how well it does."""

import json
import math
from collections.abc import Sequence
from dataclasses import MISSING, dataclass, fields
from pathlib import Path
from typing import Any

from ..errors import ModelError


@dataclass(frozen=True)
class Card:
    """What a model is, what it was made from and how well it does.

    Attributes:
        name: what it is called.
        modality: `face`, `voice` or `sequence`.
        description: one line.
        labels: what the output columns stand for, in order: any words.
        input: how the network's input is made, see `face.crop` and `voice.features`.
        parameters: number of trained parameters.
        temperature: the logits are divided by it before the softmax (Guo et al. 2017, arXiv:1706.04599).
        data: data set, split and what was used of it.
        metrics: one entry a protocol and split: accuracy, 95 % interval, n, unweighted recall, macro F1,
            expected calibration error, command.
        licence: of the weights.
        limits: what the model is weak at, a sentence each.
        not_for: what it must not be used for, a sentence each.
        recipe: the `emoscope train` recipe that makes it, or the command, where no single training does.
        fusion_weight: exponent of its scores where face and voice are read together; 1 where it is as well calibrated
            there as where it was trained, less where it is too sure.
        population: statistics of its logits over many persons, see `reading.baseline`; `None` where there are none.
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
    fusion_weight: float = 1.0
    population: dict[str, Any] | None = None

    @classmethod
    def read(cls, path: Path) -> "Card":
        """Read a card from its JSON file.

        Raises:
            ModelError: the file is missing, is not JSON, lacks a field, or says what no model can be.
        """
        try:
            values = json.loads(path.read_text(encoding="utf-8"))
            wanted = [f.name for f in fields(cls) if f.default is MISSING or f.name in values]
            values = {name: values[name] for name in wanted}
            for name in ("labels", "metrics", "limits", "not_for"):
                values[name] = tuple(values[name])
            _check_labels(values["labels"])
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


def _check_labels(labels: Sequence[Any]) -> None:
    if not labels or len(set(labels)) < len(labels) or not all(isinstance(label, str) and label for label in labels):
        raise ValueError(f"expected labels that are distinct words, got {list(labels)}")
