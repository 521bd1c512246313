"""The plain network for 48x48 grey faces, beside the residual ones of `networks`."""

from torch import Tensor, nn

from .networks import standardised_faces


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
        layers = convolution(1, widths[0])
        inputs = widths[0]
        for width in widths[1:]:
            layers += [nn.MaxPool2d(2), *convolution(inputs, width), *convolution(width, width)]
            inputs = width
        self.features = nn.Sequential(*layers)
        self.head = nn.Sequential(nn.Dropout(dropout), nn.Linear(inputs, classes))

    def forward(self, faces: Tensor) -> Tensor:
        """Map faces `(n, 1, 48, 48)`, grey in [0, 1], to logits `(n, classes)`."""
        return self.head(self.features(standardised_faces(faces)).mean((2, 3)))


def convolution(inputs: int, outputs: int, stride: int = 1) -> list[nn.Module]:
    """3x3 convolution, batch normalisation and ReLU."""
    return [
        nn.Conv2d(inputs, outputs, 3, stride, padding=1, bias=False),
        nn.BatchNorm2d(outputs),
        nn.ReLU(inplace=True),
    ]
