"""How much around a face the model should see: margins of the crop, compared on CREMA-D frames.

Every 10th frame of the clips (sentence IEO; anger, happiness, sadness; 72 actors, none of them in FER+): face found,
cropped with each margin, classified by itself. The margin in use is the one of FER+'s own faces (1.0); the table
shows what others would give.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from rich.progress import track

from emoscope.data.cremad import video_clips
from emoscope.emotions import EMOTIONS, columns
from emoscope.face.crop import crop_faces
from emoscope.face.detect import Detector
from emoscope.media import Frame, open_media
from emoscope.models import FaceInput

from ..face_models import scorer
from ..intervals import interval
from ..rows import Row, Where
from ..runner import Context

MARGINS = (0.8, 0.9, 1.0, 1.1, 1.2, 1.3, 1.4)
THREE = columns(("anger", "happiness", "sadness"))
EVERY = 10


def crop(context: Context) -> Iterator[Row]:
    """Every margin."""
    crops, truth, actors = collect(context.data)
    (model,) = context.models
    classify = scorer(model)
    for i, margin in enumerate(MARGINS):
        scores = np.concatenate([classify(part) for part in np.array_split(crops[:, i], len(crops) // 32 + 1)])
        three = np.array(THREE)[scores[:, THREE].argmax(1)]
        likelihood = np.log(np.maximum(scores[np.arange(len(truth)), truth], 1e-9)).mean()
        of = {
            "margin": margin,
            "n": len(truth),
            "eight": float((scores.argmax(1) == truth).mean()),
            "eight_interval": interval(scores.argmax(1) == truth, actors),
            "three": float((three == truth).mean()),
            "three_interval": interval(three == truth, actors),
            "log_likelihood": float(likelihood),
        }
        yield from rows(model.card.name, of)


def collect(data: Path) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Crops `(n, margins, 48, 48)`, the acted emotion `(n,)` and the actor `(n,)` of each."""
    detector = Detector(min_face=60)
    crops, truth, actors = [], [], []
    clips = [(clip, path) for clip, path in video_clips(data) if clip.sentence == "IEO"]
    for clip, path in track(clips, "finding faces"):
        with open_media(path) as media:
            frames = [item for item in media if isinstance(item, Frame)][::EVERY]
        for frame in frames:
            faces = detector.detect(frame.image)
            if len(faces):
                crops.append(
                    [crop_faces(frame.image, faces.landmarks[:1], FaceInput(margin=margin))[0] for margin in MARGINS]
                )
                truth.append(EMOTIONS.index(clip.emotion))
                actors.append(clip.actor)
    return np.array(crops), np.array(truth), np.array(actors)


def rows(model: str, of: dict[str, Any]) -> Iterator[Row]:
    """The metrics of one margin."""
    where: Where = {"model": model, "split": "CREMA-D frames, 72 actors", "condition": f"margin {of['margin']:.1f}",
             "n": of["n"]}  # fmt: skip
    for among in ("eight", "three"):
        low, high = of[f"{among}_interval"]
        yield Row(metric=f"share right among {among}", value=of[among], low=low, high=high, **where)
    yield Row(metric="log_likelihood", value=of["log_likelihood"], **where)
