"""Decoding the streams of a local file with ffmpeg's libraries: what does not decode is passed over and counted."""

import io
import os
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

MOST_WAITING = 8 << 20
"""Bytes of packets of one stream that wait while the other is read."""

MAX_THREADS = 4
"""Threads of one video decoder: each holds a frame, so memory grows with them."""

FURTHEST_AHEAD = 10.0
"""Seconds by which a time stamp may jump ahead, where that leads past the end that the file states."""

FURTHEST_AHEAD_WITHOUT_END = 3600.0
"""Seconds by which a time stamp may jump ahead in a file that states no end."""

Kind = Literal["video", "audio"]


class LocalFile(io.FileIO):
    """A file whose seek fails the way ffmpeg expects it: PyAV prints an exception that it cannot pass on."""

    def seek(self, offset: int, whence: int = 0, /) -> int:
        """Return the new position, or -1 for a place that cannot be."""
        try:
            return super().seek(offset, whence)
        except (OSError, OverflowError, ValueError):
            return -1


class Source:
    """One open file: its packets are read once, for at most one stream of pictures and one of sound.

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
        self._file = LocalFile(path)
        try:
            self.container = _open(self._file, path)
        except BaseException:
            self._file.close()
            raise
        self.errors = 0
        self._wanted: list[VideoStream | AudioStream] = []
        self._waiting: dict[int, deque[Packet[Any]]] = {}
        self._given: dict[int, int] = {}
        self._apart: dict[int, Source] = {}
        self._dropped: set[int] = set()
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
        self._dropped.add(stream.index)
        self._waiting[stream.index].clear()
        stream.discard = Discard.all

    def packets(self, stream: VideoStream | AudioStream) -> "Iterator[Packet[Any]]":
        """The packets of a stream that is wanted, in the order of the file."""
        waiting = self._waiting[stream.index]
        while True:
            if other := self._apart.get(stream.index):
                yield from other.packets(other._wanted[0])
                return
            packet = waiting.popleft() if waiting else self._next(stream)
            if packet is None:
                if not waiting and stream.index not in self._apart:
                    return
                continue
            self._given[stream.index] += 1
            yield packet

    def _next(self, stream: VideoStream | AudioStream) -> "Packet[Any] | None":
        """The next packet of a stream; those of others wait."""
        self._demuxed = self._demuxed or self._demux()
        for packet in self._demuxed:
            if packet.stream.index == stream.index:
                return packet
            waiting = self._waiting[packet.stream.index]
            waiting.append(packet)
            if sum(each.size for each in waiting) > MOST_WAITING and packet.stream.index not in self._apart:
                self._part(packet.stream.index)
        return None

    def _part(self, index: int) -> None:
        """From here on, read a stream from a second opening of the file; it goes on where it was."""
        other = Source(self.path)
        stream = other.container.streams[index]
        assert isinstance(stream, VideoStream | AudioStream)
        other.want(stream)
        for each in other.container.streams:
            if each is not stream:
                each.discard = Discard.all
        for _ in range(self._given[index]):
            next(other.packets(stream), None)
        self._apart[index] = other
        self._waiting[index].clear()
        self._wanted = [each for each in self._wanted if each.index != index]
        self.container.streams[index].discard = Discard.all

    def _demux(self) -> "Iterator[Packet[Any]]":
        for _ in range(MAX_READ_ERRORS):
            try:
                for packet in self.container.demux(self._wanted):
                    # An empty packet would tell the decoder that the stream is over.
                    if packet.size and not {packet.stream.index} & (self._apart.keys() | self._dropped):
                        yield packet
                return
            except (av.FFmpegError, OSError):
                self.errors += 1


class Track:
    """One stream of an open file.

    Attributes:
        stream: PyAV's stream.
        duration: seconds that the file says it lasts, or `None`.
        undecoded: packets and frames that did not decode; grows while reading.
        misplaced: frames whose time stamp makes no sense; grows while reading.
    """

    def __init__(self, source: Source, kind: Kind) -> None:
        """Choose the best stream of its kind.

        Raises:
            MediaError: its pictures are larger than `MAX_PIXELS`.
            LookupError: the file has no stream of that kind that can be decoded.
        """
        self.undecoded = self.misplaced = 0
        self._source = source
        container = source.container
        self.stream = _best_stream(container, kind)
        source.want(self.stream)
        self._time_base = Fraction(self.stream.time_base or 1)
        start = (container.start_time or 0) / av.time_base
        length = (container.duration or 0) / av.time_base
        self.duration = length if length > 0 else None
        self._end = start + length if length > 0 else None

    @property
    def skipped(self) -> int:
        """Packets and frames passed over so far."""
        return self.undecoded + self.misplaced

    @property
    def synthetic(self) -> bool:
        """Whether the file's title or comment says that it was generated."""
        words = {key.lower(): text.lower() for key, text in self._source.container.metadata.items()}
        return any(words.get(key, "").startswith("synthetic") for key in ("title", "comment"))

    @property
    def start(self) -> float | None:
        """Seconds at which the file says the stream starts, on the file's own clock."""
        start = self.stream.start_time
        return None if start is None else float(start * self._time_base)

    def time(self, frame: VideoFrame | AudioFrame) -> float | None:
        """Seconds at which a frame is presented, on the file's own clock, or `None` if the file does not say."""
        pts = frame.pts if frame.pts is not None else frame.dts
        return None if pts is None else float(pts * self._time_base)

    def plausible(self, time: float, last: float) -> bool:
        """Whether a time stamp may follow one at `last`: a damaged one can lie years ahead."""
        if self._end is None:
            return time <= last + FURTHEST_AHEAD_WITHOUT_END
        return time <= max(self._end, last) + FURTHEST_AHEAD

    def frames(self) -> Iterator[VideoFrame | AudioFrame]:
        """All frames that decode, in order of presentation."""
        for packet in self._source.packets(self.stream):
            yield from self._decode(packet)
        yield from self._decode(None)

    def _decode(self, packet: "Packet[Any] | None") -> list[VideoFrame] | list[AudioFrame]:
        try:
            return self.stream.codec_context.decode(packet)
        except av.FFmpegError:
            self.undecoded += 1
            return []


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


def _best_stream(container: InputContainer, kind: Kind) -> VideoStream | AudioStream:
    stream = container.streams.best(kind)
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
