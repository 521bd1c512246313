"""`POST /analyze`: a file is uploaded, analysed in a process of its own, and forgotten."""

import asyncio
import json
import os
import shutil
import sys
import tempfile
import time
from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Sequence
from contextlib import AsyncExitStack, aclosing, asynccontextmanager, contextmanager
from pathlib import Path
from typing import Annotated, Any, BinaryIO, Literal

import anyio
from fastapi import APIRouter, Query, Request, Response
from pydantic import StringConstraints
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException
from starlette.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from .schema import Analysis, Problem

Format = Literal["json", "csv", "report", "events"]
_CLOCK = r"\d{1,6}(:\d\d){0,2}(\.\d{1,3})?"
Neutral = Annotated[str, StringConstraints(pattern=rf"^{_CLOCK}-{_CLOCK}(@\d{{1,6}})?$")]
"""`0:05-0:12` or `0:05-0:12@1`."""

FILES: dict[Format, tuple[str, str]] = {
    "json": ("analysis.json", "application/json"),
    "csv": ("timeline.csv", "text/csv; charset=utf-8"),
    "report": ("report.html", "text/html; charset=utf-8"),
}
"""What answers each format: the file that the job writes, and its media type."""

BODY: dict[str, Any] = {
    "required": True,
    "content": {
        "multipart/form-data": {
            "schema": {
                "type": "object",
                "required": ["file"],
                "additionalProperties": False,
                "properties": {"file": {"type": "string", "format": "binary", "description": "the recording"}},
            }
        }
    },
}
ANSWERS: dict[int | str, dict[str, Any]] = {
    200: {
        "model": Analysis,
        "description": "What was found, in the format that was asked for",
        "content": {"text/csv": {}, "text/html": {}, "application/x-ndjson": {}},
    },
    400: {"model": Problem, "description": "The body is no form with a file"},
    408: {"model": Problem, "description": "The upload came too slowly"},
    413: {"model": Problem, "description": "The upload is too large"},
    415: {"model": Problem, "description": "The file is no media, or damaged"},
    503: {"model": Problem, "description": "Too many analyses are under way"},
    504: {"model": Problem, "description": "The analysis took too long"},
}
"""The request's body and the answers, as OpenAPI describes them. Described to FastAPI, the body would be read first."""

PREFIX = "emoscope-live-"
RECEIVED_WITHIN_S = 600.0
LONGEST_NAME = 100
CLIENT_LEFT = 499
"""The status of an answer that nobody waits for any more, as web servers log it."""


class Workbench:
    """Where uploads lie while they are analysed, and how many there may be.

    Args:
        most: analyses at once.
        longest_s: seconds that one may take.
    """

    def __init__(self, most: int, longest_s: float) -> None:
        self.most = most
        self.longest_s = longest_s
        self.taken = 0
        self.folder: Path | None = None

    @contextmanager
    def open(self) -> Iterator[None]:
        """Have a folder for as long as the server runs; folders of servers that were killed are removed."""
        _sweep()
        with tempfile.TemporaryDirectory(prefix=f"{PREFIX}{os.getpid()}-", ignore_cleanup_errors=True) as folder:
            self.folder = Path(folder)
            yield

    @asynccontextmanager
    async def place(self) -> AsyncIterator[Path]:
        """A place, and a folder of its own, which is removed at the end.

        Raises:
            HTTPException: all places are taken.
        """
        if self.taken >= self.most:
            raise HTTPException(503, f"{self.most} analyses are under way; try again later", {"retry-after": "10"})
        self.taken += 1
        try:
            with tempfile.TemporaryDirectory(dir=self.folder, ignore_cleanup_errors=True) as folder:
                yield Path(folder)
        finally:
            self.taken -= 1


async def receive(request: Request, folder: Path) -> tuple[Path, str]:
    """Read the form of a request; returns where its file lies now, and what the client calls it.

    Raises:
        HTTPException: 400 if there is no file in it, 408 if it does not come within `RECEIVED_WITHIN_S`.
    """
    try:
        with anyio.fail_after(RECEIVED_WITHIN_S):
            async with request.form(max_files=1, max_fields=0) as form:
                file = form.get("file")
                if not isinstance(file, UploadFile) or len(form) > 1:
                    raise HTTPException(
                        400, "expected a form (multipart/form-data) with a file in the field `file` and nothing else"
                    )
                path = folder / "upload"
                await run_in_threadpool(_save, file.file, path)
                return path, _readable(file.filename)
    except TimeoutError:
        raise HTTPException(408, f"the upload did not come within {RECEIVED_WITHIN_S:.0f} s") from None


