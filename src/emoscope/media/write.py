"""Writing the annotated video: H.264 at the times it is given, with sound beside it."""

from collections.abc import Iterable, Iterator
from contextlib import suppress
from fractions import Fraction
from pathlib import Path
from typing import Any, Self

import av
import numpy as np
from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream
from av.container import OutputContainer
from av.packet import Packet
from av.video.frame import VideoFrame
from av.video.reformatter import VideoReformatter

from ..errors import EmoscopeError
from .decode import shown
from .types import SoundFormat

TIME_BASE = Fraction(1, 90_000)
"""The unit of time of the video: 24, 25 and 30 frames a second, and milliseconds, are whole numbers of it."""

NOMINAL_RATE = 30
X264_OPTIONS = {"preset": "superfast", "crf": "23"}


class VideoWriter:
    """Writes an mp4 (H.264, AAC) as frames and sound come; a context manager.

    Where the sound starts late or has gaps there is silence. Memory does not grow with the length. If the block ends
    with an exception, what was written so far becomes a playable file.
    """

    def __init__(
        self, path: str | Path, width: int, height: int, sound: SoundFormat | None = None, comment: str = ""
    ) -> None:
        """Start the file.

        Args:
            path: of the mp4; an existing file is replaced.
            width: of the frames, in pixels; an odd one is padded by a column.
            height: of the frames, in pixels; an odd one is padded by a row.
            sound: of the sound that will be written; `None` for a silent video.
            comment: what players show about the file.

        Raises:
            EmoscopeError: the file cannot be written.
        """
        self._path = Path(path)
        self._shape = (height, width, 3)
        self._last = -1
        self._converter = VideoReformatter()  # one for all frames: each keeps megabytes of its own
        self._container = _create(self._path)
        try:
            self._video = self._container.add_stream("libx264", rate=NOMINAL_RATE, options=X264_OPTIONS)
            self._video.width, self._video.height = width + width % 2, height + height % 2
            self._video.pix_fmt = "yuv420p"
            self._video.codec_context.time_base = self._video.time_base = TIME_BASE
            self._sound = _SoundTrack(self._container, sound) if sound else None
            if comment:
                self._container.metadata["comment"] = comment
            self._container.start_encoding()  # here: a header that fails later crashes ffmpeg's muxer
        except av.FFmpegError as error:
            raise self._failure(error) from error

    def write(self, image: np.ndarray, time: float) -> None:
        """Add a frame.

        Args:
            image: RGB uint8 `(height, width, 3)`.
            time: seconds from the start at which it is shown, not negative, later than the frame before.

        Raises:
            EmoscopeError: the disk is full, or writing fails otherwise.
            ValueError: the picture has another shape than the video, or the time is negative.
        """
        if image.shape != self._shape or image.dtype != np.uint8:
            raise ValueError(f"expected uint8 pictures of shape {self._shape}, got {image.dtype} {image.shape}")
        if time < 0:
            raise ValueError(f"expected a time of at least 0, got {time}")
        height, width, _ = image.shape
        if height % 2 or width % 2:
            image = np.pad(image, ((0, height % 2), (0, width % 2), (0, 0)), "edge")
        frame = VideoFrame.from_ndarray(np.ascontiguousarray(image), "rgb24")
        frame = self._converter.reformat(frame, format="yuv420p", threads=1)
        self._last = max(round(time / TIME_BASE), self._last + 1)
        frame.pts, frame.time_base = self._last, TIME_BASE
        self._mux(self._video.encode_lazy(frame))

    def write_sound(self, samples: np.ndarray, time: float) -> None:
        """Add sound.

        Args:
            samples: float32 `(channels, n)` in [-1, 1], in the format that was named.
            time: seconds from the start of the first one, not before the end of those before.

        Raises:
            EmoscopeError: the disk is full, or writing fails otherwise.
            ValueError: the video was started as a silent one.
        """
        if self._sound is None:
            raise ValueError("this video was started without sound")
        self._mux(self._sound.packets(samples, time))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is None:
            self.close()
            return
        # The block's own exception matters more than one from tidying up.
        with suppress(EmoscopeError):
            self.close()

    def close(self) -> None:
        """Finish the file.

        Raises:
            EmoscopeError: writing fails.
        """
        try:
            self._mux(self._video.encode_lazy(None))
            self._mux(self._sound.flush() if self._sound else ())
        finally:
            self._close_container()

    def _mux(self, packets: "Iterable[Packet[Any]]") -> None:
        try:
            for packet in packets:
                self._container.mux(packet)
        except av.FFmpegError as error:
            raise self._failure(error) from error

    def _close_container(self) -> None:
        try:
            self._container.close()
        except av.FFmpegError as error:
            raise self._failure(error) from error

    def _failure(self, error: av.FFmpegError) -> EmoscopeError:
        return EmoscopeError(f"{shown(self._path)}: writing failed: {error.strerror}")


class _SoundTrack:
    """The sound of the file that is written: encoded as it comes, with silence where none comes."""

    def __init__(self, container: OutputContainer, wanted: SoundFormat) -> None:
        self._rate = wanted.rate
        self._stream = container.add_stream("aac", rate=wanted.rate, layout=wanted.layout)
        self._written = 0

    def packets(self, samples: np.ndarray, time: float) -> "Iterator[Packet[AudioStream]]":
        """Encode samples `(channels, n)` that begin at a time in seconds."""
        missing = round(time * self._rate) - self._written
        for at in range(0, missing, self._rate):  # of a long gap a second at a time
            yield from self._encode(np.zeros((len(samples), min(self._rate, missing - at)), np.float32))
        yield from self._encode(samples)

    def flush(self) -> "Iterator[Packet[AudioStream]]":
        """The last packets."""
        yield from self._stream.encode(None)

    def _encode(self, samples: np.ndarray) -> "Iterator[Packet[AudioStream]]":
        if samples.shape[1]:
            frame = AudioFrame.from_ndarray(np.ascontiguousarray(samples), "fltp", self._stream.layout.name)
            frame.sample_rate, frame.pts, frame.time_base = self._rate, self._written, Fraction(1, self._rate)
            self._written += frame.samples
            yield from self._stream.encode(frame)


def _create(path: Path) -> OutputContainer:
    try:
        path.open("wb").close()
    except OSError as error:
        raise EmoscopeError(
            f"{shown(path)}: cannot be written: {error.strerror}; expected a folder that exists and can be written to"
        ) from error
    # "file:" keeps ffmpeg from taking a name such as "http:x.mp4" for an address.
    return av.open(f"file:{path.resolve()}", "w", format="mp4", container_options={"movflags": "+faststart"})
