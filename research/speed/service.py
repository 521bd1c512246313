"""How much one server carries: streams, uploads, twice the limit, and an hour of people who come and go.

Clients are on the same machine, in this program: asyncio, `websockets` and `httpx2`. A stream sends one 640x480 picture
of the synthetic example 15 times a second and no sound; its latency is from sending a picture to its answer. The most
streams is the largest number of which every one had its pictures scored and p95 stayed under 100 ms. Memory and
descriptors are the server's own, from `/metrics`. About 75 minutes on two cores.
"""

import asyncio
import io
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx2
from PIL import Image
from prometheus_client.parser import text_string_to_metric_families
from websockets.asyncio.client import connect
from websockets.exceptions import WebSocketException

from emoscope.live.protocol import Picture, pack
from emoscope.media import Frame, open_media

from ..rows import Row
from ..runner import Context
from .machine import EXAMPLE, machine

FPS = 15
WANTED_MS = 100.0
START = json.dumps({"type": "start", "microphone": False})


@dataclass
class Streamed:
    """What one stream saw."""

    latencies_ms: list[float] = field(default_factory=list)
    sent: int = 0
    dropped: int = 0
    refused: str = ""


def service(context: Context) -> Iterator[Row]:
    """Streams up to the most, uploads, and so many minutes of people who come and go."""
    yield machine()
    option = context.option
    for run, what, value in asyncio.run(measured(option("seconds"), option("most"), option("soak"))):
        number = value if isinstance(value, int | float) else None
        yield Row(metric="measured", value=number, note="" if number is not None else str(value), condition=what,
                  group=run)  # fmt: skip
    yield Row(metric="measured", value=os.getloadavg()[0], condition="load average at the end")


async def measured(seconds: float, most: int, soak: float) -> list[tuple[str, str, Any]]:
    pictures = jpegs()
    rows: list[tuple[str, str, Any]] = []

    def told(run: str, what: str, value: Any) -> None:
        rows.append((run, what, value))
        print(f"{run}: {what}: {value}", flush=True)

    with served("--streams", str(most)) as address:
        empty = (await counted(address))["process_resident_memory_bytes"]
        held = 0
        for count in range(1, most + 1):
            found = await asyncio.gather(*(stream(address, pictures, seconds) for _ in range(count)))
            p95, scored = summary(found)
            told(f"{count} streams", "p95 from sending to the answer, ms", round(p95, 1))
            told(f"{count} streams", "pictures that were scored, of those sent", f"{scored:.1%}")
            memory = (await counted(address))["process_resident_memory_bytes"]
            told(
                f"{count} streams",
                "memory a stream beyond the empty server's, MB",
                round((memory - empty) / count / 1e6, 1),
            )
            if p95 >= WANTED_MS or scored < 0.99:
                break
            held = count
        told("streams", f"most with p95 under {WANTED_MS:.0f} ms and every picture scored", held)
    await uploads(told)
    await twice(pictures, seconds, max(held, 1), told)
    if soak:
        await soaked(pictures, soak, told)
    return rows


async def uploads(told: Any) -> None:
    """Clips of 9 s, each sent as soon as there is room in the queue, for a minute."""
    content = EXAMPLE.read_bytes()
    with served("--queue", "4") as address:
        async with httpx2.AsyncClient(base_url=address, timeout=60) as client:
            began, ids, refused = time.monotonic(), [], 0
            while time.monotonic() - began < 60:
                answer = await client.post("v1/analyses", content=content)
                if answer.status_code == 202:
                    ids.append(answer.json()["id"])
                else:
                    refused += 1
                    await asyncio.sleep(0.5)
            states = [(await client.get(f"v1/analyses/{id}")).json()["state"] for id in ids]
        told("uploads", "clips of 9 s analysed in a minute, two at once", states.count("done"))
        told("uploads", "failed", states.count("failed"))
        told("uploads", "refused with 503 while the queue was full", refused)


