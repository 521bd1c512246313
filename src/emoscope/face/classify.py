"""What a face model says of crops."""

import numpy as np

from ..models import FaceInput, Model
from .crop import crop_faces


class FaceClassifier:
    """Runs a face model on faces that are cut as its card says.

    Args:
        model: a model of modality `face`.

    Attributes:
        input: how its faces are cut.

    Raises:
        ModelError: its card does not say how its faces are made.
    """

    def __init__(self, model: Model) -> None:
        self.model = model
        self.input = FaceInput.from_card(model.card.name, model.card.input)

    def crops(self, image: np.ndarray, landmarks: np.ndarray) -> np.ndarray:
        """The faces with landmarks `(n, 5, 2)` in a frame, uint8 as `logits` takes them."""
        return crop_faces(image, landmarks, self.input)

    def logits(self, crops: np.ndarray) -> np.ndarray:
        """Look at crops of one frame or many.

        Args:
            crops: uint8, grey `(n, side, side)` or RGB `(n, side, side, 3)`.

        Returns:
            `(n, labels)` float32.

        Raises:
            ValueError: the crops have another shape.
        """
        check_crops(crops, self.input, len(crops))
        if not len(crops):
            return np.empty((0, len(self.model.card.labels)), np.float32)
        return self.model.logits(planes(crops, self.input))


def check_crops(crops: np.ndarray, wanted: FaceInput, count: int) -> None:
    """Raise `ValueError` unless these are `count` crops of the shape that is wanted."""
    shape = (wanted.side, wanted.side) if wanted.channels == 1 else (wanted.side, wanted.side, 3)
    if crops.shape != (count, *shape):
        raise ValueError(f"expected crops of shape {(count, *shape)}, got {crops.shape}")


def planes(crops: np.ndarray, wanted: FaceInput) -> np.ndarray:
    """Crops uint8 as a network takes them: float32 `(n, channels, side, side)` in its range, by mean and std."""
    stacked = crops[:, None] if wanted.channels == 1 else crops.transpose(0, 3, 1, 2)
    made = stacked.astype(np.float32) / 255
    if (wanted.low, wanted.high) != (0, 1):
        made = made * (wanted.high - wanted.low) + wanted.low
    if wanted.mean is not None:
        made = made - np.array(wanted.mean, np.float32)[:, None, None]
    if wanted.std is not None:
        made = made / np.array(wanted.std, np.float32)[:, None, None]
    return made
