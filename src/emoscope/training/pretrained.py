"""Trained networks as torch networks, to go on from."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from pickle import UnpicklingError

import numpy as np
import torch
from torch import nn

from ..errors import ModelError
from ..models import registry
from .loop import Prepare, Samples, batch_of
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


def started(start: Path, network: nn.Module, samples: Samples, prepare: Prepare) -> nn.Module:
    """A network with the weights of an earlier training.

    Args:
        start: its folder, or the `.onnx` that was made of it.
        network: of the same kind.
        samples: what will be trained on: in ONNX the batch normalisation is part of the convolutions; what it
            normalised by is measured again on some of them.
        prepare: of the recipe.

    Raises:
        ModelError: there are no such weights, or they are another network's.
    """
    if start.suffix != ".onnx":
        return averaged(start, network)
    chosen = np.random.default_rng(0).permutation(len(samples.inputs))[:MEASURED]
    return unfolded(network, layers_of(start), batch_of(samples.inputs[np.sort(chosen)], prepare))


MEASURED = 2048
"""Samples on which batch normalisation is measured again."""


def unfolded(network: nn.Module, layers: Sequence[Sequence[torch.Tensor]], batch: torch.Tensor) -> nn.Module:
    """Give a network with batch normalisation the weights of one in which it is part of the convolutions.

    Each normalisation takes the statistics of what reaches it, and undoes them: the network says what it said.

    Args:
        network: convolutions, each with a batch normalisation behind it, and linear layers.
        layers: weight and bias of each, in order.
        batch: what the statistics are measured on.

    Raises:
        ModelError: the layers are another network's.
    """
    modules = list(network.modules())
    places = [module for module in modules if isinstance(module, nn.Conv2d | nn.Linear)]
    norms = [module for module in modules if isinstance(module, nn.BatchNorm2d)]
    if [tuple(weight.shape) for weight, _ in layers] != [tuple(place.weight.shape) for place in places]:
        raise ModelError(f"the weights are another network's than {type(network).__name__}'s")
    biases = []
    with torch.no_grad():
        for place, (weight, bias) in zip(places, layers, strict=True):
            place.weight.copy_(weight)
            if place.bias is None:
                biases.append(bias)
            else:
                place.bias.copy_(bias)
        if len(biases) != len(norms):
            raise ModelError(f"{type(network).__name__} has convolutions without batch normalisation")
        hooks = [
            norm.register_forward_pre_hook(partial(_measure, bias=bias))
            for norm, bias in zip(norms, biases, strict=True)
        ]
        network.eval()(batch)
        for hook in hooks:
            hook.remove()
    return network


def _measure(norm: nn.Module, inputs: tuple[torch.Tensor], bias: torch.Tensor) -> None:
    """Give a normalisation the statistics of its input, and the scale and shift that leave nothing but a bias."""
    assert isinstance(norm, nn.BatchNorm2d) and norm.running_mean is not None and norm.running_var is not None
    variance, mean = torch.var_mean(inputs[0], (0, 2, 3), correction=0)
    norm.running_mean.copy_(mean)
    norm.running_var.copy_(variance)
    norm.weight.copy_((variance + norm.eps).sqrt())
    norm.bias.copy_(bias + mean)


def layers_of(path: Path) -> list[list[torch.Tensor]]:
    """Weight and bias of each convolution and linear layer of an `.onnx`, in order.

    Raises:
        ModelError: there is no such file.
    """
    import onnx
    from onnx import numpy_helper

    if not path.is_file():
        raise ModelError(f"there is no model {path}")
    graph = onnx.load(str(path)).graph
    weights = {tensor.name: torch.from_numpy(numpy_helper.to_array(tensor).copy()) for tensor in graph.initializer}
    return [[weights[name] for name in node.input[1:]] for node in graph.node if node.op_type in ("Conv", "Gemm")]


def face_network(path: Path | None = None) -> FaceResNet:
    """The face network with a model's weights.

    In ONNX the batch normalisation is part of the convolutions, and so it is here: there are no statistics that small
    batches of few persons could spoil.

    Args:
        path: an `.onnx` file of the recipe `face-ferplus`; by default the one that the sequence models start from.

    Raises:
        ModelError: it holds another network.
    """
    path = path or SEQUENCE_START
    layers = layers_of(path)
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
