"""Face models out of their world: pictures that are not FER+'s, and people who are not in it.

FER+ validation faces under `majority`, as they are and changed: cut out tighter and looser, turned, darkened, blurred,
compressed, made small and large again, with glasses, a mask or a hand drawn on. Then the CREMA-D clips of 72 actors,
the face alone through the pipeline, as in `clips`. About two minutes for a model on one core.
"""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import cv2
import numpy as np
from rich.progress import track

from emoscope.data import ferplus
from emoscope.data.cremad import Clip, video_clips
from emoscope.emotions import EMOTIONS
from emoscope.face.crop import SIDE
from emoscope.face.detect import Detector, smallest_face
from emoscope.face.track import Tracker
from emoscope.face.upright import UprightDetector
from emoscope.media import Frame, open_media
from emoscope.models import Model
from emoscope.reading.smooth import SMOOTHERS
from emoscope.training.evaluate import logits
from emoscope.training.metrics import score, unweighted_recall

from ..face_models import scorer
from ..intervals import interval
from ..rows import Row, Where
from ..runner import Context
from .clips import THREE, right

COMMON = 7
"""The first so many emotions: all but contempt, of which validation has 13 faces."""
MIDDLE = (SIDE - 1) / 2
"""The middle of a face, counted from the middle of its first pixel, as OpenCV does."""

Change = Callable[[np.ndarray], np.ndarray]
"""From a grey uint8 `(48, 48)` face to another."""


def moved(face: np.ndarray, transform: np.ndarray) -> np.ndarray:
    """The face under an affine transform `(2, 3)`; what comes in from beyond its edge repeats the edge's pixels."""
    return cv2.warpAffine(face, transform, (SIDE, SIDE), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)


def cut_to(share: float) -> Change:
    """Shows so much of the side of the picture: below 1 tighter, above 1 looser."""
    return lambda face: moved(face, cv2.getRotationMatrix2D((MIDDLE, MIDDLE), 0, 1 / share))


def turned(degrees: float) -> Change:
    """Turned in the picture's plane, to the left if above 0."""
    return lambda face: moved(face, cv2.getRotationMatrix2D((MIDDLE, MIDDLE), degrees, 1))


def dimmed(factor: float = 1.0, gamma: float = 1.0) -> Change:
    """Of a brightness `v` from 0 to 1 it leaves `factor * v ** gamma`, in steps of 1 / 255."""
    return lambda face: np.round(255 * factor * (face / 255.0) ** gamma).astype(np.uint8)


def blurred(sigma: float) -> Change:
    """Gaussian, sigma in pixels of the 48x48 face."""
    return lambda face: cv2.GaussianBlur(face, (0, 0), sigma, borderType=cv2.BORDER_REPLICATE)


def compressed(quality: int) -> Change:
    """Through JPEG."""

    def change(face: np.ndarray) -> np.ndarray:
        _, data = cv2.imencode(".jpg", face, [cv2.IMWRITE_JPEG_QUALITY, quality])
        return cv2.imdecode(data, cv2.IMREAD_GRAYSCALE)

    return change


def once_small(side: int) -> Change:
    """Made smaller, to so many pixels a side by averaging, and large again by linear interpolation."""

    def change(face: np.ndarray) -> np.ndarray:
        small = cv2.resize(face, (side, side), interpolation=cv2.INTER_AREA)
        return cv2.resize(small, (SIDE, SIDE), interpolation=cv2.INTER_LINEAR)

    return change


def glasses(face: np.ndarray) -> np.ndarray:
    """Dark frames and lightly tinted glass before both eyes, with a bridge and sides."""
    drawn, lens = face.copy(), np.zeros_like(face)
    for x in (15, 33):
        cv2.ellipse(lens, (x, 20), (8, 6), 0, 0, 360, 255, -1)
        cv2.ellipse(drawn, (x, 20), (8, 6), 0, 0, 360, 30, 1)
    for x0, x1 in ((23, 25), (0, 6), (42, 47)):
        cv2.line(drawn, (x0, 18), (x1, 18), 30, 1)
    inside = (lens > 0) & (drawn == face)
    drawn[inside] = np.round(0.75 * face[inside] + 15).astype(np.uint8)
    return drawn


