"""Augmentation of batches on the training device; Kornia moves and lights the faces."""

import kornia.augmentation as K
import torch
from torch import Tensor


class FaceAugment:
    """Flips, small rotations, shifts, scale, light, blur and erasing of faces `(n, 1, 48, 48)` in [0, 1].

    Moved faces keep their edge pixels rather than gain a black border.
    """

    def __init__(self) -> None:
        self.transform = K.AugmentationSequential(
            K.RandomHorizontalFlip(p=0.5),
            K.RandomAffine(degrees=15, translate=(0.08, 0.08), scale=(0.85, 1.15), padding_mode="border", p=0.9),
            K.RandomBrightness((0.8, 1.2), p=0.5),
            K.RandomContrast((0.7, 1.3), p=0.5),
            K.RandomGaussianBlur((3, 3), (0.3, 1.0), p=0.2),
            K.RandomErasing((0.02, 0.15), (0.4, 2.5), value=0.5, p=0.4),
            data_keys=["input"],
        )

    def __call__(self, faces: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
        """Return changed faces of the same shape and the targets as they were."""
        with torch.no_grad():
            return self.transform(faces).contiguous(memory_format=torch.channels_last), targets
