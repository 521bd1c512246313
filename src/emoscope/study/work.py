"""One recording of a study: analyzed in a folder of its own, in whatever process or machine."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from inspect import signature
from pathlib import Path
from typing import Any

from ..analysis import analyze
from ..errors import EmoscopeError
from ..models import card
from ..observing import ObserveOptions
from ..outputs import kept_frames, small_jpeg, write_pictures, write_tables
from ..timeline import Timeline
from .measures import measures
from .recordings import Recording

FINISHED = "finished.json"
"""Written last, when all else of a recording is there: what it comes to, and of which file."""
PICTURE, PICTURE_SIDE = "picture.jpg", 160
"""A small picture of a recording, and its longer side in pixels."""


@dataclass(frozen=True, slots=True)
class Settings:
    """How every recording of a study is analyzed.

    Attributes:
        options: what of it is observed.
        video: whether to write the annotated video.
        analysis: further arguments of `analyze`: models, device, threads, and how it is read.
    """

    options: ObserveOptions = field(default_factory=ObserveOptions)
    video: bool = False
    analysis: Mapping[str, Any] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """What decides about the results and is not the default, to compare."""
        usual = {name: _plain(known.default) for name, known in signature(analyze).parameters.items()}
        chosen = {name: _plain(value) for name, value in self.analysis.items() if name not in ("device", "threads")}
        differing = {name: value for name, value in chosen.items() if value != usual[name]}
        return {"options": self.options.to_json(), **differing}


def folder_of(study: Path, recording: Recording) -> Path:
    """Where the results of a recording are."""
    return study / "recordings" / recording.name


def finished(study: Path, recording: Recording) -> list[dict[str, Any]] | None:
    """What a recording comes to, if it is finished: its rows, see `measures`; `None` if it is not.

    Where its timeline was read anew since, it is measured anew.
    """
    folder = folder_of(study, recording)
    mark, table = folder / FINISHED, folder / "timeline.csv"
    try:
        kept = json.loads(mark.read_text(encoding="utf-8"))
        if kept["file"] != _stamp(recording.path):
            return None
        if table.stat().st_mtime_ns > mark.stat().st_mtime_ns:
            _finish(folder, recording, Timeline.read(table))
            kept = json.loads(mark.read_text(encoding="utf-8"))
    except (OSError, ValueError, KeyError):
        return None
    rows: list[dict[str, Any]] = kept["rows"]
    return rows


def work(recording: Recording, study: Path, settings: Settings) -> str:
    """Analyze a recording, from where it was if it was begun; returns why that failed, or nothing."""
    try:
        _analyze(study, recording, settings)
    except (EmoscopeError, ValueError) as error:
        return str(error)
    except OSError as error:
        return f"{recording.path}: {error.strerror or error}"
    except MemoryError:
        return f"{recording.path}: not enough memory"
    except Exception as error:  # one strange file must not stop the others
        return f"{recording.path}: {type(error).__name__}: {error}"
    return ""


def _analyze(study: Path, recording: Recording, settings: Settings) -> None:
    folder = folder_of(study, recording)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / FINISHED).unlink(missing_ok=True)
    # the folder is this recording's by its name: evidence of another file under the same name is of no use
    timeline = analyze(recording.path, out=folder, force=True, options=settings.options, **settings.analysis)
    write_tables(timeline, folder)
    cards = [card(settings.analysis.get(f"{name}_model", name)) for name in timeline.info["models"]]
    write_pictures(timeline, recording.path, folder, lambda done, total: None, cards, settings.video)
    if frames := kept_frames(folder):
        (folder / PICTURE).write_bytes(small_jpeg(frames[0].image, PICTURE_SIDE))
    _finish(folder, recording, timeline)


def _plain(value: Any) -> Any:
    """A value as JSON gives it back."""
    return json.loads(json.dumps(value, default=str))


def _finish(folder: Path, recording: Recording, timeline: Timeline) -> None:
    facts = {"file": _stamp(recording.path), "rows": measures(timeline)}
    partial = folder / f"{FINISHED}.part"
    partial.write_text(json.dumps(facts), encoding="utf-8")
    partial.replace(folder / FINISHED)


def _stamp(path: Path) -> list[int]:
    """What changes when a file does."""
    facts = path.stat()
    return [facts.st_size, facts.st_mtime_ns]
