"""From a recording to its evidence: files are read once, and whoever is interrupted goes on where they were."""

import hashlib
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from .errors import EmoscopeError, MediaError
from .evidence import Evidence, EvidenceFile, Faces, Voices
from .media import Frame, Media, is_media, open_media
from .models import Device, Model, load
from .observer import Observer
from .session import source

Progress = Callable[[float, float | None], None]
"""Called with the seconds done and, where the input says so, the seconds in all."""

PICTURE_S = 1.0
"""Seconds that each picture of a folder takes on the timeline."""
COMMIT_S = 1.0
"""Seconds of work after which it is written: what an interruption loses at most."""
FINGERPRINT = 1 << 20
"""Bytes at both ends of a file by which it is known again."""


def observe(
    path: str | Path,
    *,
    out: str | Path | None = None,
    face_model: str | Path | Model = "face",
    voice_model: str | Path | Model = "voice",
    device: Device = "auto",
    threads: int = 1,
    force: bool = False,
    progress: Progress | None = None,
) -> Evidence:
    """Look at and listen to a recording, and keep what the networks say.

    A folder is observed as one recording: its files follow each other in order of name, a picture takes one second, and
    `info["parts"]` says which file is when. Tracks are numbered anew in each file and numbers are not used twice.

    Args:
        path: a video, sound file, picture, or a folder of them.
        out: an existing folder, in which `evidence.sqlite` is written while it is made. If it is there already, of the
            same recording and models, observing goes on from where it was; once it is complete, it is only read.
        face_model: a name, a path or a model, of faces or of sequences of them.
        voice_model: a name, a path or a model.
        device: where the models run.
        threads: threads of each network.
        force: whether evidence of another recording in `out` is replaced.
        progress: told how far the observing is.

    Raises:
        EmoscopeError: `out` holds the evidence of another recording, or another process writes it.
        MediaError: the file is missing or is no media, or no file of the folder can be read.
        ModelError: a model is unknown or damaged.
    """
    path = Path(path)
    files = media_files(path)
    models = {
        "face": load(face_model, ("face", "sequence"), device=device, threads=threads),
        "voice": load(voice_model, "voice", device=device, threads=threads),
    }
    kept = Path(out) / EvidenceFile.NAME if out else ":memory:"
    with EvidenceFile.create(kept) as file:
        notes = _same(file, _identity(path, files), models, force)
        if not file.about("done"):
            _Run(file, path, models, threads, progress or (lambda done, total: None), notes).observe(files)
        return file.read()


def media_files(path: Path) -> list[Path]:
    """The media files of a folder in order of name, hidden ones left out, or the file itself.

    Raises:
        MediaError: the folder cannot be read, or holds no media.
    """
    if not path.is_dir():
        return [path]
    try:
        found = sorted(p for p in path.iterdir() if p.is_file() and is_media(p) and not p.name.startswith("."))
    except OSError as error:
        raise MediaError(f"{path}: cannot be read: {error.strerror}") from None
    if not found:
        raise MediaError(f"{path}: a folder without media; expected videos, sound files or pictures in it")
    return found


def readable(name: str) -> str:
    """A file's name as text that can be written: bytes in it that are no UTF-8 become question marks."""
    return name.encode("utf-8", "replace").decode()


def _identity(path: Path, files: list[Path]) -> dict[str, Any]:
    """What tells a recording from others: its name to show, and its files' sizes and ends to compare."""
    digest = hashlib.sha256()
    for file in files:
        try:
            with file.open("rb") as opened:
                size = file.stat().st_size
                digest.update(f"{len(files) > 1 and file.name}:{size}:".encode("utf-8", "replace"))
                digest.update(opened.read(FINGERPRINT))
                opened.seek(max(0, size - FINGERPRINT))
                digest.update(opened.read(FINGERPRINT))
        except OSError:  # said when it is opened as media
            digest.update(b"unreadable")
    return {"name": readable(path.name or str(path)), "digest": digest.hexdigest()}


