"""What a face model says of crops, as probabilities of all eight emotions."""

from collections.abc import Callable

import numpy as np

from emoscope.calibration import probabilities
from emoscope.emotions import expand
from emoscope.face.classify import FaceClassifier
from emoscope.models import Model


def scorer(model: Model) -> Callable[[np.ndarray], np.ndarray]:
    """What maps crops `(n, 48, 48)` to a face model's calibrated probabilities of `EMOTIONS`, `(n, 8)`."""
    classifier = FaceClassifier(model)

    def scores(crops: np.ndarray) -> np.ndarray:
        return expand(probabilities(classifier.logits(crops), model.card.temperature), model.card.labels)

    return scores
