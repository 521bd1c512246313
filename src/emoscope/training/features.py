"""Features of faces, computed once: a head over time trains on them in seconds."""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from ..data.augment import FaceAugment
from .loop import fast_bfloat16
from .networks import FaceResNet

BATCH = 256


def encode(encoder: FaceResNet, faces: np.ndarray) -> np.ndarray:
    """The features `(n, features)` float32 of faces `(n, 48, 48)` uint8."""
    encoder.eval()
    parts = []
    with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16, enabled=fast_bfloat16("cpu")):
        for i in range(0, len(faces), BATCH):
            batch = torch.from_numpy(faces[i : i + BATCH, None]).float() / 255
            parts.append(encoder.embed(batch.contiguous(memory_format=torch.channels_last)).float().numpy())
    return np.concatenate(parts)


def encode_clips(encoder: FaceResNet, clips: Sequence[np.ndarray], variants: int = 1) -> list[list[np.ndarray]]:
    """The features of clips as they are and as they might have looked.

    Args:
        encoder: the face network.
        clips: of each its faces `(n, 48, 48)` uint8.
        variants: how many of each clip; the first is the clip itself, the others are augmented, all faces of a clip in
            the same way. Chance comes from torch's generator.

    Returns:
        For each variant, for each clip, `(n, features)` float32.
    """
    augment = FaceAugment()
    made = [[encode(encoder, faces) for faces in clips]]
    for _ in range(variants - 1):
        made.append([encode(encoder, _changed(augment, faces)) for faces in clips])
    return made


def _changed(augment: FaceAugment, faces: np.ndarray) -> np.ndarray:
    """Faces `(n, 48, 48)` changed together: they are the channels of one picture."""
    changed, _ = augment(torch.from_numpy(faces[None]).float() / 255, torch.zeros(1, 1))
    return np.asarray((changed[0] * 255).round().clamp(1, 255).to(torch.uint8).numpy())


class SlotDrop:
    """Empties some slots of feature windows `(n, time, features)`, but never the last: a face is not always found.

    Args:
        share: of the slots.
    """

    def __init__(self, share: float = 0.15) -> None:
        self.share = share

    def __call__(self, windows: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
        """Return changed windows of the same shape and the targets as they were."""
        kept = torch.rand(windows.shape[:2], device=windows.device) >= self.share
        kept[:, -1] = True
        return windows * kept.unsqueeze(2), targets
