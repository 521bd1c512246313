"""Networks for 48x48 grey faces beside the residual ones of `networks`."""

from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional

from .networks import standardised


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


class FaceVGG(nn.Module):
    """Pairs of 3x3 convolutions with pooling between, the first at full size (Simonyan and Zisserman 2015).

    Args:
        widths: channels at 48x48 (one convolution), 24x24, 12x12 and 6x6 (two each).
        dropout: share of the pooled features dropped in training.
    """

    def __init__(
        self, widths: tuple[int, int, int, int] = (32, 64, 128, 256), dropout: float = 0.4, classes: int = 8
    ) -> None:
        super().__init__()
        layers = _convolution(1, widths[0])
        inputs = widths[0]
        for width in widths[1:]:
            layers += [nn.MaxPool2d(2), *_convolution(inputs, width), *_convolution(width, width)]
            inputs = width
        self.features = nn.Sequential(*layers)
        self.head = nn.Sequential(nn.Dropout(dropout), nn.Linear(inputs, classes))

    def forward(self, faces: Tensor) -> Tensor:
        """Map faces `(n, 1, 48, 48)`, grey in [0, 1], to logits `(n, classes)`."""
        return self.head(self.features(standardised(faces)).mean((2, 3)))


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
        self.stem = nn.Sequential(*(layer for pair in pairwise(steps) for layer in _convolution(*pair, stride=2)))
        self.places = nn.Parameter(torch.zeros(1, 36, width))
        layer = nn.TransformerEncoderLayer(
            width, heads, 2 * width, dropout=0.1, activation=functional.gelu, batch_first=True, norm_first=True
        )
        self.encoder = nn.TransformerEncoder(layer, depth, nn.LayerNorm(width), enable_nested_tensor=False)
        self.head = nn.Linear(width, classes)

    def forward(self, faces: Tensor) -> Tensor:
        """Map faces `(n, 1, 48, 48)`, grey in [0, 1], to logits `(n, classes)`."""
        places = self.stem(standardised(faces)).flatten(2).transpose(1, 2) + self.places
        return self.head(self.encoder(places).mean(1))


def _convolution(inputs: int, outputs: int, stride: int = 1) -> list[nn.Module]:
    """3x3 convolution, batch normalisation and ReLU."""
    return [
        nn.Conv2d(inputs, outputs, 3, stride, padding=1, bias=False),
        nn.BatchNorm2d(outputs),
        nn.ReLU(inplace=True),
    ]
