"""Networks for 48x48 grey faces beside those of the recipes: the reference system's, a hybrid, several as one."""

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional

from emoscope.training.networks import standardised_faces
from emoscope.training.networks_face import convolution


class ReferenceFaceCNN(nn.Sequential):
    """The reference system's network: three convolutions, a dense layer of 3,072 and one output a class.

    Maps faces `(n, 1, 48, 48)`, grey in [0, 1], to logits `(n, classes)`. Convolutions without padding, as Keras has
    them by default: 48 > 44 > 21 > 17 > 8 > 5 pixels a side.
    """

    def __init__(self, classes: int = 8) -> None:
        super().__init__(
            nn.Conv2d(1, 64, 5),
            nn.ReLU(inplace=True),
            nn.MaxPool2d(3, 2),
            nn.Conv2d(64, 64, 5),
            nn.ReLU(inplace=True),
            nn.MaxPool2d(3, 2),
            nn.Conv2d(64, 128, 4),
            nn.ReLU(inplace=True),
            nn.Dropout(0.3),
            nn.Flatten(),
            nn.Linear(128 * 5 * 5, 3072),
            nn.ReLU(inplace=True),
            nn.Linear(3072, classes),
        )


class FaceHybrid(nn.Module):
    """Three convolutions, then a transformer over the 6x6 places (Xiao et al. 2021, arXiv:2106.14881).

    Args:
        width: features of a place.
        depth: layers of the transformer.
        heads: of its attention.
    """

    def __init__(self, width: int = 128, depth: int = 3, heads: int = 4, classes: int = 8) -> None:
        super().__init__()
        steps = [1, 32, 64, width]
        self.stem = nn.Sequential(*(layer for pair in pairwise(steps) for layer in convolution(*pair, stride=2)))
        self.places = nn.Parameter(torch.zeros(1, 36, width))
        layer = nn.TransformerEncoderLayer(
            width, heads, 2 * width, dropout=0.1, activation=functional.gelu, batch_first=True, norm_first=True
        )
        self.encoder = nn.TransformerEncoder(layer, depth, nn.LayerNorm(width), enable_nested_tensor=False)
        self.head = nn.Linear(width, classes)

    def forward(self, faces: Tensor) -> Tensor:
        """Map faces `(n, 1, 48, 48)`, grey in [0, 1], to logits `(n, classes)`."""
        places = self.stem(standardised_faces(faces)).flatten(2).transpose(1, 2) + self.places
        return self.head(self.encoder(places).mean(1))


class Ensemble(nn.Module):
    """The mean log-probability of networks on faces and on their mirror images, and a shift of each class.

    Args:
        networks: map `(n, 1, 48, 48)` to logits `(n, classes)`.
        shift: `(classes,)`, added to the result: see `metrics.prior_shift`.
    """

    shift: Tensor

    def __init__(self, networks: Sequence[nn.Module], shift: Tensor) -> None:
        super().__init__()
        self.networks = nn.ModuleList(networks)
        self.register_buffer("shift", shift)

    def forward(self, faces: Tensor) -> Tensor:
        """Map faces `(n, 1, 48, 48)`, grey in [0, 1], to logits `(n, classes)`."""
        seen = (faces, faces.flip(3))
        logs = [torch.log_softmax(network(some), 1) for network in self.networks for some in seen]
        return torch.stack(logs).mean(0) + self.shift
