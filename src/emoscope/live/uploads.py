"""`POST /analyze`, the simple way: a recording is uploaded, analysed while the client waits, and forgotten."""

import json
import os
import shutil
import tempfile
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from contextlib import AsyncExitStack, aclosing, asynccontextmanager, contextmanager
from pathlib import Path
from typing import Annotated, Any, Literal

import anyio
from fastapi import APIRouter, Query, Request, Response
from pydantic import Field
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from .access import client_of
from .order import OUT, Order, Setup
from .parameters import Parameters
from .problems import CLIENT_LEFT
from .receiving import BODY, receive
from .schema import Analysis, Problem
from .shares import Shares
from .working import JobError, Progress, work

Format = Literal["json", "csv", "report", "events"]

FILES: dict[Format, tuple[str, str]] = {
    "json": ("analysis.json", "application/json"),
    "csv": ("timeline.csv", "text/csv; charset=utf-8"),
    "report": ("report.html", "text/html; charset=utf-8"),
}
"""What answers each format: the file that the job writes, and its media type."""


class Asked(Parameters):
    """How an upload is analysed, and what is answered."""

    format: Format = Field(
        "json",
        description="`json`: summary and observations; `csv`: the timeline; `report`: the page; `events`: lines of "
        "JSON, first the progress, last the summary, the timeline as csv and the report",
    )


DENIED: dict[int | str, dict[str, Any]] = {401: {"model": Problem, "description": "The token is missing or unknown"}}
REFUSALS: dict[int | str, dict[str, Any]] = {
    **DENIED,
    400: {"model": Problem, "description": "The body holds no recording"},
    408: {"model": Problem, "description": "The upload came too slowly"},
    413: {"model": Problem, "description": "The upload is too large"},
    422: {"model": Problem, "description": "A parameter is unknown or out of its range"},
    429: {"model": Problem, "description": "This token has as many as it may; `retry-after` says when to ask again"},
    503: {"model": Problem, "description": "There is no place left; `retry-after` says when to ask again"},
}
"""What an upload may be answered wherever it goes."""
ANSWERS: dict[int | str, dict[str, Any]] = {
    200: {
        "model": Analysis,
        "description": "What was found, in the format that was asked for",
        "content": {"text/csv": {}, "text/html": {}, "application/x-ndjson": {}},
    },
    415: {"model": Problem, "description": "The file is no media, or damaged"},
    504: {"model": Problem, "description": "The analysis took too long"},
    **REFUSALS,
}

PREFIX = "emoscope-live-"


class Workbench:
    """Where uploads lie while they are analysed, and how many analyses there may be at once.

    Args:
        most: analyses at once.
        longest_s: seconds that one may take.
    """

    def __init__(self, most: int, longest_s: float) -> None:
        self.most = most
        self.longest_s = longest_s
        self.places = anyio.Semaphore(most)
        self.folder: Path | None = None

    @property
    def taken(self) -> int:
        """Analyses under way."""
        return self.most - self.places.value

    @contextmanager
    def open(self) -> Iterator[Path]:
        """Have a folder for as long as the server runs, and yield it; those of servers that were killed are removed."""
        _sweep()
        with tempfile.TemporaryDirectory(prefix=f"{PREFIX}{os.getpid()}-", ignore_cleanup_errors=True) as folder:
            self.folder = Path(folder) / "uploads"
            self.folder.mkdir()
            yield Path(folder)

    @asynccontextmanager
    async def place(self) -> AsyncIterator[Path]:
        """A place, and a folder of its own, which is removed at the end.

        Raises:
            HTTPException: all places are taken.
        """
        try:
            self.places.acquire_nowait()
        except anyio.WouldBlock:
            raise HTTPException(
                503, f"{self.most} analyses are under way; try again later", {"retry-after": "10"}
            ) from None
        try:
            with tempfile.TemporaryDirectory(dir=self.folder, ignore_cleanup_errors=True) as folder:
                yield Path(folder)
        finally:
            self.places.release()


def _sweep() -> None:
    """Remove what servers that were killed left behind."""
    if os.name != "posix":
        return  # elsewhere there is no harmless way to ask whether a process lives
    for folder in Path(tempfile.gettempdir()).glob(f"{PREFIX}*-*"):
        pid = folder.name.removeprefix(PREFIX).partition("-")[0]
        if pid.isdecimal() and not _alive(int(pid)):
            shutil.rmtree(folder, ignore_errors=True)


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:  # somebody else's
        return True
    return True


def router(bench: Workbench, setup: Setup, shares: Shares) -> APIRouter:
    """The route of uploads."""
    routes = APIRouter()

    @routes.post("/analyze", response_class=Response, responses=ANSWERS, openapi_extra={"requestBody": BODY})
    async def analyze(request: Request, asked: Annotated[Asked, Query()]) -> Response:
        """Read the emotions in a recording while the client waits. It is kept only until the answer is sent.

        That is the simple way; for long recordings, `/v1/analyses` takes them and answers at once.
        """
        async with AsyncExitStack() as stack:
            stack.enter_context(shares.upload(client_of(request.scope)))
            folder = await stack.enter_async_context(bench.place())  # before the body is read
            name = await receive(request, folder)
            drawn = asked.format in ("report", "events")
            order = Order(name=name, parameters=asked.plain(), setup=setup, report=drawn)
            events = work(folder, order, bench.longest_s)
            if asked.format == "events":
                return Owning(stack.pop_all(), _lines(events, folder / OUT), media_type="application/x-ndjson")
            try:
                async with aclosing(events):
                    async for _ in events:
                        if await request.is_disconnected():
                            return Response(status_code=CLIENT_LEFT)
            except JobError as error:
                raise HTTPException(504 if error.late else 415, str(error)) from None
            written, media_type = FILES[asked.format]
            content = await run_in_threadpool((folder / OUT / written).read_bytes)
            return Response(content, media_type=media_type)
        raise AssertionError("the stack hides no exceptions")

    return routes


class Owning(StreamingResponse):
    """A streaming response that closes what it needs when it has been sent, or will not be."""

    def __init__(self, stack: AsyncExitStack, content: AsyncIterator[bytes], media_type: str) -> None:
        super().__init__(content, media_type=media_type)
        self.stack = stack

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the response."""
        async with self.stack:
            await super().__call__(scope, receive, send)


async def _lines(events: AsyncGenerator[Progress], out: Path) -> AsyncIterator[bytes]:
    try:
        async with aclosing(events):
            async for event in events:
                yield _line(event.model_dump())
        yield _line(await run_in_threadpool(_result, out))
    except JobError as error:
        yield _line({"error": str(error)})


def _result(out: Path) -> dict[str, Any]:
    return {
        "summary": json.loads((out / "summary.json").read_text(encoding="utf-8")),
        "timeline": (out / "timeline.csv").read_text(encoding="utf-8"),
        "report": (out / "report.html").read_text(encoding="utf-8"),
    }


def _line(value: dict[str, Any]) -> bytes:
    return json.dumps(value).encode() + b"\n"
