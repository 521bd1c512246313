"""The few fields of the ONNX file format that `mtcnn` needs, read and written on the wire.

Importing the `onnx` package takes longer than building and loading the three networks; this does not need it.
Field numbers are those of onnx.proto; the encoding is https://protobuf.dev/programming-guides/encoding.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np

FLOAT, INT64 = 1, 7  # TensorProto.DataType
INT, INTS = 2, 7  # AttributeProto.AttributeType
IR_VERSION, OPSET = 8, 13

Shape = Sequence[int | str]


def read_weights(path: Path) -> dict[str, np.ndarray]:
    """Return the float32 initialisers of an `.onnx` file by name.

    Raises:
        ValueError: a tensor is not stored as packed float32.
    """
    graph = next(payload for number, _, payload in _fields(path.read_bytes()) if number == 7)
    return dict(_read_tensor(payload) for number, _, payload in _fields(graph) if number == 5)


def write_model(
    nodes: Sequence[bytes], weights: Mapping[str, np.ndarray], inputs: Mapping[str, Shape], outputs: Mapping[str, Shape]
) -> bytes:
    """Return the bytes of a float32 model.

    Args:
        nodes: from `node`, in order of execution.
        weights: float32 or int64 initialisers by name.
        inputs: the shape of each input; a name stands for a free dimension.
        outputs: the same for the outputs.
    """
    graph = b"".join(_field(1, each) for each in nodes) + _field(2, "mtcnn")
    graph += b"".join(_field(5, _tensor(name, array)) for name, array in weights.items())
    graph += b"".join(_field(11, _value(name, shape)) for name, shape in inputs.items())
    graph += b"".join(_field(12, _value(name, shape)) for name, shape in outputs.items())
    return _field(1, IR_VERSION) + _field(7, graph) + _field(8, _field(2, OPSET))


def node(operator: str, inputs: Sequence[str], outputs: Sequence[str], **attributes: int | Sequence[int]) -> bytes:
    """Return one encoded operator of the graph."""
    names = b"".join(_field(1, name) for name in inputs) + b"".join(_field(2, name) for name in outputs)
    return names + _field(4, operator) + b"".join(_field(5, _attribute(*each)) for each in attributes.items())


def _attribute(name: str, value: int | Sequence[int]) -> bytes:
    if isinstance(value, int):
        return _field(1, name) + _field(3, value) + _field(20, INT)
    return _field(1, name) + b"".join(_field(8, each) for each in value) + _field(20, INTS)


def _tensor(name: str, array: np.ndarray) -> bytes:
    kind = INT64 if array.dtype == np.int64 else FLOAT
    raw = array.astype("<i8" if kind == INT64 else "<f4").tobytes()
    return b"".join(_field(1, size) for size in array.shape) + _field(2, kind) + _field(8, name) + _field(9, raw)


def _value(name: str, shape: Shape) -> bytes:
    dims = b"".join(_field(1, _field(1, size) if isinstance(size, int) else _field(2, size)) for size in shape)
    return _field(1, name) + _field(2, _field(1, _field(1, FLOAT) + _field(2, dims)))


def _field(number: int, value: int | str | bytes) -> bytes:
    if isinstance(value, int):
        return _varint(number << 3) + _varint(value)
    payload = value.encode() if isinstance(value, str) else value
    return _varint(number << 3 | 2) + _varint(len(payload)) + payload


def _varint(value: int) -> bytes:
    value &= (1 << 64) - 1  # negative numbers are written as 64-bit two's complement
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    out.append(value)
    return bytes(out)


def _read_tensor(buffer: bytes) -> tuple[str, np.ndarray]:
    name, raw, sizes, kind = "", b"", list[int](), 0
    for number, integer, payload in _fields(buffer):
        if number == 1:  # one dimension a field, or all packed into one
            sizes += _varints(payload) if payload else [integer]
        elif number == 2:
            kind = integer
        elif number in (4, 9):  # packed float_data and raw_data are the same bytes
            raw = payload
        elif number == 8:
            name = payload.decode()
    if kind != FLOAT or len(raw) != 4 * math.prod(sizes):
        raise ValueError(f"expected the weights {name} as {math.prod(sizes)} packed float32, got {len(raw)} bytes")
    return name, np.frombuffer(raw, "<f4").reshape(sizes)


def _fields(buffer: bytes) -> Iterator[tuple[int, int, bytes]]:
    """Yield the number of each field and its value: an integer (and no bytes), or bytes (and 0)."""
    at = 0
    while at < len(buffer):
        key, at = _read_varint(buffer, at)
        number, kind = key >> 3, key & 7
        if kind == 0:
            integer, at = _read_varint(buffer, at)
            yield number, integer, b""
            continue
        size, at = _read_varint(buffer, at) if kind == 2 else ({1: 8, 5: 4}[kind], at)
        yield number, 0, buffer[at : at + size]
        at += size


def _varints(buffer: bytes) -> list[int]:
    values, at = [], 0
    while at < len(buffer):
        value, at = _read_varint(buffer, at)
        values.append(value)
    return values


def _read_varint(buffer: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = buffer[at]
        value |= (byte & 127) << shift
        at, shift = at + 1, shift + 7
        if byte < 128:
            return value, at