def _save(file: BinaryIO, path: Path) -> None:
    with path.open("wb") as target:
        shutil.copyfileobj(file, target, 1 << 20)


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


async def analyse(
    path: Path, name: str, report: bool, longest_s: float, options: Sequence[str]
) -> AsyncGenerator[dict[str, Any]]:
    """Run the job on a file; what it writes lies in `path.parent / "out"` afterwards.

    Yields:
        Its progress: `step`, `done_s` and, where it is known, `total_s`.

    Raises:
        HTTPException: 415 with the job's one line, or 504 after `longest_s` seconds.
    """
    wanted = [*options, *(["report"] if report else [])]
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "emoscope.live.job", str(path), name, str(path.parent / "out"), *wanted,
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    assert process.stdout
    ends = time.monotonic() + longest_s
    try:
        while line := await asyncio.wait_for(process.stdout.readline(), ends - time.monotonic()):
            event = json.loads(line)
            if "error" in event:
                raise HTTPException(415, event["error"])
            yield event
        await asyncio.wait_for(process.wait(), ends - time.monotonic())
    except TimeoutError:
        raise HTTPException(504, f"{name}: the analysis took longer than {longest_s:.0f} s") from None
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if process.returncode:
        raise HTTPException(415, f"{name}: the analysis broke off; the file may be damaged or too large")


def router(bench: Workbench, options: Sequence[str]) -> APIRouter:
    """The route of uploads; `options` are the job's, as `face-model=NAME`."""
    routes = APIRouter()

    @routes.post("/analyze", response_class=Response, responses=ANSWERS, openapi_extra={"requestBody": BODY})
    async def analyze(
        request: Request,
        format: Annotated[
            Format,
            Query(
                description="`json`: summary and observations; `csv`: the timeline; `report`: the page; `events`: "
                "lines of JSON, first the progress, last the summary, the timeline as csv and the report"
            ),
        ] = "json",
        baseline: Annotated[
            Literal["recording", "causal", "none"],
            Query(
                description="what everybody is read against: what the recording shows of them, what came before, none"
            ),
        ] = "recording",
        neutral: Annotated[
            list[Neutral] | None,
            Query(description="when somebody is known to be neutral: `0:05-0:12`, or of person 1 `0:05-0:12@1`"),
        ] = None,
        mix: Annotated[
            Literal["even", "everyday"],
            Query(description="how often each emotion is expected: alike, or mostly neutral"),
        ] = "even",
    ) -> Response:
        """Read the emotions in a video, a sound file or a picture. It is kept only until the answer is sent."""
        async with AsyncExitStack() as stack:
            folder = await stack.enter_async_context(bench.place())  # before the body is read
            path, name = await receive(request, folder)
            reading = [f"baseline={baseline}", f"mix={mix}", *(f"neutral={span}" for span in neutral or ())]
            wanted = [*options, *reading]
            events = analyse(path, name, format in ("report", "events"), bench.longest_s, wanted)
            if format == "events":
                return Owning(stack.pop_all(), _lines(events, folder / "out"), media_type="application/x-ndjson")
            async with aclosing(events):
                async for _ in events:
                    if await request.is_disconnected():
                        return Response(status_code=CLIENT_LEFT)
            written, media_type = FILES[format]
            content = await run_in_threadpool((folder / "out" / written).read_bytes)
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


async def _lines(events: AsyncGenerator[dict[str, Any]], out: Path) -> AsyncIterator[bytes]:
    try:
        async with aclosing(events):
            async for event in events:
                yield _line(event)
        yield _line(await run_in_threadpool(_result, out))
    except HTTPException as error:
        yield _line({"error": error.detail})


def _result(out: Path) -> dict[str, Any]:
    return {
        "summary": json.loads((out / "summary.json").read_text(encoding="utf-8")),
        "timeline": (out / "timeline.csv").read_text(encoding="utf-8"),
        "report": (out / "report.html").read_text(encoding="utf-8"),
    }


def _line(value: dict[str, Any]) -> bytes:
    return json.dumps(value).encode() + b"\n"


def _readable(name: str | None) -> str:
    """The client's name for the file, to show and for nothing else."""
    shown = "".join(c for c in Path(name or "").name if c.isprintable())
    return shown[:LONGEST_NAME] or "upload"
