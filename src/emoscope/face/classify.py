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
        side, channels = self.input.side, self.input.channels
        shape = (side, side) if channels == 1 else (side, side, 3)
        if crops.shape[1:] != shape:
            raise ValueError(f"expected crops of shape {('n', *shape)}, got {crops.shape}")
        if not len(crops):
            return np.empty((0, len(self.model.card.labels)), np.float32)
        return self.model.logits(planes(crops, self.input))


def planes(crops: np.ndarray, wanted: FaceInput) -> np.ndarray:
    """Crops uint8 as a network takes them: float32 `(n, channels, side, side)` in its range."""
    stacked = crops[:, None] if wanted.channels == 1 else crops.transpose(0, 3, 1, 2)
    unit = stacked.astype(np.float32) / 255
    return unit if (wanted.low, wanted.high) == (0, 1) else unit * (wanted.high - wanted.low) + wanted.low