def masked(face: np.ndarray) -> np.ndarray:
    """A light mask over nose, mouth and chin."""
    drawn = face.copy()
    outline = np.array([(5, 26), (24, 24), (43, 26), (42, 40), (33, 47), (15, 47), (6, 40)], np.int32)
    cv2.fillPoly(drawn, [outline], 205)
    for y in (31, 36, 41):
        cv2.line(drawn, (8, y), (40, y), 185, 1)
    return drawn


def hand(face: np.ndarray) -> np.ndarray:
    """Four fingers and a palm, as light as the face, before one cheek and half of the mouth."""
    drawn = face.copy()
    skin = int(np.median(face[20:40, 12:36]))
    for i, (x, y) in enumerate(((47, 22), (45, 28), (44, 34), (45, 40))):
        cv2.ellipse(drawn, (x, y), (15 + i, 3), 10, 0, 360, skin, -1)
        cv2.ellipse(drawn, (x, y), (15 + i, 3), 10, 0, 360, max(0, skin - 50), 1)
    return drawn


CONDITIONS: dict[str, Change] = {
    "as they are": lambda face: face,
    "cut to 80 %": cut_to(0.8),
    "cut to 90 %": cut_to(0.9),
    "cut to 110 %": cut_to(1.1),
    "cut to 120 %": cut_to(1.2),
    "cut to 140 %": cut_to(1.4),
    "turned 15 degrees to the left": turned(15),
    "turned 15 degrees to the right": turned(-15),
    "brightness x 0.4": dimmed(0.4),
    "gamma 2.5": dimmed(gamma=2.5),
    "blurred, sigma 1": blurred(1),
    "blurred, sigma 2": blurred(2),
    "JPEG quality 30": compressed(30),
    "JPEG quality 10": compressed(10),
    "from 24 x 24": once_small(24),
    "from 16 x 16": once_small(16),
    "glasses drawn on": glasses,
    "a mask drawn on": masked,
    "a hand drawn on": hand,
}


class Seen(NamedTuple):
    """The faces of a clip, in order of time, as the pipeline's tracker cuts them out.

    Attributes:
        crops: `(n, 48, 48)` uint8.
        times: `(n,)` seconds.
        lengths: `(n,)` seconds that the frame is shown.
        persons: `(n,)` whose face it is.
    """

    crops: np.ndarray
    times: np.ndarray
    lengths: np.ndarray
    persons: np.ndarray


def robustness(context: Context) -> Iterator[Row]:
    """Each model on changed pictures, and on clips."""
    faces = ferplus.load(context.data, "validation")
    labels = ferplus.majority(faces.votes)
    images, labels = faces.images[labels >= 0], labels[labels >= 0]
    clips = [(clip, path) for clip, path in video_clips(context.data) if clip.sentence == "IEO"]
    seen = [faces_of(path) for _, path in track(clips, "finding faces")]
    for model in context.models:
        yield from rows(model.card.name, pictures(model, images, labels))
        yield from clip_rows(model.card.name, on_clips(model, [clip for clip, _ in clips], seen))


def pictures(model: Model, images: np.ndarray, labels: np.ndarray) -> list[dict[str, Any]]:
    """The metrics of a model on faces `(n, 48, 48)` with labels `(n,)` under each condition."""
    rows: list[dict[str, Any]] = []
    before = np.empty(0)
    for name, change in track(CONDITIONS.items(), model.card.name):
        found = logits(model, np.stack([change(face) for face in images]))
        hits = (found.argmax(1) == labels).astype(float)
        before = before if rows else hits
        metrics = score(found, labels, model.card.temperature)
        rows.append({
            "condition": name,
            **{key: metrics[key] for key in ("n", "accuracy", "interval", "recall", "ece")},
            "uar": unweighted_recall(metrics["recall"][:COMMON]),
            "change": float((hits - before).mean()),
            "change_interval": interval(hits - before, np.arange(len(hits))),
        })  # fmt: skip
    return rows


