"""Writing the annotated video: H.264 at the times it is given, with the source's sound beside it."""

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
from .decode import Track, shown
from .read import open_media
from .sound import sound_parts

TIME_BASE = Fraction(1, 90_000)
"""The unit of time of the video: 24, 25 and 30 frames a second, and milliseconds, are whole numbers of it."""

NOMINAL_RATE = 30
X264_OPTIONS = {"preset": "superfast", "crf": "23"}
AAC_RATES = (8000, 11_025, 12_000, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000, 64_000, 88_200, 96_000)
AAC_LAYOUTS = {1: "mono", 2: "stereo", 3: "3.0", 4: "4.0", 5: "5.0", 6: "5.1", 8: "7.1"}


class VideoWriter:
    """Writes an mp4 (H.264, AAC) frame by frame; a context manager.

    The sound is read from its file alongside and encoded anew, at its own rate and channels where AAC has them, so
    that it stays in step with the frames; where it starts late or has gaps there is silence. Memory does not grow with
    the length. If the block ends with an exception, what was written so far becomes a playable file.
    """

    def __init__(
        self, path: str | Path, width: int, height: int, sound_from: Path | None = None, comment: str = ""
    ) -> None:
        """Start the file.

        Args:
            path: of the mp4; an existing file is replaced.
            width: of the frames, in pixels; an odd one is padded by a column.
            height: of the frames, in pixels; an odd one is padded by a row.
            sound_from: the file that the frames come from, to keep its sound; `None` for a silent video.
            comment: what players show about the file.

        Raises:
            EmoscopeError: the file cannot be written, or is the one that the frames come from.
            MediaError: `sound_from` cannot be read.
        """
        self._path = Path(path)
        self._shape = (height, width, 3)
        self._last = -1
        self._converter = VideoReformatter()  # one for all frames: each keeps megabytes of its own
        self._sound = _SoundCopy(sound_from) if sound_from else None
        try:
            if sound_from and self._path.exists() and self._path.samefile(sound_from):
                raise EmoscopeError(f"{shown(path)}: is the input itself; expected another folder for the results")
            self._container = _create(self._path)
            self._video = self._container.add_stream("libx264", rate=NOMINAL_RATE, options=X264_OPTIONS)
            self._video.width, self._video.height = width + width % 2, height + height % 2
            self._video.pix_fmt = "yuv420p"
            self._video.codec_context.time_base = self._video.time_base = TIME_BASE
            if self._sound:
                self._sound.join(self._container)
            if comment:
                self._container.metadata["comment"] = comment
            self._container.start_encoding()  # here: a header that fails later crashes ffmpeg's muxer
        except BaseException as error:
            self._close_sound()
            if isinstance(error, av.FFmpegError):
                raise self._failure(error) from error
            raise

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
        if self._sound:
            self._mux(self._sound.packets(time))

    def close(self) -> None:
        """Write the rest of the sound and finish the file.

        Raises:
            EmoscopeError: writing fails.
        """
        try:
            if self._sound:
                self._mux(self._sound.packets(float("inf")))
        finally:
            self._finish()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is None:
            self.close()
            return
        # The block's own exception matters more than one from tidying up.
        with suppress(EmoscopeError):
            self._finish()

    def _finish(self) -> None:
        try:
            self._mux(self._video.encode_lazy(None))
            self._mux(self._sound.flush() if self._sound else ())
        finally:
            self._close_sound()
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

    def _close_sound(self) -> None:
        if self._sound:
            self._sound.close()

    def _failure(self, error: av.FFmpegError) -> EmoscopeError:
        return EmoscopeError(f"{shown(self._path)}: writing failed: {error.strerror}")


class _SoundCopy:
    """The sound of one file on its way into another, as far as it has been asked for."""

    def __init__(self, path: Path) -> None:
        with open_media(path) as media:
            self._origin = media.origin
            self._track = Track(path, "audio") if media.has_sound else None
        self._stream: AudioStream | None = None
        self._blocks: Iterator[np.ndarray] = iter(())
        self._rate = 1
        self._written = 0

    def join(self, container: OutputContainer) -> None:
        """Add the stream to the file that is written."""
        if not self._track or not isinstance(self._track.stream, AudioStream):
            return
        source = self._track.stream.codec_context
        self._rate = source.sample_rate if source.sample_rate in AAC_RATES else 48_000
        layout = AAC_LAYOUTS.get(source.channels, "stereo")
        self._stream = container.add_stream("aac", rate=self._rate, layout=layout)
        self._blocks = self._without_gaps(self._track, layout)

    def packets(self, until: float) -> "Iterator[Packet[AudioStream]]":
        """Encode the sound until a time in seconds."""
        while self._stream and self._written < until * self._rate:
            block = next(self._blocks, None)
            if block is None:
                return
            frame = AudioFrame.from_ndarray(np.ascontiguousarray(block), "fltp", self._stream.layout.name)
            frame.sample_rate, frame.pts, frame.time_base = self._rate, self._written, Fraction(1, self._rate)
            self._written += frame.samples
            yield from self._stream.encode(frame)

    def flush(self) -> "Iterator[Packet[AudioStream]]":
        """The last packets."""
        if self._stream:
            yield from self._stream.encode(None)

    def close(self) -> None:
        """Close the source."""
        if self._track:
            self._track.close()

    def _without_gaps(self, track: Track, layout: str) -> Iterator[np.ndarray]:
        """The sound from time 0 on, silence where the source has none, in blocks of at most about a second."""
        given = 0
        for time, samples in sound_parts(track, self._rate, layout):
            missing = round((time - self._origin) * self._rate) - given
            for at in range(0, missing, self._rate):
                yield np.zeros((len(samples), min(self._rate, missing - at)), np.float32)
            given += max(missing, 0) + samples.shape[1]
            yield samples


def _create(path: Path) -> OutputContainer:
    try:
        path.open("wb").close()
    except OSError as error:
        raise EmoscopeError(
            f"{shown(path)}: cannot be written: {error.strerror}; expected a folder that exists and can be written to"
        ) from error
    # "file:" keeps ffmpeg from taking a name such as "http:x.mp4" for an address.
    return av.open(f"file:{path.resolve()}", "w", format="mp4", container_options={"movflags": "+faststart"})
