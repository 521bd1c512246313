"""Which containers, codecs and kinds of pictures are read right: encodes each, reads it and compares.

    python scripts/media_matrix.py docs/formats.md

Each video holds 30 frames whose grey value is their number, at 25 frames a second, and a tone that begins at 0.5 s;
each sound the tone alone; each picture a red, a green, a blue and a white corner.
"""

import sys
import tempfile
import textwrap
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from PIL import Image

from emoscope.errors import EmoscopeError
from emoscope.media import SAMPLE_RATE, Frame, Sound, open_media

COUNT, RATE, ONSET_S, SECONDS = 30, 25, 0.5, 1.2
TIME_S, SOUND_S = 0.002, 0.02
"""Seconds by which a frame's time from frame to frame, and the start of the tone, may be off."""
VIDEOS = [
    ("mp4", "libx264", "aac"), ("mp4", "libx265", "aac"), ("mp4", "mpeg4", "libmp3lame"),
    ("mp4", "libsvtav1", "libopus"), ("m4v", "libx264", "aac"), ("3gp", "libx264", "aac"), ("mov", "libx264", "aac"),
    ("mov", "mjpeg", "pcm_s16le"), ("mov", "prores_ks", "pcm_s16le"), ("mkv", "libx264", "aac"),
    ("mkv", "libx265", "flac"), ("mkv", "ffv1", "pcm_s16le"), ("mkv", "libvpx-vp9", "libopus"),
    ("webm", "libvpx", "libopus"), ("webm", "libvpx-vp9", "libopus"), ("avi", "mpeg4", "ac3"),
    ("avi", "mjpeg", "pcm_s16le"), ("flv", "flv", "libmp3lame"), ("flv", "libx264", "aac"), ("ts", "libx264", "aac"),
    ("ts", "mpeg2video", "mp2"), ("mpg", "mpeg2video", "mp2"), ("vob", "mpeg2video", "ac3"),
    ("wmv", "wmv2", "libmp3lame"),
]  # fmt: skip
SOUNDS = [
    ("wav", "pcm_s16le"), ("wav", "pcm_f32le"), ("aiff", "pcm_s16be"), ("caf", "pcm_s16le"), ("w64", "pcm_s16le"),
    ("flac", "flac"), ("mp3", "libmp3lame"), ("m4a", "aac"), ("m4a", "alac"), ("aac", "aac"), ("opus", "libopus"),
    ("ogg", "libopus"), ("oga", "flac"), ("mka", "flac"),
]  # fmt: skip
PICTURES = ["jpg", "jfif", "png", "webp", "bmp", "gif", "tiff", "avif", "heic"]
PIXELS = {"mjpeg": "yuvj420p", "prores_ks": "yuv422p10le"}
FIXED = ("mpeg4", "mpeg2video", "wmv2", "mjpeg", "prores_ks")
"""Codecs that count time in frames."""


def number(index: int) -> np.ndarray:
    """The picture of a frame: its grey value is its number."""
    return np.full((144, 176, 3), 20 + 7 * index, np.uint8)


def tone(rate: int) -> np.ndarray:
    """The sound: quiet, then a tone, int16 `(1, n)`."""
    time = np.arange(round(SECONDS * rate)) / rate
    return (np.where(time >= ONSET_S, 0.5 * np.sin(2 * np.pi * 1000 * time), 0) * 32_767).astype(np.int16)[None]


