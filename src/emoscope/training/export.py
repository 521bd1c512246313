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
HALF_AGREEMENT = 1e-2
"""The same where the file keeps float16."""

LARGE = 1024
"""Fewer weights than these are not worth halving."""

Batches = torch.Tensor | tuple[torch.Tensor, ...]
"""A batch for each input of a network, or for its only one."""


def to_onnx(network: nn.Module, example: Batches, path: Path) -> None:
    """Write a network as ONNX with a free batch size.

    Args:
        network: in evaluation mode, on the CPU; it returns logits, or a tuple of them and of features.
        example: at least two of each input.
        path: the `.onnx` file.
    """
    example = _each(example)
    inputs = [f"inputs{number or ''}" for number in range(len(example))]
    with torch.inference_mode():
        outputs = ["logits", "features"] if isinstance(network(*example), tuple) else ["logits"]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the exporter's notices are about its own future
        torch.onnx.export(
            network,
            example,
            str(path),
            input_names=inputs,
            output_names=outputs,
            dynamic_axes={name: {0: "n"} for name in (*inputs, *outputs)},
            opset_version=17,
            dynamo=False,
        )


def halve(path: Path) -> None:
    """Keep the large float32 weights of an ONNX file as float16, from which float32 is made on loading: half the size.

    Args:
        path: the `.onnx` file, which is written anew; its inputs and outputs stay float32.
    """
    import onnx
    from onnx import numpy_helper

    model = onnx.load(str(path))
    casts = []
    for tensor in model.graph.initializer:
        weights = numpy_helper.to_array(tensor)
        if weights.dtype == np.float32 and weights.size >= LARGE:
            name, half = tensor.name, f"{tensor.name}_half"
            tensor.CopyFrom(numpy_helper.from_array(weights.astype(np.float16), half))
            casts.append(onnx.helper.make_node("Cast", [half], [name], to=onnx.TensorProto.FLOAT))
    nodes = [*casts, *model.graph.node]
    del model.graph.node[:]
    model.graph.node.extend(nodes)
    onnx.save(model, str(path))


def check(network: nn.Module, example: Batches, path: Path, allowed: float = AGREEMENT) -> float:
    """The largest difference of the outputs of ONNX and torch on a batch and on each input alone.

    Raises:
        ModelError: it is above `allowed`.
    """
    model = Model(path)
    example = _each(example)
    arrays = [batch.numpy() for batch in example]
    with torch.inference_mode():
        outputs = network(*example)
    expected = outputs if isinstance(outputs, tuple) else (outputs,)
    together = model.run(*arrays)
    singly = [model.run(*(array[i : i + 1] for array in arrays)) for i in range(len(arrays[0]))]
    alone = [np.concatenate(parts) for parts in zip(*singly, strict=True)]
    pairs = [(right.numpy(), got) for some in (together, alone) for right, got in zip(expected, some, strict=True)]
    difference = float(np.max([abs(right - got).max() for right, got in pairs]))
    if not difference <= allowed:
        raise ModelError(f"{path}: ONNX and torch differ by {difference:.2g}, more than {allowed}")
    return difference


def export(network: nn.Module, example: Batches, card: Card, path: Path, half: bool = False) -> float:
    """Write `path` (`.onnx`) and its card beside it, and check them; returns the largest difference of the outputs.

    With `half`, the file keeps its weights as float16.
    """
    network = network.to("cpu").eval()
    example = tuple(batch.cpu() for batch in _each(example))
    card.write(path.with_suffix(".json"))
    to_onnx(network, example, path)
    if half:
        halve(path)
    return check(network, example, path, HALF_AGREEMENT if half else AGREEMENT)


def _each(example: Batches) -> tuple[torch.Tensor, ...]:
    return (example,) if isinstance(example, torch.Tensor) else example
