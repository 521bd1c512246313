"""The file driver: a video, sound file, picture or a folder of them goes in, a `Timeline` comes out."""

import time
from collections.abc import Callable, Iterator
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any

from .errors import MediaError
from .media import Frame, Media, is_media, open_media
from .session import Session
from .timeline import Observation, Timeline, in_order

Progress = Callable[[float, float | None], None]
"""Called with the seconds done and, where they are known, the seconds in all."""

CUT_OFF = "the file is damaged or cut off"
"""How the note on a file ends that is shorter than it says."""

PICTURE_S = 1.0
"""Seconds that each picture of a folder takes on the timeline."""


def analyze(
    path: str | Path,
    *,
    face_model: str = "face",
    voice_model: str = "voice",
    smoothing: str | None = None,
    progress: Progress | None = None,
) -> Timeline:
    """Read the emotions of every face and voice in a recording.

    A folder is read as one timeline: its files follow each other in order of name, a picture takes one second, and
    `info["parts"]` says which file is when. Persons are numbered anew in each file and numbers are not used twice.

    Args:
        path: a video, sound file, picture, or a folder of them.
        face_model: a registered face or sequence model, or `face` or `sequence` for the default of its kind.
        voice_model: a registered voice model, or `voice` for the default.
        smoothing: of each person's face over time: `mean`, `vote` (majority of each batch of 10 faces) or `none`; by
            default `mean`, but `none` for a sequence model, which looks back by itself.
        progress: told how far the analysis is.

    Returns:
        The observations in order of time; `info` holds the facts of the run.

    Raises:
        MediaError: the file is missing or is no media, or no file of the folder can be read.
        ModelError: a model is unknown or damaged.
        ValueError: no smoothing has that name.

    Example:
        >>> timeline = emoscope.analyze("examples/synthetic.mp4")
        >>> timeline.select("fused")[0].emotion
        'happiness'
    """
    started = time.monotonic()
    path = Path(path)
    session = partial(Session, face_model=face_model, voice_model=voice_model, smoothing=smoothing)
    run = _Run(session, progress)
    if path.is_dir():
        _read_folder(run, path)
    else:
        run.read(path)
    info = run.info(path) | {"smoothing": run.smoothing, "elapsed_s": round(time.monotonic() - started, 3)}
    return Timeline(in_order(run.observations), info)


def _read_folder(run: "_Run", folder: Path) -> None:
    files = media_files(folder)
    if not files:
        raise MediaError(f"{folder}: a folder without media; expected videos, sound files or pictures in it")
    for file in files:
        try:
            run.read(file, still_s=PICTURE_S, alone=False)
        except MediaError as error:
            run.notes.append(f"passed over {error}")
    if not run.parts:
        raise MediaError(f"{folder}: none of its {len(files)} files can be read; the first: {run.notes[0]}")


def media_files(path: Path) -> list[Path]:
    """The media files of a folder in order of name, hidden ones left out, or the file itself."""
    if not path.is_dir():
        return [path]
    try:
        return sorted(p for p in path.iterdir() if p.is_file() and is_media(p) and not p.name.startswith("."))
    except OSError as error:
        raise MediaError(f"{path}: cannot be read: {error.strerror}") from None


def readable(name: str) -> str:
    """A file's name as text that can be written: bytes in it that are no UTF-8 become question marks."""
    return name.encode("utf-8", "replace").decode()


class _Run:
    """One analysis of one file or of several that follow each other."""

    def __init__(self, session: Callable[..., Session], progress: Progress | None) -> None:
        self.session = session
        self.progress = progress or (lambda done, total: None)
        self.observations: list[Observation] = []
        self.notes: list[str] = []
        self.parts: list[dict[str, Any]] = []
        self.media: list[Media] = []
        self.models: dict[str, str] = {}
        self.smoothing = ""
        self.persons = 0
        self.truncated = False

    def read(self, path: Path, still_s: float = 0.0, alone: bool = True) -> None:
        """Append what one file holds, after what has been read so far; a picture lasts `still_s` seconds."""
        start = self.parts[-1]["end_s"] if self.parts else 0.0
        persons = self.persons
        with open_media(path) as media:
            still_s = still_s if media.kind == "picture" else 0.0
            end = still_s
            for observation, now in self._observe(media):
                end = max(end, now)
                self.progress(start + end, (media.duration or None) if alone else None)
                if observation is not None:
                    self.observations.append(_moved(observation, start, persons, still_s))
                    self.persons = max(self.persons, persons + (observation.person or 0))
        self.parts.append({"file": readable(media.name), "start_s": start, "end_s": start + end})
        self.media.append(media)
        self._note(media, readable(media.name), end)

    def _observe(self, media: Media) -> Iterator[tuple[Observation | None, float]]:
        """The observations of a file, each with the time up to which it has been read."""
        session = self.session(faces=media.kind != "sound", voice=media.has_sound)
        self.smoothing = session.smoothing
        self.models |= {modality: model.card.name for modality, model in session.models.items()}
        now = 0.0
        for item in media:
            if isinstance(item, Frame):
                now = max(now, item.time + item.duration)
                observed = session.add_frame(item.image, item.time, item.duration)
            else:
                now = max(now, item.time + item.seconds)
                observed = session.add_sound(item.samples, item.time)
            yield None, now
            yield from ((observation, now) for observation in observed)
        yield from ((observation, now) for observation in session.close())

    def _note(self, media: Media, name: str, end: float) -> None:
        if media.kind == "video" and not media.has_sound:
            self.notes.append(f"{name}: no sound")
        if media.skipped:
            self.notes.append(f"{name}: passed over {media.skipped} of its frames or packets, which did not decode")
        if media.duration and end < media.duration - max(1.0, 0.05 * media.duration):
            self.truncated = True
            self.notes.append(f"{name}: ends at {end:.1f} s of {media.duration:.1f} s; {CUT_OFF}")

    def info(self, path: Path) -> dict[str, Any]:
        """The facts of the run, as `summary.json` has them."""
        first, folder = self.media[0], path.is_dir()
        return {
            "input": readable(path.name or str(path)),
            "kind": "folder" if folder else first.kind,
            "duration_s": self.parts[-1]["end_s"],
            "width": None if folder else first.width,
            "height": None if folder else first.height,
            "has_sound": any(media.has_sound for media in self.media),
            "frames": sum(media.frames for media in self.media),
            "frames_skipped": sum(media.skipped for media in self.media),
            "truncated": self.truncated,
            "synthetic": any(media.synthetic for media in self.media),
            "persons": len({o.person for o in self.observations if o.person is not None}),
            "models": self.models,
            "notes": self.notes,
            "version": version("emoscope"),
        } | ({"parts": self.parts} if folder else {})


def _moved(observation: Observation, start: float, persons: int, still_s: float) -> Observation:
    """An observation of a file that begins at `start`, in which the first person has the number `persons` + 1."""
    end = observation.end + still_s
    person = None if observation.person is None else observation.person + persons
    return Observation(
        start + observation.start, start + end, observation.source, person, observation.box, observation.scores
    )