def faces_of(path: Path) -> Seen:
    """The persons of a clip as `Session` sees them."""
    tracker: Tracker | None = None
    rows = []
    with open_media(path) as media:
        for item in media:
            if isinstance(item, Frame):
                tracker = tracker or Tracker(UprightDetector(Detector(min_face=smallest_face(item.image))))
                tracks = tracker.update(item.image, item.time)
                rows += [(t.crop, item.time, item.duration, t.person) for t in tracks]
    crops, times, lengths, persons = zip(*rows, strict=True) if rows else ((),) * 4
    images = np.array(crops, np.uint8).reshape(-1, SIDE, SIDE)
    return Seen(images, np.array(times), np.array(lengths), np.array(persons))


def clip_scores(model: Model, seen: Seen) -> np.ndarray:
    """The mean over time `(8,)` of a clip's smoothed scores, as the pipeline has them; nan where no face is seen."""
    if not len(seen.crops):
        return np.full(len(EMOTIONS), np.nan)
    smooth = scorer(model)(seen.crops).astype(np.float64)
    for person in np.unique(seen.persons):
        own = seen.persons == person
        smooth[own] = SMOOTHERS["mean"]().update(seen.times[own], smooth[own])
    return np.average(smooth, axis=0, weights=seen.lengths if seen.lengths.any() else None)


def on_clips(model: Model, clips: Sequence[Clip], seen: Sequence[Seen]) -> list[dict[str, Any]]:
    """How many clips are right among all eight emotions, and among the three that were acted."""
    scores = np.array([clip_scores(model, one) for one in track(seen, f"{model.card.name}, clips")])
    truth = np.array([EMOTIONS.index(clip.emotion) for clip in clips])
    actors = np.array([clip.actor for clip in clips])
    rows = []
    for among, allowed in (("eight", range(len(EMOTIONS))), ("three", THREE)):
        hits = right(scores, truth, list(allowed))
        recall = {EMOTIONS[c]: float(hits[truth == c].mean()) for c in sorted(set(truth.tolist()))}
        rows.append({
            "among": among, "n": len(hits), "accuracy": float(hits.mean()), "interval": interval(hits, actors),
            "recall": recall,
        })  # fmt: skip
    return rows


def rows(model: str, found: list[dict[str, Any]]) -> Iterator[Row]:
    """A model under each condition."""
    for of in found:
        where: Where = {
            "model": model,
            "protocol": "majority",
            "split": "FER+ validation",
            "condition": of["condition"],
        }
        low, high = of["interval"]
        yield Row(metric="accuracy", value=of["accuracy"], low=low, high=high, n=of["n"], **where)
        yield Row(metric="recall of seven", value=of["uar"], **where)
        if of["condition"] != next(iter(CONDITIONS)):
            low, high = of["change_interval"]
            yield Row(metric="change", value=of["change"], low=low, high=high, **where)


def clip_rows(model: str, found: list[dict[str, Any]]) -> Iterator[Row]:
    """A model on clips, among eight emotions and among three."""
    for of in found:
        where: Where = {"model": model, "protocol": "alone", "split": "CREMA-D clips of 72 actors",
                 "condition": f"among {of['among']}"}  # fmt: skip
        low, high = of["interval"]
        yield Row(metric="accuracy", value=of["accuracy"], low=low, high=high, n=of["n"], **where)
        for name in (EMOTIONS[c] for c in THREE):
            yield Row(metric="recall", value=of["recall"][name], group=name, **where)
