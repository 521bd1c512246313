"""CREMA-D clips through the whole pipeline: face, voice and fusion, smoothing and the weights of the fusion.

Every clip is analysed as a user would, by the models themselves and against the baseline of this one clip (whose
statistics, as shipped, are of these same actors: the study `baseline` keeps them apart). A clip's emotion is the one
with the highest mean score over the clip's time, among all eight, or among the clip set's own three (anger, happiness,
sadness). Intervals are bootstrapped over actors, since clips of one actor are not independent. A face model of pictures
alone has seen none of these actors; the voice model, and a face model that has learned from clips, were trained on 63
of the 72, so they and the fusion are measured on the 9 validation actors alone.
"""

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from rich.progress import track

import emoscope
from emoscope.data.cremad import Clip, video_clips
from emoscope.emotions import CREMAD_EMOTIONS, EMOTIONS, columns
from emoscope.reading.fusion import fuse
from emoscope.reading.smooth import SMOOTHERS
from emoscope.timeline import Timeline
from emoscope.training.metrics import calibration_error

from ..intervals import interval
from ..rows import Row, Where
from ..runner import Context
from ..scores import confused

THREE = columns(("anger", "happiness", "sadness"))
SIX = columns(CREMAD_EMOTIONS)
FACE_WEIGHTS = (0.1, 0.15, 0.25, 0.35, 0.5, 0.7, 1.0)


def clips(context: Context) -> Iterator[Row]:
    """A face model, then a voice model, through the pipeline."""
    face, voice = context.models
    found = [(clip, path) for clip, path in video_clips(context.data) if clip.sentence == "IEO"]
    names = [clip for clip, _ in found]
    evidence = [
        emoscope.observe(path, face_model=face, voice_model=voice) for _, path in track(found, "looking and listening")
    ]
    steady = [emoscope.read(one, baseline="none") for one in evidence]
    single = [emoscope.read(one, baseline="none", smoothing="none") for one in evidence]
    against = [emoscope.read(one) for one in evidence]
    results = {
        "models": {"face": face.card.name, "voice": voice.card.name},
        "accuracy": [
            {"reading": reading, **row}
            for reading, timelines in (("none", steady), ("recording", against))
            for row in accuracies(names, timelines)
        ],
        "confusion": confusions(names, steady),
        "fusion": fusion_weights(names, steady, (face.card.fusion_weight, voice.card.fusion_weight)),
        "smoothing": [smoothness(name, names, single) for name in SMOOTHERS],
        "coverage": coverage(steady),
    }
    yield from rows(results)


def mean_scores(timelines: Sequence[Timeline], source: str) -> np.ndarray:
    """The mean scores `(clips, 8)` of a source; nan for a clip that it says nothing of."""
    rows = []
    for timeline in timelines:
        part = timeline.select(source)  # type: ignore[arg-type]
        rows.append(list(part.mean_scores().values()) if len(part) else [np.nan] * len(EMOTIONS))
    return np.array(rows)


def right(scores: np.ndarray, truth: np.ndarray, among: Sequence[int]) -> np.ndarray:
    """Which clips are right when only the emotions `among` are allowed; one without scores is wrong."""
    some = np.nan_to_num(scores[:, list(among)], nan=-1.0)
    return (np.array(among)[some.argmax(1)] == truth) & ~np.isnan(scores[:, 0])


def accuracies(names: Sequence[Clip], timelines: Sequence[Timeline]) -> list[dict[str, Any]]:
    truth = np.array([EMOTIONS.index(clip.emotion) for clip in names])
    actors = np.array([clip.actor for clip in names])
    validation = np.array([clip.split == "validation" for clip in names])
    sets = {"72 actors": np.ones(len(names), bool), "validation actors": validation}
    rows = []
    for who, chosen in sets.items():
        for source in ("face", "voice", "fused"):
            if source != "face" and who != "validation actors":
                continue  # the voice model was trained on the others
            scores = mean_scores(timelines, source)
            for among, allowed in (("eight", range(8)), ("three", THREE)):
                hits = right(scores, truth, list(allowed))[chosen]
                rows.append(
                    {
                        "actors": who,
                        "source": source,
                        "among": among,
                        "n": int(chosen.sum()),
                        "accuracy": float(hits.mean()),
                        "interval": interval(hits, actors[chosen]),
                    }
                )
    return rows


def confusions(names: Sequence[Clip], timelines: Sequence[Timeline]) -> dict[str, Any]:
    """Counts of the face alone on all actors: a row for each true emotion, a column for each of the eight."""
    scores = mean_scores(timelines, "face")
    counts = {EMOTIONS[i]: [0] * len(EMOTIONS) for i in THREE}
    for clip, row in zip(names, scores, strict=True):
        if not np.isnan(row[0]):
            counts[clip.emotion][int(row.argmax())] += 1
    return counts


