"""A network on ONNX Runtime with its card."""

import hashlib
from functools import cached_property
from pathlib import Path
from threading import Lock
from typing import Any, Literal

import numpy as np

from ..calibration import probabilities
from ..errors import ModelError
from .card import Card

Device = Literal["auto", "cpu", "cuda"]
"""Where networks run: on the processor, on an NVIDIA card, or on the card where there is one."""


def session(path: Path, device: Device = "auto", threads: int = 1) -> Any:
    """An ONNX Runtime session of a network.

    Raises:
        ModelError: the file does not load, or the device is not there.
    """
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    # Threads that wait in a loop take the processor from the rest of the pipeline.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    try:
        return onnxruntime.InferenceSession(str(path), options, providers=_providers(device))
    except ModelError:
        raise
    except Exception as error:  # ONNX Runtime raises its own unexported types
        raise ModelError(f"{path} does not load as an ONNX model: {str(error).splitlines()[0]}") from None


def _providers(device: Device) -> list[str]:
    import onnxruntime

    cuda, cpu = "CUDAExecutionProvider", "CPUExecutionProvider"
    there = cuda in onnxruntime.get_available_providers()
    if device == "cuda" and not there:
        raise ModelError("this ONNX Runtime has no CUDA; install onnxruntime-gpu, or use --device cpu")
    return [cuda, cpu] if there and device != "cpu" else [cpu]


class Model:
    """A network with its card. It may be used from several threads at once.

    Args:
        path: the `.onnx` file; its card is the `.json` beside it.
        device: where it runs.
        threads: of one call.

    Raises:
        ModelError: the card is missing or none.
    """

    def __init__(self, path: str | Path, device: Device = "auto", threads: int = 1) -> None:
        self.path = Path(path)
        self.card = Card.read(self.path.with_suffix(".json"))
        self.device: Device = device
        self.threads = threads
        self._lock = Lock()

    @cached_property
    def digest(self) -> str:
        """SHA-256 of the network's file and of what its card says of the input: the same means the same logits."""
        digest = hashlib.sha256(self.path.read_bytes())
        digest.update(repr(sorted(self.card.input.items())).encode())
        return digest.hexdigest()

    @property
    def _session(self) -> Any:
        with self._lock:
            return self._opened

    @cached_property
    def _opened(self) -> Any:
        opened = session(self.path, self.device, self.threads)
        outputs, labels = opened.get_outputs()[0].shape[-1:], len(self.card.labels)
        if outputs != [labels]:
            raise ModelError(f"{self.path} does not match its card: expected {labels} outputs, got {outputs}")
        return opened

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
        """Calibrated probabilities of the card's labels, `(n, labels)` float32, for a batch of inputs."""
        return probabilities(self.logits(inputs), self.card.temperature)
