"""What a baseline does: every protocol on faces and voices that the models have not seen.

A sample is a clip or an utterance; its emotion is the one with the highest mean score over its time, among all that the
model can say (faces: eight), or for voices among those that the corpus has. What a reading knows of the person:

    none          the model by itself, as before there were baselines
    alone         this sample and nothing else of the person, read against its own recording
    neutral-1/-3  one or three samples that are known to be neutral (not scored)
    recording     all samples of the person, unlabelled
    causal        the samples before it and itself, in random order, unlabelled
    one, two      recordings of one emotion only, of two
    neutral-70 %, neutral-95 %   recordings that are mostly neutral
    2, 5, 20 samples
    2 beside 5    two samples, in a recording that five other persons of the corpus share, two samples each

Faces: the 72 actors of CREMA-D's clips, by the model of pictures alone, which has seen none of them; the population
statistics of each fifth of the actors are those of the others. And by the default model, which has learned from 63 of
them, the nine others, with the statistics of the 63.
Voices: CREMA-D's nine validation actors (statistics of the eight others), RAVDESS 13-24, ASED, nEMO through the whole
pipeline (statistics of CREMA-D's validation actors). Intervals are bootstrapped over persons.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from rich.progress import track

import emoscope
from emoscope.calibration import probabilities
from emoscope.data import cremad, ravdess
from emoscope.emotions import CREMAD_EMOTIONS
from emoscope.models import Model
from emoscope.reading.baseline import Baseline, Offset, Population, scores
from emoscope.reading.profile import shared
from emoscope.reading.smooth import Exponential
from emoscope.training.metrics import calibration_error
from emoscope.training.population import _stills, fitted, independent

from ..intervals import interval
from ..rows import Row, Where
from ..runner import Context

ASED = {"n": "neutral", "f": "fear", "h": "happiness", "s": "sadness", "a": "anger"}
REPEATS = 5
"""Random recordings of each kind that are drawn of a person."""


@dataclass(frozen=True)
class Sample:
    """A labelled clip or utterance.

    Attributes:
        logits: `(m, k)` of its moments.
        seconds: `(m,)` that each lasts.
        label: the column of the emotion that was acted.
        person: by whom.
        face: whether they are of a face.
    """

    logits: np.ndarray
    seconds: np.ndarray
    label: int
    person: str
    face: bool = False

    @cached_property
    def steady(self) -> np.ndarray:
        """The logits as they are learned from and read, `(m, k)`."""
        return Exponential().update(np.cumsum(self.seconds), self.logits) if self.face else self.logits


@dataclass(frozen=True)
class Corpus:
    """Samples, the labels that they are read among, and the population statistics for each person."""

    name: str
    samples: list[Sample]
    labels: tuple[str, ...]
    among: tuple[int, ...]
    temperature: float
    populations: dict[str, Population]


def protocols_and_readings(context: Context) -> Iterator[Row]:
    """Every corpus under every protocol, with and without a baseline."""
    cache = context.cache / "baseline"
    cache.mkdir(parents=True, exist_ok=True)
    for corpus in corpora(context.data, cache, context.models):
        for row in measured(corpus):
            yield from rows(row, {model.card.modality: model.card.name for model in context.models})


def corpora(data: Path, cache: Path, models: Sequence[Model]) -> Iterator[Corpus]:
    stills, face, voice = models
    clips = [(path, clip.emotion, str(clip.actor)) for clip, path in cremad.video_clips(data) if clip.sentence == "IEO"]
    yield _faces(stills, observed(stills, clips, cache / "clips"), data)
    yield _unseen_faces(face, observed(face, clips, cache / "clips"), data)
    part = cremad.load_logmels(data, "validation")
    logits = np.concatenate([voice.logits(p / np.float32(255)) for p in np.array_split(part.logmel, 12)])
    own = [
        Sample(row[None], np.array([2.5]), voice.card.labels.index(clip.emotion), str(clip.actor))
        for row, clip in zip(logits, part.clips, strict=True)
    ]
    others = {p: _population(voice, [s for s in own if s.person != p]) for p in {s.person for s in own}}
    yield _corpus("CREMA-D voice, validation", voice, own, others)
    everybody = _population(voice, own)
    ravdess_files = [(r.path, r.emotion, r.person) for r in ravdess.recordings(data) if r.emotion in CREMAD_EMOTIONS]
    files = {
        "RAVDESS 13-24": ravdess_files,
        "ASED": [(p, ASED[p.stem[0].lower()], p.stem.split("-")[-1]) for p in sorted((data / "ased").glob("*.ogg"))],
        "nEMO": [(p, p.stem.split("_")[1], p.stem.split("_")[0]) for p in sorted((data / "nemo").glob("*.ogg"))],
    }
    for name, listed in files.items():
        if listed:
            found = observed(voice, listed, cache / name.split()[0].lower())
            yield _corpus(name, voice, found, dict.fromkeys({s.person for s in found}, everybody))


def observed(model: Model, files: Sequence[tuple[Path, str, str]], cache: Path) -> list[Sample]:
    """The moments of recordings through the whole pipeline; what is neither seen nor heard has none."""
    path = cache.with_name(f"{cache.name}-{model.digest[:12]}.npz")
    if not path.exists():
        rows = []
        for file, _, _ in track(files, path.stem):
            evidence = emoscope.observe(file, **{f"{model.card.modality}_model": model})
            voice = model.card.modality == "voice"
            part: Any = evidence.voices if voice else evidence.faces
            seconds = part.end - part.start if voice else part.duration
            rows.append((part.logits, seconds))
        kept: dict[str, Any] = {f"l{i}": logits for i, (logits, _) in enumerate(rows)}
        kept |= {f"s{i}": seconds for i, (_, seconds) in enumerate(rows)}
        np.savez(path, **kept)
    face = model.card.modality == "face"
    with np.load(path) as kept:
        return [
            Sample(kept[f"l{i}"].astype(np.float64), kept[f"s{i}"], model.card.labels.index(label), person, face)
            for i, (_, label, person) in enumerate(files)
        ]


def _corpus(name: str, model: Model, samples: list[Sample], populations: dict[str, Population]) -> Corpus:
    among = tuple(sorted({s.label for s in samples})) if model.card.modality == "voice" else ()
    among = among or tuple(range(len(model.card.labels)))
    return Corpus(name, samples, model.card.labels, among, model.card.temperature, populations)


def _faces(model: Model, samples: list[Sample], data: Path) -> Corpus:
    people = sorted({s.person for s in samples})
    known = _stills(model, data)
    folds = {person: place % 5 for place, person in enumerate(people)}
    each = [_population(model, [s for s in samples if folds[s.person] != fold], known) for fold in range(5)]
    populations = {person: each[folds[person]] for person in people}
    return _corpus(f"CREMA-D clips, face, eight emotions, {model.card.name}", model, samples, populations)


def _unseen_faces(model: Model, samples: list[Sample], data: Path) -> Corpus:
    """The validation actors, with the statistics of the actors that the model has learned from."""
    held = [s for s in samples if cremad.split_of(int(s.person)) == "validation"]
    people = {s.person for s in held}
    others = _population(model, [s for s in samples if s.person not in people], _stills(model, data))
    name = f"CREMA-D clips, face, eight emotions, {model.card.name}, validation actors"
    return _corpus(name, model, held, dict.fromkeys(people, others))


def _population(model: Model, samples: Sequence[Sample], known: np.ndarray | None = None) -> Population:
    moments, labels, persons = [], [], []
    for sample in samples:
        for moment in independent(np.cumsum(sample.seconds), sample.logits):
            moments.append(moment)
            labels.append(sample.label)
            persons.append(sample.person)
    return fitted(model, (np.array(moments), np.array(labels), np.array(persons)), known)


def measured(corpus: Corpus) -> Iterator[dict[str, Any]]:
    for protocol, trials in protocols(corpus).items():
        for reading in ("none", "baseline"):
            if protocol == "none" or (reading == "none" and protocol in ("alone", "causal")):
                continue
            found = [
                (read_sample(corpus, sample, offset if reading == "baseline" else None), sample)
                for sample, offset in trials
            ]
            if found:
                yield {"corpus": corpus.name, "protocol": protocol, "reading": reading, **metrics(corpus, found)}


def protocols(corpus: Corpus) -> dict[str, list[tuple[Sample, Offset]]]:
    """For each protocol the samples that are scored, each with what is known of its person."""
    random = np.random.default_rng(0)
    trials: dict[str, list[tuple[Sample, Offset]]] = {}

    def scored(name: str, samples: Sequence[Sample], offset: Offset) -> None:
        trials.setdefault(name, []).extend((sample, offset) for sample in samples)

    neutral = corpus.labels.index("neutral")
    for person, population in sorted(corpus.populations.items()):
        own = [s for s in corpus.samples if s.person == person]
        scored("recording", own, known(population, own))
        order = [own[i] for i in random.permutation(len(own))]
        for place, sample in enumerate(order):
            scored("alone", [sample], known(population, [sample]))
            scored("causal", [sample], known(population, order[: place + 1]))
        kinds = sorted({s.label for s in own})
        for label in kinds:
            part = [s for s in own if s.label == label]
            scored("one emotion", part, known(population, part))
        if len(kinds) > 2:
            for _ in range(REPEATS):
                two = random.choice(kinds, 2, replace=False)
                part = [s for s in own if s.label in two]
                scored("two emotions", part, known(population, part))
        calm, rest = [s for s in own if s.label == neutral], [s for s in own if s.label != neutral]
        if len(calm) > 3:
            for k in (1, 3):
                chosen = random.permutation(len(calm))
                told = [calm[i] for i in chosen[:k]]
                scored(f"neutral-{k}", [*rest, *(calm[i] for i in chosen[k:])], known(population, [], told))
            for share in (0.7, 0.95):
                for _ in range(REPEATS):
                    part = [calm[i] for i in random.integers(0, len(calm), round(40 * share))]
                    part += [rest[i] for i in random.integers(0, len(rest), 40 - len(part))]
                    scored(f"{share:.0%} neutral", part, known(population, part))
        for count in (2, 5, 20):
            for _ in range(REPEATS):
                if count < len(own):
                    part = [own[i] for i in random.choice(len(own), count, replace=False)]
                    scored(f"{count} samples", part, known(population, part))
        others = sorted(p for p in corpus.populations if p != person)
        for _ in range(REPEATS if len(others) >= 5 else 0):
            people = [person, *random.choice(others, 5, replace=False)]
            parts = [pair(corpus, one, random) for one in people]
            expected = shared([known(population, part) for part in parts], population)[0]
            scored("2 beside 5", parts[0], known(population, parts[0], before=expected))
    return trials


def pair(corpus: Corpus, person: str, random: np.random.Generator) -> list[Sample]:
    own = [s for s in corpus.samples if s.person == person]
    return [own[i] for i in random.choice(len(own), min(2, len(own)), replace=False)]


def known(
    population: Population, samples: Sequence[Sample], neutral: Sequence[Sample] = (), before: Offset | None = None
) -> Offset:
    baseline = Baseline(population, before=before)
    for sample in samples:
        baseline.add(sample.steady, sample.seconds)
    for sample in neutral:
        baseline.add(sample.steady, sample.seconds, neutral=True)
    return baseline.offset


def read_sample(corpus: Corpus, sample: Sample, offset: Offset | None) -> np.ndarray:
    """The mean scores of a sample among the labels of its corpus; even where nothing was seen or heard."""
    if not len(sample.logits):
        return np.full(len(corpus.among), 1 / len(corpus.among))
    if offset is None:
        each = probabilities(sample.logits, corpus.temperature)
    else:
        population = corpus.populations[sample.person]
        each = scores(sample.steady, offset, population, population.mix(), corpus.temperature)
    mean = np.average(each, axis=0, weights=sample.seconds)[list(corpus.among)]
    return np.asarray(mean / mean.sum())


def metrics(corpus: Corpus, found: Sequence[tuple[np.ndarray, Sample]]) -> dict[str, Any]:
    said = np.array([scores for scores, _ in found])
    truth = np.array([corpus.among.index(sample.label) for _, sample in found])
    persons = np.array([sample.person for _, sample in found])
    hits = said.argmax(1) == truth
    low, high = interval(hits, persons)
    recalls = [hits[truth == label].mean() for label in np.unique(truth)]
    likely = np.log(np.maximum(said[np.arange(len(truth)), truth], 1e-6))
    return {
        "persons": len(np.unique(persons)),
        "n": len(truth),
        "accuracy": round(float(hits.mean()), 4),
        "low": round(low, 4),
        "high": round(high, 4),
        "uar": round(float(np.mean(recalls)), 4),
        "log_likelihood": round(float(likely.mean()), 3),
        "ece": round(calibration_error(said, truth), 3),
    }


def rows(of: dict[str, Any], models: dict[str, str]) -> Iterator[Row]:
    """The metrics of one corpus, protocol and reading."""
    part, _, model = of["corpus"].partition(", face, eight emotions, ")
    if not model:
        part, model = of["corpus"], models["voice"]
    elif model.endswith(", validation actors"):
        part, model = f"{part}, validation actors", model.removesuffix(", validation actors")
    where: Where = {
        "model": model,
        "protocol": of["protocol"],
        "split": part,
        "condition": of["reading"],
        "n": int(of["n"]),
    }
    yield Row(metric="accuracy", value=float(of["accuracy"]), low=float(of["low"]), high=float(of["high"]), **where)
    for metric in ("uar", "log_likelihood", "ece", "persons"):
        yield Row(metric=metric, value=float(of[metric]), **where)
