"""Reading a video, a sound file or a picture: frames with their presentation times, sound as 16 kHz mono.

with open_media("interview.mp4") as media:
    for item in media:
        ...  # a Frame or a Sound, in order of time
"""

import stat
from collections.abc import Iterator
from heapq import merge
from itertools import chain
from pathlib import Path
from typing import Literal, Self, TypeVar

from av.audio.stream import AudioStream

from ..errors import MediaError
from .decode import Kind, Source, Track, shown
from .picture import Pictures, open_pictures
from .sound import sound_parts
from .types import SAMPLE_RATE, Frame, Sound, SoundFormat
from .video import Upright, timed_frames
from .whole import stated_bytes

PICTURES = (
    ".apng", ".avif", ".bmp", ".heic", ".heif", ".hif", ".jfif", ".jpe", ".jpeg", ".jpg", ".png", ".tif", ".tiff",
    ".webp",
)  # fmt: skip
"""The file names that `is_picture` takes."""
SUFFIXES = (
    # video
    ".3gp", ".asf", ".avi", ".flv", ".gif", ".m2ts", ".m4v", ".mkv", ".mov", ".mp4", ".mpeg", ".mpg", ".mts", ".ogv",
    ".ts", ".vob", ".webm", ".wmv",
    # sound
    ".aac", ".aif", ".aiff", ".amr", ".caf", ".flac", ".m4a", ".mka", ".mp3", ".oga", ".ogg", ".opus", ".w64", ".wav",
    ".wma",
    *PICTURES,
)  # fmt: skip
"""The file names that `is_media` takes. `open_media` goes by content."""

AAC_RATES = (8000, 11_025, 12_000, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000, 64_000, 88_200, 96_000)
AAC_LAYOUTS = {1: "mono", 2: "stereo", 3: "3.0", 4: "4.0", 5: "5.0", 6: "5.1", 8: "7.1"}
"""What AAC in an mp4 holds: samples a second, and the names of so many channels."""

_T = TypeVar("_T")


def is_media(path: str | Path) -> bool:
    """Whether a file's name says that it is a video, a sound file or a picture; the file itself is not looked at."""
    return Path(path).suffix.lower() in SUFFIXES


def is_picture(path: str | Path) -> bool:
    """Whether a file's name says that it is a picture; the file itself is not looked at."""
    return Path(path).suffix.lower() in PICTURES


def open_media(
    path: str | Path,
    original_sound: bool = False,
    *,
    frames: bool = True,
    sound: bool = True,
    audio_track: int | None = None,
) -> "Media":
    """Open a local video, sound file or picture, told apart by content.

    Args:
        path: the file.
        original_sound: whether sound keeps its channels and, where an mp4 can hold it, its rate: see
            `Media.sound_format`.
        frames: whether frames are yielded; else they are not decoded.
        sound: whether sound is yielded; else it is not decoded.
        audio_track: number of the sound track, from 1; by default the one that players choose.

    Returns:
        A context manager that yields frames and sound; see `Media`.

    Raises:
        MediaError: the file is missing, not a regular file, not readable, nothing that can be decoded, or its pictures
            have more than `MAX_PIXELS`.
    """
    return Media(Path(path), original_sound, frames, sound, audio_track)


