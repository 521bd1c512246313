"""Small videos, sounds and pictures for tests, made with PyAV and Pillow."""

import os
from collections.abc import Callable, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np

Picture = Callable[[int], np.ndarray]


def steps(count: int, rate: float = 25.0) -> list[float]:
    """The times in seconds of `count` frames at a constant rate."""
    return [i / rate for i in range(count)]


def grey(index: int, width: int = 64, height: int = 48) -> np.ndarray:
    """An even picture whose level, `20 + 7 * index`, tells which frame it is (modulo 33)."""
    return np.full((height, width, 3), 20 + 7 * (index % 33), np.uint8)


def corners(width: int = 64, height: int = 48) -> np.ndarray:
    """A picture that shows how it is turned: red top left, green top right, blue bottom left, white bottom right."""
    image = np.zeros((height, width, 3), np.uint8)
    image[: height // 2, : width // 2] = 255, 0, 0
    image[: height // 2, width // 2 :] = 0, 255, 0
    image[height // 2 :, : width // 2] = 0, 0, 255
    image[height // 2 :, width // 2 :] = 255, 255, 255
    return image


def noise(index: int, width: int = 64, height: int = 48) -> np.ndarray:
    """A picture that compresses badly: smooth noise, other for every index."""
    small = np.random.default_rng(index).integers(0, 256, (height // 8, width // 8, 3), np.uint8)
    return small.repeat(8, 0).repeat(8, 1)


def sine(
    seconds: float, frequency: float = 440.0, rate: int = 44_100, channels: int = 1, level: float = 0.5
) -> np.ndarray:
    """The same tone on every channel, float32 `(channels, n)`."""
    wave = level * np.sin(2 * np.pi * frequency * np.arange(round(seconds * rate)) / rate)
    return np.tile(wave.astype(np.float32), (channels, 1))


def write_video(
    path: Path,
    times: Sequence[float] = (),
    picture: Picture = grey,
    codec: str | None = "libx264",
    sound: np.ndarray | None = None,
    sound_rate: int = 44_100,
    sound_codec: str = "aac",
    sound_start: float = 0.0,
    time_base: Fraction = Fraction(1, 90_000),
    frame_rate: Fraction | int = 25,
    rotation: int = 0,
    flip: bool = False,
    pixels: str = "yuv420p",
    options: dict[str, str] | None = None,
    video_first: bool = False,
) -> Path:
    """Write a video.

    Args:
        path: the suffix says the container.
        times: seconds of each frame; the first need not be 0.
        picture: gives frame number i as RGB uint8 `(height, width, 3)`.
        codec: of the frames; `None` for sound alone.
        sound: float32 `(channels, n)`, or none; blocks of 4096 samples that start with NaN are left out, as a gap.
        sound_rate: samples a second.
        sound_codec: of the sound.
        sound_start: seconds at which the sound starts.
        time_base: the codec's unit of time; containers may round it further.
        frame_rate: what the header says.
        rotation: degrees counterclockwise by which a player must turn the picture.
        flip: whether a player must turn the picture upside down (mirrored).
        pixels: the codec's pixel format.
        options: of the video codec.
        video_first: put all frames before all sound, instead of side by side.
    """
    settings = {"max_interleave_delta": "1"} if video_first else {}
    with av.open(str(path), "w", container_options=settings) as container:
        video = _add_video(container, codec, picture(0), frame_rate, time_base, pixels, options) if codec else None
        if video and (rotation or flip):
            video.set_display_rotation(rotation, vflip=flip)
        layout = "mono" if sound is None or len(sound) == 1 else "stereo"
        audio: Any = None if sound is None else container.add_stream(sound_codec, rate=sound_rate, layout=layout)
        packets: list[Any] = []
        for i, time in enumerate(times):
            frame = av.VideoFrame.from_ndarray(picture(i), format="rgb24")
            frame.pts, frame.time_base = round(time / time_base), time_base
            packets += video.encode(frame)
        packets += video.encode(None) if video else []
        packets += [] if sound is None else _encode_sound(audio, sound, sound_rate, sound_start)
        if not video_first:
            packets.sort(key=lambda packet: packet.dts * packet.time_base)
        container.mux(packets)
    return path


def _add_video(
    container: Any, codec: str, image: np.ndarray, rate: Fraction | int, time_base: Fraction, pixels: str, options: Any
) -> Any:
    video = container.add_stream(codec, rate=rate, options=options or {})
    video.height, video.width = image.shape[:2]
    video.pix_fmt = pixels
    video.codec_context.time_base = time_base
    return video


def write_sound(
    path: Path, sound: np.ndarray, rate: int = 44_100, codec: str = "pcm_s16le", cover: bytes | None = None
) -> Path:
    """Write a sound file of float32 `(channels, n)`, with a JPEG as its cover art if given."""
    muxer = "mp4" if cover and path.suffix == ".m4a" else None  # the one for m4a takes no covers
    with av.open(str(path), "w", format=muxer) as container:
        audio = container.add_stream(codec, rate=rate, layout="mono" if len(sound) == 1 else "stereo")
        picture: Any = None
        if cover:
            picture = container.add_mux_stream("mjpeg", width=64, height=48)
            picture.disposition = av.stream.Disposition.attached_pic
        packets = _encode_sound(audio, sound, rate, 0.0)
        if cover:
            packet = av.Packet(cover)
            packet.stream, packet.pts, packet.dts, packet.is_keyframe = picture, 0, 0, True
            container.mux(packet)
        container.mux(packets)
    return path


def _encode_sound(stream: Any, sound: np.ndarray, rate: int, start: float) -> list[Any]:
    layout = "mono" if len(sound) == 1 else "stereo"
    packets: list[Any] = []
    for at in range(0, sound.shape[1], 4096):
        block = np.ascontiguousarray(sound[:, at : at + 4096])
        if np.isnan(block[0, 0]):
            continue
        frame = av.AudioFrame.from_ndarray(block, "fltp", layout)
        frame.sample_rate, frame.pts, frame.time_base = rate, round(start * rate) + at, Fraction(1, rate)
        packets += stream.encode(frame)
    return packets + stream.encode(None)


def damage(data: bytes, seed: int, flips: int = 20, start: int = 0) -> bytes:
    """Flip some bits of a file at random, from byte `start` on."""
    random = np.random.default_rng(seed)
    damaged = np.frombuffer(data, np.uint8).copy()
    where = random.integers(start, len(damaged), flips)
    damaged[where] ^= (1 << random.integers(0, 8, flips)).astype(np.uint8)
    return damaged.tobytes()


def resident() -> int:
    """Bytes of memory that this process holds, ffmpeg's included."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
