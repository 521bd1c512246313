"""Decoding the streams of a local file with ffmpeg's libraries: what does not decode is passed over and counted."""

import io
import os
import re
from collections import deque
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any, Literal

import av
from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream
from av.container import Flags, InputContainer
from av.packet import Packet
from av.stream import Discard, Disposition
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from ..errors import MediaError
from .clock import Clock

MAX_PIXELS = 8192 * 8192
"""Pixels of the largest picture that is decoded, moving or still: 67 megapixels, 200 MB as RGB."""

DEMUXERS = (
    "aac", "aiff", "amr", "asf", "avi", "caf", "flac", "flv", "gif", "matroska", "mov", "mp3", "mpeg", "mpegts",
    "ogg", "w64", "wav",
)  # fmt: skip
"""The containers that may be opened: all hold their own media. Playlists and scripts name other files, and are out."""

GENERATE_TIMES: int = Flags.gen_pts.value  # type: ignore[assignment]
MAX_READ_ERRORS = 100
"""Errors of the container, as opposed to the codec, after which the rest of a file is given up."""

EXACT = ("aiff", "caf", "flac", "w64", "wav")
"""Containers whose header counts the samples that are there."""

MOST_WAITING = 8 << 20
"""Bytes of packets of one stream that wait while the other is read."""

MAX_THREADS = 4
"""Threads of one video decoder: each holds a frame, so memory grows with them."""

RESTARTABLE = ("aac", "flac", "flv", "mp3", "mpeg", "mpegts", "ogg")
"""Containers without an index: they are joined, cut and restarted anywhere."""

Kind = Literal["video", "audio"]


_FLASH_HEADER = b"FLV\x01\x05\0\0\0\x09\0\0\0\0"
_FLASH_HEADERS = re.compile(rb"FLV\x01[\0-\x05]\0\0\0\x09\0\0\0\0")


class LocalFile(io.FileIO):
    """A file whose seek fails the way ffmpeg expects it: PyAV prints an exception that it cannot pass on."""

    def seek(self, offset: int, whence: int = 0, /) -> int:
        """Return the new position, or -1 for a place that cannot be."""
        try:
            return super().seek(offset, whence)
        except (OSError, OverflowError, ValueError):
            return -1


class JoinedFlash(LocalFile):
    """An FLV file, perhaps joined from several: the headers within are made tags that ffmpeg passes over.

    Its demuxer takes one for a tag of 5 MB.
    """

    def read(self, size: int | None = -1, /) -> bytes:
        """The next bytes."""
        start = self.tell()
        data = super().read(size)
        if not data:
            return data
        self.seek(max(0, start - len(_FLASH_HEADER) + 1))
        around = super().read(start - self.tell() + len(data) + len(_FLASH_HEADER) - 1)
        self.seek(start + len(data))
        first = max(0, start - len(_FLASH_HEADER) + 1)
        changed = bytearray(around)
        for found in _FLASH_HEADERS.finditer(around):
            if first + found.start():
                changed[found.start() : found.start() + 4] = b"\x06\0\0\0"
        return bytes(changed[start - first : start - first + len(data)])


