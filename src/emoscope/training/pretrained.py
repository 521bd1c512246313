"""Trained networks as torch networks, to go on from."""

from pathlib import Path
from pickle import UnpicklingError

import torch
from torch import Tensor, nn
from torch.utils.hooks import RemovableHandle

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
    layers = _layers(path or SEQUENCE_START)
    network = FaceResNet(classes=len(layers[-1][1]))
    places = _places(network, layers, path or SEQUENCE_START)
    _fold(network)
    for place, (weight, bias) in zip(places, layers, strict=True):
        place.weight, place.bias = nn.Parameter(weight), nn.Parameter(bias)
    return network


def unfolded(path: Path, network: nn.Module, inputs: Tensor) -> nn.Module:
    """A network with a model's weights, its batch normalisation made anew.

    In ONNX it is part of the convolutions. Here each learns the mean and the deviation of what comes in, and gives
    back what the model's convolution would give.

    Args:
        path: an `.onnx` file of a network of the same kind.
        network: gets the weights.
        inputs: a batch, from which the statistics are made.

    Raises:
        ModelError: the file holds another network.
    """
    layers = _layers(path)
    biases: list[Tensor] = []
    for place, (weight, bias) in zip(_places(network, layers, path), layers, strict=True):
        place.weight = nn.Parameter(weight)
        if place.bias is None:
            biases.append(bias)
        else:
            place.bias = nn.Parameter(bias)

    def learn(norm: nn.Module, given: tuple[Tensor, ...]) -> None:
        assert isinstance(norm, nn.BatchNorm2d)
        hooks.pop(norm).remove()  # the first time that it is used
        variance, mean = torch.var_mean(given[0], (0, 2, 3), correction=0)
        values = {"weight": (variance + norm.eps).sqrt(), "bias": mean + biases.pop(0)}
        norm.load_state_dict({**norm.state_dict(), **values, "running_mean": mean, "running_var": variance})

    norms = [module for module in network.modules() if isinstance(module, nn.BatchNorm2d)]
    hooks: dict[nn.Module, RemovableHandle] = {norm: norm.register_forward_pre_hook(learn) for norm in norms}
    with torch.inference_mode():
        network.eval()(inputs)
    return network


def _layers(path: Path) -> list[tuple[Tensor, Tensor]]:
    """Weights and biases of the convolutions and dense layers, in order."""
    import onnx
    from onnx import numpy_helper

    graph = onnx.load(str(path)).graph
    weights = {tensor.name: torch.from_numpy(numpy_helper.to_array(tensor).copy()) for tensor in graph.initializer}
    layers = []
    products: dict[str, Tensor] = {}  # of dense layers over time, whose bias is added by a node of its own
    for node in graph.node:
        known = [weights[name] for name in node.input if name in weights]
        if node.op_type in ("Conv", "Gemm") and known:  # those of a layer that is used again are other names for them
            layers.append((known[0], known[1]))
        elif node.op_type == "MatMul" and known:
            products[node.output[0]] = known[0].T.contiguous()
        elif node.op_type == "Add" and (product := products.keys() & node.input):
            layers.append((products[product.pop()], known[0]))
    return layers


def _places(network: nn.Module, layers: list[tuple[Tensor, Tensor]], path: Path) -> list[nn.Conv2d | nn.Linear]:
    """Where they belong."""
    places = [module for module in network.modules() if isinstance(module, nn.Conv2d | nn.Linear)]
    if [tuple(weight.shape) for weight, _ in layers] != [tuple(place.weight.shape) for place in places]:
        raise ModelError(f"{path} holds another network than {type(network).__name__}")
    return places


def _fold(network: nn.Module) -> None:
    """Take the batch normalisation out."""
    for module in network.modules():
        for name, child in module.named_children():
            if isinstance(child, nn.BatchNorm2d):
                setattr(module, name, nn.Identity())
