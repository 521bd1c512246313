"""Which face models an experiment is about: registered ones by name, others by their file."""

from collections.abc import Callable, Sequence

import numpy as np

from emoscope.calibration import probabilities
from emoscope.emotions import expand
from emoscope.errors import ModelError
from emoscope.face.classify import FaceClassifier
from emoscope.models import Model, load, summaries


def face_models(names: Sequence[str]) -> list[Model]:
    """Load face models.

    Args:
        names: registered names, or paths of `.onnx` files with their card beside them; none: all registered ones.

    Raises:
        ModelError: one is not there, is damaged, or reads no single faces, or two have the same name.
    """
    names = names or [row["name"] for row in summaries() if row["modality"] == "face"]
    models = [load(name) for name in names]
    for model in models:
        if model.card.modality != "face":
            raise ModelError(f"{model.card.name} is a {model.card.modality} model; expected a face model")
    called = [model.card.name for model in models]
    if twice := {name for name in called if called.count(name) > 1}:
        raise ModelError(f"two models are named {min(twice)}: the table would mix them up")
    return models


def scorer(model: Model) -> Callable[[np.ndarray], np.ndarray]:
    """What maps crops `(n, 48, 48)` to a face model's calibrated probabilities of `EMOTIONS`, `(n, 8)`."""
    classifier = FaceClassifier(model)

    def scores(crops: np.ndarray) -> np.ndarray:
        return expand(probabilities(classifier.logits(crops), model.card.temperature), model.card.labels)

    return scores
