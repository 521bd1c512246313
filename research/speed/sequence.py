"""What a sequence model costs beside a face model: a person's next face in a stream, on one thread.

Medians over repeats; they depend on the machine: quote the ratio.
"""

from collections.abc import Iterator

import numpy as np

from emoscope.face.classify import FaceClassifier
from emoscope.face.sequence import SequenceClassifier

from ..rows import Row
from ..runner import Context
from .machine import machine, median_s

RATE = 30
REPEATS = 300


def sequence(context: Context) -> Iterator[Row]:
    """A face model, then a sequence model."""
    face, over_time = context.models
    crops = np.random.default_rng(0).integers(1, 256, (1, 48, 48), dtype=np.uint8)
    classifier = FaceClassifier(face)
    alone = median_s(lambda: classifier.logits(crops), REPEATS)
    reader, frame = SequenceClassifier(over_time), iter(range(10**9))
    for _ in range(2 * RATE):
        reader.logits([1], next(frame) / RATE, crops)
    both = median_s(lambda: reader.logits([1], next(frame) / RATE, crops), REPEATS)
    yield machine()
    yield from rows({face.card.name: 1000 * alone, over_time.card.name: 1000 * both})


def rows(ms: dict[str, float]) -> Iterator[Row]:
    """Milliseconds of each model, and how many times those of the first."""
    first = next(iter(ms.values()))
    for name, value in ms.items():
        yield Row(metric="ms a frame", value=value, model=name, n=REPEATS)
        yield Row(metric="times the face model", value=value / first, model=name, n=REPEATS)
