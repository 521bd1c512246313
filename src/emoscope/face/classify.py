"""What a face model says of crops."""

import numpy as np

from ..models import Model
from .crop import SIDE


class FaceClassifier:
    """Runs a face model on crops.

    Args:
        model: a model of modality `face`, whose input is `(n, 1, 48, 48)` grey in [0, 1].
    """

    def __init__(self, model: Model) -> None:
        self.model = model

    def logits(self, crops: np.ndarray) -> np.ndarray:
        """Look at crops of one frame or many.

        Args:
            crops: grey uint8 `(n, 48, 48)`.

        Returns:
            `(n, labels)` float32.

        Raises:
            ValueError: the crops have another shape.
        """
        if crops.ndim != 3 or crops.shape[1:] != (SIDE, SIDE):
            raise ValueError(f"expected crops of shape (n, {SIDE}, {SIDE}), got {crops.shape}")
        if not len(crops):
            return np.empty((0, len(self.model.card.labels)), np.float32)
        return self.model.logits(crops[:, None].astype(np.float32) / 255)
