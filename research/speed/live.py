"""How fast the live server is: one face, three faces, ten minutes, a browser. About 14 minutes on two cores.

This program plays a recording of 640x480 pixels and 30 frames a second in real time, with its sound, to `emoscope live`
on the same machine. Received to sent is measured by the server: from the last byte of a picture to its answer. Sent to
answered is what the client sees of it. Last, headless Chromium shows the page, whose camera plays the same recording.
"""

import io
import json
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import wave
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from PIL import Image
from websockets.sync.client import ClientConnection, connect

from emoscope.live.protocol import Chunk, Picture, pack
from emoscope.live.stream import decode
from emoscope.media import Frame, Sound, open_media
from emoscope.session import Session

from ..rows import Row
from ..runner import Context
from .machine import EXAMPLE, Figure, figure, machine, rows

FPS = 30
CHUNK_S = 0.04


@dataclass(frozen=True)
class Recording:
    """Frames as JPEG, `FPS` a second, and their sound at 16 kHz; played in a loop."""

    frames: list[bytes]
    sound: np.ndarray

    @property
    def seconds(self) -> float:
        return len(self.frames) / FPS


def live(context: Context) -> Iterator[Row]:
    """Short runs, a long one, a browser, and where the time goes. A picture of the page is left in the cache."""
    one, three = recording(1), recording(3)
    seconds = context.option("seconds")
    yield machine()
    yield from rows(played("one face", one, seconds, LIMITS_ONE))
    yield from rows(played("three faces", three, seconds, LIMITS_THREE))
    yield from rows(endurance(one, context.option("long")))
    context.cache.mkdir(parents=True, exist_ok=True)
    yield from rows(browser(one, seconds, context.cache / "page.png"))
    yield from stage_rows(stages(one))


LIMITS_ONE = {"fps": "30 (all)", "p95": "under 40 ms"}
LIMITS_THREE = {"fps": "at least 20", "p95": "under 80 ms"}


