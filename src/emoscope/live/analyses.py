"""`/v1/analyses`: recordings are taken, analysed one after the other, and their results kept for a while."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated, Any, Literal, get_args

from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.sse import EventSourceResponse
from pydantic import Field, StringConstraints
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.responses import FileResponse

from ..errors import EmoscopeError
from ..export.export import export
from .access import client_of
from .fetching import NotAllowed, NotFetched, Sources, TooLarge
from .jobs import Full, Job, Jobs
from .order import OUT, Order, Setup
from .parameters import Parameters
from .receiving import BODY, receive
from .schema import Analysis, AnalysisState, Problem
from .shares import Shares
from .uploads import REFUSALS

Name = Annotated[str, StringConstraints(min_length=1, max_length=100, pattern=r"^[^\x00-\x1f\x7f/\\]+$")]
Table = Literal["csv", "parquet", "elan", "textgrid", "srt", "vtt", "rttm"]
Format = Literal["report", "video", "summary", "evidence", Table]
KINDS: dict[str, str] = {
    "report": "text/html; charset=utf-8",
    "video": "video/mp4",
    "summary": "application/json",
    "evidence": "application/vnd.sqlite3",
    "csv": "text/csv; charset=utf-8",
    "parquet": "application/vnd.apache.parquet",
    "elan": "application/xml",
    "textgrid": "text/plain; charset=utf-8",
    "srt": "application/x-subrip",
    "vtt": "text/vtt; charset=utf-8",
    "rttm": "text/plain; charset=utf-8",
}
"""The media type of each format."""
FILES: dict[str, str] = {
    "report": "report.html", "video": "annotated.mp4", "summary": "summary.json", "evidence": "evidence.sqlite",
}  # fmt: skip
"""What the job writes; the others are made of that when they are asked for."""
NEEDS: dict[str, str] = {
    "parquet": "pyarrow", "elan": "pympi", "textgrid": "pympi", "srt": "pysubs2", "vtt": "pysubs2",
}  # fmt: skip
"""The package that writes a format."""

_PROBLEM = {"application/json": {"schema": {"$ref": f"#/components/schemas/{Problem.__name__}"}}}
"""Named, since FastAPI would give it the media type of the events."""
UNKNOWN: dict[int | str, dict[str, Any]] = {
    401: {"content": _PROBLEM, "description": "The token is missing or unknown"},
    404: {"content": _PROBLEM, "description": "There is no such analysis, or it was kept long enough"},
    422: {"content": _PROBLEM, "description": "A parameter is unknown or out of its range"},
}
UNFETCHED: dict[int | str, dict[str, Any]] = {
    403: {"model": Problem, "description": "`input_url` is none that this server may fetch from"},
    502: {"model": Problem, "description": "There is no recording at `input_url`, or it does not come"},
}
UNDONE: dict[int | str, dict[str, Any]] = {
    409: {"model": Problem, "description": "It is not done yet, it failed, or has no such result"}
}


class Asked(Parameters):
    """How a recording is analysed, what it is called, and what is wanted beside the tables."""

    name: Name | None = Field(None, description="what to call the recording [default: its file's name]")
    video: bool = Field(False, description="whether a video with what was read drawn in is wanted too")
    input_url: str | None = Field(
        None,
        max_length=2000,
        pattern=r"^https?://",
        description="where the recording is, instead of a body: an address that the server may fetch from",
    )


def router(jobs: Jobs, setup: Setup, shares: Shares, sources: Sources, kept: bool) -> APIRouter:
    """The routes of analyses; `sources` is what may be fetched, `kept` whether they outlive the server."""
    routes = APIRouter(prefix="/v1/analyses", tags=["analyses"])

    def known(id: str, request: Request) -> Job:
        try:
            return jobs.get(id, _owner(request))
        except KeyError:
            kept = f"results are kept for {jobs.keep_s:.0f} s"
            raise HTTPException(404, f"there is no such analysis; {kept}") from None

    Known = Annotated[Job, Depends(known)]

    def done(job: Known) -> Job:
        if job.record.state != "done":
            raise HTTPException(409, job.record.error or f"the analysis is {job.record.state}; ask again later")
        return job

    Done = Annotated[Job, Depends(done)]

    def state(job: Job) -> AnalysisState:
        record = job.record
        return AnalysisState(
            id=record.id,
            name=record.order.name,
            state=record.state,
            parameters=record.order.parameters,
            place=jobs.before(job),
            progress=job.progress if record.state == "running" else None,
            created=datetime.fromtimestamp(record.created, UTC),
            began=_when(record.began),
            ended=_when(record.ended),
            expires=_when(jobs.expires(job)),
            error=record.error,
            results=_results(job) if record.state == "done" else [],
        )

    @routes.post("", status_code=202, responses={**REFUSALS, **UNFETCHED}, openapi_extra={"requestBody": BODY})
    async def create_analysis(request: Request, response: Response, asked: Annotated[Asked, Query()]) -> AnalysisState:
        """Take a recording; what is found in it is there later.

        The answer comes as soon as the recording has come, with an `id` and its place in the queue.
        """
        try:
            with (
                shares.upload(client_of(request.scope)),
                jobs.arriving(_owner(request)) as arrival,
            ):  # before the body is read
                url = asked.input_url
                called = await (sources.fetch(url, arrival.folder) if url else receive(request, arrival.folder))
                name, plain = asked.name or called, asked.plain()
                order = Order(name=name, parameters=plain, setup=setup, report=True, video=asked.video, kept=kept)
                job = arrival.submit(order)
        except Full as full:
            raise HTTPException(503, str(full), {"retry-after": "10"}) from None
        except NotAllowed as error:
            raise HTTPException(403, str(error)) from None
        except TooLarge as error:
            raise HTTPException(413, str(error)) from None
        except NotFetched as error:
            raise HTTPException(502, str(error)) from None
        response.headers["location"] = f"{routes.prefix}/{job.record.id}"
        return state(job)

    @routes.get("/{id}", responses=UNKNOWN)
    async def get_analysis(job: Known) -> AnalysisState:
        """Where an analysis stands."""
        return state(job)

    @routes.get("/{id}/events", response_class=EventSourceResponse, responses=UNKNOWN)
    async def follow_analysis(job: Known) -> AsyncIterator[AnalysisState]:
        """Where an analysis stands, now and whenever that changes, as server-sent events; they end when it does."""
        async for now in jobs.watch(job):
            if not now.gone:
                yield state(now)

    @routes.get("/{id}/result", response_class=FileResponse, responses={200: {"model": Analysis}, **UNKNOWN, **UNDONE})
    async def get_result(job: Done) -> FileResponse:
        """What was found: the summary, and every observation."""
        return FileResponse(job.folder / OUT / "analysis.json", media_type="application/json")

    types: dict[str, Any] = {kind.partition(";")[0]: {} for kind in KINDS.values()}
    binary = {"schema": {"type": "string", "format": "binary"}}
    files: dict[int | str, dict[str, Any]] = {200: {"content": {"application/octet-stream": binary, **types}}}

    @routes.get("/{id}/files/{format}", response_class=FileResponse, responses={**files, **UNKNOWN, **UNDONE})
    async def get_file(job: Done, format: Format) -> FileResponse:
        """What was found as a file: the report, the video, a table, or for other programs."""
        if written := FILES.get(format):
            path = job.folder / OUT / written
        else:
            path = await run_in_threadpool(_exported, job.folder / OUT, format)
        if not path.is_file():
            raise HTTPException(409, f"this analysis has no {format}; it has {', '.join(_results(job))}")
        stem = Path(job.record.order.name).stem
        # what is shown in a browser is shown, the rest is saved
        shown = "inline" if format in ("report", "video") else "attachment"
        return FileResponse(
            path, media_type=KINDS[format], filename=f"{stem}{path.suffix}", content_disposition_type=shown
        )

    @routes.delete("/{id}", status_code=204, responses=UNKNOWN)
    async def delete_analysis(job: Known) -> None:
        """End an analysis, and remove everything that there is of it."""
        jobs.remove(job)

    return routes


def _owner(request: Request) -> str | None:
    client = client_of(request.scope)
    return client.name if client else None


def _exported(out: Path, format: Any) -> Path:
    """A file of other programs, made when it is first asked for."""
    try:
        return export(out, format)
    except EmoscopeError as error:
        raise HTTPException(409, str(error).replace(f"{out}: ", "")) from None


def _results(job: Job) -> list[str]:
    """The formats that there are of a job that is done."""
    written = [name for name, file in FILES.items() if (job.folder / OUT / file).is_file()]
    made = [name for name in get_args(Table) if name not in NEEDS or find_spec(NEEDS[name])]
    return [*written, *made]


def _when(seconds: float | None) -> datetime | None:
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC)
