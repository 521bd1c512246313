"""Running a job: its process is started, listened to, and ended."""

import asyncio
import json
import sys
import time
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

import anyio
from pydantic import BaseModel, Field

from ..errors import EmoscopeError
from .order import Order


class JobError(EmoscopeError):
    """The job came to nothing: its one line says why. `late` if it took too long."""

    def __init__(self, message: str, late: bool = False) -> None:
        super().__init__(message)
        self.late = late


class Progress(BaseModel):
    """How far an analysis is."""

    step: str = Field(description="`looking` at and listening to the recording, then `drawing` the report")
    done_s: float = Field(description="seconds of the recording that are done")
    total_s: float | None = Field(None, description="seconds in all, where that is known")


async def work(folder: Path, order: Order, longest_s: float) -> AsyncGenerator[Progress]:
    """Run the job in a folder that holds the recording; what it writes lies in `folder / "out"` afterwards.

    Yields:
        Its progress.

    Raises:
        JobError: with the job's one line, or after `longest_s` seconds.
    """
    order.write(folder)
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "emoscope.live.job", str(folder),
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    assert process.stdout
    ends = time.monotonic() + longest_s
    try:
        while line := await asyncio.wait_for(process.stdout.readline(), ends - time.monotonic()):
            event = _event(line)
            if "error" in event:
                raise JobError(event["error"])
            if event:
                yield Progress(**event)
        await asyncio.wait_for(process.wait(), ends - time.monotonic())
    except TimeoutError:
        raise JobError(f"{order.name}: the analysis took longer than {longest_s:.0f} s", late=True) from None
    finally:
        if process.returncode is None:
            process.kill()
            with anyio.CancelScope(shield=True):
                await process.wait()
    if process.returncode:
        raise JobError(f"{order.name}: the analysis broke off; the file may be damaged or too large")


def _event(line: bytes) -> dict[str, Any]:
    """What a line says; one that broke off says nothing."""
    try:
        event: dict[str, Any] = json.loads(line)
    except ValueError:
        return {}
    return event
