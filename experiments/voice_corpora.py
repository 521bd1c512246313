"""Voices outside the corpora that a model has heard: speakers, rooms and languages that are new to it.

    python experiments/voice_left_out.py --data DATA --out RUNS
    python experiments/voice_corpora.py --data DATA --runs RUNS --out results/voice

The default model, which has heard CREMA-D alone, beside one that has heard three of the four corpora, on the fourth.
RAVDESS, ASED and nEMO go through the whole pipeline (voice activity, windows, network); an utterance's emotion is the
one with the highest mean score over its time, among those that its corpus has. CREMA-D is read from its log-mels.
The statistics of people are those of CREMA-D's validation actors; on CREMA-D, those of the eight others.

    by itself    the model and nothing else
    alone        this utterance, read against its own recording
    recording    all utterances of the person, unlabelled
    mean away    the speaker's mean logits over all of them taken away: right where all emotions are as frequent
"""

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from arguments import arguments
from baseline import Corpus, Sample, _corpus, _population, known, metrics, read_sample
from rich.progress import track

from emoscope.calibration import probabilities
from emoscope.data import ased, cremad, nemo, ravdess
from emoscope.data.recordings import Recording, samples
from emoscope.emotions import CREMAD_EMOTIONS
from emoscope.media import Sound
from emoscope.models import Model, load
from emoscope.reading.baseline import Population
from emoscope.voice.classify import VoiceReader

COMMAND = "python experiments/voice_corpora.py --data DATA --runs RUNS --out results/voice"
READERS: dict[str, Callable[[Path], list[Recording]]] = {
    "RAVDESS 13-24": ravdess.recordings,
    "ASED": ased.recordings,
    "nEMO": nemo.recordings,
}
PROTOCOLS = ("by itself", "alone", "recording", "mean away")


class Several:
    """Networks that look at the same windows: their logits side by side."""

    def __init__(self, models: Sequence[Model]) -> None:
        self.models = models

    def logits(self, inputs: np.ndarray, /) -> np.ndarray:
        return np.concatenate([model.logits(inputs) for model in self.models], 1)


def main() -> None:
    args = arguments(__doc__, runs=True)
    rows: list[dict[str, Any]] = []
    for corpus in ("CREMA-D validation", *READERS):
        left_out = Model(args.runs / f"without-{corpus.split()[0].replace('-', '').lower()}" / "voice-research.onnx")
        models = {"CREMA-D alone": load("voice"), "the three others": left_out}
        if corpus in READERS:
            listed = [r for r in READERS[corpus](args.data) if r.emotion in CREMAD_EMOTIONS]
            heard = listened(listed, list(models.values()), corpus)
        else:
            heard = [own(model, args.data) for model in models.values()]
        for (trained_on, model), found in zip(models.items(), heard, strict=True):
            actors = own(model, args.data)
            people = everybody(model, actors) if corpus in READERS else others(model, actors)
            rows += measured(corpus, trained_on, model, found, people)
    (args.out / "corpora.json").write_text(json.dumps({"command": COMMAND, "rows": rows}, indent=1) + "\n")
    (args.out / "corpora.md").write_text(page(rows))
    print(page(rows))


def own(model: Model, data: Path) -> list[Sample]:
    """CREMA-D's validation clips."""
    part = cremad.load_logmels(data, "validation")
    logits = np.concatenate([model.logits(p / np.float32(255)) for p in np.array_split(part.logmel, 12)])
    return [
        Sample(row[None].astype(np.float64), np.array([2.5]), CREMAD_EMOTIONS.index(clip.emotion), str(clip.actor))
        for row, clip in zip(logits, part.clips, strict=True)
    ]


def listened(listed: Sequence[Recording], models: Sequence[Model], name: str) -> list[list[Sample]]:
    """For each model what it says of the recordings, through the whole pipeline; nothing where no voice is found."""
    found: list[list[Sample]] = [[] for _ in models]
    for recording in track(listed, name):
        reader = VoiceReader(Several(models))
        rows = reader.add(Sound(0.0, samples(recording.path))) + reader.finish()
        seconds = np.array([row.end - row.start for row in rows])
        logits = np.array([row.logits for row in rows], np.float64).reshape(len(rows), -1)
        parts = np.split(logits, len(models), axis=1) if len(rows) else [logits] * len(models)
        for each, part in zip(found, parts, strict=True):
            each.append(Sample(part, seconds, CREMAD_EMOTIONS.index(recording.emotion), recording.person))
    return found


def everybody(model: Model, actors: Sequence[Sample]) -> Callable[[str], Population]:
    population = _population(model, actors)
    return lambda person: population


def others(model: Model, actors: Sequence[Sample]) -> Callable[[str], Population]:
    return lambda person: _population(model, [s for s in actors if s.person != person])


def measured(
    name: str, trained_on: str, model: Model, found: list[Sample], population: Callable[[str], Population]
) -> list[dict[str, Any]]:
    populations = {person: population(person) for person in sorted({s.person for s in found})}
    corpus = _corpus(name, model, found, populations)
    said: dict[str, list[tuple[np.ndarray, Sample]]] = {protocol: [] for protocol in PROTOCOLS}
    for person in populations:
        samples_ = [s for s in found if s.person == person]
        offset = known(populations[person], samples_)
        logits = [s.logits.mean(0) for s in samples_ if len(s.logits)]
        for sample in samples_:
            said["by itself"].append((read_sample(corpus, sample, None), sample))
            said["alone"].append((read_sample(corpus, sample, known(populations[person], [sample])), sample))
            said["recording"].append((read_sample(corpus, sample, offset), sample))
            said["mean away"].append((less(corpus, sample, np.mean(logits, 0)), sample))
    return [
        {
            "corpus": name,
            "trained on": trained_on,
            "protocol": protocol,
            **metrics(corpus, pairs),
            "recall": recalls(corpus, pairs),
            "unheard": sum(not len(sample.logits) for _, sample in pairs),
        }
        for protocol, pairs in said.items()
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
        "pipeline but on CREMA-D (its log-mels). What each reading knows of the person is said in the script. "
        "Intervals of 95 % are over persons. The models without one corpus were trained for a few hundred steps each "
        "(`STEPS`): their schedule is the same, and shorter than that of `voice-research`.",
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
