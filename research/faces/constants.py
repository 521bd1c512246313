"""The measured constants of the pipeline: where each comes from.

- `face.crop.TEMPLATE`: where landmarks lie in FER+'s own training faces.
- `face.track.ALIKE`: how alike crops of one person and of two are (CREMA-D clips, 72 actors).
- `speaker.STILL`: how much a mouth moves in speech and before it (the same clips).
- `voice.activity.PAD`: how much quiet around speech the voice model wants (the same clips; it was trained on other
  clips of most of these actors, so read the differences).
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from rich.progress import track

from emoscope.data import ferplus
from emoscope.data.cremad import Clip, video_clips
from emoscope.face.crop import SIDE
from emoscope.face.detect import Detector
from emoscope.face.mouth import MouthMeter
from emoscope.face.track import ALIKE, Tracker
from emoscope.media import SAMPLE_RATE, Frame, Sound, open_media
from emoscope.models import Model
from emoscope.reading.speaker import STILL, Mouths
from emoscope.voice.activity import PAD, VoiceActivity
from emoscope.voice.features import window_input

from ..intervals import interval
from ..rows import Row, Where
from ..runner import Context

FACES = 400
LANDMARKS = ("left eye", "right eye", "nose", "left corner of the mouth", "right corner of the mouth")
ENLARGED = 4
PADDINGS = (0.0, 0.25, 0.5, 0.75)
QUIET_S = 0.3
"""Seconds after the start of a clip in which nobody speaks yet, if speech begins later."""


def constants(context: Context) -> Iterator[Row]:
    """All of them."""
    (model,) = context.models
    clips = [(clip, path) for clip, path in video_clips(context.data) if clip.sentence == "IEO"]
    read = [(clip, *streams(path)) for clip, path in track(clips, "reading clips")]
    found = {
        "template": template(context.data),
        "likeness": likeness(read),
        "mouths": mouths(read),
        "padding": padding(read, model),
    }
    yield from rows(model.card.name, found)


Read = tuple[Clip, list[tuple[float, np.ndarray]], np.ndarray]
"""A clip, its crops with their times, its samples."""


def streams(path: Path) -> tuple[list[tuple[float, np.ndarray]], np.ndarray]:
    """The crops of the first person with their times, and the samples."""
    tracker, crops, samples = Tracker(Detector(min_face=60)), [], [np.zeros(0, np.float32)]
    with open_media(path) as media:
        for item in media:
            if isinstance(item, Frame):
                crops += [(item.time, t.crop) for t in tracker.update(item.image, item.time)[:1]]
            elif isinstance(item, Sound):
                samples.append(item.samples)
    return crops, np.concatenate(samples)


def template(data: Path) -> dict[str, Any]:
    """Median landmarks of training faces, in pixels of the 48x48 picture."""
    images = ferplus.load(data, "train").images
    detector, found, border = Detector(min_face=60), [], SIDE
    for i in np.random.default_rng(0).permutation(len(images))[:FACES]:
        side = ENLARGED * SIDE
        large = cv2.resize(images[i], (side, side), interpolation=cv2.INTER_CUBIC)
        large = cv2.copyMakeBorder(large, border, border, border, border, cv2.BORDER_REPLICATE)
        faces = detector.detect(np.repeat(large[..., None], 3, 2))
        if len(faces) == 1:
            found.append((faces.landmarks[0] - border) / ENLARGED)
    return {"n": len(found), "median": np.median(found, 0).astype(float).round(1).tolist()}


def likeness(read: list[Read]) -> dict[str, Any]:
    """Correlation of crops, one a clip, between clips of one actor and of two."""
    kept = [(clip.actor, crops[len(crops) // 3][1]) for clip, crops, _ in read if crops]
    grey = np.array([crop for _, crop in kept], np.float32).reshape(len(kept), -1)
    grey = (grey - grey.mean(1, keepdims=True)) / grey.std(1, keepdims=True)
    alike = grey @ grey.T / grey.shape[1]
    actors = np.array([actor for actor, _ in kept])
    above = np.triu(np.ones_like(alike, bool), 1)
    same = (actors[:, None] == actors) & above
    other = (actors[:, None] != actors) & above
    return {
        "n": len(kept),
        "same_above": float((alike[same] > ALIKE).mean()),
        "other_above": float((alike[other] > ALIKE).mean()),
    }


def mouths(read: list[Read]) -> dict[str, Any]:
    """Whether the mouth counts as moving, during speech and before it."""
    rows: dict[str, list[tuple[bool, int]]] = {"speech": [], "before": []}
    for clip, crops, samples in read:
        stretches = speech(samples)
        meter, watch = MouthMeter(), Mouths()
        for time, crop in crops:
            moved = meter.measure(time, [1], crop[None])
            watch.add(np.array([time]), np.array([1]), moved[:, 0], moved[:, 1])
        for start, end in stretches[:1]:
            rows["speech"].append((watch.speaker(start - PAD / SAMPLE_RATE, end + PAD / SAMPLE_RATE) == 1, clip.actor))
            if start > QUIET_S:
                rows["before"].append((watch.speaker(0, start) == 1, clip.actor))
    return {name: share(np.array(row)) for name, row in rows.items()}


def speech(samples: np.ndarray) -> list[tuple[float, float]]:
    """Stretches of speech in seconds, without their padding."""
    activity = VoiceActivity()
    found = activity.add(np.pad(samples, PAD)) + activity.finish()  # or the clip's ends would cut the padding short
    return [(s.start / SAMPLE_RATE, (s.end - 2 * PAD) / SAMPLE_RATE) for s in found]


def padding(read: list[Read], model: Model) -> list[dict[str, Any]]:
    """Accuracy of the acted emotion for each padding of the speech, and for the whole clip."""
    rows = []
    for pad in (*PADDINGS, None):
        hits = []
        for clip, _, samples in read:
            stretches = speech(samples)
            if not stretches:
                continue
            start, end = stretches[0][0] - (pad or 0), stretches[-1][1] + (pad or 0)
            part = samples if pad is None else samples[max(0, int(start * SAMPLE_RATE)) : int(end * SAMPLE_RATE)]
            said = int(model.scores(window_input(part)[None])[0].argmax())
            hits.append((model.card.labels[said] == clip.emotion, clip.actor))
        rows.append({"padding_s": "whole clip" if pad is None else pad, **share(np.array(hits))})
    return rows


def share(rows: np.ndarray) -> dict[str, Any]:
    """The mean of the first column with its interval over the actors of the second."""
    return {"n": len(rows), "share": float(rows[:, 0].mean()), "interval": interval(rows[:, 0], rows[:, 1])}


def rows(model: str, found: dict[str, Any]) -> Iterator[Row]:
    """Each constant's figures."""
    points = found["template"]
    for name, (x, y) in zip(LANDMARKS, points["median"], strict=True):
        for metric, value in (("x", x), ("y", y)):
            yield Row(metric=f"median {metric}, pixels", value=value, n=points["n"], group=name,
                      split="FER+ train", condition="landmarks")  # fmt: skip
    clips: Where = {"split": "CREMA-D clips of 72 actors"}
    for who in ("same", "other"):
        pairs = f"pairs of {'one actor' if who == 'same' else 'two actors'}"
        yield Row(metric=f"share more alike than {ALIKE}", value=found["likeness"][f"{who}_above"],
                  n=found["likeness"]["n"], condition="crops", group=pairs, **clips)  # fmt: skip
    for when, of in found["mouths"].items():
        low, high = of["interval"]
        group = "during speech" if when == "speech" else "before speech"
        yield Row(metric=f"share of mouths that move above {STILL}", value=of["share"], low=low, high=high, n=of["n"],
                  condition="mouths", group=group, **clips)  # fmt: skip
    for of in found["padding"]:
        low, high = of["interval"]
        kept = of["padding_s"] if isinstance(of["padding_s"], str) else f"{of['padding_s']} s"
        yield Row(metric="accuracy", value=of["share"], low=low, high=high, n=of["n"], model=model,
                  condition="quiet kept around speech", group=kept, **clips)  # fmt: skip
