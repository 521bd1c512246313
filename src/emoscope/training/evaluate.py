"""`emoscope evaluate`: a model on a data set, under a named protocol. Needs no torch."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, get_args

import numpy as np

from ..data import cremad, ferplus, own_faces, recordings, splits, votes
from ..data.clips import FaceClip, cremad_sources, own_clips
from ..data.prepare import find_clips
from ..emotions import EMOTIONS
from ..errors import DataError, EmoscopeError
from ..face.sequence import SequenceClassifier
from ..models import Model, load
from .metrics import score

BATCH = 64

Labelled = tuple[Any, np.ndarray]
"""The inputs of a model, an array or a list of clips, and the class of each."""

AMONG: dict[str, tuple[str, ...]] = {
    "five": ferplus.FIVE,
    "seven": ferplus.SEVEN,
    "tfds-three": ("anger", "happiness", "sadness"),
}
"""The emotions that a protocol chooses among, where they are not all of the model's."""


def evaluate(name: str, data: str | Path, split: str, protocol: str | None = None) -> dict[str, Any]:
    """Measure a registered model.

    Args:
        name: a model's name, or `face`, `voice` or `sequence` for the default one.
        data: the folder that holds `ferplus/` or `cremad/`.
        split: `train`, `validation` or `test`.
        protocol: the first is the default. Faces: `majority`, `plurality`, `five`, `seven`. Voices: `tfds`,
            `perceived`. Sequences: `tfds`, `tfds-three` (clips of three emotions, among these), `clips` (own clips).

    Returns:
        `model`, `protocol`, `split` and the metrics of `metrics.score`.

    Raises:
        ModelError: there is no such model.
        DataError: the data is not there.
        EmoscopeError: the model's modality has no such protocol or split.
    """
    return measure(load(name, threads=2), Path(data), split, protocol)


def measure(model: Model, data: Path, split: str, protocol: str | None = None) -> dict[str, Any]:
    """Measure a model that need not be registered; see `evaluate`."""
    protocols, own = READERS[model.card.modality], OWN.get(model.card.modality, {})
    protocol = protocol or next(iter(protocols))
    if protocol not in (*protocols, *own):
        there = ", ".join((*protocols, *own))
        raise EmoscopeError(f"no protocol {protocol!r} for {model.card.modality} models; there are {there}")
    if split not in get_args(ferplus.Split):
        raise EmoscopeError(f"no split {split!r}; there are train, validation and test")
    if protocol in own:
        inputs, labels = own[protocol](data, split, model)
    else:
        inputs, labels = protocols[protocol](data, split)
    if not len(labels):
        raise DataError(f"{data}: the {split} split holds nothing that counts under {protocol}")
    found = clip_logits(model, inputs, labels) if model.card.modality == "sequence" else logits(model, inputs)
    if protocol in AMONG:
        found[:, [name not in AMONG[protocol] for name in model.card.labels]] = -np.inf
    metrics = score(found, labels, model.card.temperature)
    return {
        "model": model.card.name,
        "protocol": protocol,
        "split": split,
        "labels": list(model.card.labels),
        **metrics,
    }


def logits(model: Model, inputs: np.ndarray) -> np.ndarray:
    """Run a model over uint8 inputs `(n, ...)`, which it is given as `inputs / 255`; returns `(n, labels)`."""
    parts = [model.logits(inputs[i : i + BATCH].astype(np.float32) / 255) for i in range(0, len(inputs), BATCH)]
    return np.concatenate(parts)


def clip_logits(model: Model, clips: Sequence[FaceClip | None], labels: np.ndarray) -> np.ndarray:
    """Run a sequence model over clips as the pipeline would, frame by frame.

    Returns:
        `(n, labels)`: for each clip the mean over the windows that cover it; for one without a face what is wrong.
    """
    wrong = -np.eye(len(model.card.labels), dtype=np.float32)
    return np.array([wrong[label] if clip is None else _clip(model, clip)
                     for clip, label in zip(clips, labels, strict=True)])  # fmt: skip


def _clip(model: Model, clip: FaceClip) -> np.ndarray:
    classifier = SequenceClassifier(model)
    kept = classifier.plan.kept(clip.times)
    ends = set(classifier.plan.covering(clip.times[kept]).tolist())
    found = [(clip.times[i], classifier.logits([1], clip.times[i], clip.faces[i : i + 1])[0]) for i in kept]
    return np.asarray(np.mean([row for time, row in found if float(time) in ends], axis=0))


