"""`emoscope evaluate`: a model on a data set, under a named protocol. Needs no torch."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, get_args

import numpy as np

from ..data import cremad, ferplus, own_faces, recordings, splits, votes
from ..data.clips import FaceClip, cremad_sources, own_clips
from ..data.prepare import find_clips
from ..data.tables import labels_as_columns
from ..emotions import CREMAD_EMOTIONS, EMOTIONS
from ..errors import DataError, EmoscopeError
from ..face.classify import FaceClassifier
from ..face.crop import FERPLUS, TEMPLATE, crop_faces
from ..face.sequence import SequenceClassifier
from ..models import FaceInput, Model, VoiceInput, load
from ..voice.features import LOG_MEL
from .metrics import score

BATCH = 64

Labelled = tuple[Any, Sequence[str]]
"""What a model is shown, see `logits` and `clip_logits`, and the label of each."""

Reader = Callable[[Path, str, Model], Labelled]
"""Reads a split of a data folder for a model."""

AMONG: dict[str, tuple[str, ...]] = {
    "five": ferplus.FIVE,
    "seven": ferplus.SEVEN,
    "tfds-three": ("anger", "happiness", "sadness"),
}
"""The emotions that a protocol chooses among, where they are not all of the model's."""


def evaluate(name: str, data: str | Path, split: str, protocol: str | None = None) -> dict[str, Any]:
    """Measure a model.

    Args:
        name: a model's name, the path of its `.onnx`, or `face`, `voice` or `sequence` for the default one.
        data: the folder that holds `ferplus/` or `cremad/`, or data of one's own.
        split: `train`, `validation` or `test`; of one's own data, `test` is all of it.
        protocol: by default the first of the model's card. Faces: `majority`, `plurality`, `five`, `seven`, `folders`
            (own pictures). Voices: `tfds`, `perceived`, `recordings` (own). Sequences: `tfds`, `tfds-three` (clips of
            three emotions, among these), `clips` (own clips).

    Returns:
        `model`, `protocol`, `split`, `labels` and the metrics of `metrics.score`.

    Raises:
        ModelError: there is no such model.
        DataError: the data is not there, or has a label that the model cannot say.
        EmoscopeError: the model's modality has no such protocol or split.
    """
    return measure(load(name, threads=2), Path(data), split, protocol)


def measure(model: Model, data: Path, split: str, protocol: str | None = None) -> dict[str, Any]:
    """Measure a model that is at hand; see `evaluate`."""
    protocols = READERS[model.card.modality]
    protocol = protocol or next(_own_protocols(model), next(iter(protocols)))
    if protocol not in protocols:
        raise EmoscopeError(
            f"no protocol {protocol!r} for {model.card.modality} models; there are {', '.join(protocols)}"
        )
    if split not in get_args(ferplus.Split):
        raise EmoscopeError(f"no split {split!r}; there are train, validation and test")
    inputs, names = protocols[protocol](data, split, model)
    if not len(names):
        raise DataError(f"{data}: the {split} split holds nothing that counts under {protocol}")
    labels = np.array(labels_as_columns(data, names, model.card.labels, model.card.name))
    found = clip_logits(model, inputs, labels) if model.card.modality == "sequence" else logits(model, inputs)
    if protocol in AMONG:
        found[:, [name not in AMONG[protocol] for name in model.card.labels]] = -np.inf
    metrics = score(found, labels, model.card.temperature)
    said = {"model": model.card.name, "protocol": protocol, "split": split, "labels": list(model.card.labels)}
    return {**said, **metrics}


def _own_protocols(model: Model) -> Iterator[str]:
    """The protocols of the model's card that can be measured again."""
    return (row["protocol"] for row in model.card.metrics if row.get("protocol") in READERS[model.card.modality])


def logits(model: Model, inputs: np.ndarray) -> np.ndarray:
    """Run a face or a voice model.

    Args:
        model: of modality `face` or `voice`.
        inputs: crops uint8, as `FaceClassifier.logits` takes them; or what a voice model takes, log-mels also as uint8.

    Returns:
        `(n, labels)` float32.
    """
    run = FaceClassifier(model).logits if model.card.modality == "face" else lambda some: model.logits(_unit(some))
    return np.concatenate([run(inputs[i : i + BATCH]) for i in range(0, len(inputs), BATCH)])


def _unit(inputs: np.ndarray) -> np.ndarray:
    """Log-mels as they are packed, uint8, as float32 in [0, 1]."""
    return inputs.astype(np.float32) / 255 if inputs.dtype == np.uint8 else inputs


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


