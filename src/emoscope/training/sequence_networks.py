"""The sequence models: the face network on each frame of a window, then one of several heads over time.

Everywhere a row of features that is all 0 is an empty slot: the features of a face never are.
"""

from collections.abc import Callable

import torch
from torch import Tensor, nn

from .networks import FaceResNet

FEATURES = 192
"""Features of a face: `FaceResNet`'s pooled last stage."""


class MeanPooling(nn.Module):
    """The mean of the known frames' features and a linear layer: order and time make no difference.

    Args:
        features: of a frame.
        classes: logits.
        dropout: share of the pooled features dropped in training.
    """

    def __init__(self, features: int = FEATURES, classes: int = 8, dropout: float = 0.3) -> None:
        super().__init__()
        self.head = nn.Sequential(nn.Dropout(dropout), nn.Linear(features, classes))

    def forward(self, frames: Tensor) -> Tensor:
        """Map `(n, time, features)` to logits `(n, classes)`."""
        return self.head(_mean(frames, known(frames)))


class Recurrent(nn.Module):
    """A GRU (Cho et al. 2014, arXiv:1406.1078) over the frames; its last state says.

    Args:
        features: of a frame.
        hidden: of the state.
        classes: logits.
        dropout: share of the state dropped in training.
    """

    def __init__(self, features: int = FEATURES, hidden: int = 64, classes: int = 8, dropout: float = 0.3) -> None:
        super().__init__()
        self.reduce = nn.Linear(features, hidden)
        self.recurrent = nn.GRU(hidden, hidden, batch_first=True)
        self.head = nn.Sequential(nn.Dropout(dropout), nn.Linear(hidden, classes))

    def forward(self, frames: Tensor) -> Tensor:
        """Map `(n, time, features)` to logits `(n, classes)`."""
        return self.head(self.states(frames)[:, -1])

    def states(self, frames: Tensor) -> Tensor:
        """The state after each frame, `(n, time, hidden)`."""
        reduced = torch.relu(self.reduce(frames)) * known(frames).unsqueeze(2)
        states: Tensor = self.recurrent(reduced)[0]
        return states


