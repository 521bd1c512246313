"""One reader of faces in a process of its own; `faces.py` starts it with the Python that has the reader installed.

    python child.py READER read FACES.npy OUT.json            what it says of each face
    python child.py READER time FACES.npy OUT.json STARTED    how fast it is, on one core

READER is one of `READERS`, or the name of a face model of emoscope's. FACES are uint8 `(n, 48, 48)`. STARTED is the
`time.time()` at which the process was asked for. All readers are given the whole picture as the face: none searches.
Besides the reader, numpy alone is imported: the peers need versions of their own of everything else.
"""

import contextlib
import functools
import json
import os
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np

SIDE = 48
WARM = 10
BATCH = 32
BATCHES = 8
PACKAGES: dict[str, str] = {
    "emoscope": "emoscope",
    "fer": "fer",
    "facex": "facex",
    "facial-emotion-recognition": "facial_emotion_recognition",
    "tensorflow": "tensorflow",
    "torch": "torch",
    "onnxruntime": "onnxruntime",
    "numpy": "numpy",
    "opencv-python": "cv2",
    "opencv-contrib-python": "cv2",
    "opencv-python-headless": "cv2",
}
"""What a reader's answers may depend on: the package, and the module that it is imported as."""


@dataclass(frozen=True)
class Reader:
    """A peer, ready to read.

    Attributes:
        one: names the emotion of a face `(48, 48)`, in the reader's own words.
        many: names those of faces `(n, 48, 48)` in one call, where the reader has such a call.
        words: all that it can say.
        weights: its file.
        parameters: how many, where it is easily known.
    """

    one: Callable[[np.ndarray], str]
    many: Callable[[np.ndarray], list[str]] | None
    words: list[str]
    weights: Path
    parameters: int | None


def read_fer(offsets: tuple[int, int] = (10, 10), tflite: bool = True) -> Reader:
    """Its README imports `FER` from `fer`, but it is in `fer.fer`. Its batch is the faces of one picture."""
    import fer.fer

    detector = fer.fer.FER(offsets=offsets, use_tflite=tflite)
    gap = 10  # so that no face's surroundings reach into the next one's

    def said(found: dict[str, Any]) -> str:
        return max(found["emotions"], key=found["emotions"].get)

    def one(face: np.ndarray) -> str:
        return said(detector.detect_emotions(coloured(face), [(0, 0, SIDE, SIDE)])[0])

    def many(faces: np.ndarray) -> list[str]:
        step = SIDE + 2 * gap
        row = np.hstack([np.pad(face, gap, mode="edge") for face in faces])
        boxes = [(gap + step * i, gap, SIDE, SIDE) for i in range(len(faces))]
        return [said(found) for found in detector.detect_emotions(coloured(row), boxes)]

    name = "emotion_model_quantized.tflite" if tflite else "emotion_model.hdf5"
    parameters = None if tflite else fer.fer.FER._model_cache.count_params()
    words = list(detector._get_labels().values())
    return Reader(one, many, words, Path(fer.fer.__file__).parent / "data" / name, parameters)


def read_facial() -> Reader:
    """Its weights were saved on a GPU; without one it does not start, so they are mapped to the CPU here.

    It draws what it sees into the picture and does not tell; `_predict` is what names the emotion that it draws.
    """
    import torch

    torch.load = functools.partial(torch.load, map_location="cpu")
    import facial_emotion_recognition

    reader = facial_emotion_recognition.EmotionRecognition("cpu")
    parameters = sum(p.numel() for p in reader.network.parameters())
    weights = Path(facial_emotion_recognition.__file__).parent / "model" / "model.pkl"
    return Reader(reader._predict, None, list(reader.emotions.values()), weights, parameters)


def read_facex() -> Reader:
    """Its `detect_emotion` is for a grey face that has been found."""
    import facex

    pool = facex.PoolManager(pool_size=1)
    classifier = pool.get_classifier()

    def one(face: np.ndarray) -> str:
        found = classifier.detect_emotion(face)
        return max(found, key=found.get)

    return Reader(one, None, list(classifier.category), Path(pool.model_path), None)


def read_emoscope(name: str) -> Reader:
    from emoscope.face.classify import FaceClassifier
    from emoscope.models import load

    model = load(name, threads=1)
    classify = FaceClassifier(model)

    def many(faces: np.ndarray) -> list[str]:
        return [model.card.labels[column] for column in classify.logits(faces).argmax(1)]

    return Reader(lambda face: many(face[None])[0], many, list(model.card.labels), model.path, model.card.parameters)


READERS: dict[str, Callable[[], Reader]] = {
    "fer": read_fer,
    "fer-0": lambda: read_fer(offsets=(0, 0)),
    "fer-keras": lambda: read_fer(tflite=False),
    "facial-emotion-recognition": read_facial,
    "facex": read_facex,
}


def coloured(grey: np.ndarray) -> np.ndarray:
    """`(height, width)` as `(height, width, 3)`."""
    return np.repeat(grey[..., None], 3, axis=2)


def timed(reader: Reader, faces: np.ndarray) -> dict[str, float | None]:
    """Milliseconds a face by itself, and faces a second in batches of `BATCH`; medians."""
    for face in faces[:WARM]:
        reader.one(face)
    single = statistics.median(_seconds(reader.one, faces))
    if reader.many is None:
        return {"ms": 1000 * single, "batched": None}
    batches = [np.take(faces, range(i * BATCH, (i + 1) * BATCH), axis=0, mode="wrap") for i in range(BATCHES)]
    reader.many(batches[0])
    return {"ms": 1000 * single, "batched": BATCH / statistics.median(_seconds(reader.many, batches))}


def _seconds(run: Callable[[Any], object], inputs: Sequence[Any] | np.ndarray) -> list[float]:
    times = []
    for one in inputs:
        start = time.perf_counter()
        run(one)
        times.append(time.perf_counter() - start)
    return times


def installed() -> dict[str, str]:
    """The versions of those `PACKAGES` that were imported."""
    found = {}
    for name, module in PACKAGES.items():
        if module in sys.modules:
            with contextlib.suppress(PackageNotFoundError):
                found[name] = version(name)
    return found


def main(name: str, task: str, source: str, out: str, started: str = "") -> None:
    if task == "time" and hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    faces = np.load(source)
    reader = READERS[name]() if name in READERS else read_emoscope(name)
    answer: dict[str, Any] = {"words": reader.words, "parameters": reader.parameters, "packages": installed()}
    answer["weights_mb"] = reader.weights.stat().st_size / 1e6
    first = reader.one(faces[0])
    if task == "time":
        answer["start_s"] = time.time() - float(started)
        answer |= timed(reader, faces)
    else:
        answer["said"] = [first, *map(reader.one, faces[1:])]
    Path(out).write_text(json.dumps(answer))
    sys.stdout.flush()
    os._exit(0)  # some peers leave threads that never end


if __name__ == "__main__":
    main(*sys.argv[1:])
