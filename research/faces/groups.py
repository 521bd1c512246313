"""Who is read how well: groups of people and kinds of pictures, with the prior of training and with an even one.

The CREMA-D clips as `emoscope prepare` leaves them in DATA/cremad/sequences, by what VideoDemographics.csv says of the
actors: for each face model the mean of its scores over a clip's faces, among all eight emotions; for the voice, and for
face and voice as the pipeline fuses them, only the actors that the voice model has not learned from. Then FER+
validation faces under `majority`, by the landmarks that the detector finds on them four times as large, and by their
light and sharpness. Even prior: the logits less the logarithm of how often FER+'s raters named each emotion. Intervals
of 95 %, over actors and over faces. About three minutes on one core.
"""

import csv
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import cv2
import numpy as np
from rich.progress import track

from emoscope.calibration import probabilities
from emoscope.data import clips as prepared
from emoscope.data import cremad, ferplus
from emoscope.emotions import CREMAD_EMOTIONS, EMOTIONS, columns, expand
from emoscope.face.classify import FaceClassifier
from emoscope.face.crop import SIDE, similarity
from emoscope.face.detect import Detector
from emoscope.face.view import sharpness, turn
from emoscope.models import Model
from emoscope.reading.fusion import fuse
from emoscope.training.metrics import calibration_error, prior_shift, unweighted_recall
from emoscope.voice.features import MELS, WINDOW_FRAMES

from ..intervals import interval
from ..rows import Row, Where
from ..runner import Context

LARGER = 4
"""FER+'s faces are searched for landmarks so many times as large, with half a face around them."""
PRIORS = ("as trained", "even")

Groups = dict[str, np.ndarray]
"""For each group a mask over clips, or over faces."""


class Person(NamedTuple):
    """What VideoDemographics.csv says of an actor."""

    sex: str
    age: int
    race: str
    ethnicity: str


AGES: dict[str, Callable[[int], bool]] = {
    "20 to 29": lambda age: age < 30,
    "30 to 49": lambda age: 30 <= age < 50,
    "50 and older": lambda age: age >= 50,
}


def groups(context: Context) -> Iterator[Row]:
    """Each face model on each group, with both priors; with the voice; and the voice alone. The voice model is last."""
    *models, voice = context.models
    faces = ferplus.load(context.data, "validation")
    labels = ferplus.majority(faces.votes)
    images, labels = faces.images[labels >= 0], labels[labels >= 0]
    votes = ferplus.load(context.data, "train").votes
    counts = ferplus.distribution(votes[ferplus.plurality(votes) >= 0]).sum(0)
    pictures = pictures_by(images)
    people = demographics(context.data)
    clips = prepared.load(cremad.folder(context.data) / "sequences")
    clips = [clip for clip in clips if "_IEO_" in clip.name]
    for model in models:
        logits = FaceClassifier(model).logits
        seen = [logits(clip.faces) for clip in track(clips, model.card.name)]
        found = logits(images)
        for prior in PRIORS:
            shift = np.zeros(len(EMOTIONS)) if prior == "as trained" else prior_shift(counts, 1.0)
            face = np.array([said(model, one, shift).mean(0) for one in seen])
            yield from rows(of_clips(model.card.name, prior, clips, people, face))
            yield from rows(of_pictures(model.card.name, prior, said(model, found, shift), labels, pictures))
        shift = np.zeros(len(EMOTIONS))
        face = np.array([said(model, one, shift).mean(0) for one in seen])
        yield from rows(with_voice(model, voice, clips, people, face))
    yield from rows(of_voice(context.data, voice, people))


def said(model: Model, logits: np.ndarray, shift: np.ndarray) -> np.ndarray:
    """Calibrated scores `(n, 8)` with a shift `(8,)` of the prior."""
    return expand(probabilities(logits + shift * model.card.temperature, model.card.temperature), model.card.labels)


def demographics(data: Path) -> dict[str, Person]:
    """The actors by their number."""
    with (cremad.folder(data) / "VideoDemographics.csv").open(newline="") as file:
        return {
            row["ActorID"]: Person(row["Sex"], int(row["Age"]), row["Race"], row["Ethnicity"])
            for row in csv.DictReader(file)
        }


def groups_of(people: Sequence[Person]) -> Groups:
    """The groups that each of some people are in, everybody first."""
    groups: Groups = {"everybody": np.ones(len(people), bool)}
    for field in ("sex", "race", "ethnicity"):
        values = [getattr(person, field) for person in people]
        groups |= {f"{field}: {value}": np.array([v == value for v in values]) for value in sorted({*values})}
    groups |= {f"age: {name}": np.array([inside(person.age) for person in people]) for name, inside in AGES.items()}
    return groups


def of_clips(
    model: str, prior: str, clips: Sequence[prepared.FaceClip], people: dict[str, Person], scores: np.ndarray
) -> Iterator[dict[str, Any]]:
    """A row for each group of actors."""
    truth = np.array([EMOTIONS.index(clip.label) for clip in clips])
    actors = np.array([actor_of(clip) for clip in clips])
    for name, mask in groups_of([people[actor] for actor in actors]).items():
        yield {"model": model, "of": "clips, face", "prior": prior, "group": name,
               **measured(scores[mask], truth[mask], actors[mask])}  # fmt: skip


def actor_of(clip: prepared.FaceClip) -> str:
    return str(cremad.Clip.parse(clip.name).actor)


