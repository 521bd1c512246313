"""Augmentation of batches on the training device: faces by Kornia, log-mels by the twins of `data.twins`."""

from collections.abc import Sequence
from typing import Any

import kornia.augmentation as K
import numpy as np
import torch
from torch import Tensor
from torch.distributions import Beta
from torch.nn import functional

from ..voice.features import window_input
from .nonspeech import KINDS, make
from .twins import noise, warp
from .waveform import RATE, SEMITONES, SNR_DB

PARTS = ("flip", "rotation", "shift", "scale", "light", "blur", "erasing")
"""What `FaceAugment` does to a face, unless told otherwise; it can also do `mixing`."""


class FaceAugment:
    """Changes faces `(n, 1, 48, 48)` in [0, 1].

    Flips, rotations of up to 15 degrees, shifts of up to 8 %, scales, light (brightness, contrast and gamma), blur,
    erasing of a rectangle (Zhong et al. 2020, arXiv:1708.04896), and mixing of two faces and their targets (mixup,
    Zhang et al. 2018, arXiv:1710.09412). Moved faces keep their edge pixels rather than gain a black border.

    Args:
        parts: which of these; see `PARTS`.
        gentle: flips and slight moves alone, for the last epochs, which see faces as they are.
        side: faces are cut to so many pixels, at random: less than 48 is cheaper to train on. Faces are then made
            smaller on the whole, so that most of each is seen.
        poor: also cut faces more loosely, and make some coarse, blurred or compressed, as in other people's pictures.
    """

    def __init__(self, parts: Sequence[str] = PARTS, gentle: bool = False, side: int = 48, poor: bool = False) -> None:
        self.poor = _Poor() if poor else None
        self.mixing = Beta(0.4, 0.4) if "mixing" in parts and not gentle else None
        steps = _gentle() if gentle else _steps(parts, side, poor)
        self.transform = K.AugmentationSequential(*steps, data_keys=["input"]) if steps else None

    def __call__(self, faces: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
        """Return changed faces `(n, 1, side, side)` and their targets, which only mixing changes."""
        with torch.no_grad():
            if self.transform is not None:
                faces = self.transform(faces)
            if self.poor is not None:
                faces = self.poor(faces)
            if self.mixing is not None:
                faces, targets = _mixed(faces, targets, self.mixing)
            return faces.contiguous(memory_format=torch.channels_last), targets


def _gentle() -> list[Any]:
    return [
        K.RandomHorizontalFlip(p=0.5),
        K.RandomAffine(degrees=5, translate=(0.03, 0.03), scale=(0.95, 1.05), padding_mode="border", p=0.9),
    ]


def _steps(parts: Sequence[str], side: int, poor: bool) -> list[Any]:
    whole = side == 48
    scale = (0.7 if poor else 0.85 if whole else 0.75, 1.15 if whole else 1.1)
    light: list[Any] = [
        K.RandomBrightness((0.8, 1.2), p=0.5),
        K.RandomContrast((0.7, 1.3), p=0.5),
        K.RandomGamma((0.6, 1.6), p=0.3),
    ]
    made: dict[str, list[Any]] = {
        "flip": [K.RandomHorizontalFlip(p=0.5)],
        "moves": [_moves(parts, scale)],
        "light": light,
        "blur": [K.RandomGaussianBlur((3, 3), (0.3, 1.0), p=0.2), K.RandomGaussianBlur((7, 7), (1.0, 2.0), p=0.1)],
        "erasing": [K.RandomErasing((0.02, 0.15), (0.4, 2.5), value=0.5, p=0.4)],
    }
    wanted = {*parts, "moves"} if {"rotation", "shift", "scale"} & {*parts} else {*parts}
    steps = [step for name, some in made.items() if name in wanted for step in some]
    return [*steps, K.RandomCrop((side, side))] if side < 48 else steps


def _moves(parts: Sequence[str], scale: tuple[float, float]) -> Any:
    return K.RandomAffine(
        degrees=15 if "rotation" in parts else 0,
        translate=(0.08, 0.08) if "shift" in parts else None,
        scale=scale if "scale" in parts else None,
        padding_mode="border",
        p=0.9,
    )


class _Poor:
    """Makes one face in six coarse, one blurred and one full of JPEG's blocks."""

    def __init__(self) -> None:
        self.blur = K.RandomGaussianBlur((9, 9), (1.0, 2.2), p=1 / 6)
        self.jpeg = K.RandomJPEG((8.0, 50.0), p=1 / 6)

    def __call__(self, faces: Tensor) -> Tensor:
        chosen = torch.rand(len(faces), device=faces.device) < 1 / 6
        if chosen.any():
            side = int(torch.randint(14, 37, ()))
            small = functional.interpolate(faces[chosen], side, mode="area")
            faces = faces.clone()
            faces[chosen] = functional.interpolate(small, faces.shape[2], mode="bilinear", align_corners=False)
        coloured = self.jpeg(self.blur(faces).expand(-1, 3, -1, -1))  # Kornia's JPEG takes three channels
        return coloured.mean(1, keepdim=True).clamp(0, 1)


def _mixed(inputs: Tensor, targets: Tensor, shares: Beta) -> tuple[Tensor, Tensor]:
    """Each input with a share of another's, and their targets with the same."""
    share = shares.sample((len(inputs),)).to(inputs)
    share = torch.maximum(share, 1 - share)
    other = torch.randperm(len(inputs), device=inputs.device)
    wide = share.reshape(-1, *(1,) * (inputs.ndim - 1))
    narrow = share[:, None]
    return wide * inputs + (1 - wide) * inputs[other], narrow * targets + (1 - narrow) * targets[other]


class LogMelAugment:
    """Changes log-mels `(n, frames, bands)` in [0, 1]: trims, warps, adds noise, masks and mixes.

    The trimming stands for voice activity, which cuts nearer to the speech than whoever cut the clips. Warps and noise
    are the twins of time stretch, pitch shift and noise in `data.twins`. The masks are SpecAugment's (Park et al. 2019,
    arXiv:1904.08779), the mixing is mixup (Zhang et al. 2018, arXiv:1710.09412). A few windows become silence, noise or
    steady tones, whose target is even: what is no voice has no emotion.

    Args:
        bands: neighbouring bands are averaged until so many are left: the work is then half as much or less.
        mixing: share of the batches that are mixed.
        nothing: share of the windows that become no voice.
        sounds: how many sounds of `data.nonspeech` to make, from which half of those windows are taken.
        channel: whether some windows come as through a telephone or in a louder room: fewer bands, a higher floor.
    """

    def __init__(
        self, bands: int = 64, mixing: float = 0.25, nothing: float = 0.03, sounds: int = 0, channel: bool = False
    ) -> None:
        self.bands, self.mixing, self.nothing, self.channel = bands, mixing, nothing, channel
        self.sounds = _pictures(sounds) if sounds else None
        self.mix = Beta(0.3, 0.3)

    def __call__(self, windows: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
        """Return changed windows `(n, frames, self.bands)` and the mixed targets."""
        with torch.no_grad():
            windows = _trim(_averaged(windows, self.bands))
            windows = warp(windows, _between(windows, 0.85, 1.2), _between(windows, -3, 3))
            windows, targets = self._without_voice(windows, targets)
            noisy = _between(windows, 0, 1) < 0.4
            windows[noisy] = noise(windows[noisy], _between(windows, 0, 40)[noisy], _between(windows, 0, 6)[noisy])
            if self.channel:
                windows = _raised(_limited(windows))
            windows = _mask(_mask(windows, axis=1, longest=25), axis=2, longest=windows.shape[2] // 8)
            if torch.rand(()) >= self.mixing:
                return windows, targets
            return _mixed(windows, targets, self.mix)

    def _without_voice(self, windows: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
        """Some windows as silence, noise or tones, with even targets."""
        chosen = _between(windows, 0, 1) < self.nothing
        windows[chosen] = _no_voice(windows[chosen])
        if self.sounds is not None:
            made = chosen & (_between(windows, 0, 1) < 0.5)
            drawn = self.sounds[torch.randint(0, len(self.sounds), (int(made.sum()),))].to(windows)
            windows[made] = _averaged(drawn, self.bands)
        return windows, torch.where(chosen[:, None], 1 / targets.shape[1], targets)


class EightfoldAugment:
    """Each log-mel as it is, or with one of the seven combinations of noise, stretch and shift: see `data.waveform`."""

    def __call__(self, windows: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
        """Return changed windows `(n, frames, bands)` and the targets as they were."""
        with torch.no_grad():
            stretched, shifted, noisy = torch.rand(3, len(windows), device=windows.device) < 0.5
            rate = torch.where(stretched, _between(windows, *RATE), 1.0)
            windows = warp(windows, rate, _between(windows, *SEMITONES) * shifted)
            windows[noisy] = noise(windows[noisy], _between(windows, *SNR_DB)[noisy])
            return windows, targets


def _averaged(windows: Tensor, bands: int) -> Tensor:
    """Neighbouring bands averaged until `bands` are left."""
    return windows.reshape(*windows.shape[:2], bands, windows.shape[2] // bands).mean(3)


def _between(windows: Tensor, low: float, high: float) -> Tensor:
    """A number for each window."""
    return low + (high - low) * torch.rand(len(windows), device=windows.device)


def _no_voice(windows: Tensor) -> Tensor:
    """Silence, noise, tones that sound for 0.2 s or more, or both, in the shape of `windows`."""
    n, frames, bands = windows.shape
    hiss = noise(torch.full_like(windows, 0.3), _between(windows, -20, -20), _between(windows, -3, 9))
    steps = torch.rand(n, frames // 12 + 1, bands, device=windows.device) > 0.93
    tones = steps.repeat_interleave(12, 1)[:, :frames] * _between(windows, 0.5, 1)[:, None, None]
    tones = torch.maximum(tones, 0.6 * tones.roll(1, 2))
    kinds = torch.stack([torch.zeros_like(hiss), hiss, tones, torch.maximum(tones, 0.5 * hiss)])
    chosen = kinds[torch.randint(0, len(kinds), (n,)), torch.arange(n)]
    end = _between(windows, 0.3, 1) * frames
    return chosen * (torch.arange(frames, device=windows.device) < end[:, None])[:, :, None]


def _pictures(count: int) -> Tensor:
    """Log-mels `(count, 188, 128)` of as many sounds that nobody speaks in, 0.6 s or longer; half of them music."""
    random = np.random.default_rng(0)
    kinds = random.choice(list(KINDS), count, p=[0.5 if kind == "music" else 0.1 for kind in KINDS])
    sounds = [make(kind, random.uniform(0.6, 3.0), seed) for seed, kind in enumerate(kinds)]
    return torch.from_numpy(np.stack([window_input(sound) for sound in sounds]))


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


def _limited(windows: Tensor) -> Tensor:
    """A fifth of the windows without their lowest and highest bands: 0 to 400 Hz and from 3 kHz on at most."""
    band = torch.arange(windows.shape[2], device=windows.device) / windows.shape[2]
    low, high = _between(windows, 0.0, 0.13)[:, None], _between(windows, 0.6, 1.0)[:, None]
    cut = ((band < low) | (band >= high)) & (_between(windows, 0, 1) < 0.2)[:, None]
    return windows.masked_fill(cut[:, None], 0.0)


def _raised(windows: Tensor) -> Tensor:
    """A third of the windows with a floor up to 32 dB higher, and what is above it spread over the whole range."""
    floor = _between(windows, 0.0, 0.4) * (_between(windows, 0, 1) < 1 / 3)
    floor = floor[:, None, None]
    sounds = windows.amax(2, keepdim=True) > 0  # frames of silence stay silent
    lifted = ((windows - floor) / (1 - floor)).clamp(min=1e-3)
    return torch.where((floor > 0) & sounds, lifted, windows)


def _mask(windows: Tensor, axis: int, longest: int) -> Tensor:
    """A stretch of each window along an axis, up to `longest` long, is set to 0."""
    shape = [len(windows), 1, 1]
    size = windows.shape[axis]
    view = [1, 1, 1]
    view[axis] = size
    position = torch.arange(size, device=windows.device).view(view)
    length = torch.randint(0, longest + 1, shape, device=windows.device)
    start = (torch.rand(shape, device=windows.device) * (size - length)).long()
    return windows.masked_fill((position >= start) & (position < start + length), 0.0)
