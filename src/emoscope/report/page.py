"""The report: one self-contained HTML page about one timeline."""

import base64
from bisect import bisect_right
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np

from ..models import Card
from ..timeline import Observation, Timeline
from .bands import bands
from .palette import colours
from .player import script, series
from .totals import SOURCE_WORDS, baseline_words, clock, is_still, leading, percent, ranked, sentence, shown, totals

if TYPE_CHECKING:
    from jinja2 import Environment, Template

PICTURE_SIDE = 640
"""Key frames are shrunk to this many pixels on their longer side, so that the page stays small."""

STILLS_SHOWN = 100
"""A page about a folder of pictures shows this many of them; the rest are in the table of the timeline."""


@dataclass(frozen=True, slots=True)
class KeyFrame:
    """A picture for the page.

    Attributes:
        time: seconds from the start of the stream.
        image: RGB uint8 `(height, width, 3)`.
        caption: what it shows, in a few words; it is also the picture's text alternative.
    """

    time: float
    image: np.ndarray
    caption: str


@dataclass(frozen=True, slots=True)
class Still:
    """One still picture on the page: its name, the key frame if there is one, and the faces in it."""

    name: str
    frame: KeyFrame | None
    faces: list[Observation]


def write_page(
    path: str | Path,
    timeline: Timeline,
    key_frames: Sequence[KeyFrame] = (),
    cards: Sequence[Card] = (),
    recording: str | None = None,
    views: Mapping[int, bytes] = MappingProxyType({}),
) -> None:
    """Write `report.html`: a page that needs no other file and no network, and can be read without its script.

    A timeline with lengths is drawn as bands; still pictures as bars.

    Args:
        path: the file to write.
        timeline: what was observed; its `info` gives the facts of the run, all of them optional.
        key_frames: pictures to show, with their times.
        cards: the models that were used.
        recording: the address, relative to the page, of what it plays in step with the timeline.
        views: for each person the best view of their face, as JPEG.

    Raises:
        ValueError: a key frame is not RGB uint8.
        OSError: the file cannot be written.
    """
    # a file name that is not Unicode holds lone surrogates, which UTF-8 cannot say
    Path(path).write_bytes(render(timeline, key_frames, cards, recording, views).encode("utf-8", "replace"))


def render(
    timeline: Timeline,
    key_frames: Sequence[KeyFrame] = (),
    cards: Sequence[Card] = (),
    recording: str | None = None,
    views: Mapping[int, bytes] = MappingProxyType({}),
) -> str:
    """The text of the page that `write_page` writes."""
    if still := is_still(timeline):
        timeline = timeline.select("face")  # a picture has no voice: fused would say the same again
    info = timeline.info
    rows = totals(timeline)
    visible, hidden = shown(rows)
    stills = _stills(timeline, key_frames) if still else []
    return _template().render(
        title=Path(str(info["input"])).name if info.get("input") else "emoscope report",
        info=info,
        timeline=timeline,
        rows=visible,
        hidden_persons=hidden,
        leading=leading(visible),
        stills=stills[:STILLS_SHOWN],
        hidden_stills=len(stills) - STILLS_SHOWN,
        baselines=_baselines(info),
        people=_people(info),
        views=views,
        all_faces=timeline.mean_scores() if len(stills) > 1 else None,
        bands=bands(timeline) if len(timeline) and not stills else "",
        series=series(timeline) if len(timeline) and not stills else "",
        script=script(),
        recording=recording,
        key_frames=[] if stills else key_frames,
        facts=facts(info),
        cards=cards,
        labels=timeline.labels,
        colours=list(colours(timeline.labels).values()),
        css={label: f"label-{place}" for place, label in enumerate(timeline.labels)},
    )


