"""How fast and how large: a face, a clip, a start, a long video. About 10 minutes on two cores.

Times are medians over repeats and depend on the machine: quote the ratios. Each command runs in a process of its own;
peak memory is the operating system's for that process.
"""

import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from PIL import Image

from emoscope.face.classify import FaceClassifier
from emoscope.media import Frame, Sound, open_media
from emoscope.media.types import SoundFormat
from emoscope.media.write import VideoWriter
from emoscope.models import Model
from emoscope.voice.features import window_input

from ..rows import Row
from ..runner import Context
from .machine import EXAMPLE, Figure, figure, machine, median_s, rows

LONG_S = 600.0


def speed(context: Context) -> Iterator[Row]:
    """All of it."""
    yield machine()
    with tempfile.TemporaryDirectory() as folder:
        yield from rows(networks(*context.models))
        for part in (starts, clip, long_video):
            yield from rows(part(Path(folder)))


def networks(face: Model, voice: Model) -> list[Figure]:
    """The networks by themselves, on one thread."""
    classify = FaceClassifier(face)
    crops = np.random.default_rng(0).integers(0, 256, (32, 48, 48), dtype=np.uint8)
    one = median_s(lambda: classify.logits(crops[:1]), 200)
    many = median_s(lambda: classify.logits(crops), 20) / len(crops)
    sound = np.random.default_rng(0).standard_normal(48_000).astype(np.float32) * 0.1
    window = median_s(lambda: voice.logits(window_input(sound)[None]), 50)
    return [
        figure("face network, one face, one thread", one * 1000, "ms", "under 2 ms", model=face.card.name),
        figure("face network, batches of 32, one thread", 1 / many, "faces a second", model=face.card.name),
        figure(
            "voice, features and network of a 3 s window, one thread",
            window * 1000,
            "ms",
            "under 10 ms",
            model=voice.card.name,
        ),  # fmt: skip,
    ]


def child(arguments: list[str]) -> tuple[float, float]:
    """Run the command line in a process of its own; returns wall seconds and peak memory in MB."""
    command = [sys.executable, "-m", "emoscope", *arguments]
    start = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    assert process.stderr
    said = process.stderr.read().decode()
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        raise SystemExit(f"{' '.join(command)} failed: {said}")
    return time.perf_counter() - start, usage.ru_maxrss / 1024


def starts(folder: Path) -> list[Figure]:
    """Cold starts: a new process each time."""
    picture = folder / "picture.png"
    with open_media(EXAMPLE) as media:
        frame = next(item for item in media if isinstance(item, Frame) and item.time > 1)
    Image.fromarray(frame.image).save(picture)
    helps = statistics.median(child(["--help"])[0] for _ in range(7))
    python = statistics.median(_bare_python() for _ in range(7))
    pictures = statistics.median(child(["analyze", str(picture), "--out", str(folder / "p")])[0] for _ in range(7))
    return [
        figure("emoscope --help", helps, "s", "under 0.3 s"),
        figure("the same, as a multiple of an empty Python program", helps / python, "x", ""),
        figure("emoscope analyze PICTURE, everything written", pictures, "s", "under 1.5 s"),
    ]


def _bare_python() -> float:
    start = time.perf_counter()
    subprocess.run([sys.executable, "-c", "pass"], check=True)
    return time.perf_counter() - start


def repeated(seconds: float, path: Path) -> Path:
    """The example over and over until it lasts so long, 640x480 and 30 frames a second, with its sound."""
    with open_media(EXAMPLE) as media:
        items = list(media)
    frames = [item for item in items if isinstance(item, Frame)]
    sound = np.concatenate([item.samples for item in items if isinstance(item, Sound)])
    length = frames[-1].time + frames[-1].duration
    samples = np.resize(sound, int(seconds * 16_000))[None]
    height, width = frames[0].image.shape[:2]
    with VideoWriter(path, width, height, SoundFormat(16_000, "mono")) as writer:
        for i in range(int(seconds * 30)):
            turn, frame = divmod(i, len(frames))
            writer.write(frames[frame].image, turn * length + frames[frame].time)
            if i % 30 == 0:
                writer.write_sound(samples[:, i // 30 * 16_000 :][:, :16_000], i / 30)
    return path


def clip(folder: Path) -> list[Figure]:
    """A minute of 640x480 at 30 frames a second with one face and speech."""
    minute = repeated(60, folder / "minute.mp4")
    everything, memory = child(["analyze", str(minute), "--out", str(folder / "m")])
    code = f"import emoscope; emoscope.analyze({str(minute)!r})"
    start = time.perf_counter()
    subprocess.run([sys.executable, "-c", code], check=True)
    alone = time.perf_counter() - start
    return [
        figure("analyze (Python), 60 s of video, start included", 60 / alone, "x real time", "at least 2"),
        figure("emoscope analyze, annotated video and page included", 60 / everything, "x real time", "at least 2"),
        figure("peak memory of that minute", memory, "MB", "under 700 MB"),
    ]


def long_video(folder: Path) -> list[Figure]:
    """Ten minutes of the same: memory must not grow with the length."""
    seconds, memory = child(["analyze", str(repeated(LONG_S, folder / "long.mp4")), "--out", str(folder / "l")])
    return [
        figure("emoscope analyze of 10 minutes", LONG_S / seconds, "x real time", ""),
        figure("peak memory of 10 minutes", memory, "MB", "under 700 MB"),
    ]