def _same(file: EvidenceFile, recording: dict[str, Any], models: dict[str, Model], force: bool) -> list[str]:
    """See that a file is of this recording, and of these models and this version, else begin anew; says so in notes.

    Raises:
        EmoscopeError: it is of another recording.
    """
    before, made = file.about("recording"), {"version": version("emoscope"), "models": _digests(models)}
    if before and before["digest"] != recording["digest"] and not force:
        raise EmoscopeError(
            f"{file.path.parent}: holds the results of another recording, {before['name']}; name another folder with "
            "--out, or replace them with --force"
        )
    notes: list[str] = []
    if before and (before["digest"] != recording["digest"] or file.about("made") != made):
        if before["digest"] == recording["digest"]:
            notes = [f"{recording['name']}: observed anew, as the evidence was made by another version or model"]
        file.clear()
    file.tell(recording=recording, made=made, widths={name: len(m.card.labels) for name, m in _tables(models).items()})
    return notes


def _tables(models: dict[str, Model]) -> dict[str, Model]:
    return {"faces": models["face"], "voices": models["voice"]}


def _digests(models: dict[str, Model]) -> dict[str, str]:
    return {name: model.digest for name, model in models.items()}


@dataclass
class _Done:
    """What has been observed so far, as the checkpoint keeps it beside the observer's state.

    Attributes:
        parts: the files that are done, as `info["parts"]` has them.
        passed: files passed over.
        notes: what to know of them.
        damaged: what is missing of them.
        items: frames and runs of sound of the file under way that are done.
        end: seconds of that file that are done.
        tracks: tracks of the files before.
        utterances: stretches of speech of the files before.
    """

    parts: list[dict[str, Any]] = field(default_factory=list)
    passed: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    damaged: list[str] = field(default_factory=list)
    items: int = 0
    end: float = 0.0
    tracks: int = 0
    utterances: int = 0

    @property
    def start(self) -> float:
        """Seconds of the recording at which the file under way begins."""
        return float(self.parts[-1]["end_s"]) if self.parts else 0.0


