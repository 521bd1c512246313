"""From a recording to its evidence: files are read once, and whoever is interrupted goes on where they were."""

import hashlib
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from dataclasses import asdict, dataclass, field, fields, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from .errors import EmoscopeError, MediaError
from .evidence import FORMAT, Evidence, EvidenceFile, Faces, Looks, Speakers, Views, Voices
from .media import SAMPLE_RATE, Frame, Media, Sound, open_media
from .media.folder import left_out, media_files, readable
from .media.threads import ahead
from .media.tracks import Choice
from .media.tracks import choose as choose_track
from .models import Device, Model, load
from .observer import Identities, Observer
from .people import digest
from .people import load as load_people
from .reading.persons import SMALLEST, grouping
from .session import source
from .voice.activity import VoiceActivity

Progress = Callable[[float, float | None], None]
"""Called with the seconds done and, where the input says so, the seconds in all."""

PICTURE_S = 1.0
"""Seconds that each picture of a folder takes on the timeline."""
COMMIT_S = 1.0
"""Seconds of work after which it is written: what an interruption loses at most."""
FINGERPRINT = 1 << 20
"""Bytes at both ends of a file by which it is known again."""
MIN_FACE = 20
"""Pixels of the smallest face that can be asked for: below, the detector finds little else than noise."""


@dataclass(frozen=True, slots=True)
class ObserveOptions:
    """What of a recording is observed; by default all of it.

    Attributes:
        start: seconds from the start of the recording before which nothing is observed.
        end: seconds from the start of the recording from which on nothing is observed; by default, its end.
        every: seconds from one frame that is scored to the next; by default, every frame is.
        faces: whether the frames are looked at.
        voices: whether the sound is listened to.
        region: the part `(x, y, width, height)` of each frame, in pixels, in which faces are looked for.
        min_face: side in pixels of the smallest face to look for, at least 20; by default 1/32 of the frame's shorter
            side, but not under 20.
        audio_track: the sound track, by its number from 1 or its language; by default one with a voice.
        people: a folder of people to recognise, see `people.load`.
        keep_identity: whether the embeddings of faces and voices stay in the evidence: biometric data. Without it, who
            is who stays, and they are removed when the recording is observed.

    Raises:
        ValueError: a value is out of its range, or neither faces nor voices are wanted.
    """

    start: float = 0.0
    end: float | None = None
    every: float | None = None
    faces: bool = True
    voices: bool = True
    region: tuple[int, int, int, int] | None = None
    min_face: int | None = None
    audio_track: int | str | None = None
    people: Path | None = None
    keep_identity: bool = False

    def __post_init__(self) -> None:
        if self.start < 0 or not self.start < (np.inf if self.end is None else self.end):
            raise ValueError(f"expected 0 <= start < end, got start {self.start:g} and end {self.end}")
        if self.every is not None and not 0 < self.every < np.inf:
            raise ValueError(f"expected every > 0 seconds, got {self.every:g}")
        if not (self.faces or self.voices):
            raise ValueError("expected faces, voices or both; faces only and voice only exclude each other")
        if self.region and (min(self.region[:2]) < 0 or min(self.region[2:]) < 1):
            raise ValueError(f"expected a region of x, y >= 0 and width, height >= 1 pixels, got {self.region}")
        if self.min_face is not None and self.min_face < MIN_FACE:
            raise ValueError(f"expected min_face >= {MIN_FACE} pixels, got {self.min_face}")

    def to_json(self) -> dict[str, Any]:
        """What differs from the default."""
        chosen = {f.name: getattr(self, f.name) for f in fields(self) if getattr(self, f.name) != f.default}
        if self.people:
            chosen["people"] = digest(self.people)
        return {name: list(value) if isinstance(value, tuple) else value for name, value in chosen.items()}

    def left_out(self) -> list[str]:
        """What is not observed, in words."""
        words = []
        if self.start:
            words.append(f"everything before {self.start:g} s")
        if self.end is not None:
            words.append(f"everything from {self.end:g} s on")
        if not self.faces:
            words.append("faces")
        elif self.every:
            words.append(f"frames in between: one every {self.every:g} s is scored")
        if not self.voices:
            words.append("voices")
        if self.region:
            words.append("faces outside the region {},{},{},{}".format(*self.region))
        if self.min_face:
            words.append(f"faces under {self.min_face} pixels")
        return words


