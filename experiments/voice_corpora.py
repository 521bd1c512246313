"""Voices outside the corpora that a model has heard: speakers, rooms and languages that are new to it.

    python experiments/voice_left_out.py --data DATA --out RUNS
    python experiments/voice_corpora.py --data DATA --runs RUNS --out results/voice --cache CACHE

The default model, which has heard CREMA-D alone, beside one that has heard three of the four corpora, on the fourth; a
model that has not been trained is left out.
RAVDESS, ASED and nEMO go through the whole pipeline (voice activity, windows, network); an utterance's emotion is the
one with the highest mean score over its time, among those that its corpus has. CREMA-D is read from its log-mels.
What everybody's own baseline brings is in `results/baseline/`.

    by itself    the model and nothing else
    mean away    the speaker's mean logits over all of them taken away: right where all emotions are as frequent
"""

import json
import pickle
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from arguments import parser, read
from baseline import Corpus, Sample, _corpus, metrics, read_sample
from rich.progress import track

from emoscope.calibration import probabilities
from emoscope.data import ased, cremad, nemo, ravdess
from emoscope.data.recordings import Recording, samples
from emoscope.emotions import CREMAD_EMOTIONS
from emoscope.media import Sound
from emoscope.models import Model, load
from emoscope.voice.classify import VoiceReader
from emoscope.voice.features import MELS, WINDOW_FRAMES

COMMAND = "python experiments/voice_corpora.py --data DATA --runs RUNS --out results/voice --cache CACHE"
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


def main() -> None:
    made = parser(__doc__, runs=True)
    made.add_argument("--cache", type=Path, required=True, help="folder for what the pipeline hears")
    args = read(made)
    args.cache.mkdir(parents=True, exist_ok=True)
    listed = {name: some(name, args.data) for name in READERS}
    heard = {name: kept(args.cache / f"{name.split()[0].lower()}.pickle", part) for name, part in listed.items()}
    rows: list[dict[str, Any]] = []
    for corpus in ("CREMA-D validation", *READERS):
        models = {"CREMA-D alone": load("voice")}
        left_out = args.runs / f"without-{corpus.split()[0].replace('-', '').lower()}" / "voice-research.onnx"
        if left_out.exists():
            models["the three others"] = Model(left_out)
        for trained_on, model in models.items():
            known = corpus in READERS
            found = said(model, listed[corpus], heard[corpus]) if known else own(model, args.data)
            rows += measured(corpus, trained_on, model, found)
    (args.out / "corpora.json").write_text(json.dumps({"command": COMMAND, "rows": rows}, indent=1) + "\n")
    (args.out / "corpora.md").write_text(page(rows))
    print(page(rows))


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


def page(rows: Sequence[dict[str, Any]]) -> str:
    lines = [
        "# Voices outside the corpora that a model has heard",
        "",
        f"Command: `{COMMAND}`, after `python experiments/voice_left_out.py --data DATA --out RUNS`  ",
        "Protocol: `other-corpus` but for the default model on CREMA-D (`tfds` validation, unseen actors); whole "
        "pipeline but on CREMA-D (its log-mels); of ASED and nEMO every fourth recording. `mean away`: the "
        "speaker's mean logits over the corpus taken away. Intervals of 95 % are over persons. The models without one "
        "corpus were trained for some 400 steps of 32 windows each, a twelfth of what `voice-research` was: to compare "
        "only.",
        "",
        "| corpus | trained on | reading | persons | n | accuracy | interval | calibration error | lowest recall |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for r in rows:
        worst = min(r["recall"], key=r["recall"].get)
        cells = [r["corpus"], r["trained on"], r["protocol"], r["persons"], f"{r['n']:,}", f"{r['accuracy']:.1%}"]
        cells += [
            f"{r['low'] * 100:.1f} to {r['high'] * 100:.1f}",
            f"{r['ece']:.3f}",
            f"{worst} {r['recall'][worst]:.0%}",
        ]
        lines.append("| " + " | ".join(map(str, cells)) + " |")
    unheard = {r["corpus"]: r["unheard"] for r in rows}
    said = ", ".join(f"{name} {count}" for name, count in unheard.items())
    return "\n".join([*lines, "", f"Recordings in which no voice is found (no emotion is right there): {said}.", ""])


if __name__ == "__main__":
    main()
