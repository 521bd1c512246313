"""Augmentation of batches on the training device: Kornia moves and lights faces, and stretches log-mels."""

import kornia.augmentation as K
import torch
from torch import Tensor
from torch.distributions import Beta


class FaceAugment:
    """Flips, small rotations, shifts, scale, light, blur and erasing of faces `(n, 1, 48, 48)` in [0, 1].

    Moved faces keep their edge pixels rather than gain a black border.

    Args:
        gentle: flips and slight moves alone, for the last epochs, which see faces as they are.
    """

    def __init__(self, gentle: bool = False) -> None:
        flip = K.RandomHorizontalFlip(p=0.5)
        if gentle:
            moves = [
                K.RandomAffine(degrees=5, translate=(0.03, 0.03), scale=(0.95, 1.05), padding_mode="border", p=0.9)
            ]
        else:
            moves = [
                K.RandomAffine(degrees=15, translate=(0.08, 0.08), scale=(0.85, 1.15), padding_mode="border", p=0.9),
                K.RandomBrightness((0.8, 1.2), p=0.5),
                K.RandomContrast((0.7, 1.3), p=0.5),
                K.RandomGaussianBlur((3, 3), (0.3, 1.0), p=0.2),
                K.RandomErasing((0.02, 0.15), (0.4, 2.5), value=0.5, p=0.4),
            ]
        self.transform = K.AugmentationSequential(flip, *moves, data_keys=["input"])

    def __call__(self, faces: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
        """Return changed faces of the same shape and the targets as they were."""
        with torch.no_grad():
            return self.transform(faces).contiguous(memory_format=torch.channels_last), targets


class LogMelAugment:
    """Changes log-mels `(n, 188, 128)` in [0, 1]: trims quiet, warps and shifts, adds a noise floor, masks and mixes.

    The trimming stands for voice activity, which cuts nearer to the speech than whoever cut the clips; the warps stand
    for time stretch and pitch shift, the floor for background noise; the masks are SpecAugment's (Park et al. 2019,
    arXiv:1904.08779), the mixing is mixup (Zhang et al. 2018, arXiv:1710.09412).
    """

    def __init__(self) -> None:
        self.warp = K.RandomAffine(
            degrees=0, translate=(0.03, 0.12), scale=(0.92, 1.08, 0.85, 1.15), padding_mode="zeros", p=0.9
        )
        self.mix = Beta(0.3, 0.3)

    def __call__(self, windows: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
        """Return changed windows of the same shape and the mixed targets."""
        with torch.no_grad():
            windows = _trim(windows)
            windows = self.warp(windows.unsqueeze(1)).squeeze(1)
            windows = _noise_floor(windows)
            windows = _mask(_mask(windows, axis=1, longest=25), axis=2, longest=16)
            share = self.mix.sample((len(windows), 1)).to(windows)
            share = torch.maximum(share, 1 - share)
            other = torch.randperm(len(windows), device=windows.device)
            mixed = share.unsqueeze(2) * windows + (1 - share.unsqueeze(2)) * windows[other]
            return mixed, share * targets + (1 - share) * targets[other]


LOUD = 0.8
"""Above this, a log-mel is taken for speech: 16 dB below the loudest point where the range is 80 dB."""


def _trim(windows: Tensor) -> Tensor:
    """Cut random parts of the quiet before the first loud frame and after the last; the rest moves to the start."""
    time = torch.arange(windows.shape[1], device=windows.device)
    loud = (windows.amax(2) > LOUD).int()
    first = loud.argmax(1)
    last = windows.shape[1] - 1 - loud.flip(1).argmax(1)
    sound = (windows.amax(2) > 0).int()
    end = windows.shape[1] - sound.flip(1).argmax(1)
    share = torch.rand(2, len(windows), device=windows.device)
    start = (share[0] * first).long()
    stop = end - (share[1] * (end - 1 - last).clamp(min=0)).long()
    source = time + start[:, None]
    kept = source < stop[:, None]
    source = source.clamp(max=windows.shape[1] - 1)[:, :, None].expand_as(windows)
    return windows.gather(1, source) * kept[:, :, None]


def _noise_floor(windows: Tensor) -> Tensor:
    """Half of the windows get a floor up to 40 % of the range, a little different in each band."""
    height = 0.4 * torch.rand(len(windows), 1, 1, device=windows.device)
    height = height * (torch.rand_like(height) < 0.5) * (1 + 0.2 * torch.randn_like(windows[:, :1]))
    rough = height * (1 + 0.15 * torch.randn_like(windows))
    return torch.maximum(windows, rough).clamp(0, 1)


def _mask(windows: Tensor, axis: int, longest: int) -> Tensor:
    """Two stretches of each window along an axis, up to `longest` long, are set to 0."""
    shape = [len(windows), 1, 1]
    size = windows.shape[axis]
    view = [1, 1, 1]
    view[axis] = size
    position = torch.arange(size, device=windows.device).view(view)
    for _ in range(2):
        length = torch.randint(0, longest + 1, shape, device=windows.device)
        start = (torch.rand(shape, device=windows.device) * (size - length)).long()
        windows = windows.masked_fill((position >= start) & (position < start + length), 0.0)
    return windows
