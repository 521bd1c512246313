"""Voices outside the corpora that a model has heard: speakers, rooms and languages that are new to it.

The shipped model, which has heard CREMA-D alone, beside one that has heard three of the four corpora, on the fourth.
RAVDESS, ASED and nEMO go through the whole pipeline (voice activity, windows, network); an utterance's emotion is the
one with the highest mean score over its time, among those that its corpus has. CREMA-D is read from its log-mels.
What everybody's own baseline brings is in the study `baseline`.

    by itself    the model and nothing else
    mean away    the speaker's mean logits over all of them taken away: right where all emotions are as frequent
"""

import pickle
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from rich.progress import track

from emoscope.calibration import probabilities
from emoscope.data import ased, cremad, nemo, ravdess
from emoscope.data.recordings import Recording, samples
from emoscope.emotions import CREMAD_EMOTIONS
from emoscope.media import Sound
from emoscope.models import Model
from emoscope.voice.classify import VoiceReader
from emoscope.voice.features import MELS, WINDOW_FRAMES

from ..baseline.baseline import Corpus, Sample, _corpus, metrics, read_sample
from ..rows import Row, Where
from ..runner import Context
from .left_out import without

READERS: dict[str, Callable[[Path], list[Recording]]] = {
    "RAVDESS 13-24": ravdess.recordings,
    "ASED": ased.recordings,
    "nEMO": nemo.recordings,
}
EVERY = {"RAVDESS 13-24": 1, "ASED": 4, "nEMO": 4}
"""Of how many recordings, in order of name, one is read."""
PROTOCOLS = ("by itself", "mean away")


class Windows:
    """In place of a network: keeps the windows that it is asked about, and says their numbers."""

    def __init__(self) -> None:
        self.kept: list[np.ndarray] = []

    def logits(self, inputs: np.ndarray, /) -> np.ndarray:
        self.kept.append(inputs[0])
        return np.array([[len(self.kept) - 1]])


@dataclass(frozen=True)
class Heard:
    """What the pipeline asks a network about one recording: windows `(m, 188, 128)` and the seconds each stands for."""

    windows: np.ndarray
    seconds: np.ndarray


def corpora(context: Context) -> Iterator[Row]:
    """Each corpus by the shipped model, and those that the plan leaves out of a training by that one too."""
    (shipped,) = context.models
    context.cache.mkdir(parents=True, exist_ok=True)
    listed = {name: some(name, context.data) for name in READERS}
    heard = {name: kept(context.cache / f"{name.split()[0].lower()}.pickle", part) for name, part in listed.items()}
    for corpus in ("CREMA-D validation", *READERS):
        models = {"CREMA-D alone": shipped}
        short = corpus.split()[0].replace("-", "").lower()
        if short in context.option("left_out", ()):
            run = context.runs / f"without-{short}"
            models["the three others"] = Model(without(short, context.data, run, context.command))
        for trained_on, model in models.items():
            known = corpus in READERS
            found = said(model, listed[corpus], heard[corpus]) if known else own(model, context.data)
            yield from rows(model.card.name, measured(corpus, trained_on, model, found))


def some(name: str, data: Path) -> list[Recording]:
    """A corpus's recordings of CREMA-D's emotions, or every so many of them."""
    return [r for r in READERS[name](data) if r.emotion in CREMAD_EMOTIONS][:: EVERY[name]]


def kept(path: Path, listed: Sequence[Recording]) -> list[Heard]:
    """What the pipeline hears, kept in a file: delete it where voice activity or the features change."""
    if not path.exists():
        heard = [hear(samples(recording.path)) for recording in track(listed, path.stem)]
        path.write_bytes(pickle.dumps(heard))
    found: list[Heard] = pickle.loads(path.read_bytes())
    return found


def own(model: Model, data: Path) -> list[Sample]:
    """CREMA-D's validation clips."""
    part = cremad.load_logmels(data, "validation")
    logits = np.concatenate([model.logits(p / np.float32(255)) for p in np.array_split(part.logmel, 12)])
    return [
        Sample(row[None].astype(np.float64), np.array([2.5]), CREMAD_EMOTIONS.index(clip.emotion), str(clip.actor))
        for row, clip in zip(logits, part.clips, strict=True)
    ]