def of_pictures(
    model: str, prior: str, scores: np.ndarray, labels: np.ndarray, groups: Groups
) -> Iterator[dict[str, Any]]:
    """A row for each kind of picture."""
    for name, mask in groups.items():
        yield {"model": model, "of": "pictures", "prior": prior, "group": name,
               **measured(scores[mask], labels[mask], np.flatnonzero(mask))}  # fmt: skip


def with_voice(
    model: Model, voice: Model, clips: Sequence[prepared.FaceClip], people: dict[str, Person], face: np.ndarray
) -> Iterator[dict[str, Any]]:
    """Face and voice together, and the voice alone, on the clips of the actors new to the voice model."""
    rows = [i for i, clip in enumerate(clips) if cremad.split_of(int(actor_of(clip))) == "validation"]
    heard = np.array([heard_in(voice, clips[i].logmel) for i in rows])
    fused = fuse(face[rows], heard, columns(CREMAD_EMOTIONS), model.card.fusion_weight, voice.card.fusion_weight)
    name = f"{model.card.name} with {voice.card.name}"
    yield from of_clips(name, "as trained", [clips[i] for i in rows], people, fused)


def heard_in(voice: Model, logmel: np.ndarray) -> np.ndarray:
    """The voice's scores `(8,)` of a clip's first window."""
    window = np.zeros((1, WINDOW_FRAMES, MELS), np.float32)
    window[0, : min(WINDOW_FRAMES, len(logmel))] = logmel[:WINDOW_FRAMES] / np.float32(255)
    return expand(probabilities(voice.logits(window), voice.card.temperature), voice.card.labels)[0]


def of_voice(data: Path, voice: Model, people: dict[str, Person]) -> Iterator[dict[str, Any]]:
    """The voice alone on all utterances of the validation actors, among its six emotions."""
    part = cremad.load_logmels(data, "validation")
    parts = [voice.logits(p / np.float32(255)) for p in np.array_split(part.logmel, 12)]
    scores = probabilities(np.concatenate(parts), voice.card.temperature)
    truth = np.array([voice.card.labels.index(clip.emotion) for clip in part.clips])
    actors = np.array([str(clip.actor) for clip in part.clips])
    for name, mask in groups_of([people[actor] for actor in actors]).items():
        yield {"model": voice.card.name, "of": "utterances", "prior": "as trained", "group": name,
               **measured(scores[mask], truth[mask], actors[mask])}  # fmt: skip


def pictures_by(images: np.ndarray) -> Groups:
    """FER+'s faces `(n, 48, 48)` by tilt, turn, sharpness and brightness."""
    views = [view(image) for image in track(images, "landmarks")]
    tilt, aside = np.array(views).T
    sharp = np.array([sharpness(image) for image in images])
    light = images.mean((1, 2))
    groups: Groups = {"all": np.ones(len(images), bool), "no landmarks found": np.isnan(tilt)}
    groups |= {
        "tilt under 5 degrees": tilt < 5, "tilt 5 to 15": (tilt >= 5) & (tilt < 15), "tilt over 15": tilt >= 15,
        "turned under 15 degrees": aside < 15, "turned 15 to 30": (aside >= 15) & (aside < 30),
        "turned over 30": aside >= 30,
    }  # fmt: skip
    for name, values in (("blur", -sharp), ("brightness", light)):
        low, high = np.quantile(values, (1 / 3, 2 / 3))
        groups |= {f"{name}: lowest third": values < low, f"{name}: highest third": values >= high}
    return groups


def view(image: np.ndarray) -> tuple[float, float]:
    """Tilt and turn of a face in degrees, not below 0; nan where the detector finds none."""
    side = SIDE * LARGER
    large = cv2.resize(image, (side, side), interpolation=cv2.INTER_CUBIC)
    large = cv2.copyMakeBorder(large, *(4 * [side // 2]), cv2.BORDER_REPLICATE)
    faces = Detector(min_face=side // 2).detect(cv2.cvtColor(large, cv2.COLOR_GRAY2RGB))
    if not len(faces):
        return np.nan, np.nan
    transform = similarity(faces.landmarks[0].astype(np.float64))
    return abs(float(np.degrees(np.arctan2(transform[1, 0], transform[0, 0])))), turn(faces.landmarks[0])


def measured(scores: np.ndarray, truth: np.ndarray, whose: np.ndarray) -> dict[str, Any]:
    if not len(truth):
        return {"n": 0, "persons": 0, "accuracy": None, "interval": None, "uar": None, "ece": None}
    hits = scores.argmax(1) == truth
    return {
        "n": len(truth), "persons": len(np.unique(whose)), "accuracy": float(hits.mean()),
        "interval": interval(hits, whose),
        "uar": unweighted_recall([float(hits[truth == label].mean()) for label in np.unique(truth)]),
        "ece": calibration_error(scores, truth),
    }  # fmt: skip


def rows(found: Iterable[dict[str, Any]]) -> Iterator[Row]:
    """What was measured of each group that somebody is in."""
    for of in found:
        if of["n"]:
            low, high = of["interval"]
            protocol = "majority" if of["of"] == "pictures" else "alone"
            where: Where = {"model": of["model"], "protocol": protocol, "split": of["of"], "group": of["group"],
                            "condition": "even prior" if of["prior"] == "even" else "prior of training"}  # fmt: skip
            yield Row(metric="accuracy", value=of["accuracy"], low=low, high=high, n=of["n"], **where)
            for name in ("uar", "ece"):
                yield Row(metric=name, value=of[name], n=of["n"], **where)