def _ferplus(labelled: Callable[[np.ndarray, str], np.ndarray]) -> Reader:
    """A reader of FER+'s faces, from what gives each vote a column of `EMOTIONS`, or -1."""

    def read(data: Path, split: str, model: Model) -> Labelled:
        faces = ferplus.load(data, split)  # type: ignore[arg-type]
        labels = labelled(faces.votes, split)
        kept = labels >= 0
        wanted = FaceInput.from_card(model.card.name, model.card.input)
        return _cut_again(faces.images[kept], wanted), [EMOTIONS[label] for label in labels[kept]]

    return read


def _cut_again(images: np.ndarray, wanted: FaceInput) -> np.ndarray:
    """Faces of FER+ as a model of other faces wants them."""
    if wanted.same_crop(FERPLUS):
        return images
    return np.concatenate([crop_faces(np.stack([image] * 3, 2), TEMPLATE[None], wanted) for image in images])


def _by(protocol: str) -> Reader:
    return _ferplus(lambda counts, split: ferplus.PROTOCOLS[protocol](counts))


def _balanced(protocol: str) -> Reader:
    return _ferplus(lambda counts, split: ferplus.balanced(counts, AMONG[protocol], split))  # type: ignore[arg-type]


def _voices(data: Path, split: str, model: Model) -> Labelled:
    clips = _log_mels(data, split, model)
    return clips.logmel, [CREMAD_EMOTIONS[label] for label in clips.labels]


def _heard(data: Path, split: str, model: Model) -> Labelled:
    clips = _log_mels(data, split, model)
    labels = votes.perceived(votes.votes(data, clips.clips))
    return clips.logmel[labels >= 0], [CREMAD_EMOTIONS[label] for label in labels[labels >= 0]]


def _log_mels(data: Path, split: str, model: Model) -> cremad.LogMels:
    """CREMA-D's log-mels, which one kind of model takes."""
    if VoiceInput.from_card(model.card.name, model.card.input) != LOG_MEL:
        raise EmoscopeError(
            f"{model.card.name} does not take CREMA-D's log-mels; list sound in a csv, and use --protocol recordings"
        )
    return cremad.load_logmels(data, split)  # type: ignore[arg-type]


def _sequences(data: Path, split: str, model: Model) -> Labelled:
    """CREMA-D's clips of a split's actors, prepared before or now."""
    sources = [source for source in cremad_sources(data) if cremad.split_of(int(source.person)) == split]
    return find_clips(sources, cremad.folder(data) / "sequences"), [source.label for source in sources]


def _three_sequences(data: Path, split: str, model: Model) -> Labelled:
    clips, labels = _sequences(data, split, model)
    kept = [i for i, label in enumerate(labels) if label in AMONG["tfds-three"]]
    return [clips[i] for i in kept], [labels[i] for i in kept]


def _own_sequences(data: Path, split: str, model: Model) -> Labelled:
    clips = own_clips(data, split)
    return clips, [clip.label for clip in clips]


def _own_recordings(data: Path, split: str, model: Model) -> Labelled:
    listed = recordings.read_table(data / "recordings.csv")
    chosen = _part([recording.person for recording in listed], split)
    kept = [recording for recording, taken in zip(listed, chosen, strict=True) if taken]
    wanted = VoiceInput.from_card(model.card.name, model.card.input)
    return recordings.windows(kept, wanted), [recording.emotion for recording in kept]


def _own_folders(data: Path, split: str, model: Model) -> Labelled:
    faces = own_faces.load(data, FaceInput.from_card(model.card.name, model.card.input))
    chosen = _part(faces.persons, split)
    return faces.images[chosen], [label for label, taken in zip(faces.labels, chosen, strict=True) if taken]


def _part(persons: Sequence[str], split: str) -> np.ndarray:
    """One's own data: `validation` is the persons that training validates on, `train` the others, `test` all."""
    if split == "test":
        return np.ones(len(persons), bool)
    validates = splits.by_speaker(persons, 0.2)
    return validates if split == "validation" else ~validates


READERS: dict[str, dict[str, Reader]] = {
    "face": {
        **{protocol: _by(protocol) for protocol in ferplus.PROTOCOLS},
        **{protocol: _balanced(protocol) for protocol in ("five", "seven")},
        "folders": _own_folders,
    },
    "voice": {"tfds": _voices, "perceived": _heard, "recordings": _own_recordings},
    "sequence": {"tfds": _sequences, "tfds-three": _three_sequences, "clips": _own_sequences},
}
"""For each modality its protocols, each with the function that reads a split."""

OWN = frozenset({"folders", "recordings", "clips"})
"""The protocols of data of one's own."""