class _Run:
    """One observing of one file or of several that follow each other."""

    def __init__(
        self,
        file: EvidenceFile,
        path: Path,
        models: dict[str, Model],
        threads: int,
        progress: Progress,
        notes: list[str],
    ) -> None:
        self.file, self.path, self.models, self.threads, self.progress = file, path, models, threads, progress
        kept = file.checkpoint() or {}
        self.state: dict[str, Any] | None = kept.pop("observer", None)
        self.done = _Done(**kept) if kept else _Done(notes=notes)
        self.worked = float(file.about("worked_s") or 0.0)
        self.nothing = Faces.empty(len(models["face"].card.labels)), Voices.empty(len(models["voice"].card.labels))
        self.faces, self.voices = [self.nothing[0]], [self.nothing[1]]
        self.committed = self.begun = time.monotonic()

    def observe(self, files: list[Path]) -> None:
        """Observe what is not done yet, to the end.

        Raises:
            MediaError: the only file, or every file of a folder, cannot be read.
        """
        folder = self.path.is_dir()
        for file in files[len(self.done.parts) + len(self.done.passed) :]:
            try:
                self._file(file, PICTURE_S if folder else 0.0, folder)
            except MediaError as error:
                if not folder:
                    raise
                self.done.passed.append(readable(file.name))
                self.done.items = 0
                self.done.notes.append(f"passed over {error}")
        if not self.done.parts:
            raise MediaError(
                f"{self.path}: none of its {len(files)} files can be read; the first: {self.done.notes[0]}"
            )
        self._commit(None)
        self.file.end(info=self._info(folder), done=True)

    def _file(self, path: Path, still_s: float, folder: bool) -> None:
        """Observe one file; a picture lasts `still_s` seconds."""
        with open_media(path) as media:
            still_s = still_s if media.kind == "picture" else 0.0
            observer = Observer(
                self.models["face"] if media.kind != "sound" else None,
                self.models["voice"] if media.has_sound else None,
                self.threads,
            )
            if self.state is not None:
                observer.restore(self.state)
            for item in self._rest(media):
                if isinstance(item, Frame):
                    end = item.time + (item.duration or still_s)
                    faces = observer.add_frame(item.image, item.time, item.duration or still_s)
                    self.faces.append(self._placed(faces))
                else:
                    end = item.time + item.seconds
                    self.voices.append(self._placed_voices(observer.add_sound(item.samples, item.time)))
                self.done.end = max(self.done.end, end)
                self.progress(self.done.start + self.done.end, None if folder else media.duration or None)
                if time.monotonic() - self.committed > COMMIT_S:
                    self._commit(observer)
            self.voices.append(self._placed_voices(observer.finish()))
            self.state = None
            self._close(media)

    def _rest(self, media: Media) -> Iterator[Any]:
        """The items of a file that are not done: those before are decoded again and passed over."""
        done = self.done.items
        for place, item in enumerate(media):
            if place >= done:
                self.done.items += 1
                yield item

    def _placed(self, faces: Faces) -> Faces:
        """Faces at their time in the recording, with numbers of their own."""
        return replace(faces, time=faces.time + self.done.start, track=faces.track + np.int32(self.done.tracks))

    def _placed_voices(self, voices: Voices) -> Voices:
        start = self.done.start
        return replace(
            voices,
            start=voices.start + start,
            end=voices.end + start,
            utterance=voices.utterance + np.int32(self.done.utterances),
        )

    def _close(self, media: Media) -> None:
        """The file under way is done: from here, observing goes on with the next one."""
        done, name = self.done, readable(media.name)
        start, end = done.start, done.start + done.end
        done.parts.append({"file": name, "start_s": start, "end_s": end, **self._facts(media, name)})
        tracks, utterances = Faces.join(self.faces).track, Voices.join(self.voices).utterance
        done.tracks = int(tracks.max(initial=self.file.highest("faces", "track")))
        done.utterances = int(utterances.max(initial=self.file.highest("voices", "utterance")))
        done.items, done.end = 0, 0.0
        self._commit(None)

    def _facts(self, media: Media, name: str) -> dict[str, Any]:
        end = self.done.end
        if media.kind == "video" and not media.has_sound:
            self.done.notes.append(f"{name}: no sound")
        if media.undecoded:
            self.done.notes.append(
                f"{name}: passed over {media.undecoded} of its frames or packets: they do not decode"
            )
        if media.misplaced:
            self.done.notes.append(
                f"{name}: {media.misplaced} time stamps go back or make no sense: these times follow from those around"
            )
        if media.restarts:
            when = ", ".join(f"{time:.1f} s" for time in media.restarts[:5])
            more = f" and {len(media.restarts) - 5} more times" if len(media.restarts) > 5 else ""
            self.done.notes.append(f"{name}: its clock begins anew at {when}{more}; each part follows the one before")
        if media.missing(end):
            stated = f" of {media.duration:.1f} s" if media.duration and media.duration > end else ""
            self.done.damaged.append(f"{name}: ends at {end:.1f} s{stated}; the file is damaged or cut off")
        return {
            "kind": media.kind,
            "width": media.width,
            "height": media.height,
            "has_sound": media.has_sound,
            "frames": media.frames,
            "frames_skipped": media.undecoded,
            "synthetic": media.synthetic,
        }

    def _commit(self, observer: Observer | None) -> None:
        """Write what was observed, and from where it goes on."""
        state = observer.state() if observer else None
        now = time.monotonic()
        self.worked, self.begun = self.worked + now - self.begun, now
        piece = Evidence(Faces.join(self.faces), Voices.join(self.voices))
        self.file.append(piece, {**asdict(self.done), "observer": state}, worked_s=self.worked)
        self.faces, self.voices = [self.nothing[0]], [self.nothing[1]]
        self.committed = time.monotonic()

    def _info(self, folder: bool) -> dict[str, Any]:
        """The facts of the run, as `summary.json` has them."""
        parts = self.done.parts
        first = parts[0]
        files = [{key: part[key] for key in ("file", "kind", "start_s", "end_s")} for part in parts]
        return {
            "input": readable(self.path.name or str(self.path)),
            "kind": "folder" if folder else first["kind"],
            "duration_s": round(parts[-1]["end_s"], 3),
            "width": None if folder else first["width"],
            "height": None if folder else first["height"],
            "has_sound": any(part["has_sound"] for part in parts),
            "frames": sum(part["frames"] for part in parts),
            "frames_skipped": sum(part["frames_skipped"] for part in parts),
            "truncated": bool(self.done.damaged),
            "synthetic": any(part["synthetic"] for part in parts),
            "models": {
                name: source(model).to_json() | {"digest": model.digest} for name, model in self._used().items()
            },
            "notes": self.done.notes + self.done.damaged,
            "damaged": self.done.damaged,
            "version": version("emoscope"),
            "observed_s": round(self.worked, 3),
        } | ({"parts": files} if folder else {})

    def _used(self) -> dict[str, Model]:
        """The models that had anything to look at."""
        seen = any(part["kind"] != "sound" for part in self.done.parts)
        heard = any(part["has_sound"] for part in self.done.parts)
        return {name: m for name, m in self.models.items() if (seen if name == "face" else heard)}