class RecurrentAttention(Recurrent):
    """The same, with attention over all states (Bahdanau et al. 2015, arXiv:1409.0473) instead of the last one."""

    def __init__(self, features: int = FEATURES, hidden: int = 64, classes: int = 8, dropout: float = 0.3) -> None:
        super().__init__(features, hidden, classes, dropout)
        self.attention = nn.Sequential(nn.Linear(hidden, hidden // 2), nn.Tanh(), nn.Linear(hidden // 2, 1))

    def forward(self, frames: Tensor) -> Tensor:
        """Map `(n, time, features)` to logits `(n, classes)`."""
        states = self.states(frames)
        weights = _softmax(self.attention(states).squeeze(2), known(frames))
        return self.head((weights.unsqueeze(2) * states).sum(1))


class Attention(nn.Module):
    """Attention pooling: the weighted mean and deviation of the features (Okabe et al. 2018, arXiv:1803.10963).

    Args:
        features: of a frame.
        hidden: of the attention.
        classes: logits.
        dropout: share of the pooled features dropped in training.
    """

    def __init__(self, features: int = FEATURES, hidden: int = 64, classes: int = 8, dropout: float = 0.3) -> None:
        super().__init__()
        self.attention = nn.Sequential(nn.Linear(features, hidden), nn.Tanh(), nn.Linear(hidden, 1))
        self.head = nn.Sequential(nn.Dropout(dropout), nn.Linear(2 * features, classes))

    def forward(self, frames: Tensor) -> Tensor:
        """Map `(n, time, features)` to logits `(n, classes)`."""
        return self.head(self.pool(frames))

    def pool(self, frames: Tensor) -> Tensor:
        """Map `(n, time, features)` to `(n, 2 features)`."""
        weights = _softmax(self.attention(frames).squeeze(2), known(frames)).unsqueeze(2)
        mean = (weights * frames).sum(1)
        deviation = ((weights * frames * frames).sum(1) - mean * mean).clamp(min=1e-5).sqrt()
        return torch.cat([mean, deviation], 1)


class Transformer(nn.Module):
    """A small transformer over the frames (Vaswani et al. 2017, arXiv:1706.03762) with learned places.

    Args:
        faces: slots of a window.
        features: of a frame.
        hidden: width of the layers.
        layers: how many.
        classes: logits.
        dropout: in the layers and before the logits.
    """

    def __init__(
        self,
        faces: int = 16,
        features: int = FEATURES,
        hidden: int = 64,
        layers: int = 2,
        classes: int = 8,
        dropout: float = 0.3,
    ) -> None:
        super().__init__()
        self.reduce = nn.Linear(features, hidden)
        self.places = nn.Parameter(torch.randn(faces, hidden) * 0.02)
        layer = nn.TransformerEncoderLayer(hidden, 4, 2 * hidden, dropout, batch_first=True, norm_first=True)
        self.layers = nn.TransformerEncoder(layer, layers, enable_nested_tensor=False)
        self.head = nn.Sequential(nn.LayerNorm(hidden), nn.Dropout(dropout), nn.Linear(hidden, classes))

    def forward(self, frames: Tensor) -> Tensor:
        """Map `(n, time, features)` to logits `(n, classes)`."""
        seen = known(frames)
        x = self.layers(self.reduce(frames) + self.places, src_key_padding_mask=~seen)
        return self.head(_mean(x, seen))


HEADS: dict[str, Callable[..., nn.Module]] = {
    "mean": MeanPooling,
    "gru": Recurrent,
    "gru-attention": RecurrentAttention,
    "attention": Attention,
    "transformer": Transformer,
}
"""The heads that are compared in `results/sequences/`."""


class TimeDistributed(nn.Module):
    """The face network on each face of a window, then a head over time.

    Args:
        encoder: the face network.
        head: maps features `(n, time, features)` to logits.
    """

    def __init__(self, encoder: FaceResNet, head: nn.Module) -> None:
        super().__init__()
        self.encoder, self.head = encoder, head

    def forward(self, faces: Tensor) -> Tensor:
        """Map windows `(n, time, 48, 48)`, grey in [0, 1], all 0 where a slot is empty, to logits `(n, classes)`."""
        return self.head(self.embed(faces))

    def embed(self, faces: Tensor) -> Tensor:
        """Map windows `(n, time, 48, 48)` to features `(n, time, features)`."""
        n, time, height, width = faces.shape
        flat = faces.reshape(n * time, 1, height, width)
        features = self.encoder.embed(flat) * (flat.amax((1, 2, 3)) > 0).unsqueeze(1)
        return features.reshape(n, time, -1)


class Streaming(TimeDistributed):
    """The same, one frame at a time, for the pipeline: the features of the faces before are handed back in."""

    def forward(self, faces: Tensor, past: Tensor) -> tuple[Tensor, Tensor]:  # type: ignore[override]
        """Take the newest face and the features of those before it.

        Args:
            faces: `(n, 1, 48, 48)` grey in [0, 1].
            past: `(n, time - 1, features)`, oldest first, all 0 where a slot is empty.

        Returns:
            Logits `(n, classes)`, and the features `(n, features)` to hand back.
        """
        features = self.encoder.embed(faces)
        return self.head(torch.cat([past, features.unsqueeze(1)], 1)), features


def known(frames: Tensor) -> Tensor:
    """Which slots of features `(n, time, features)` hold a face: `(n, time)` bool."""
    return frames.abs().amax(2) > 0


def _mean(frames: Tensor, seen: Tensor) -> Tensor:
    """The mean over time `(n, features)` of what is known."""
    weights = seen.to(frames) / seen.sum(1, keepdim=True).clamp(min=1)
    return (weights.unsqueeze(2) * frames).sum(1)


def _softmax(weights: Tensor, seen: Tensor) -> Tensor:
    """Weights `(n, time)` that sum to 1 over what is known."""
    return torch.softmax(weights.masked_fill(~seen, -1e4), 1)