def fusion_weights(names: Sequence[Clip], timelines: Sequence[Timeline], in_use: tuple[float, float]) -> dict[str, Any]:
    """The face's weight with the highest likelihood on the validation actors, all and with each one left out."""
    chosen = [i for i, clip in enumerate(names) if clip.split == "validation"]
    face = mean_scores(timelines, "face")[chosen]
    voice = mean_scores(timelines, "voice")[chosen]
    both = ~np.isnan(face[:, 0]) & ~np.isnan(voice[:, 0])
    face, voice = face[both], voice[both]
    truth = np.array([EMOTIONS.index(names[i].emotion) for i in chosen])[both]
    actors = np.array([names[i].actor for i in chosen])[both]
    grid = [(a, in_use[1]) for a in FACE_WEIGHTS]
    likelihood, hits, errors = [], [], []
    for a, b in grid:
        fused = fuse(face, voice, SIX, a, b)
        likelihood.append(np.log(np.maximum(fused[np.arange(len(truth)), truth], 1e-9)))
        hits.append(fused.argmax(1) == truth)
        errors.append(calibration_error(fused, truth))
    table, correct = np.array(likelihood), np.array(hits)
    best = int(table.mean(1).argmax())
    held_out = np.zeros(len(truth), bool)
    for actor in np.unique(actors):
        out = actors == actor
        held_out[out] = correct[int(table[:, ~out].mean(1).argmax()), out]
    now = grid.index(in_use) if in_use in grid else best
    return {
        "n": len(truth),
        "best": {"face_weight": grid[best][0], "voice_weight": grid[best][1]},
        "accuracy_at_best": float(correct[best].mean()),
        "accuracy_each_actor_left_out": float(held_out.mean()),
        "interval_left_out": interval(held_out, actors),
        "ece_at_best": errors[best],
        "in_use": {"face_weight": in_use[0], "voice_weight": in_use[1], "accuracy": float(correct[now].mean())},
    }


def smoothness(smoothing: str, names: Sequence[Clip], timelines: Sequence[Timeline]) -> dict[str, Any]:
    """Of single frames, smoothed in one way: how many are right, and how often the label changes a second."""
    hits, among_three, likelihood, actors, changes, seconds = [], [], [], [], 0, 0.0
    for clip, timeline in zip(names, timelines, strict=True):
        truth = EMOTIONS.index(clip.emotion)
        for person in timeline.persons:
            part = timeline.select("face", person)
            if not len(part):
                continue  # only heard
            scores = SMOOTHERS[smoothing]().update(part.start, part.scores)
            labels = scores.argmax(1)
            hits += list(labels == truth)
            actors += [clip.actor] * len(labels)
            among_three += list(np.array(THREE)[scores[:, THREE].argmax(1)] == truth)
            likelihood += list(np.log(np.maximum(scores[:, truth], 1e-4)))
            changes += sum(a != b for a, b in pairwise(labels))
            seconds += float(part.end[-1] - part.start[0])
    return {
        "smoothing": smoothing,
        "frames": len(hits),
        "eight": float(np.mean(hits)),
        "eight_interval": interval(np.array(hits), np.array(actors)),
        "three": float(np.mean(among_three)),
        "three_interval": interval(np.array(among_three), np.array(actors)),
        "log_likelihood": float(np.mean(likelihood)),
        "changes_a_second": float(changes / seconds),
    }


def coverage(timelines: Sequence[Timeline]) -> dict[str, Any]:
    """How much of the clips the pipeline says something of."""
    spoken = [o for timeline in timelines for o in timeline.select("voice")]
    return {
        "clips": len(timelines),
        "clips_without_face": sum(not len(t.select("face")) for t in timelines),
        "clips_without_voice": sum(not len(t.select("voice")) for t in timelines),
        "clips_with_more_than_one_person": sum(len(t.persons) > 1 for t in timelines),
        "voices_given_to_the_person": float(np.mean([o.person is not None for o in spoken])),
    }


def rows(found: dict[str, Any]) -> Iterator[Row]:
    """Clips by each source, without a baseline and against their own; frames; the fusion; how much is covered."""
    names = found["models"]
    model = {**names, "fused": f"{names['face']} with {names['voice']}"}
    for of in found["accuracy"]:
        low, high = of["interval"]
        against = "" if of["reading"] == "none" else ", against its own baseline"
        yield Row(metric="accuracy", value=of["accuracy"], low=low, high=high, n=of["n"], model=model[of["source"]],
                  protocol="alone", split=f"CREMA-D clips of {of['actors']}",
                  condition=f"{of['source']}, among {of['among']}{against}")  # fmt: skip
    yield from confused(
        list(found["confusion"].values()), list(found["confusion"]), EMOTIONS, model=names["face"], protocol="alone",
        split="CREMA-D clips of 72 actors", condition="face, among eight",
    )  # fmt: skip
    for of in found["smoothing"]:
        where: Where = {"model": names["face"], "split": "CREMA-D frames of 72 actors", "n": of["frames"],
                 "condition": f"smoothing {of['smoothing']}"}  # fmt: skip
        for among in ("eight", "three"):
            low, high = of.get(f"{among}_interval", (None, None))
            yield Row(metric=f"share right among {among}", value=of[among], low=low, high=high, **where)
        yield Row(metric="log_likelihood", value=of["log_likelihood"], **where)
        yield Row(metric="label changes a second", value=of["changes_a_second"], **where)
    yield from fusion_rows(found["fusion"], model["fused"])
    for name, value in found["coverage"].items():
        yield Row(metric=name, value=value, model=model["fused"], condition="coverage",
                  split="CREMA-D clips of 72 actors")  # fmt: skip


def fusion_rows(of: dict[str, Any], model: str) -> Iterator[Row]:
    """The weights with the highest likelihood."""
    where: Where = {"model": model, "split": "CREMA-D clips of validation actors", "condition": "weights of the fusion",
             "n": of["n"]}  # fmt: skip
    yield Row(metric="weight of the face", value=of["best"]["face_weight"], **where)
    yield Row(metric="weight of the voice", value=of["best"]["voice_weight"], **where)
    yield Row(metric="accuracy", value=of["accuracy_at_best"], **where)
    yield Row(metric="ece", value=of["ece_at_best"], **where)
    low, high = of["interval_left_out"]
    yield Row(metric="share right with each actor left out of the choice", value=of["accuracy_each_actor_left_out"],
              low=low, high=high, **where)  # fmt: skip
