"""Trained networks as torch networks, to go on from."""

from pathlib import Path
from pickle import UnpicklingError

import torch
from torch import nn

from ..errors import ModelError
from ..models import registry
from .networks import FaceResNet

SEQUENCE_START = registry.WEIGHTS / "face-ferplus.onnx"
"""The face network whose features the sequence models were made with."""


def averaged(run: Path, network: nn.Module, epoch: str = "best") -> nn.Module:
    """A network with the averaged weights that a training left, in evaluation mode.

    Args:
        run: the folder of the training.
        network: of the same kind.
        epoch: `best` on validation, or `last`.

    Raises:
        ModelError: there are no such weights, or they are another network's.
    """
    try:
        state = torch.load(run / f"{epoch}.pt", map_location="cpu", weights_only=True)
        state = state if epoch == "best" else state["averaged"]
        weights = {name.removeprefix("module."): value for name, value in state.items() if name != "n_averaged"}
        network.load_state_dict(weights)
    except (OSError, RuntimeError, LookupError, UnpicklingError) as error:
        raise ModelError(f"{run} holds no such trained network: {str(error).splitlines()[0]}") from None
    return network.eval()


def face_network(path: Path | None = None) -> FaceResNet:
    """The face network with a model's weights.

    In ONNX the batch normalisation is part of the convolutions, and so it is here: there are no statistics that small
    batches of few persons could spoil.

    Args:
        path: an `.onnx` file of the recipe `face-ferplus`; by default the one that the sequence models start from.

    Raises:
        ModelError: it holds another network.
    """
    import onnx
    from onnx import numpy_helper

    path = path or SEQUENCE_START
    graph = onnx.load(str(path)).graph
    weights = {tensor.name: torch.from_numpy(numpy_helper.to_array(tensor).copy()) for tensor in graph.initializer}
    layers = [[weights[name] for name in node.input[1:]] for node in graph.node if node.op_type in ("Conv", "Gemm")]
    network = FaceResNet(classes=len(layers[-1][1]))
    places = [module for module in network.modules() if isinstance(module, nn.Conv2d | nn.Linear)]
    found = [tuple(weight.shape) for weight, _ in layers]
    if found != [tuple(place.weight.shape) for place in places]:
        raise ModelError(f"{path} holds another network than {FaceResNet.__name__}")
    _fold(network)
    for place, (weight, bias) in zip(places, layers, strict=True):
        place.weight, place.bias = nn.Parameter(weight), nn.Parameter(bias)
    return network


def _fold(network: nn.Module) -> None:
    """Take the batch normalisation out."""
    for module in network.modules():
        for name, child in module.named_children():
            if isinstance(child, nn.BatchNorm2d):
                setattr(module, name, nn.Identity())
