"""The networks for voices: the small one that is shipped, and the reference system's 66,150 parameters."""

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional

from ..data.spectra import cosines
from ..voice.features import MELS
from .networks import Residual

BANDS = 64
"""Mel bands that the networks work on: neighbouring bands of a window are averaged."""


def pooled(windows: Tensor) -> Tensor:
    """Windows `(n, frames, MELS)` or `(n, frames, BANDS)` as `(n, 1, frames, BANDS)`."""
    x = windows.unsqueeze(1)
    return x if x.shape[3] == BANDS else functional.avg_pool2d(x, (1, int(x.shape[3]) // BANDS))


def standardised(x: Tensor) -> Tensor:
    """Pictures `(n, 1, frames, bands)` by mean and deviation of the frames that sound; 0 where none does."""
    return _scaled(x, (2, 3))


def levelled(x: Tensor) -> Tensor:
    """As `standardised`, but each band by its own mean over time: what a microphone and a room do to it is gone.

    Cepstral mean subtraction (Atal 1974, doi:10.1121/1.1914702), in the log-mel domain.
    """
    return _scaled(x, (2,))


def _scaled(x: Tensor, axes: tuple[int, ...]) -> Tensor:
    """Less the mean over the axes, by the deviation of what is left, of the frames that sound."""
    sounds = (x.amax(3, keepdim=True) > 0).float()
    count = sounds.sum(2, keepdim=True).clamp(min=1)
    centred = (x - x.sum(axes, keepdim=True) / (count * (x.shape[3] if 3 in axes else 1))) * sounds
    deviation = (centred.square().sum((2, 3), keepdim=True) / (count * x.shape[3])).sqrt()
    return centred / (deviation + 0.05)


class VoiceResNet(nn.Module):
    """A residual network for log-mel windows with attention pooling over time (Okabe et al. 2018, arXiv:1803.10963).

    Beside the window, normalised, it is given the height on the mel axis: convolutions by
    themselves do not know it (Liu et al. 2018, arXiv:1807.03247).

    Every stage keeps one of two frames, so that what the network says depends on where a window begins (Zhang 2019,
    arXiv:1904.11486): two of its frames later, it names another emotion in 12 % of CREMA-D's validation clips. In use,
    the stages after the first keep either, and what is pooled is the mean over these four ways.

    Args:
        stem: channels of the first convolution, which halves time and frequency.
        widths: channels of the stages; each halves both again.
        dropout: share of the pooled features dropped in training.
        normalise: how a window is normalised: `standardised`, or `levelled`.
    """

    def __init__(
        self,
        stem: int = 16,
        widths: tuple[int, ...] = (32, 64, 128),
        dropout: float = 0.4,
        classes: int = 6,
        normalise: Callable[[Tensor], Tensor] = standardised,
    ) -> None:
        super().__init__()
        self.normalise = normalise
        self.stem = nn.Sequential(
            nn.Conv2d(2, stem, 5, 2, padding=2, bias=False), nn.BatchNorm2d(stem), nn.ReLU(inplace=True)
        )
        stages, inputs = [], stem
        for width in widths:
            stages.append(Residual(inputs, width, stride=2))
            inputs = width
        self.stages = nn.Sequential(*stages)
        self.attention = nn.Sequential(nn.Linear(inputs, 64), nn.Tanh(), nn.Linear(64, 1))
        self.head = nn.Sequential(nn.Dropout(dropout), nn.Linear(2 * inputs, classes))
        self.register_buffer("height", torch.linspace(-1, 1, BANDS), persistent=False)

    def forward(self, windows: Tensor) -> Tensor:
        """Map windows `(n, 188, 128)`, log-mel in [0, 1], time first, to logits `(n, classes)`.

        Bands may come averaged to 64 already.
        """
        if self.training:
            return self.head(self._pooled(self.frames(windows)))
        first, *later = self.stages
        x = first(self.stem(self._normalised(functional.pad(windows, (0, 0, 12, 8)))))
        for stage in later:
            x = torch.cat([stage(x), stage(x[:, :, 1:])])
        ways = self._pooled(x.mean(3).transpose(1, 2))
        return self.head(ways.reshape(2 ** len(later), -1, ways.shape[1]).mean(0))

    def frames(self, windows: Tensor) -> Tensor:
        """Map windows to the features over time that are pooled, `(n, time, channels)`."""
        return self.stages(self.stem(self._normalised(windows))).mean(3).transpose(1, 2)

    def _normalised(self, windows: Tensor) -> Tensor:
        x = self.normalise(pooled(windows))
        return torch.cat([x, self.height.expand_as(x)], 1)  # type: ignore[operator]

    def _pooled(self, x: Tensor) -> Tensor:
        weight = torch.softmax(self.attention(x), 1)
        mean = (weight * x).sum(1)
        deviation = ((weight * x * x).sum(1) - mean * mean).clamp(min=1e-5).sqrt()
        return torch.cat([mean, deviation], 1)


class ReferenceCNN(nn.Module):
    """The reference system's network, layer by layer, on the pictures that it was published with.

    Four 3x3 convolutions without padding, each followed by LeakyReLU, batch normalisation and spatial dropout (whole
    channels); a max-pool after the second; a global mean and a dense layer. Keras counts 66,150 parameters, of which
    65,766 are trained and 384 are the running means and variances of the normalisations.

    Args:
        front: turns `(n, 188, 128)` log-mels into pictures `(n, 1, height, width)`; has no parameters.
        dropout: share of the channels dropped in training.
    """

    def __init__(self, front: nn.Module, dropout: float = 0.1, classes: int = 6) -> None:
        super().__init__()
        self.front = front
        self.features = nn.Sequential(
            *_reference_layer(1, 32, dropout),
            *_reference_layer(32, 32, dropout),
            nn.MaxPool2d(2),
            *_reference_layer(32, 64, dropout),
            *_reference_layer(64, 64, dropout),
        )
        self.head = nn.Linear(64, classes)

    def forward(self, windows: Tensor) -> Tensor:
        """Map windows `(n, 188, 128)`, log-mel in [0, 1], time first, to logits `(n, classes)`."""
        return self.head(self.features(self.front(windows)).mean((2, 3)))


def _reference_layer(inputs: int, outputs: int, dropout: float) -> list[nn.Module]:
    return [nn.Conv2d(inputs, outputs, 3), nn.LeakyReLU(0.1), nn.BatchNorm2d(outputs), nn.Dropout2d(dropout)]


class Cepstra(nn.Module):
    """MFCC pictures `(n, 1, count, frames)` of log-mels, raised by a sine lifter as the cepstrum falls off.

    Args:
        count: coefficients.
    """

    def __init__(self, count: int = 40) -> None:
        super().__init__()
        lifter = 1 + count * torch.sin(torch.pi * torch.arange(1, count + 1) / (2 * count))
        basis = torch.from_numpy(cosines(MELS, count)) * lifter / count
        self.register_buffer("basis", basis, persistent=False)

    def forward(self, windows: Tensor) -> Tensor:
        """Map `(n, frames, 128)` to `(n, 1, count, frames)`."""
        return (windows @ self.basis).transpose(1, 2).unsqueeze(1)  # type: ignore[operator]


class Mels(nn.Module):
    """Mel pictures `(n, 1, height, width)` of log-mels, with neighbours averaged.

    Args:
        height: bands that are left; the highest are left out where they do not divide.
        frames: how many frames become one.
        scaled: by the window's own mean and deviation.
    """

    def __init__(self, height: int, frames: int = 1, scaled: bool = False) -> None:
        super().__init__()
        self.height, self.frames, self.scaled = height, frames, scaled

    def forward(self, windows: Tensor) -> Tensor:
        """Map `(n, frames, bands)` to `(n, 1, height, frames // self.frames)`."""
        x = windows.unsqueeze(1)
        x = standardised(x) if self.scaled else x
        return functional.avg_pool2d(x, (self.frames, int(x.shape[3]) // self.height)).transpose(2, 3)