async def twice(pictures: list[bytes], seconds: float, held: int, told: Any) -> None:
    """Twice as many streams as the server is told to take."""
    with served("--streams", str(held)) as address:
        found = await asyncio.gather(*(stream(address, pictures, seconds) for _ in range(2 * held)))
        inside = [one for one in found if not one.refused]
        p95, scored = summary(inside)
        told(f"{2 * held} streams at a limit of {held}", "refused at once", sum(bool(one.refused) for one in found))
        told(f"{2 * held} streams at a limit of {held}", "p95 of the others, ms", round(p95, 1))
        told(f"{2 * held} streams at a limit of {held}", "their pictures that were scored", f"{scored:.1%}")


async def soaked(pictures: list[bytes], minutes: float, told: Any) -> None:
    """Streams of 20 s and an upload now and then, for so long."""
    with served("--keep", "30") as address:
        ends, count = time.monotonic() + minutes * 60, 0
        begun = time.monotonic()

        async def visitor() -> None:
            nonlocal count
            while time.monotonic() < ends:
                await stream(address, pictures, 20)
                count += 1

        async def uploader() -> None:
            async with httpx2.AsyncClient(base_url=address, timeout=60) as client:
                while time.monotonic() < ends:
                    await client.post("v1/analyses", content=EXAMPLE.read_bytes(), params={"end": 1})
                    await asyncio.sleep(20)

        async def watcher() -> None:
            for tenth in range(1, 11):
                await asyncio.sleep(max(0.0, begun + minutes * 6 * tenth - time.monotonic()))
                now = await counted(address)
                memory, files = now["process_resident_memory_bytes"] / 1e6, now["process_open_fds"]
                told(
                    f"{minutes:g} minutes",
                    f"after {minutes / 10 * tenth:g}",
                    f"{memory:.1f} MB, {files:.0f} descriptors",
                )

        await asyncio.gather(visitor(), visitor(), uploader(), watcher())
        told(f"{minutes:g} minutes", "streams that came and went", count)


async def stream(address: str, pictures: list[bytes], seconds: float) -> Streamed:
    """Send a picture `FPS` times a second, and time the answers."""
    seen, sent_at = Streamed(), {}
    try:
        async with connect(address.replace("http", "ws") + "live", compression=None) as socket:
            await socket.send(START)
            if (first := json.loads(await socket.recv()))["type"] != "ready":
                seen.refused = first["message"]
                return seen
            began = time.monotonic()

            async def send() -> None:
                for number in range(round(seconds * FPS)):
                    await asyncio.sleep(max(0.0, began + number / FPS - time.monotonic()))
                    sent_at[number / FPS] = time.monotonic()
                    seen.sent += 1
                    await socket.send(pack(Picture(number / FPS, pictures[number % len(pictures)])))
                await socket.send('{"type": "stop"}')

            sending = asyncio.create_task(send())
            async for message in socket:
                answer = json.loads(message)
                if picture := answer.get("picture"):
                    seen.latencies_ms.append((time.monotonic() - sent_at[picture["time"]]) * 1000)
                    seen.dropped = answer["dropped"]
            await sending
    except (WebSocketException, OSError) as error:
        seen.refused = seen.refused or type(error).__name__
    return seen


def summary(found: list[Streamed]) -> tuple[float, float]:
    """95 % of the latencies in ms are below, and the share of pictures that were scored."""
    every = [ms for one in found for ms in one.latencies_ms]
    share = len(every) / max(1, sum(one.sent for one in found))
    return (statistics.quantiles(every, n=20)[-1] if len(every) > 1 else float("inf")), share


async def counted(address: str) -> dict[str, float]:
    """The server's gauges by name."""
    async with httpx2.AsyncClient() as client:
        text = (await client.get(f"{address}metrics")).text
    return {s.name: s.value for family in text_string_to_metric_families(text) for s in family.samples if not s.labels}


@contextmanager
def served(*options: str) -> Iterator[str]:
    """`emoscope live` in a process of its own; yields its address."""
    command = [sys.executable, "-m", "emoscope", "live", "--port", "0", *options]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        yield process.stdout.readline().split()[2]
        process.terminate()


def jpegs() -> list[bytes]:
    """The example's pictures, every other one, as JPEG."""
    found = []
    with open_media(EXAMPLE, sound=False) as media:
        for item in media:
            if isinstance(item, Frame):
                data = io.BytesIO()
                Image.fromarray(item.image).save(data, "JPEG", quality=85)
                found.append(data.getvalue())
    return found[::2]