def observe(
    path: str | Path,
    *,
    out: str | Path | None = None,
    face_model: str | Path | Model = "face",
    voice_model: str | Path | Model = "voice",
    device: Device = "auto",
    threads: int = 1,
    force: bool = False,
    options: ObserveOptions | None = None,
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
        options: what of the recording is observed; by default all of it.
        progress: told how far the observing is.

    Raises:
        EmoscopeError: `out` holds the evidence of another recording, or another process writes it.
        MediaError: the file is missing or is no media, no file of the folder can be read, or the region lies outside
            the frames.
        ModelError: a model is unknown or damaged.
        ValueError: a start or an end is given for a folder.
    """
    path, options = Path(path), options or ObserveOptions()
    files = media_files(path)
    if path.is_dir() and (options.start or options.end is not None):
        raise ValueError(f"{path}: a start and an end are of one recording, not of a folder")
    models = {
        "face": load(face_model, ("face", "sequence"), device=device, threads=threads),
        "voice": load(voice_model, "voice", device=device, threads=threads),
    }
    kept = Path(out) / EvidenceFile.NAME if out else ":memory:"
    with EvidenceFile.create(kept) as file:
        notes = _same(file, _identity(path, files), models, force, options)
        if not file.about("done"):
            _Run(file, path, models, threads, progress or (lambda done, total: None), notes, options).observe(files)
        return file.read()


def _voiced_s(samples: np.ndarray) -> float:
    """Seconds of speech in mono sound."""
    activity = VoiceActivity()
    stretches = [*activity.add(samples), *activity.finish()]
    return sum(stretch.end - stretch.start for stretch in stretches) / SAMPLE_RATE


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


def _same(
    file: EvidenceFile, recording: dict[str, Any], models: dict[str, Model], force: bool, options: ObserveOptions
) -> list[str]:
    """See that a file is of this recording, these models, options and this version, else begin anew; says so in notes.

    Raises:
        EmoscopeError: it is of another recording.
    """
    before = file.about("recording")
    made = {"version": version("emoscope"), "models": _digests(models), "options": options.to_json()}
    if before and before["digest"] != recording["digest"] and not force:
        raise EmoscopeError(
            f"{file.path.parent}: holds the results of another recording, {before['name']}; name another folder with "
            "--out, or replace them with --force"
        )
    notes: list[str] = []
    stale = file.about("made") != made or file.about("format") != FORMAT
    if before and (before["digest"] != recording["digest"] or stale):
        if before["digest"] == recording["digest"]:
            why = "the evidence was made by another version or model, or with other options"
            notes = [f"{recording['name']}: observed anew, as {why}"]
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
        due: seconds of the file under way from which on the next frame is scored.
    """

    parts: list[dict[str, Any]] = field(default_factory=list)
    passed: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    damaged: list[str] = field(default_factory=list)
    items: int = 0
    end: float = 0.0
    tracks: int = 0
    utterances: int = 0
    due: float = 0.0

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
        options: ObserveOptions,
    ) -> None:
        self.file, self.path, self.models, self.threads, self.progress = file, path, models, threads, progress
        self.options = options
        self.known = load_people(options.people, threads) if options.people else ()
        kept = file.checkpoint() or {}
        self.state: dict[str, Any] | None = kept.pop("observer", None)
        self.done = _Done(**kept) if kept else _Done(notes=[*notes, *left_out(path)])
        self.worked = float(file.about("worked_s") or 0.0)
        self.nothing = Faces.empty(len(models["face"].card.labels)), Voices.empty(len(models["voice"].card.labels))
        self.faces, self.voices = [self.nothing[0]], [self.nothing[1]]
        self.identities = [Identities()]
        self.committed = self.begun = time.monotonic()
        self.frames = 0

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
                self.done.items, self.done.due = 0, 0.0
                self.done.notes.append(f"passed over {error}")
        if not self.done.parts:
            first = next(note for note in self.done.notes if note.startswith("passed over"))
            raise MediaError(f"{self.path}: none of its {len(files)} files can be read; the first: {first}")
        self._commit(None)
        whole = replace(self.file.read(), info=self._info(folder))
        found = grouping(whole, min(SMALLEST, self.options.min_face or SMALLEST), self.known)
        facts = {**whole.info, "grouping": found.to_json()}
        self.file.end(found.pieces, self.options.keep_identity, info=facts, done=True)

    def _file(self, path: Path, still_s: float, folder: bool) -> None:
        """Observe one file; a picture lasts `still_s` seconds."""
        options = self.options
        media, choice = self._opened(path)
        with media, closing(ahead(media)) as items:
            if media.annotated:
                raise MediaError(f"{path}: was drawn by emoscope; analyze the recording that it was made from")
            still_s = still_s if media.kind == "picture" else 0.0
            observer = Observer(
                self.models["face"] if media.kind != "sound" and options.faces else None,
                self.models["voice"] if media.has_sound and options.voices else None,
                self.threads,
                options.min_face,
            )
            if self.state is not None:
                observer.restore(self.state)
            for item in self._rest(items):
                if isinstance(item, Frame):
                    end = item.time + (item.duration or still_s)
                    if (length := self._scored_s(item, media.duration)) is not None:
                        image = self._region(item.image, path)
                        faces = observer.add_frame(image, item.time, length or still_s)
                        self.faces.append(self._placed(faces))
                else:
                    end = item.time + item.seconds
                    item = self._cut(item)
                    if len(item.samples):
                        self.voices.append(self._placed_voices(observer.add_sound(item.samples, item.time)))
                self.done.end = max(self.done.end, min(end, np.inf if options.end is None else options.end))
                self.progress(self.done.start + self.done.end, None if folder else media.duration or None)
                if time.monotonic() - self.committed > COMMIT_S:
                    self._commit(observer)
            self.voices.append(self._placed_voices(observer.finish()))
            self.identities.append(self._placed_identities(observer.identities()))
            self.state = None
            if choice:
                self.done.notes.append(f"{readable(path.name)}: {choice.note}")
            self._close(media, choice)

    def _opened(self, path: Path) -> tuple[Media, Choice | None]:
        """The open file, and which of its sound tracks that is, where there is a choice."""
        options = self.options
        wanted = options.audio_track
        media = open_media(path, frames=options.faces, sound=options.voices)
        if not options.voices or media.sound_tracks < (2 if wanted is None else 1):
            return media, None
        media.close()
        choice = choose_track(path, wanted, _voiced_s)
        return open_media(path, frames=options.faces, sound=options.voices, audio_track=choice.number), choice

    def _rest(self, items: Iterable[Frame | Sound]) -> Iterator[Frame | Sound]:
        """The items of a file that are not done: those before are decoded again and passed over."""
        done, until = self.done.items, np.inf if self.options.end is None else self.options.end
        self.frames = 0
        for place, item in enumerate(items):
            if item.time >= until:
                return
            self.frames += isinstance(item, Frame)
            if place >= done:
                self.done.items += 1
                yield item

    def _scored_s(self, frame: Frame, duration: float | None) -> float | None:
        """Seconds for which a frame stands, up to the next one that is scored; `None` if it is not scored itself."""
        every, length = self.options.every, frame.duration
        if frame.time < max(self.options.start, self.done.due):
            return None
        if every and length:
            length *= max(1, round(every / length))  # the next one scored is the one nearest to `every` later
            self.done.due = frame.time + length - frame.duration / 2
            ends = min(duration or np.inf, np.inf if self.options.end is None else self.options.end)
            length = min(length, max(frame.duration, ends - frame.time))
        return length

    def _region(self, image: np.ndarray, path: Path) -> np.ndarray:
        """The part of a frame in which faces are looked for."""
        if not self.options.region:
            return image
        x, y, width, height = self.options.region
        part = np.ascontiguousarray(image[y : y + height, x : x + width])
        if not part.size:
            tall, wide = image.shape[:2]
            raise MediaError(f"{path}: the region {x},{y},{width},{height} lies outside its {wide} x {tall} pixels")
        return part

    def _cut(self, sound: Sound) -> Sound:
        """The part of a run of sound that lies between start and end."""
        begins, ends = self.options.start, np.inf if self.options.end is None else self.options.end
        first, last = (round((min(at, sound.time + sound.seconds) - sound.time) * SAMPLE_RATE) for at in (begins, ends))
        first = max(first, 0)
        return Sound(sound.time + first / SAMPLE_RATE, sound.samples[first : max(first, last)])

    def _placed(self, faces: Faces) -> Faces:
        """Faces at their time in the recording and their place in the frame, with numbers of their own."""
        x, y, _, _ = self.options.region or (0, 0, 0, 0)
        return replace(
            faces,
            time=faces.time + self.done.start,
            track=faces.track + np.int32(self.done.tracks),
            box=faces.box + np.array([x, y, 0, 0]),
        )

    def _placed_voices(self, voices: Voices) -> Voices:
        start = self.done.start
        return replace(
            voices,
            start=voices.start + start,
            end=voices.end + start,
            utterance=voices.utterance + np.int32(self.done.utterances),
        )

    def _placed_identities(self, found: Identities) -> Identities:
        start, tracks = self.done.start, np.int32(self.done.tracks)
        speakers = found.speakers
        return Identities(
            replace(found.looks, time=found.looks.time + start, track=found.looks.track + tracks),
            replace(found.views, time=found.views.time + start, track=found.views.track + tracks),
            replace(
                speakers,
                start=speakers.start + start,
                end=speakers.end + start,
                utterance=speakers.utterance + np.int32(self.done.utterances),
            ),
            found.shots + start,
        )

    def _close(self, media: Media, choice: Choice | None) -> None:
        """The file under way is done: from here, observing goes on with the next one."""
        done, name = self.done, readable(media.name)
        start, end = done.start, done.start + done.end
        part = {"file": name, "start_s": start, "end_s": end, "audio_track": choice and choice.number}
        done.parts.append(part | self._facts(media, name))
        tracks, utterances = Faces.join(self.faces).track, Voices.join(self.voices).utterance
        done.tracks = int(tracks.max(initial=self.file.highest("faces", "track")))
        done.utterances = int(utterances.max(initial=self.file.highest("voices", "utterance")))
        done.items, done.end, done.due = 0, 0.0, 0.0
        self._commit(None)

    def _facts(self, media: Media, name: str) -> dict[str, Any]:
        end = self.done.end
        whole = self.options.end is None and self.options.faces and self.options.voices
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
        if media.opposed:
            self.done.notes.append(f"{name}: left and right are of opposite sign; their difference is heard")
        if media.restarts:
            when = ", ".join(f"{time:.1f} s" for time in media.restarts[:5])
            more = f" and {len(media.restarts) - 5} more times" if len(media.restarts) > 5 else ""
            self.done.notes.append(f"{name}: its clock begins anew at {when}{more}; each part follows the one before")
        if whole and media.missing(end):
            stated = f" of {media.duration:.1f} s" if media.duration and media.duration > end else ""
            self.done.damaged.append(f"{name}: ends at {end:.1f} s{stated}; the file is damaged or cut off")
        return {
            "kind": media.kind,
            "width": media.width,
            "height": media.height,
            "has_sound": media.has_sound,
            "frames": self.frames,
            "frames_skipped": media.undecoded,
            "synthetic": media.synthetic,
        }

    def _commit(self, observer: Observer | None) -> None:
        """Write what was observed, and from where it goes on."""
        state = observer.state() if observer else None
        if observer:
            self.identities.append(self._placed_identities(observer.identities()))
        now = time.monotonic()
        self.worked, self.begun = self.worked + now - self.begun, now
        piece = Evidence(
            Faces.join(self.faces),
            Voices.join(self.voices),
            Looks.join(found.looks for found in self.identities),
            Speakers.join(found.speakers for found in self.identities),
            np.concatenate([found.shots for found in self.identities]),
            Views.join(found.views for found in self.identities),
        )
        self.file.append(piece, {**asdict(self.done), "observer": state}, worked_s=self.worked)
        self.faces, self.voices = [self.nothing[0]], [self.nothing[1]]
        self.identities = [Identities()]
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
            "audio_track": None if folder else first["audio_track"],
            "has_sound": any(part["has_sound"] for part in parts),
            "frames": sum(part["frames"] for part in parts),
            "frames_skipped": sum(part["frames_skipped"] for part in parts),
            "truncated": bool(self.done.damaged),
            "synthetic": any(part["synthetic"] for part in parts),
            "models": {
                name: source(model).to_json() | {"digest": model.digest} for name, model in self._used().items()
            },
            "left_out": self.options.left_out(),
            "notes": self.done.notes + self.done.damaged,
            "damaged": self.done.damaged,
            "version": version("emoscope"),
            "observed_s": round(self.worked, 3),
        } | ({"parts": files} if folder else {})

    def _used(self) -> dict[str, Model]:
        """The models that had anything to look at."""
        seen = self.options.faces and any(part["kind"] != "sound" for part in self.done.parts)
        heard = self.options.voices and any(part["has_sound"] for part in self.done.parts)
        return {name: m for name, m in self.models.items() if (seen if name == "face" else heard)}