def recording(faces: int) -> Recording:
    """The part of the example in which its person is in sight, so many times in one picture."""
    with open_media(EXAMPLE) as media:
        items = list(media)
    frames = [item.image for item in items if isinstance(item, Frame) and item.time < 4.2]
    sound = np.concatenate([item.samples for item in items if isinstance(item, Sound)])[: len(frames) * 16_000 // FPS]
    return Recording([_jpeg(_several(frame, faces)) for frame in [*frames, *frames[::-1]]], np.tile(sound, 2))


def _several(frame: np.ndarray, faces: int) -> np.ndarray:
    """A frame whose person stands in it so often, side by side."""
    if faces == 1:
        return frame
    height, width = frame.shape[:2]
    part = frame[:, width // 4 : width - width // 6]
    small = cv2.resize(part, (width // faces, height * width // faces // part.shape[1]), interpolation=cv2.INTER_AREA)
    canvas = np.full_like(frame, 90)
    top = (height - len(small)) // 2
    for i in range(faces):
        canvas[top : top + len(small), i * (width // faces) : (i + 1) * (width // faces)] = small
    return canvas


def _jpeg(image: np.ndarray) -> bytes:
    file = io.BytesIO()
    Image.fromarray(image).save(file, "JPEG", quality=85)
    return file.getvalue()


@contextmanager
def server() -> Iterator[tuple[subprocess.Popen[str], str]]:
    """`emoscope live` in a process of its own, and its address."""
    process = subprocess.Popen(
        [sys.executable, "-m", "emoscope", "live", "--port", "0"], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout
    try:
        yield process, process.stdout.readline().split()[2]
    finally:
        process.terminate()
        process.wait()


def play(socket: ClientConnection, played: Recording, seconds: float, sent: dict[float, float]) -> None:
    """Send the recording in real time: whatever the server does, each frame goes out when it is due."""
    started = time.monotonic()
    sound, size = played.sound, round(CHUNK_S * 16_000)
    heard = 0
    for index in range(int(seconds * FPS)):
        due = index / FPS
        time.sleep(max(0.0, started + due - time.monotonic()))
        sent[due] = time.monotonic()
        socket.send(pack(Picture(due, played.frames[index % len(played.frames)])))
        while heard / 16_000 + CHUNK_S <= due:
            at = heard % (len(sound) - size)
            socket.send(pack(Chunk(heard / 16_000, sound[at : at + size])))
            heard += size
    socket.send(json.dumps({"type": "stop"}))


def answers(address: str, played: Recording, seconds: float) -> Iterator[dict[str, Any]]:
    """The server's answers while the recording is played; to pictures with `answered_ms`, as the client sees it."""
    sent: dict[float, float] = {}
    with connect(address.replace("http", "ws") + "live", compression=None, max_size=None) as socket:
        socket.send(json.dumps({"type": "start"}))
        assert json.loads(socket.recv())["type"] == "ready"
        threading.Thread(target=play, args=(socket, played, seconds, sent), daemon=True).start()
        for text in socket:
            message = json.loads(text)
            if picture := message.get("picture"):
                picture["answered_ms"] = (time.monotonic() - sent.pop(picture["time"])) * 1000
            yield message


def received_to_sent(messages: Sequence[dict[str, Any]]) -> list[float]:
    """Milliseconds of each scored picture, waiting included; the first second, in which networks load, left out."""
    pictures = [message["picture"] for message in messages if "picture" in message]
    return [p["waited_ms"] + p["scored_ms"] for p in pictures if p["time"] >= 1]


def quantile(values: Sequence[float], share: float) -> float:
    return float(np.quantile(values, share))


def _of(run: str, what: str, value: float, unit: str, limit: str = "") -> Figure:
    return figure(what, value, unit, limit, run)


def played(run: str, what: Recording, seconds: float, limits: dict[str, str]) -> list[dict[str, Any]]:
    with server() as (_, address):
        messages = list(answers(address, what, seconds))
    times = received_to_sent(messages)
    answered = [m["picture"]["answered_ms"] for m in messages if "picture" in m and m["picture"]["time"] >= 1]
    faces = statistics.median(sum(o["source"] == "face" for o in m["observations"]) for m in messages if "picture" in m)
    return [
        _of(run, "faces in a picture, median", faces, ""),
        _of(run, "pictures scored a second, of 30", len(times) / (seconds - 1), "", limits["fps"]),
        _of(run, "received to sent, median", quantile(times, 0.5), "ms"),
        _of(run, "received to sent, 95 %", quantile(times, 0.95), "ms", limits["p95"]),
        _of(run, "received to sent, longest", max(times), "ms"),
        _of(run, "sent to answered, 95 %", quantile(answered, 0.95), "ms"),
    ]


def endurance(what: Recording, seconds: float) -> list[dict[str, Any]]:
    """The first and the last minute of a long run."""
    run = f"{seconds / 60:.0f} minutes"
    memory: list[tuple[float, float]] = []
    messages = []
    with server() as (process, address):
        for message in answers(address, what, seconds):
            if "picture" in message:
                messages.append({"picture": message["picture"]})
                if not memory or message["picture"]["time"] - memory[-1][0] >= 5:
                    memory.append((message["picture"]["time"], _resident(process.pid)))
    early = received_to_sent([m for m in messages if m["picture"]["time"] < 60])
    late = received_to_sent([m for m in messages if m["picture"]["time"] >= seconds - 60])
    full = [mb for at, mb in memory if 30 <= at < 90]
    end = [mb for at, mb in memory if at >= seconds - 60]
    return [
        _of(run, "pictures scored a second, of 30", len(messages) / seconds, ""),
        _of(run, "received to sent, 95 %, first minute", quantile(early, 0.95), "ms"),
        _of(run, "received to sent, 95 %, last minute", quantile(late, 0.95), "ms", "no growth"),
        _of(run, "server's memory, second half of the first minute on", statistics.median(full), "MB"),
        _of(run, "server's memory, last minute", statistics.median(end), "MB", "no growth"),
    ]


def _resident(pid: int) -> float:
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.partition("VmRSS:")[2].split()[0]) / 1024


def browser(what: Recording, seconds: float, picture: Path) -> list[dict[str, Any]]:
    """The page in headless Chromium on the same machine, as the page itself measures it; and a picture of it."""
    from playwright.sync_api import sync_playwright

    executable = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if executable is None:
        print("no Chromium: the page is not measured")
        return []
    with tempfile.TemporaryDirectory() as folder, server() as (_, address), sync_playwright() as playwright:
        arguments = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"]
        arguments += ["--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream"]
        opened = playwright.chromium.launch(executable_path=executable, args=arguments + _devices(what, Path(folder)))
        page = opened.new_page(viewport={"width": 1200, "height": 900})
        page.goto(address)
        page.click("#start")
        page.wait_for_selector(".person", timeout=30_000)
        time.sleep(6)  # the page's figures are those of the last 5 s
        shown = []
        for _ in range(int(seconds / 5)):
            shown.append([float(page.inner_text(f"#{name}").split()[0]) for name in ("fps", "latency", "latency95")])
            time.sleep(5)
        page.screenshot(path=picture, full_page=True)
        opened.close()
    fps, median, p95 = np.array(shown).T
    return [
        _of("page in Chromium", "pictures drawn a second, of 30", float(np.median(fps)), "", "at least 12"),
        _of("page in Chromium", "the same, least of any 5 s", float(fps.min()), ""),
        _of("page in Chromium", "capture to overlay, median", float(np.median(median)), "ms"),
        _of("page in Chromium", "capture to overlay, 95 %", float(np.median(p95)), "ms", "under 250 ms"),
        _of("page in Chromium", "the same, worst of any 5 s", float(p95.max()), "ms"),
    ]


def _devices(what: Recording, folder: Path) -> list[str]:
    """Files that the fake camera and microphone play."""
    video, sound = folder / "camera.mjpeg", folder / "microphone.wav"
    video.write_bytes(b"".join(what.frames))
    with wave.open(str(sound), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(16_000)
        file.writeframes((what.sound * 32767).astype("<i2").tobytes())
    return [f"--use-file-for-fake-video-capture={video}", f"--use-file-for-fake-audio-capture={sound}"]


def stages(what: Recording) -> list[dict[str, Any]]:
    """Where a picture's time goes, on one thread and at the pace of a camera."""
    cv2.setNumThreads(1)
    session = Session(voice=False)
    spent: dict[str, list[float]] = {"decoding the JPEG": [], "following and scoring": [], "search for newcomers": []}
    for index, data in enumerate(what.frames):
        at = [time.perf_counter()]
        image = decode(data)
        at.append(time.perf_counter())
        session.add_frame(image, index / FPS, 1 / FPS)
        at.append(time.perf_counter())
        session.search()
        at.append(time.perf_counter())
        if index:  # in the first picture, networks load
            for times, one, other in zip(spent.values(), at, at[1:], strict=False):
                times.append((other - one) * 1000)
        time.sleep(max(0.0, at[0] + 1 / FPS - time.perf_counter()))
    due = [ms for ms in spent["search for newcomers"] if ms > 1]
    spent["search for newcomers"] = due
    return [
        {"what": what, "ms": statistics.median(times), "share": len(times) / len(spent["decoding the JPEG"])}
        for what, times in spent.items()
    ]


def stage_rows(found: list[dict[str, Any]]) -> Iterator[Row]:
    """Where the time of a picture goes."""
    for of in found:
        yield Row(metric="median, ms", value=of["ms"], condition=of["what"], group="stages")
        yield Row(metric="share of pictures", value=of["share"], condition=of["what"], group="stages")