def hear(sound: np.ndarray) -> Heard:
    """A recording through voice activity and windows; no windows where no voice is found."""
    asked = Windows()
    reader = VoiceReader(asked)
    rows = reader.add(Sound(0.0, sound)) + reader.finish()
    order = [int(row.logits[0]) for row in rows]
    windows = np.array([asked.kept[i] for i in order], np.float32).reshape(-1, WINDOW_FRAMES, MELS)
    return Heard(windows, np.array([row.end - row.start for row in rows]))


def said(model: Model, listed: Sequence[Recording], heard: Sequence[Heard]) -> list[Sample]:
    """What a model says of recordings."""
    found = []
    for recording, one in zip(listed, heard, strict=True):
        logits = model.logits(one.windows) if len(one.windows) else np.zeros((0, len(model.card.labels)))
        label = CREMAD_EMOTIONS.index(recording.emotion)
        found.append(Sample(logits.astype(np.float64), one.seconds, label, recording.person))
    return found


def measured(name: str, trained_on: str, model: Model, found: list[Sample]) -> list[dict[str, Any]]:
    corpus = _corpus(name, model, found, {})
    read_as: dict[str, list[tuple[np.ndarray, Sample]]] = {protocol: [] for protocol in PROTOCOLS}
    for person in sorted({s.person for s in found}):
        of_person = [s for s in found if s.person == person]
        mean = np.mean([s.logits.mean(0) for s in of_person if len(s.logits)], 0)
        for sample in of_person:
            read_as["by itself"].append((read_sample(corpus, sample, None), sample))
            read_as["mean away"].append((less(corpus, sample, mean), sample))
    return [
        {
            "corpus": name,
            "trained on": trained_on,
            "protocol": protocol,
            **metrics(corpus, pairs),
            "recall": recalls(corpus, pairs),
            "unheard": sum(not len(sample.logits) for _, sample in pairs),
        }
        for protocol, pairs in read_as.items()
    ]


def less(corpus: Corpus, sample: Sample, mean: np.ndarray) -> np.ndarray:
    """The scores of a sample with the speaker's mean logits taken away."""
    if not len(sample.logits):
        return np.full(len(corpus.among), 1 / len(corpus.among))
    each = probabilities(sample.logits - mean, corpus.temperature)
    scores = np.average(each, axis=0, weights=sample.seconds)[list(corpus.among)]
    return np.asarray(scores / scores.sum())


def recalls(corpus: Corpus, pairs: Sequence[tuple[np.ndarray, Sample]]) -> dict[str, float]:
    truth = np.array([corpus.among.index(sample.label) for _, sample in pairs])
    hits = np.array([scores.argmax() for scores, _ in pairs]) == truth
    return {
        corpus.labels[label]: round(float(hits[truth == place].mean()), 3) for place, label in enumerate(corpus.among)
    }


def rows(model: str, found: Sequence[dict[str, Any]]) -> Iterator[Row]:
    """The metrics of a model on one corpus, in both readings."""
    for of in found:
        protocol = "tfds" if of["corpus"].startswith("CREMA-D") else "other-corpus"
        name = model if of["trained on"] == "CREMA-D alone" else "a model of the three other corpora"
        where: Where = {
            "model": name,
            "protocol": protocol,
            "split": of["corpus"],
            "condition": of["protocol"],
            "n": of["n"],
        }
        yield Row(metric="accuracy", value=of["accuracy"], low=of["low"], high=of["high"], **where)
        for metric in ("uar", "log_likelihood", "ece", "persons"):
            yield Row(metric=metric, value=of[metric], **where)
        yield Row(metric="no voice found", value=of["unheard"], **where)
        for emotion, value in of["recall"].items():
            yield Row(metric="recall", value=value, group=emotion, **{**where, "n": None})