def encode(path: Path, codec: str | None, sound_codec: str) -> None:
    """Write a video, or a sound alone."""
    rate = 48_000 if sound_codec == "libopus" else 44_100
    with av.open(str(path), "w") as container:
        video: Any = container.add_stream(codec, rate=RATE) if codec else None
        if video:
            video.width, video.height, video.pix_fmt = 176, 144, PIXELS.get(codec or "", "yuv420p")
            video.bit_rate = 2_000_000
            video.codec_context.time_base = Fraction(1, RATE if codec in FIXED else 1000)
        audio: Any = container.add_stream(sound_codec, rate=rate, layout="mono")
        packets: list[Any] = []
        for index in range(COUNT if video else 0):
            frame = av.VideoFrame.from_ndarray(number(index), format="rgb24")
            frame.pts, frame.time_base = index * (1 if codec in FIXED else 1000 // RATE), video.codec_context.time_base
            packets += video.encode(frame)
        packets += video.encode(None) if video else []
        samples = tone(rate)
        for at in range(0, samples.shape[1], 1024):
            block = av.AudioFrame.from_ndarray(np.ascontiguousarray(samples[:, at : at + 1024]), "s16", "mono")
            block.sample_rate, block.pts, block.time_base = rate, at, Fraction(1, rate)
            packets += audio.encode(block)
        packets += audio.encode(None)
        container.mux(sorted(packets, key=lambda packet: packet.dts * packet.time_base))


def compare(path: Path) -> tuple[int, float, float]:
    """Frames that are the right ones, the largest error of their times, and of the start of the tone, in seconds."""
    with open_media(path) as media:
        items = list(media)
    frames = [item for item in items if isinstance(item, Frame)]
    sounds = [item for item in items if isinstance(item, Sound)]
    right = [round((float(frame.image.mean()) - 20) / 7) for frame in frames] == list(range(COUNT))
    times = np.array([frame.time for frame in frames])
    error = float(np.abs(np.diff(times) - 1 / RATE).max()) if len(times) > 1 else 0.0
    start = next((s.time + float(np.argmax(np.abs(s.samples) > 0.1)) / SAMPLE_RATE
                  for s in sounds if (np.abs(s.samples) > 0.1).any()), np.inf)  # fmt: skip
    offset = start - ONSET_S - (float(times[0]) if len(times) else 0.0)
    return (len(frames) if right or not frames else -1), error, offset


def rows(folder: Path) -> Iterator[list[str]]:
    """A row of the table for each kind."""
    for suffix, codec, sound in [*VIDEOS, *((suffix, None, sound) for suffix, sound in SOUNDS)]:
        path = folder / f"{codec}-{sound}.{suffix}"
        head = [suffix, codec or "", sound]
        try:
            encode(path, codec, sound)
        except (av.FFmpegError, ValueError) as error:
            yield [*head, "", "", "", f"not encoded here: {type(error).__name__}"]
            continue
        try:
            count, error_s, offset = compare(path)
        except EmoscopeError as error:
            yield [*head, "", "", "", f"not read: {str(error).removeprefix(f'{path}: ')}"]
            continue
        good = count == (COUNT if codec else 0) and error_s <= TIME_S and abs(offset) <= SOUND_S
        frames = [str(count), f"{error_s * 1000:.1f}"] if codec else ["", ""]
        yield [*head, *frames, f"{offset * 1000:+.0f}", "right" if good else "wrong"]
    yield from (picture(folder, suffix) for suffix in PICTURES)


def picture(folder: Path, suffix: str) -> list[str]:
    """A row of the table for a kind of picture."""
    corners = np.zeros((96, 128, 3), np.uint8)
    corners[:48, :64, 0] = corners[:48, 64:, 1] = corners[48:, :64, 2] = corners[48:, 64:] = 255
    path = folder / f"picture.{suffix}"
    if suffix == "heic":
        from pillow_heif import register_heif_opener

        register_heif_opener()
    Image.fromarray(corners).save(path, "JPEG" if suffix == "jfif" else None)
    with open_media(path) as media:
        (frame,) = media
    assert isinstance(frame, Frame)
    good = frame.image.shape == corners.shape and np.median(np.abs(frame.image.astype(int) - corners)) <= 8
    return [suffix, "picture", "", "1", "", "", "right" if good else "wrong"]


def main() -> None:
    """Write the page."""
    with tempfile.TemporaryDirectory() as folder:
        table = list(rows(Path(folder)))
    head = [
        "name ends in",
        "picture's codec",
        "sound's codec",
        "frames of 30",
        "error of time, ms",
        "sound off by, ms",
        "",
    ]
    lines = ["| " + " | ".join(row) + " |" for row in [head, ["---"] * len(head), *table]]
    right = sum(row[-1] == "right" for row in table)
    _, command, what = (" ".join(part.split()) for part in (__doc__ or "").split("\n\n"))
    apart = 1000 / RATE
    text = (
        f"{right} of {len(table)} kinds are read right: every frame is there, {apart:.0f} ms after the one before, "
        f"within {TIME_S * 1000:.0f} ms, and the sound within {SOUND_S * 1000:.0f} ms of the picture. {what} Raw AAC "
        "cannot say the delay of its encoder: its sound is late by that; in the VOB, FFmpeg gives some frames the time "
        "of the next one. HEIC needs the extra `heic`. Written with "
        f"FFmpeg {av.ffmpeg_version_info} by:"
    )
    page = ["# What can be read", "", *textwrap.wrap(text, 120), "", "```sh", command, "```", "", *lines]
    Path(sys.argv[1]).write_text("\n".join(page) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
