"""The emotion of face crops."""

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

    def __call__(self, crops: np.ndarray) -> np.ndarray:
        """Score crops of one frame or many.

        Args:
            crops: grey uint8 `(n, 48, 48)`.

        Returns:
            `(n, 8)` float32: calibrated probabilities.

        Raises:
            ValueError: the crops have another shape.
        """
        if crops.ndim != 3 or crops.shape[1:] != (SIDE, SIDE):
            raise ValueError(f"expected crops of shape (n, {SIDE}, {SIDE}), got {crops.shape}")
        if not len(crops):
            return np.empty((0, 8), np.float32)
        return self.model.scores(crops[:, None].astype(np.float32) / 255)