def _faces(protocol: str) -> Callable[[Path, str], Labelled]:
    def read(data: Path, split: str) -> Labelled:
        faces = ferplus.load(data, split)  # type: ignore[arg-type]
        labels = ferplus.PROTOCOLS[protocol](faces.votes)
        kept = labels >= 0
        return faces.images[kept][:, None], labels[kept]

    return read


def _balanced_faces(protocol: str) -> Callable[[Path, str], Labelled]:
    def read(data: Path, split: str) -> Labelled:
        faces = ferplus.load(data, split)  # type: ignore[arg-type]
        labels = ferplus.balanced(faces.votes, AMONG[protocol], split)  # type: ignore[arg-type]
        kept = labels >= 0
        return faces.images[kept][:, None], labels[kept]

    return read


def _voices(data: Path, split: str) -> Labelled:
    clips = cremad.load_logmels(data, split)  # type: ignore[arg-type]
    return clips.logmel, clips.labels


def _heard(data: Path, split: str) -> Labelled:
    clips = cremad.load_logmels(data, split)  # type: ignore[arg-type]
    labels = votes.perceived(votes.votes(data, clips.clips))
    return clips.logmel[labels >= 0], labels[labels >= 0]


def _sequences(data: Path, split: str) -> Labelled:
    """CREMA-D's clips of a split's actors, prepared before or now."""
    sources = [source for source in cremad_sources(data) if cremad.split_of(int(source.person)) == split]
    return _labelled(find_clips(sources, cremad.folder(data) / "sequences"), [source.label for source in sources])


def _three_sequences(data: Path, split: str) -> Labelled:
    clips, labels = _sequences(data, split)
    kept = [i for i, label in enumerate(labels) if EMOTIONS[label] in AMONG["tfds-three"]]
    return [clips[i] for i in kept], labels[kept]


def _own_sequences(data: Path, split: str) -> Labelled:
    clips = own_clips(data, split)
    return _labelled(clips, [clip.label for clip in clips])


def _labelled(clips: Sequence[FaceClip | None], labels: Sequence[str]) -> Labelled:
    return clips, np.array([EMOTIONS.index(label) for label in labels], np.int64)


READERS: dict[str, dict[str, Callable[[Path, str], Labelled]]] = {
    "face": {
        **{protocol: _faces(protocol) for protocol in ferplus.PROTOCOLS},
        **{protocol: _balanced_faces(protocol) for protocol in ("five", "seven")},
    },
    "voice": {"tfds": _voices, "perceived": _heard},
    "sequence": {"tfds": _sequences, "tfds-three": _three_sequences, "clips": _own_sequences},
}
"""For each modality its protocols, the default first, each with the function that reads a split."""


def _own_recordings(data: Path, split: str, model: Model) -> Labelled:
    listed = recordings.read_table(data / "recordings.csv")
    chosen = _part([recording.person for recording in listed], split)
    kept = [recording for recording, taken in zip(listed, chosen, strict=True) if taken]
    names = [recording.emotion for recording in kept]
    labels = recordings.indexed(data / "recordings.csv", names, model.card.labels, model.card.name)
    return recordings.log_mels(kept), labels


def _own_folders(data: Path, split: str, model: Model) -> Labelled:
    faces = own_faces.load(data)
    chosen = _part(faces.persons, split)
    names = [label for label, taken in zip(faces.labels, chosen, strict=True) if taken]
    return faces.images[chosen][:, None], recordings.indexed(data, names, model.card.labels, model.card.name)


def _part(persons: Sequence[str], split: str) -> np.ndarray:
    """One's own data: `validation` is the persons that training validates on, `train` the others, `test` all."""
    if split == "test":
        return np.ones(len(persons), bool)
    validates = splits.by_speaker(persons, 0.2)
    return validates if split == "validation" else ~validates


OWN: dict[str, dict[str, Callable[[Path, str, Model], Labelled]]] = {
    "face": {"folders": _own_folders},
    "voice": {"recordings": _own_recordings},
}
"""The protocols of data of one's own, whose labels are looked up among the model's."""
