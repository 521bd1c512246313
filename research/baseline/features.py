"""Is a baseline better taken from a network's features, before its last layer, than from its logits?

Voices of CREMA-D's nine validation actors, each clip less the mean of its speaker. The last layer is linear, so that
features less their mean give what logits less theirs do; it may be better if the layer is trained for it. So a linear
layer is trained on the features, or on the logits, less the speaker's mean: on the 63 training speakers.
"""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import torch

from emoscope.calibration import probabilities
from emoscope.data import cremad

from ..intervals import interval
from ..rows import Row, Where
from ..runner import Context

DECAYS = (1e-3, 1e-2)


def features(context: Context) -> Iterator[Row]:
    """The network as it is, and its last layer trained anew on either input."""
    (model,) = context.models
    graph = onnx.load(str(model.path))
    last = [node for node in graph.graph.node if node.op_type in ("Gemm", "MatMul")][-1]
    graph.graph.output.append(onnx.helper.make_tensor_value_info(last.input[0], onnx.TensorProto.FLOAT, None))
    network = onnxruntime.InferenceSession(graph.SerializeToString())
    train, held = (observed(network, context.data, split, model.card.labels) for split in ("train", "validation"))
    persons, labels = held["persons"], held["labels"]
    plain = held["logits"] / model.card.temperature
    found = [("logits", "as trained", plain), ("logits less the speaker's mean", "as trained", less(plain, persons))]
    for name in ("logits", "features"):
        source, target = less(train[name], train["persons"]), less(held[name], persons)
        for decay in DECAYS:
            said = layer(source, train["labels"], target, decay)
            found.append((f"{name} less the speaker's mean", f"trained anew, weight decay {decay:g}", said))
    for what, how, said in found:
        hits = said.argmax(1) == labels
        low, high = interval(hits, persons)
        likely = float(np.log(probabilities(said)[np.arange(len(labels)), labels]).mean())
        yield from rows(model.card.name, (what, how), (float(hits.mean()), low, high, likely), len(labels))


def observed(
    network: onnxruntime.InferenceSession, data: Path, split: str, names: tuple[str, ...]
) -> dict[str, np.ndarray]:
    part = cremad.load_logmels(data, split)
    (name,) = (one.name for one in network.get_inputs())
    found = [
        network.run(None, {name: piece / np.float32(255)})
        for piece in np.array_split(part.logmel, len(part.clips) // 64 + 1)
    ]
    return {
        "logits": np.concatenate([one[0] for one in found]),
        "features": np.concatenate([one[-1] for one in found]),
        "labels": np.array([names.index(clip.emotion) for clip in part.clips]),
        "persons": np.array([clip.actor for clip in part.clips]),
    }


def less(values: np.ndarray, persons: np.ndarray) -> np.ndarray:
    """Each row less the mean of its person."""
    result = values.astype(np.float64)
    for person in np.unique(persons):
        result[persons == person] -= result[persons == person].mean(0)
    return result


def layer(source: np.ndarray, labels: np.ndarray, target: np.ndarray, decay: float) -> np.ndarray:
    """Logits `(n, k)` of the target by a linear layer that is trained on the source."""
    mean, deviation = source.mean(0), source.std(0) + 1e-6
    inputs = torch.tensor((source - mean) / deviation, dtype=torch.float32)
    linear = torch.nn.Linear(inputs.shape[1], int(labels.max()) + 1)
    optimiser = torch.optim.LBFGS(linear.parameters(), max_iter=100)

    def loss() -> torch.Tensor:
        optimiser.zero_grad()
        value = torch.nn.functional.cross_entropy(linear(inputs), torch.tensor(labels))
        value = value + decay * (linear.weight**2).sum()
        value.backward()
        return value

    torch.manual_seed(0)
    torch.nn.init.zeros_(linear.weight)
    optimiser.step(loss)
    return linear(torch.tensor((target - mean) / deviation, dtype=torch.float32)).detach().numpy()


def rows(model: str, layer: tuple[str, str], figures: tuple[float, float, float, float], n: int) -> Iterator[Row]:
    """Accuracy, its interval, and log-likelihood of one way."""
    accuracy, low, high, likely = figures
    where: Where = {
        "model": model,
        "protocol": "recording",
        "split": "CREMA-D validation",
        "condition": ", ".join(layer),
        "n": n,
    }
    yield Row(metric="accuracy", value=accuracy, low=low, high=high, **where)
    yield Row(metric="log_likelihood", value=likely, **where)
