"""Residual convolutional networks (He et al. 2016, arXiv:1512.03385) and the one for faces."""

import torch
from torch import Tensor, nn


def _convolution(inputs: int, outputs: int, stride: int = 1) -> nn.Sequential:
    """3x3 convolution and batch normalisation."""
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, 3, stride, padding=1, bias=False),
        nn.BatchNorm2d(outputs),
    )


class Residual(nn.Module):
    """Two 3x3 convolutions beside a shortcut; the first may halve height and width."""

    def __init__(self, inputs: int, outputs: int, stride: int = 1) -> None:
        super().__init__()
        self.body = nn.Sequential(
            _convolution(inputs, outputs, stride), nn.ReLU(inplace=True), _convolution(outputs, outputs)
        )
        self.shortcut: nn.Module = nn.Identity()
        if stride > 1 or inputs != outputs:
            pool = nn.AvgPool2d(stride, ceil_mode=True) if stride > 1 else nn.Identity()
            self.shortcut = nn.Sequential(pool, nn.Conv2d(inputs, outputs, 1, bias=False), nn.BatchNorm2d(outputs))

    def forward(self, x: Tensor) -> Tensor:
        """Map `(n, inputs, h, w)` to `(n, outputs, h / stride, w / stride)`."""
        return torch.relu(self.body(x) + self.shortcut(x))


class FaceResNet(nn.Module):
    """A residual network for 48x48 grey faces.

    Args:
        widths: channels of the three stages at 24x24, 12x12 and 6x6.
        blocks: residual blocks of each stage.
        dropout: share of the pooled features dropped in training.
    """

    def __init__(
        self,
        widths: tuple[int, int, int] = (32, 80, 192),
        blocks: tuple[int, int, int] = (1, 2, 1),
        dropout: float = 0.3,
        classes: int = 8,
    ) -> None:
        super().__init__()
        layers: list[nn.Module] = [
            nn.Conv2d(1, widths[0], 5, 2, padding=2, bias=False),
            nn.BatchNorm2d(widths[0]),
            nn.ReLU(inplace=True),
        ]
        inputs = widths[0]
        for stage, (width, count) in enumerate(zip(widths, blocks, strict=True)):
            for block in range(count):
                layers.append(Residual(inputs, width, stride=2 if stage and not block else 1))
                inputs = width
        self.features = nn.Sequential(*layers)
        self.head = nn.Sequential(nn.Dropout(dropout), nn.Linear(inputs, classes))

    def forward(self, faces: Tensor) -> Tensor:
        """Map faces `(n, 1, 48, 48)`, grey in [0, 1], to logits `(n, classes)`."""
        return self.head(self.embed(faces))

    def embed(self, faces: Tensor) -> Tensor:
        """Map faces `(n, 1, 48, 48)` to the features `(n, widths[-1])` that the logits are made from, at least 0."""
        return self.features(standardised_faces(faces)).mean((2, 3))


def standardised_faces(faces: Tensor) -> Tensor:
    """Each face `(n, 1, h, w)` less its own mean, by its own deviation: exposure and contrast do not matter."""
    mean = faces.mean((2, 3), keepdim=True)
    deviation = (faces - mean).square().mean((2, 3), keepdim=True).sqrt()
    return (faces - mean) / (deviation + 0.02)
