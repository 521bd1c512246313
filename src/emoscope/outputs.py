"""What `emoscope analyze` and `emoscope read` write: the tables, the summary, the page and the annotated video."""

import json
import os
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass, replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.parse import quote

import cv2
import numpy as np

from .errors import EmoscopeError, MediaError
from .evidence import EvidenceFile
from .media import Frame, open_media
from .media.folder import media_files, readable
from .media.threads import Behind, ahead
from .media.write import VideoWriter
from .models import Card
from .observing import Progress
from .persons import Persons
from .report.overlay import draw
from .report.page import PICTURE_SIDE, KeyFrame, write_page
from .report.totals import key_moments, percent, totals
from .timeline import Observation, Timeline

COMMENT = "annotated by emoscope; the scores are a model's guess about expression, not what a person feels"
"""Stands in the annotated video's metadata."""

ANNOTATED_SIDE = 720
"""Pixels of the shorter side of the annotated video at most."""

STILLS = 100
"""Pictures of a folder that the page shows."""


@dataclass(frozen=True, slots=True)
class KeptFrame:
    """A frame as it was, kept small for the page.

    Attributes:
        time: seconds from the start of the recording.
        image: RGB uint8 `(height, width, 3)`.
        scale: its size by that of the frame.
    """

    time: float
    image: np.ndarray
    scale: float


def check_folder(out: Path) -> None:
    """Make the output folder.

    Raises:
        EmoscopeError: it cannot be made or written to.
    """
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise EmoscopeError(f"{out}: cannot be made: {error.strerror}; name another folder with --out") from None
    if not os.access(out, os.W_OK | os.X_OK):
        raise EmoscopeError(f"{out}: cannot be written to; name another folder with --out")