class Media:
    """An open file: iterate once for its `Frame` and `Sound` items in order of time, decoded as they are asked for.

    Frames that do not decode are passed over and counted. Where the clock begins anew, as in recordings that were
    joined or restarted, what follows goes on where the part before ended. Each frame has its own size, as a
    player shows it: upright, with square pixels.

    Attributes:
        name: the file's name, without its folder.
        kind: `video`, `sound` or `picture`.
        duration: seconds that the file says its streams that are read last; 0 for a picture, `None` if it does not say.
        width: of the largest upright picture so far, in pixels; `None` for sound.
        height: of the same, in pixels; `None` for sound.
        has_sound: whether there is sound that decodes.
        sound_tracks: how many there are to choose from.
        sound_format: of the sound that is yielded; `None` where there is none.
        origin: time 0 on the file's own clock: its first frame or first sound, in seconds.
        synthetic: whether its title or comment begins with "synthetic": it was generated, not recorded.
        annotated: whether its comment says that `VideoWriter` made it.
        frames: frames yielded so far.
    """

    def __init__(self, path: Path, original_sound: bool, frames: bool, sound: bool, audio_track: int | None) -> None:
        """See `open_media`."""
        self.name = path.name
        self._path = path
        self._audio_track = audio_track
        self.kind: Literal["video", "sound", "picture"] = "picture"
        self.duration: float | None = 0.0
        self.width: int | None = None
        self.height: int | None = None
        self.has_sound = False
        self.sound_tracks = 0
        self.sound_format: SoundFormat | None = None
        self.origin = 0.0
        self.synthetic = self.annotated = False
        self.frames = 0
        self._original_sound, self._wanted = original_sound, (frames, sound)
        self._source: Source | None = None
        self._pictures: Pictures | None = None
        self._tracks: list[Track] = []
        self._items: Iterator[Frame | Sound] = iter(())
        try:
            self._open(path)
        except BaseException:
            self.close()
            raise

    @property
    def undecoded(self) -> int:
        """Frames and packets passed over so far because they did not decode."""
        other = self._source.errors if self._source else self._pictures.undecoded if self._pictures else 0
        return sum(track.undecoded for track in self._tracks) + other

    @property
    def misplaced(self) -> int:
        """Frames so far whose time stamps go back or make no sense: their times follow from those around them."""
        odd = self._source.clock.odd if self._source and self._source.clock else 0
        return sum(track.misplaced for track in self._tracks) + odd

    @property
    def opposed(self) -> bool:
        """Whether left and right were of opposite sign, so far: their difference is given instead of their mean."""
        return any(track.opposed for track in self._tracks)

    @property
    def restarts(self) -> list[float]:
        """Seconds at which the file's clock began anew, so far: what follows goes on from there."""
        times = self._source.clock.restarts if self._source and self._source.clock else []
        return [time - self.origin for time in times]

    def missing(self, end: float) -> bool:
        """Whether the file lacks what should come after `end` seconds, the end of what was read.

        Then it was cut off or is damaged. A header that only guesses, or that speaks of what is not read, is not
        believed.
        """
        source, stated = self._source, self.duration
        if source is None:
            return False
        size = self._path.stat().st_size
        cut = (stated_bytes(self._path) or size) - size
        if stated is not None and end < stated - max(1.0, 0.05 * stated):
            return source.exact or cut > 0 or (self.undecoded > 0 and not source.restartable)
        return cut > 0.02 * size

    def __iter__(self) -> Iterator[Frame | Sound]:
        """Yield the items that have not been yielded yet."""
        for item in self._items:
            if isinstance(item, Frame):
                self.frames += 1
                height, width = item.image.shape[:2]
                if width * height > (self.width or 0) * (self.height or 0):
                    self.width, self.height = width, height
            yield item

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the file; what has not been read is lost."""
        self._items = iter(())
        if self._pictures:
            self._pictures.close()
        if self._source:
            self._source.close()

    def _open(self, path: Path) -> None:
        _check_regular(path)
        try:
            self._pictures = open_pictures(path)
            if self._pictures is None:
                self._open_streams(path)
            else:
                self._show(self._pictures)
        except OSError as error:
            raise MediaError(f"{shown(path)}: cannot be read: {error.strerror or error}") from error

    def _show(self, pictures: Pictures) -> None:
        first, items = _peek(iter(pictures))
        if first is None:
            raise MediaError(f"{shown(self._path)}: the picture is damaged, expected a whole one")
        self.height, self.width = first.image.shape[:2]
        if pictures.moving:
            self.kind, self.duration = "video", None
        self._items = items if self._wanted[0] else iter(())

    def _open_streams(self, path: Path) -> None:
        self._source = source = Source(path)
        self.sound_tracks = len(source.container.streams.audio)
        video, sound = self._track(source, "video"), self._track(source, "audio")
        if not self._tracks:
            raise MediaError(f"{shown(path)}: holds neither video nor sound that can be decoded")
        frame, frames = _peek(timed_frames(video) if video else iter(()))
        form = _format(sound, self._original_sound)
        part, parts = _peek(sound_parts(sound, form.rate, form.layout) if sound else iter(()))
        starts = []
        if video and frame:
            starts.append(_start(video, frame[0]))
            upright = Upright(video)
            self.width, self.height = upright.size(frame[2])
        if sound and part:
            starts.append(_start(sound, part[0]))
        if not starts:
            raise MediaError(f"{shown(path)}: nothing in it decodes; it is empty, damaged or too large")
        self.kind = "video" if frame else "sound"
        self.has_sound = part is not None
        self.sound_format = form if part else None
        self.duration = max((track.duration for track in self._tracks if track.duration), default=None)
        self.synthetic = self._tracks[0].synthetic
        self.annotated = self._tracks[0].annotated
        self.origin = origin = min(starts)
        pictures = (Frame(time - origin, length, upright(frame)) for time, length, frame in frames)
        whole = self._original_sound
        sounds = (Sound(time - origin, samples if whole else samples[0]) for time, samples in parts)
        pictures_wanted, sound_wanted = self._wanted
        if video and not pictures_wanted:
            source.drop(video.stream)
        if sound and not sound_wanted:
            source.drop(sound.stream)
        self._items = merge(
            pictures if pictures_wanted else (), sounds if sound_wanted else (), key=lambda item: item.time
        )

    def _track(self, source: Source, kind: Kind) -> Track | None:
        try:
            track = Track(source, kind, self._audio_track if kind == "audio" else None)
        except LookupError:
            return None
        self._tracks.append(track)
        return track


def _check_regular(path: Path) -> None:
    try:
        mode = path.stat().st_mode
    except FileNotFoundError as error:
        raise MediaError(f"{shown(path)}: no such file; expected a video, sound or picture on this machine") from error
    except (OSError, ValueError) as error:
        raise MediaError(f"{shown(path)}: cannot be read: {getattr(error, 'strerror', None) or error}") from error
    if stat.S_ISDIR(mode):
        raise MediaError(f"{shown(path)}: is a folder, expected a video, sound or picture file")
    if not stat.S_ISREG(mode):
        raise MediaError(f"{shown(path)}: is no regular file, expected a video, sound or picture file")
    if path.stat().st_size == 0:
        raise MediaError(f"{shown(path)}: is empty, expected a video, sound or picture file")


def _peek(items: Iterator[_T]) -> tuple[_T | None, Iterator[_T]]:
    """The first item, and an iterator that still has it."""
    first = next(items, None)
    return first, items if first is None else chain([first], items)


def _format(sound: Track | None, original: bool) -> SoundFormat:
    """How sound is to be yielded: for the models, or nearly as the file has it."""
    if not original or sound is None or not isinstance(sound.stream, AudioStream):
        return SoundFormat(SAMPLE_RATE, "mono")
    context = sound.stream.codec_context
    rate = context.sample_rate if context.sample_rate in AAC_RATES else 48_000
    return SoundFormat(rate, AAC_LAYOUTS.get(context.channels, "stereo"))


def _start(track: Track, first: float) -> float:
    """When a stream starts: with what decodes first, unless something before it did not decode."""
    stated = track.start
    return min(first, stated) if track.undecoded and stated is not None else first
