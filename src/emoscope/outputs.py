"""What `emoscope analyze` writes: the tables, the summary, the page and the annotated video."""

import json
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from .analysis import media_files, readable
from .emotions import EMOTIONS
from .errors import EmoscopeError
from .media import Frame, open_media
from .media.write import VideoWriter
from .models import card
from .report.overlay import draw
from .report.page import KeyFrame, write_page
from .report.totals import key_moments, percent, who
from .timeline import Observation, Timeline

COMMENT = "annotated by emoscope; the scores are a model's guess about expression, not what a person feels"
"""Stands in the annotated video's metadata."""

STILLS = 100
"""Pictures of a folder that the page shows."""


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
    """Write `timeline.csv`, `timeline.parquet` and `summary.json`; returns their paths."""
    table, parquet, summary = out / "timeline.csv", out / "timeline.parquet", out / "summary.json"
    timeline.to_csv(table)
    timeline.to_parquet(parquet)
    summary.write_text(json.dumps(summarize(timeline), indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    return [table, parquet, summary]


def write_pictures(
    timeline: Timeline,
    path: Path,
    out: Path,
    progress: Callable[[float, float | None], None],
    annotated: bool = True,
) -> list[Path]:
    """Write `annotated.mp4` for a video and `report.html`; returns their paths.

    The recording is read a second time, so that what became known late can be drawn on early frames.

    Args:
        timeline: what `analyze` found in `path`.
        path: the recording.
        out: the folder.
        progress: told the seconds done and, where known, in all.
        annotated: whether to write the annotated video.
    """
    video = out / "annotated.mp4" if annotated else None
    kind = timeline.info.get("kind")
    if kind == "video":
        frames = _annotate(timeline, path, video, progress)
    elif kind == "sound":
        frames = []
    else:
        frames = _pictures(timeline, path)
    page = out / "report.html"
    write_page(page, timeline, frames, [card(name) for name in timeline.info.get("models", {}).values()])
    return [page, video] if video and video.exists() and kind == "video" else [page]


def summarize(timeline: Timeline) -> dict[str, Any]:
    """The facts of the run, and for each person and source the seconds and the mean scores."""
    parts: list[tuple[int | None, Timeline]] = [(None, timeline.scene())]
    parts += [(person, timeline.select(person=person)) for person in timeline.persons]
    rows = []
    for person, part in parts:
        for source in ("face", "voice", "fused"):
            if chosen := [o for o in part if o.source == source]:
                rows.append(_total(person, source, Timeline(chosen)))
    return {**timeline.info, "emotions": list(EMOTIONS), "totals": rows}


def _total(person: int | None, source: str, part: Timeline) -> dict[str, Any]:
    means = part.mean_scores()
    return {
        "person": person,
        "source": source,
        "observations": len(part),
        "start_s": part[0].start,
        "end_s": max(o.end for o in part),
        "seconds": sum(o.end - o.start for o in part),
        "emotion": max(means, key=lambda name: means[name]),
        "scores": means,
    }


def _annotate(
    timeline: Timeline, path: Path, video: Path | None, progress: Callable[[float, float | None], None]
) -> list[KeyFrame]:
    """Write the annotated video, if one is wanted, and return the key frames."""
    wanted = {(o.start, o.person): o for o in key_moments(timeline)}
    faces = _Moving([o for o in timeline if o.source == "fused" and o.box])
    voices = _Moving([o for o in timeline if o.source == "voice"])
    notice = "synthetic" if timeline.info.get("synthetic") else None
    comment = f"{notice}: {COMMENT}" if notice else COMMENT
    kept: list[KeyFrame] = []
    with ExitStack() as stack:
        media = stack.enter_context(open_media(path))
        assert media.width and media.height  # a video has a size
        sound = path if media.has_sound else None
        writer = stack.enter_context(VideoWriter(video, media.width, media.height, sound, comment)) if video else None
        for item in media:
            if not isinstance(item, Frame):
                continue
            shown, speaking = faces.at(item.time), voices.at(item.time)
            for o in shown:
                if (moment := wanted.pop((o.start, o.person), None)) and o.start <= item.time:
                    kept.append(KeyFrame(item.time, draw(item.image, [moment], notice=notice), _caption(moment)))
            if writer:
                writer.write(draw(item.image, shown, speaking[0] if speaking else None, notice), item.time)
            progress(item.time, media.duration)
    return kept


def _pictures(timeline: Timeline, path: Path) -> list[KeyFrame]:
    """Each picture with its faces drawn in, as key frames; of other files in a folder none."""
    starts = {part["file"]: part["start_s"] for part in timeline.info.get("parts", [])}
    kept: list[KeyFrame] = []
    for file in media_files(path):
        if len(kept) == STILLS:
            break
        start = starts.get(readable(file.name), 0.0 if not starts else None)
        if start is None:
            continue  # it could not be read
        with open_media(file) as media:
            if media.kind != "picture":
                continue
            faces = [o for o in timeline if o.source == "fused" and o.start == start]
            for item in media:
                assert isinstance(item, Frame)
                caption = ", ".join(_caption(o) for o in faces) or "no face found"
                kept.append(KeyFrame(start, draw(item.image, faces), caption))
    return kept


def _caption(o: Observation) -> str:
    return f"{who(o.person)}: {o.emotion} {percent(o.confidence)}"


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
