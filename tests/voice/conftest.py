"""Sounds and stand-ins for the voice tests."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from emoscope.media.read import open_media
from emoscope.media.types import SAMPLE_RATE, Sound


class LoudnessDetector:
    """Takes everything for a voice that is not quiet: what the rules make of a detector can be tested exactly."""

    def probability(self, chunk: np.ndarray, /) -> float:
        return float(np.abs(chunk).max() > 0.05)

    def forget(self) -> None:
        pass

    def state(self) -> dict[str, Any]:
        return {}

    def restore(self, state: dict[str, Any], /) -> None:
        pass


class PeakModel:
    """Logits that tell which window was seen: the frame and band of its loudest point, and where its sound ends."""

    def __init__(self) -> None:
        self.shapes: list[tuple[int, ...]] = []

    def logits(self, inputs: np.ndarray, /) -> np.ndarray:
        self.shapes.append(inputs.shape)
        out = np.zeros((len(inputs), 8), np.float32)
        for row, picture in zip(out, inputs, strict=True):
            row[0], row[1] = np.unravel_index(picture.argmax(), picture.shape)
            row[2] = np.flatnonzero(picture.any(axis=1)).max(initial=0)
            row[3] = picture.mean()
        return out


@pytest.fixture
def peak_model() -> PeakModel:
    return PeakModel()


def speech_like(*parts: tuple[float, float]) -> np.ndarray:
    """Sound for `(seconds of silence, seconds of noise)` in turn; loud enough for `LoudnessDetector`."""
    rng = np.random.default_rng(0)
    pieces = []
    for silent, loud in parts:
        pieces.append(np.zeros(round(silent * SAMPLE_RATE)))
        pieces.append(rng.uniform(-0.5, 0.5, round(loud * SAMPLE_RATE)))
    return np.concatenate(pieces).astype(np.float32)


def sound_of(path: Path) -> np.ndarray:
    """The whole sound of a file."""
    with open_media(path) as media:
        return np.concatenate([item.samples for item in media if isinstance(item, Sound)])
