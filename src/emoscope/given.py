"""What a program has in its hands, as a file that can be observed: bytes, open files, pictures, sound, frames."""

import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path
from typing import IO, Any

import av
import cv2
import numpy as np
from av.audio.frame import AudioFrame
from av.video.frame import VideoFrame

Given = str | Path | bytes | IO[bytes] | np.ndarray | tuple[np.ndarray, int] | Iterable[tuple[float, np.ndarray]]
"""See `emoscope.analyze`."""

CHUNK = 1 << 20
TICKS = 1000
"""Of a second, in which the times of frames are kept: those of tables."""


@contextmanager
def as_file(given: Given) -> Iterator[Path]:
    """The path of what was given; what is no file yet is one, without loss, until the block ends.

    Raises:
        ValueError: an array has another shape or type than `emoscope.analyze` says, or a time goes back.
    """
    if isinstance(given, str | Path):
        yield Path(given)
        return
    with tempfile.TemporaryDirectory(prefix="emoscope-", ignore_cleanup_errors=True) as folder:
        yield _write(given, Path(folder))


def _write(given: Any, folder: Path) -> Path:
    """Write it into a folder, under a name that says what it is; returns its path."""
    if isinstance(given, bytes | bytearray | memoryview):
        path = folder / "bytes"
        path.write_bytes(given)
    elif hasattr(given, "read"):
        path = folder / (Path(str(getattr(given, "name", ""))).name or "file")
        with path.open("wb") as file:
            while chunk := given.read(CHUNK):
                file.write(chunk)
    elif isinstance(given, np.ndarray):
        path = folder / "picture.png"
        cv2.imwrite(str(path), np.ascontiguousarray(_checked(given)[:, :, ::-1]))
    elif isinstance(given, tuple) and len(given) == 2 and isinstance(given[0], np.ndarray):
        path = folder / "sound.wav"
        _sound(*given, path)
    else:
        path = folder / "frames.mkv"
        _frames(given, path)
    return path


def _checked(image: np.ndarray) -> np.ndarray:
    if image.ndim != 3 or image.shape[2] != 3 or image.dtype != np.uint8 or not image.size:
        raise ValueError(f"expected a frame of RGB uint8 (height, width, 3), got {image.dtype} {image.shape}")
    return image


def _sound(samples: np.ndarray, rate: int, path: Path) -> None:
    samples = samples[:, None] if samples.ndim == 1 else samples
    if samples.dtype == np.int16:
        samples = samples / np.float32(1 << 15)
    kind = np.issubdtype(samples.dtype, np.floating)
    if not kind or samples.ndim != 2 or samples.shape[1] not in (1, 2) or not len(samples) or rate < 1:
        raise ValueError(
            f"expected sound as (samples, rate), int16 or floats in [-1, 1], (n,) or (n, 2), got {samples.dtype} "
            f"{samples.shape} at {rate}"
        )
    layout = "stereo" if samples.shape[1] == 2 else "mono"
    with av.open(path, "w", format="wav") as container:
        stream: Any = container.add_stream("pcm_f32le", rate=int(rate), layout=layout)
        frame = AudioFrame.from_ndarray(np.ascontiguousarray(samples, np.float32).reshape(1, -1), "flt", layout)
        frame.sample_rate = int(rate)
        for packet in (*stream.encode(frame), *stream.encode(None)):
            container.mux(packet)


def _frames(frames: Iterable[tuple[float, np.ndarray]], path: Path) -> None:
    with av.open(path, "w", format="matroska") as container:
        stream: Any = None
        shape, last = None, -1
        for time, image in frames:
            if stream is None:
                shape = _checked(image).shape
                stream = container.add_stream("ffv1", rate=TICKS)  # loses nothing
                stream.height, stream.width = shape[:2]
                stream.pix_fmt, stream.time_base = "bgr0", Fraction(1, TICKS)
                stream.codec_context.time_base = stream.time_base
            tick = round(time * TICKS)
            if _checked(image).shape != shape or tick <= last:
                raise ValueError(
                    f"expected frames of one size in order of time, a millisecond apart at least, got {image.shape} at "
                    f"{time:.3f} s"
                )
            last = tick
            frame = VideoFrame.from_ndarray(np.ascontiguousarray(image), "rgb24")
            frame.pts, frame.time_base = tick, Fraction(1, TICKS)
            for packet in stream.encode(frame):
                container.mux(packet)
        if stream is None:
            raise ValueError("expected frames as (seconds, RGB uint8 (height, width, 3)); there were none")
        for packet in stream.encode(None):
            container.mux(packet)
