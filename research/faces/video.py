"""Face models on moving faces: acted emotions, and what they say of faces at rest.

For each model: FER+ validation under `majority`; the CREMA-D clips of the nine validation actors, whom no model has
seen, as `emoscope prepare` leaves them in DATA/cremad/sequences: the clip's emotion by mean score, among all eight, by
the model itself; and how often faces at rest are called sad: FER+'s neutral faces, and those of the clips' first 0.2 s,
before anything is acted. Intervals of 95 %, over faces and over actors. Under a minute on one core.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from rich.progress import track

from emoscope.calibration import probabilities
from emoscope.data import clips as prepared
from emoscope.data import cremad, ferplus
from emoscope.emotions import EMOTIONS
from emoscope.face.classify import FaceClassifier
from emoscope.models import Model
from emoscope.training.metrics import score

from ..intervals import interval
from ..rows import Row, Where
from ..runner import Context

REST_S = 0.2
"""Seconds of a clip before anything is acted."""
CLIPS = "CREMA-D clips of the 9 validation actors"
SAD, NEUTRAL = EMOTIONS.index("sadness"), EMOTIONS.index("neutral")


def video(context: Context) -> Iterator[Row]:
    """Each model on pictures, on clips, and on faces at rest."""
    faces = ferplus.load(context.data, "validation")
    labels = ferplus.majority(faces.votes)
    images, labels = faces.images[labels >= 0], labels[labels >= 0]
    clips = [c for c in prepared.load(cremad.folder(context.data) / "sequences") if "_IEO_" in c.name]
    clips = [c for c in clips if cremad.split_of(int(actor_of(c))) == "validation"]
    for model in context.models:
        yield from rows(measured(model, images, labels, clips))


def measured(
    model: Model, images: np.ndarray, labels: np.ndarray, clips: Sequence[prepared.FaceClip]
) -> dict[str, Any]:
    """One model on pictures and on the clips of the validation actors."""
    classifier = FaceClassifier(model)
    stills = classifier.logits(images)
    test = [(clip, classifier.logits(clip.faces)) for clip in track(clips, model.card.name)]
    return {
        "model": model.card.name,
        "pictures": score(stills, labels, model.card.temperature),
        **on_clips(test, model.card.temperature),
        "neutral_pictures_called_sad": share(stills[labels == NEUTRAL].argmax(1) == SAD),
    }


def on_clips(clips: Sequence[tuple[prepared.FaceClip, np.ndarray]], temperature: float) -> dict[str, Any]:
    """Clips that are read as what was acted, and faces at rest that are called sad."""
    actors = np.array([actor_of(clip) for clip, _ in clips])
    truth = np.array([EMOTIONS.index(clip.label) for clip, _ in clips])
    none = np.array([probabilities(logits, temperature).mean(0) for _, logits in clips])
    early = [logits[clip.times - clip.times[0] < REST_S].argmax(1) for clip, logits in clips]
    whose = np.repeat(actors, [len(said) for said in early])
    recall = {EMOTIONS[c]: float((none.argmax(1) == c)[truth == c].mean()) for c in np.unique(truth)}
    return {
        "none": share(none.argmax(1) == truth, actors),
        "recall": recall,
        "resting_faces_called_sad": share(np.concatenate(early) == SAD, whose),
    }


def actor_of(clip: prepared.FaceClip) -> str:
    return str(cremad.Clip.parse(clip.name).actor)


def share(hits: np.ndarray, whose: np.ndarray | None = None) -> dict[str, Any]:
    """How many of some are so, with the interval."""
    whose = np.arange(len(hits)) if whose is None else whose
    return {"n": len(hits), "share": float(hits.mean()), "interval": interval(hits, whose)}


def rows(of: dict[str, Any]) -> Iterator[Row]:
    """The metrics of one model."""
    pictures = of["pictures"]
    low, high = pictures["interval"]
    where: Where = {"model": of["model"], "protocol": "majority", "split": "FER+ validation"}
    yield Row(metric="accuracy", value=pictures["accuracy"], low=low, high=high, n=pictures["n"], **where)
    yield Row(metric="recall of seven", value=float(np.mean(pictures["recall"][:7])), n=pictures["n"], **where)
    yield shared("share called sad", of["neutral_pictures_called_sad"], **{**where, "split": "FER+ neutral faces"})
    where |= {"protocol": "alone", "split": CLIPS}
    yield shared("accuracy", of["none"], **where)
    for name, value in of["recall"].items():
        yield Row(metric="recall", value=value, group=name, **where)
    yield shared("share called sad", of["resting_faces_called_sad"], **{**where, "split": "resting faces of the clips"})


def shared(metric: str, of: dict[str, Any], **where: Any) -> Row:
    """A share with its interval as a row."""
    low, high = of["interval"]
    return Row(metric=metric, value=of["share"], low=low, high=high, n=of["n"], **where)