class Source:
    """One open file: its packets are read once, for at most one stream of pictures and one of sound.

    Attributes:
        errors: errors of the container so far.
        restartable: whether the container is one that is joined, cut and restarted anywhere.
        exact: whether the container's header counts what is there.
        clock: the times of its packets; `None` before the first is read.

    Each of the two is read at its own pace: what comes for the other one meanwhile waits, as packets. Where that
    becomes more than `MOST_WAITING` bytes, as in a file that is not interleaved, the other stream is read from a second
    opening of the file: so memory is bounded however badly the two are interleaved.
    """

    def __init__(self, path: Path) -> None:
        """Open a file.

        Raises:
            MediaError: ffmpeg knows no way to read it.
            OSError: the file cannot be opened.
        """
        self.path = path
        # ffmpeg gets the open file, never a name: a name could be an address or a list of other files.
        self._file = JoinedFlash(path) if _is_flash(path) else LocalFile(path)
        try:
            self.container = _open(self._file, path)
        except BaseException:
            self._file.close()
            raise
        self.errors = 0
        names = self.container.format.name.split(",")
        self.restartable = any(name in RESTARTABLE for name in names)
        self.exact = any(name in EXACT for name in names)
        self.clock: Clock | None = None
        self._wanted: list[VideoStream | AudioStream] = []
        self._waiting: dict[int, deque[Packet[Any]]] = {}
        self._given: dict[int, int] = {}
        self._apart: dict[int, Source] = {}
        self._demuxed: Iterator[Packet[Any]] | None = None

    def close(self) -> None:
        """Close the file."""
        for other in self._apart.values():
            other.close()
        self.container.close()
        self._file.close()

    def want(self, stream: VideoStream | AudioStream) -> None:
        """Say that a stream will be read; all are named before the first packet is asked for."""
        self._wanted.append(stream)
        self._waiting[stream.index] = deque()
        self._given[stream.index] = 0

    def drop(self, stream: VideoStream | AudioStream) -> None:
        """From here on, pass over the packets of a stream that was wanted."""
        del self._waiting[stream.index]
        stream.discard = Discard.all

    def packets(self, index: int) -> "Iterator[Packet[Any]]":
        """The packets of a stream that is wanted, in the order of the file, on a clock that never jumps."""
        waiting = self._waiting[index]
        while True:
            if other := self._apart.get(index):
                yield from other.packets(index)
                return
            packet = waiting.popleft() if waiting else self._next(index)
            if packet is None:
                if not waiting and index not in self._apart:
                    return
                continue
            self._given[index] += 1
            yield packet

    def _next(self, index: int) -> "Packet[Any] | None":
        """The next packet of a stream; those of others wait."""
        if self._demuxed is None:
            self.clock = _clock(self.container, self._wanted, self.restartable)
            self._demuxed = self.clock.steady(self._demux())
        for packet in self._demuxed:
            if packet.stream_index == index:
                return packet
            waiting = self._waiting.get(packet.stream_index)
            if waiting is None or packet.stream_index in self._apart:
                continue  # read from another opening
            waiting.append(packet)
            if sum(each.size for each in waiting) > MOST_WAITING:
                self._part(packet.stream_index)
        return None

    def _part(self, index: int) -> None:
        """From here on, read a stream from a second opening of the file; it goes on where it was.

        Both openings read all that is wanted, so that their clocks are the same.
        """
        other = Source(self.path)
        for each in self._wanted:
            stream = other.container.streams[each.index]
            assert isinstance(stream, VideoStream | AudioStream)
            other.want(stream)
        del other._waiting[next(each for each in other._waiting if each != index)]
        for _ in range(self._given[index]):
            next(other.packets(index), None)
        self._apart[index] = other
        self._waiting[index].clear()

    def _demux(self) -> "Iterator[Packet[Any]]":
        for _ in range(MAX_READ_ERRORS):
            try:
                for packet in self.container.demux(self._wanted):
                    if packet.size:  # an empty packet would tell the decoder that the stream is over
                        yield packet
                return
            except (av.FFmpegError, OSError):
                self.errors += 1


class Track:
    """One stream of an open file.

    Attributes:
        stream: PyAV's stream.
        duration: seconds that the file says the stream lasts, or else the file; `None` if it does not say.
        undecoded: packets and frames that did not decode; grows while reading.
        opposed: whether left and right were of opposite sign; known while reading.
        misplaced: frames whose time stamp goes back: their times follow from those around them; grows while reading.
    """

    def __init__(self, source: Source, kind: Kind, number: int | None = None) -> None:
        """Choose the best stream of its kind, or the sound track of a number from 1.

        Raises:
            MediaError: its pictures are larger than `MAX_PIXELS`.
            LookupError: the file has no stream of that kind that can be decoded.
        """
        self.undecoded = self.misplaced = 0
        self.opposed = self._presented = False
        self._source = source
        container = source.container
        self.stream = _best_stream(container, kind, number)
        source.want(self.stream)
        self._time_base = Fraction(self.stream.time_base or 1)
        self.duration = _stated(container, self.stream)

    @property
    def synthetic(self) -> bool:
        """Whether the file's title or comment says that it was generated."""
        words = {key.lower(): text.lower() for key, text in self._source.container.metadata.items()}
        return any(words.get(key, "").startswith("synthetic") for key in ("title", "comment"))

    @property
    def annotated(self) -> bool:
        """Whether the file's comment says that emoscope drew it."""
        return "annotated by emoscope" in self._source.container.metadata.get("comment", "")

    @property
    def start(self) -> float | None:
        """Seconds at which the file says the stream starts, on the file's own clock."""
        start = self.stream.start_time
        return None if start is None else float(start * self._time_base)

    def time(self, frame: VideoFrame | AudioFrame) -> float | None:
        """Seconds at which a frame is presented, on the file's own clock, or `None` if the file does not say."""
        self._presented |= frame.pts is not None
        # Where some frames have times of presentation, a time of decoding is no stand-in for one: it may be earlier.
        pts = frame.pts if self._presented else frame.dts
        return None if pts is None else float(pts * self._time_base)

    def length(self, frame: VideoFrame) -> float:
        """Seconds for which the file says that a frame is shown; 0 if it does not say."""
        return max(0.0, float((frame.duration or 0) * self._time_base))

    def frames(self) -> Iterator[VideoFrame | AudioFrame]:
        """All frames that decode, in order of presentation."""
        for packet in self._source.packets(self.stream.index):
            yield from self._decode(packet)
        yield from self._decode(None)

    def _decode(self, packet: "Packet[Any] | None") -> list[VideoFrame] | list[AudioFrame]:
        try:
            return self.stream.codec_context.decode(packet)
        except av.FFmpegError:
            self.undecoded += 1
            return []