def write_tables(timeline: Timeline, out: Path) -> list[Path]:
    """Write `timeline.csv`, `summary.json` and, where pyarrow is installed, `timeline.parquet`; returns their paths."""
    table, parquet, summary = out / "timeline.csv", out / "timeline.parquet", out / "summary.json"
    timeline.to_csv(table)
    summary.write_text(json.dumps(summarize(timeline), indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    if find_spec("pyarrow"):
        timeline.to_parquet(parquet)
        return [table, parquet, summary]
    parquet.unlink(missing_ok=True)
    return [table, summary]


def summarize(timeline: Timeline) -> dict[str, Any]:
    """The facts of the run, and for each person and source the seconds and the mean scores."""
    rows = [total.as_json() for total in totals(timeline)]
    return {**timeline.info, "emotions": list(timeline.labels), "totals": rows}


def write_pictures(
    timeline: Timeline, path: Path, out: Path, progress: Progress, cards: Sequence[Card] = (), annotated: bool = True
) -> list[Path]:
    """Write `annotated.mp4` for a video and `report.html`; returns their paths.

    The recording is read a second time, so that what became known late can be drawn on early frames.

    Args:
        timeline: what was read from `path`.
        path: the recording.
        out: the folder; the frames that the page shows are kept in its evidence, if there is any.
        progress: told the seconds done and, where known, in all.
        cards: of the models that were used.
        annotated: whether to write the annotated video.
    """
    old = out / "annotated.mp4"  # of another recording, or of an earlier reading
    if old.exists() and path.exists() and old.samefile(path):
        raise EmoscopeError(f"{path}: is the input itself; name another folder with --out")
    old.unlink(missing_ok=True)
    kind = timeline.info.get("kind")
    video = out / "annotated.mp4" if annotated and kind == "video" else None
    failure: EmoscopeError | None = None
    if kind == "video":
        try:
            frames = _annotate(timeline, path, video, progress)
        except MediaError:
            raise
        except EmoscopeError as error:  # the page does not need the video
            failure, frames = error, _annotate(timeline, path, None, progress)
    else:
        frames = [] if kind == "sound" else _pictures(timeline, path)
    if (out / EvidenceFile.NAME).is_file():
        with EvidenceFile.open(out) as file:
            file.keep_frames([(frame.time, frame.scale, _jpeg(frame.image)) for frame in frames])
    page = write_report(timeline, out, frames, cards, path)
    if failure:
        raise EmoscopeError(f"{failure}; the tables and the report are in {out}") from failure
    return [page, video] if video and video.exists() else [page]


def write_report(
    timeline: Timeline, out: Path, frames: Sequence[KeptFrame], cards: Sequence[Card], path: Path | None = None
) -> Path:
    """Write `report.html` with these frames, the readings drawn in; returns its path.

    It plays the annotated video, if there is one, or the recording: at `path`, or beside the page or its folder.
    """
    page = out / "report.html"
    views = Persons(out).views() if (out / EvidenceFile.NAME).is_file() else {}
    shown = [_key_frame(timeline, frame) for frame in frames]
    write_page(page, timeline, shown, cards, _played(timeline, path, out), views)
    return page


def _played(timeline: Timeline, path: Path | None, out: Path) -> str | None:
    """The address, from the page, of what it plays: the annotated video, else the recording, where it can be found."""
    name = str(timeline.info.get("input") or "")
    if timeline.info.get("kind") not in ("video", "sound") or not name:
        return None
    recordings = [path] if path and readable(path.name) == name else []  # an upload has another name than its file
    for file in (out / "annotated.mp4", *recordings, out / name, out.parent / name):
        try:
            if file.is_file():
                return quote(Path(os.path.relpath(file, out)).as_posix())
        except ValueError:  # on another drive than the page
            continue
    return None


def kept_frames(out: Path) -> list[KeptFrame]:
    """The frames of a page that were kept in the evidence in a folder."""
    with EvidenceFile.open(out) as file:
        rows = file.frames()
    return [KeptFrame(time, _pixels(data), scale) for time, scale, data in rows]


def small_jpeg(image: np.ndarray, side: int) -> bytes:
    """A picture `(height, width, 3)` as JPEG, its longer side at most `side` pixels."""
    scale = min(1.0, side / max(image.shape[:2]))
    size = [max(1, round(length * scale)) for length in image.shape[1::-1]]
    return _jpeg(cv2.resize(image, size, interpolation=cv2.INTER_AREA))


def _key_frame(timeline: Timeline, frame: KeptFrame) -> KeyFrame:
    """A frame with what was read of it drawn in."""
    at = (timeline.start <= frame.time) & ((timeline.end > frame.time) | (timeline.start == frame.time))
    shown = [o for o in timeline[at].select("fused") if o.box]
    drawn = draw(frame.image, [_scaled(o, frame.scale) for o in shown], None, _notice(timeline), timeline.names)
    words = [f"{timeline.who(o.person)}: {o.emotion} {percent(o.confidence)}" for o in shown]
    return KeyFrame(frame.time, drawn, ", ".join(words) or "no face found")


def _scaled(o: Observation, scale: float) -> Observation:
    assert o.box
    x, y, width, height = (side * scale for side in o.box)
    return replace(o, box=(x, y, width, height))


def _notice(timeline: Timeline) -> str | None:
    return "synthetic" if timeline.info.get("synthetic") else None


def _annotate(timeline: Timeline, path: Path, video: Path | None, progress: Progress) -> list[KeptFrame]:
    """Write the annotated video, if one is wanted, and return the key frames."""
    wanted = sorted(o.start for o in key_moments(timeline))
    faces = _Moving([o for o in timeline.select("fused") if o.box])
    voices = _Moving(list(timeline.select("voice")))
    notice = _notice(timeline)
    comment = f"{notice}: {COMMENT}" if notice else COMMENT
    kept: list[KeptFrame] = []
    with ExitStack() as stack:
        media = stack.enter_context(open_media(path, original_sound=True, audio_track=timeline.info.get("audio_track")))
        size = timeline.info["width"], timeline.info["height"]
        scale = min(1.0, ANNOTATED_SIDE / min(size))
        width, height = (max(1, round(side * scale)) for side in size)
        writer = None
        if video:
            writer = stack.enter_context(VideoWriter(video, width, height, media.sound_format, comment))
        write = stack.enter_context(Behind())
        for item in stack.enter_context(closing(ahead(media))):
            if not isinstance(item, Frame):
                if writer:
                    write(writer.write_sound, item.samples, item.time)
                continue
            if wanted and wanted[0] <= item.time:
                kept.append(_small(item.image, item.time))
                wanted = [time for time in wanted if time > item.time]
            if writer:
                shown, speaking = faces.at(item.time), voices.at(item.time)
                voice = speaking[0] if speaking else None
                image = item.image
                if image.shape[1::-1] == size and scale < 1:  # first smaller: there is less to draw on
                    image = cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA)
                    shown = [_scaled(o, scale) for o in shown]
                drawn = draw(image, shown, voice, notice, timeline.names)
                write(writer.write, _fitted(drawn, width, height), item.time)
            elif not wanted:
                break
            progress(item.time, media.duration)
    return kept


def _fitted(image: np.ndarray, width: int, height: int) -> np.ndarray:
    """A frame of another size than the video's, as large as fits, in the middle."""
    if image.shape[:2] == (height, width):
        return image
    scale = min(width / image.shape[1], height / image.shape[0])
    size = [
        min(limit, max(1, round(side * scale))) for side, limit in zip(image.shape[1::-1], (width, height), strict=True)
    ]
    whole = np.zeros((height, width, 3), np.uint8)
    x, y = (width - size[0]) // 2, (height - size[1]) // 2
    whole[y : y + size[1], x : x + size[0]] = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
    return whole


def _pictures(timeline: Timeline, path: Path) -> list[KeptFrame]:
    """The pictures, up to `STILLS`; of other files in a folder none."""
    starts = {part["file"]: part["start_s"] for part in timeline.info.get("parts", [])}
    kept: list[KeptFrame] = []
    for file in media_files(path):
        start = starts.get(readable(file.name), 0.0 if not starts else None)
        if start is None or len(kept) == STILLS:
            continue  # it could not be read, or the page is full
        with open_media(file) as media:
            if media.kind == "picture":
                kept += [_small(item.image, start) for item in media if isinstance(item, Frame)]
    return kept


def _small(image: np.ndarray, time: float) -> KeptFrame:
    scale = min(1.0, PICTURE_SIDE / max(image.shape[:2]))
    if scale < 1:
        size = [max(1, round(side * scale)) for side in image.shape[1::-1]]
        image = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
    return KeptFrame(time, image.copy(), scale)


def _jpeg(image: np.ndarray) -> bytes:
    _, data = cv2.imencode(".jpg", image[:, :, ::-1], [cv2.IMWRITE_JPEG_QUALITY, 90])
    return data.tobytes()


def _pixels(data: bytes) -> np.ndarray:
    image = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    assert image is not None
    return np.ascontiguousarray(image[:, :, ::-1])


class _Moving:
    """The observations that cover a time, for times that never go back."""

    def __init__(self, observations: Sequence[Observation]) -> None:
        self._coming: Iterator[Observation] = iter(sorted(observations, key=lambda o: o.start))
        self._next = next(self._coming, None)
        self._now: list[Observation] = []

    def at(self, time: float) -> list[Observation]:
        """Those that have begun by `time` seconds and have not ended."""
        while self._next and self._next.start <= time:
            self._now.append(self._next)
            self._next = next(self._coming, None)
        self._now = [o for o in self._now if o.end > time or o.start == time]
        return self._now
