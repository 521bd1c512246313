"""Clips that lie on their side or upside down without a note of it.

The CREMA-D clips of the nine validation actors through detection, tracking and a face model, as they are and turned by
a quarter, a half and three quarters: in how many frames a face is found, how many clips are called what the upright
clip is called, and what it costs beside a detector that knows upright faces alone. Two minutes on one core.
"""

import time
from collections.abc import Iterator
from itertools import islice
from typing import Any

import numpy as np
from rich.progress import track

from emoscope.data.cremad import video_clips
from emoscope.face.crop import SIDE
from emoscope.face.detect import Detector, smallest_face
from emoscope.face.track import Tracker
from emoscope.face.upright import UprightDetector, turned
from emoscope.media import Frame, open_media

from ..face_models import scorer
from ..intervals import interval
from ..rows import Row, Where
from ..runner import Context

EVERY = 2
"""Every second frame: 15 a second."""


def turned_clips(context: Context) -> Iterator[Row]:
    """Both detectors on clips turned by each number of quarters."""
    clips = [(c, p) for c, p in video_clips(context.data) if c.sentence == "IEO" and c.split == "validation"]
    (model,) = context.models
    scores = scorer(model)
    seen: dict[tuple[str, int], list[dict[str, Any]]] = {}
    for clip, path in track(clips, "clips"):
        with open_media(path) as media:
            frames = list(islice((item for item in media if isinstance(item, Frame)), 0, None, EVERY))
        for turns in range(4):
            for way in ("upright only", "any turn"):
                found = watched([(f.time, turned(f.image, turns)) for f in frames], way)
                said = scores(found.pop("crops")).mean(0) if found["frames"] else np.full(8, np.nan)
                seen.setdefault((way, turns), []).append(
                    {**found, "of": len(frames), "actor": clip.actor, "said": said}
                )
    yield from rows(model.card.name, compared(seen))


def watched(frames: list[tuple[float, np.ndarray]], way: str) -> dict[str, Any]:
    """The crops of the first person, the frames that have them, and the processor's time in seconds."""
    detector = Detector(min_face=smallest_face(frames[0][1]))
    tracker = Tracker(UprightDetector(detector) if way == "any turn" else detector)
    start = time.process_time()
    tracks = [tracker.update(image, at) for at, image in frames]
    seconds = time.process_time() - start
    crops = [found[0].crop for found in tracks if found]
    return {"crops": np.array(crops).reshape(-1, SIDE, SIDE), "frames": len(crops), "seconds": seconds}


def compared(seen: dict[tuple[str, int], list[dict[str, Any]]]) -> list[dict[str, Any]]:
    upright = [clip["said"].argmax() for clip in seen["upright only", 0]]
    made = []
    for (way, turns), clips in seen.items():
        same = np.array([
            not np.isnan(clip["said"][0]) and clip["said"].argmax() == was
            for clip, was in zip(clips, upright, strict=True)
        ])  # fmt: skip
        seconds, base = ([clip["seconds"] for clip in some] for some in (clips, seen["upright only", turns]))
        made.append({
            "detector": way, "degrees": 90 * turns, "clips": len(clips), "frames": sum(clip["of"] for clip in clips),
            "found": sum(clip["frames"] for clip in clips) / sum(clip["of"] for clip in clips),
            "same": float(same.mean()), "interval": interval(same, np.array([clip["actor"] for clip in clips])),
            "time_ratio": float(np.sum(seconds) / np.sum(base)),
        })  # fmt: skip
    return made


def rows(model: str, found: list[dict[str, Any]]) -> Iterator[Row]:
    """What each detector finds at each turn."""
    for of in found:
        where: Where = {"model": model, "condition": of["detector"], "group": f"{of['degrees']} degrees"}
        low, high = of["interval"]
        yield Row(metric="frames", value=of["frames"], n=of["clips"], **where)
        yield Row(metric="share of frames with a face", value=of["found"], **where)
        yield Row(metric="share of the same emotion as upright", value=of["same"], low=low, high=high, **where)
        yield Row(metric="time", value=of["time_ratio"], **where)