def _is_flash(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(3) == b"FLV"


def _open(file: object, path: Path) -> InputContainer:
    limits = {"max_pixels": str(MAX_PIXELS)}
    walls = {"format_whitelist": ",".join(DEMUXERS), "protocol_whitelist": "none"}
    try:
        container = av.open(file, "r", options=limits, container_options=walls, metadata_errors="replace")
    except (av.FFmpegError, ValueError) as error:
        raise MediaError(
            f"{shown(path)}: not a video, sound or picture that can be read, or too damaged to open"
        ) from error
    # PyAV asks ffmpeg to invent missing presentation times; where frames are stored out of order it invents wrong ones.
    container.flags &= ~GENERATE_TIMES
    return container


def _stated(container: InputContainer, stream: VideoStream | AudioStream) -> float | None:
    tag = stream.metadata.get("DURATION", "").split(":")  # Matroska's, as 00:01:02.345
    try:
        seconds = sum(float(part) * 60**place for place, part in enumerate(reversed(tag))) if len(tag) == 3 else 0.0
    except ValueError:
        seconds = 0.0
    if not seconds and stream.duration and stream.time_base:
        seconds = float(stream.duration * stream.time_base)
    seconds = seconds or (container.duration or 0) / av.time_base
    return seconds if seconds > 0 else None


def _clock(container: InputContainer, streams: "list[VideoStream | AudioStream]", restartable: bool) -> Clock:
    start, length = (container.start_time or 0) / av.time_base, (container.duration or 0) / av.time_base
    units = {stream.index: float(stream.time_base or 1) for stream in streams}
    usual = {each.index: float(1 / each.guessed_rate) for each in streams
             if isinstance(each, VideoStream) and each.guessed_rate}  # fmt: skip
    decoding = "matroska" not in container.format.name  # there libav works them out, wrongly after a clock begins anew
    return Clock(units, usual, restartable, decoding, start + length if length > 0 else None)


def _best_stream(container: InputContainer, kind: Kind, number: int | None) -> VideoStream | AudioStream:
    sounds = container.streams.audio
    stream = sounds[number - 1] if number and number <= len(sounds) else container.streams.best(kind)
    if not isinstance(stream, VideoStream | AudioStream) or stream.disposition & Disposition.attached_pic:
        raise LookupError(kind)
    context = stream.codec_context
    if context is None:
        raise LookupError(kind)
    if isinstance(stream, VideoStream):
        check_size(stream.codec_context.width, stream.codec_context.height, container.name)
        context.thread_type = "AUTO"
        context.thread_count = min(MAX_THREADS, os.cpu_count() or 1)
    context.options = {"max_pixels": str(MAX_PIXELS)}
    return stream


def check_size(width: int, height: int, path: object) -> None:
    """Refuse a picture that would take too much memory.

    Raises:
        MediaError: it has more than `MAX_PIXELS`.
    """
    if width * height > MAX_PIXELS:
        limit = MAX_PIXELS // 1_000_000
        raise MediaError(f"{shown(path)}: {width} x {height} pixels is too large, expected at most {limit} megapixels")


def shown(path: object) -> str:
    """A path as it stands in a message: always one line."""
    text = str(path)
    return text if text.isprintable() else ascii(text)
