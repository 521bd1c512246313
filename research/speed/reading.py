"""How quickly `emoscope read` makes table, summary and page anew, and how large the evidence of a recording is.

Made-up evidence of one person who talks: a face in 30 frames a second, a window of speech every half second of 12 in
each 15 seconds, eight key frames; logits, boxes and views that wander. The command runs as a process of its own, with
the import of Python and all, beside an empty Python. `timeline.parquet` is written too where pyarrow is installed.
"""

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import cv2
import numpy as np

from emoscope.evidence import Evidence, EvidenceFile, Faces, Looks, Views, Voices
from emoscope.models import load
from emoscope.reading.persons import grouping
from emoscope.session import source

from ..rows import Row
from ..runner import Context
from .machine import Figure, figure, machine, median_s, rows

LENGTHS_S = {"1 minute": 60, "10 minutes": 600, "1 hour": 3600}
WANTED = {
    "10 minutes": {"emoscope read": "under 1", "evidence.sqlite": "under 5", "timeline.csv": "under 4"},
}
FPS = 30
REPEATS = 5
WIDTH, HEIGHT = 1280, 720


def reading(context: Context) -> Iterator[Row]:
    """A recording of each length."""
    yield machine()
    yield from rows([figure("an empty Python", median_s(partial(_run, "-c", ""), REPEATS), "s")])
    with tempfile.TemporaryDirectory() as folder:
        for name, length_s in LENGTHS_S.items():
            results = Path(folder) / name
            results.mkdir()
            write_evidence(results, length_s)
            yield from rows(figures(name, results))
    yield from rows([figure("load average at the end", os.getloadavg()[0], "")])


def figures(name: str, results: Path) -> Iterator[Figure]:
    """Of the command on a folder of results: seconds, and MB of what it reads and writes."""
    wanted = WANTED.get(name, {})
    seconds = median_s(partial(_run, "-m", "emoscope", "read", str(results)), REPEATS)
    yield figure("emoscope read", seconds, "s", wanted.get("emoscope read", ""), run=name)
    for file in ("evidence.sqlite", "timeline.csv", "report.html"):
        yield figure(file, (results / file).stat().st_size / 1e6, "MB", wanted.get(file, ""), run=name)


def _run(*arguments: str) -> None:
    subprocess.run([sys.executable, *arguments], check=True, stdout=subprocess.DEVNULL)


def write_evidence(folder: Path, length_s: int) -> None:
    """Write the `evidence.sqlite` of a recording that never was, with the pictures of its page."""
    random = np.random.default_rng(0)
    models = {"face": load("face"), "voice": load("voice")}
    frames = length_s * FPS
    time = np.arange(frames) / FPS
    box = np.array([500, 200, 180, 220]) + wandering(random, frames, 4)
    noise = random.uniform(0.2, 1, (3, frames)).astype(np.float32)
    faces = Faces(
        time, np.full(frames, 1 / FPS), np.ones(frames, np.int32), box, 0.9 + noise[0] / 10, noise[1] * 100,
        noise[2] * 20, noise[1], noise[2],
        wandering(random, frames, len(models["face"].card.labels)).astype(np.float16),
    )  # fmt: skip
    start = np.array([at / 2 for at in range(2 * length_s) if at % 30 < 24])
    voices = Voices(
        start, start + 0.5, (start // 15).astype(np.int32) + 1,
        wandering(random, len(start), len(models["voice"].card.labels)).astype(np.float16),
    )  # fmt: skip
    picture = cv2.resize(random.integers(0, 256, (9, 16, 3), np.uint8), (640, 360), interpolation=cv2.INTER_CUBIC)
    seen = Looks(np.ones(1, np.int32), time[:1], np.ones(1, np.float32), np.ones((1, 128), np.float16))
    info = {
        "input": "made-up.mp4", "kind": "video", "duration_s": float(length_s), "width": WIDTH, "height": HEIGHT,
        "audio_track": None, "has_sound": True, "frames": frames, "frames_skipped": 0, "truncated": False,
        "synthetic": True, "left_out": [], "notes": [], "damaged": [], "observed_s": 0.0,
        "models": {name: source(model).to_json() | {"digest": model.digest} for name, model in models.items()},
    }  # fmt: skip
    whole = Evidence(faces, voices, views=Views.of(seen, [picture[:112, :112]]), info=info)
    found = grouping(whole, 20)
    with EvidenceFile.create(folder / EvidenceFile.NAME) as file:
        for at in range(0, frames, FPS):  # as it is written: a transaction a second
            rows, heard = slice(at, at + FPS), (voices.start >= time[at]) & (voices.start < time[at] + 1)
            file.append(Evidence(faces.take(rows), voices.take(heard)))
        file.append(Evidence(faces.take(slice(0)), voices.take(slice(0)), views=whole.views))
        _, jpeg = cv2.imencode(".jpg", picture)
        file.keep_frames([(length_s * part / 8, 0.5, jpeg.tobytes()) for part in range(8)])
        file.end(found.pieces, info={**info, "grouping": found.to_json()}, done=True)


def wandering(random: np.random.Generator, rows: int, columns: int) -> np.ndarray:
    """A walk that stays near 0."""
    steps = random.normal(size=(rows, columns))
    walk = np.cumsum(steps, axis=0) / 20
    return np.asarray(4 * np.sin(walk) + steps / 2)