def facts(info: Mapping[str, Any]) -> list[tuple[str, str]]:
    """What is known of the input and the run, in words; what is not known is left out."""
    values = [
        ("File", Path(str(info["input"])).name if info.get("input") else None),
        ("Kind", info.get("kind")),
        ("Files", _counted(info["parts"]) if info.get("parts") else None),
        ("Length", clock(info["duration_s"]) if info.get("duration_s") else None),
        ("Picture size", f"{info['width']} by {info['height']} pixels" if info.get("width") else None),
        ("Frames read", _number(info.get("frames"))),
        ("Frames skipped", _number(info.get("frames_skipped"))),
        ("Sound", None if info.get("has_sound") is None else "yes" if info["has_sound"] else "none"),
        ("Persons", _number(info.get("persons"))),
        ("Models", ", ".join(f"{name} ({modality})" for modality, name in (info.get("models") or {}).items())),
        ("Smoothing of the face", info.get("smoothing")),
        ("Baseline", info.get("baseline")),
        ("Time taken", clock(info["elapsed_s"]) if info.get("elapsed_s") is not None else None),
        ("emoscope", info.get("version")),
    ]
    return [(label, str(value)) for label, value in values if value not in (None, "")]


def _baselines(info: Mapping[str, Any]) -> dict[int | None, list[str]]:
    """For each person the lines on their baselines."""
    found: dict[int | None, list[str]] = {}
    for row in info.get("baselines") or ():
        found.setdefault(row["person"], []).append(baseline_words(row))
    return found


def _people(info: Mapping[str, Any]) -> dict[int, list[str]]:
    """For each person what there is to know of who they are."""
    found: dict[int, list[str]] = {}
    for row in info.get("who") or ():
        lines = ["A picture of a face: it does not move."] if row["picture"] else []
        others = ", ".join(str(one["person"]) for one in row["maybe"][:3])
        if others:
            lines.append(f"May be the same as person {others}: it was too close to call.")
        found[row["person"]] = lines
    return found


def _counted(parts: Sequence[Mapping[str, Any]]) -> str:
    """`10 pictures, 2 videos`."""
    kinds = Counter(str(part.get("kind", "file")) for part in parts)
    return ", ".join(f"{count} {kind}{'' if count == 1 else 's'}" for kind, count in kinds.items())


def _number(value: Any) -> str | None:
    return None if value is None else f"{value:,}"


def _stills(timeline: Timeline, key_frames: Sequence[KeyFrame]) -> list[Still]:
    info = timeline.info
    name = Path(str(info.get("input", "picture"))).name
    parts = info.get("parts") or [{"file": name, "start_s": 0.0}]
    starts = [part["start_s"] for part in parts]

    def part(time: float) -> int:
        return max(bisect_right(starts, time) - 1, 0)

    frames = {part(frame.time): frame for frame in key_frames}
    faces: list[list[Observation]] = [[] for _ in parts]
    for observation in timeline:
        faces[part(observation.start)].append(observation)
    return [Still(Path(str(p["file"])).name, frames.get(i), faces[i]) for i, p in enumerate(parts)]


def _data_uri(jpeg: bytes) -> str:
    return "data:image/jpeg;base64," + base64.b64encode(jpeg).decode()


def _jpeg(frame: KeyFrame) -> str:
    """The picture as a data URI, at most `PICTURE_SIDE` pixels wide and high."""
    import cv2

    image = frame.image
    if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3:
        raise ValueError(f"expected a key frame of uint8 (height, width, 3), got {image.dtype} {image.shape}")
    scale = PICTURE_SIDE / max(image.shape[:2])
    if scale < 1:
        size = [max(1, round(side * scale)) for side in image.shape[1::-1]]
        image = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
    _, data = cv2.imencode(".jpg", image[:, :, ::-1], [cv2.IMWRITE_JPEG_QUALITY, 82])
    return _data_uri(data.tobytes())


def _ranked(face: Observation) -> list[tuple[str, float]]:
    return ranked(dict(zip(face.labels, face.scores, strict=True)))


def _metric(value: float | None) -> str:
    """A share as `84.9 %`, or nothing."""
    return "" if value is None else f"{value * 100:.1f}\u00a0%"


def _interval(ends: Sequence[float] | None) -> str:
    """A 95 % interval as ` (83.6 to 86.1 %)`, or nothing."""
    return f" ({ends[0] * 100:.1f} to {_metric(ends[1])})" if ends else ""


def _template() -> "Template":
    return environment().get_template("page.html.jinja")


@cache
def environment() -> "Environment":
    """What renders the pages of this folder; everything put into them is escaped."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("emoscope.report", "."),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(
        clock=clock, data_uri=_data_uri, interval=_interval, jpeg=_jpeg,
        metric=_metric, percent=percent, ranked=_ranked, sentence=sentence,
    )  # fmt: skip
    environment.globals.update(source_words=SOURCE_WORDS)
    return environment
