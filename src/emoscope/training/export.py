"""From a trained network to ONNX and a card."""

import warnings
from pathlib import Path

import numpy as np
import torch
from torch import nn

from ..errors import ModelError
from ..models import Card, Model

AGREEMENT = 1e-3
"""The largest difference between ONNX's and torch's logits that is let through."""


def to_onnx(network: nn.Module, example: torch.Tensor, path: Path) -> None:
    """Write a network as ONNX with a free batch size.

    Args:
        network: in evaluation mode, on the CPU.
        example: a batch of at least two inputs.
        path: the `.onnx` file.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the exporter's notices are about its own future
        torch.onnx.export(
            network,
            (example,),
            str(path),
            input_names=["inputs"],
            output_names=["logits"],
            dynamic_axes={"inputs": {0: "n"}, "logits": {0: "n"}},
            opset_version=17,
            dynamo=False,
        )


def check(network: nn.Module, example: torch.Tensor, path: Path) -> float:
    """The largest difference of the logits of ONNX and torch on a batch and on each input alone.

    Raises:
        ModelError: it is above `AGREEMENT`.
    """
    model = Model(path)
    with torch.inference_mode():
        expected = network(example).numpy()
    together = model.logits(example.numpy())
    alone = np.concatenate([model.logits(one[None]) for one in example.numpy()])
    difference = float(max(abs(together - expected).max(), abs(alone - expected).max()))
    if not difference <= AGREEMENT:
        raise ModelError(f"{path}: ONNX and torch differ by {difference:.2g}, more than {AGREEMENT}")
    return difference


def export(network: nn.Module, example: torch.Tensor, card: Card, path: Path) -> float:
    """Write `path` (`.onnx`) and its card beside it, and check them; returns the largest difference of the logits."""
    network = network.to("cpu").eval()
    card.write(path.with_suffix(".json"))
    to_onnx(network, example.cpu(), path)
    return check(network, example.cpu(), path)
