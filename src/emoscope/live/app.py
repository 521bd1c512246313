"""The server: the page, the WebSocket, uploads and health."""

import json
from collections.abc import AsyncIterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from importlib.metadata import version
from pathlib import Path

import anyio
from fastapi import FastAPI, WebSocket
from fastapi.staticfiles import StaticFiles
from jinja2 import Environment, FileSystemLoader, select_autoescape
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.responses import HTMLResponse, Response

from ..models import Device
from ..report.palette import colours
from ..session import Session
from . import analyses, uploads
from .access import PROTOCOL, Client, Tokens, client_of, offered
from .fetching import Sources
from .guard import SafeHeaders, SameOrigin, SmallBodies, SteadyBodies
from .jobs import Jobs
from .logs import Requests
from .metrics import Metrics
from .order import Limits, Setup
from .problems import HANDLERS
from .protocol import Start
from .schema import VERSION, Alive, Health, Problem
from .shares import Shares
from .sockets import BUSY, Conversation, Seats, refuse
from .stream import Stream
from .uploads import DENIED, Workbench

PAGE = Path(__file__).parent / "page"
LOOPBACK = ("127.0.0.1", "localhost", "::1", "[::1]")


@dataclass(frozen=True)
class Settings:
    """What the server uses, and how much of it clients may have.

    Attributes:
        face_model: a name, or the path of a model.
        voice_model: a name, or the path of a model.
        device: where the models run.
        sessions: WebSockets at once.
        analyses: analyses at once.
        queue: analyses that may wait.
        upload_bytes: of one upload.
        analysis_s: seconds that one analysis may take.
        keep_s: seconds that the results of an analysis under /v1 are kept.
        jobs: the folder in which those are kept, also over a restart; by default a temporary one.
        limits: what the process of one analysis may take.
        clients: who may use the server; by default everybody who reaches it.
        urls: beginnings of addresses from which recordings may be fetched.
        origins: of pages elsewhere that may use it, as `https://app.example`.
    """

    face_model: str = "face"
    voice_model: str = "voice"
    device: Device = "auto"
    sessions: int = 4
    analyses: int = 2
    queue: int = 16
    upload_bytes: int = 512 << 20
    analysis_s: float = 1800.0
    keep_s: float = 3600.0
    jobs: Path | None = None
    limits: Limits = field(default_factory=Limits)
    clients: Sequence[Client] = ()
    urls: Sequence[str] = ()
    origins: Sequence[str] = ()


def create_app(settings: Settings | None = None, hosts: Sequence[str] = LOOPBACK) -> FastAPI:
    """The ASGI application.

    Args:
        settings: by default, those of `Settings`.
        hosts: names under which it may be asked for: a page elsewhere cannot reach it under a name of its own.

    Raises:
        ModelError: a model is unknown, damaged, or of the other kind.
    """
    settings = settings or Settings()
    # loaded once, and now rather than when the first client comes
    session = Stream(
        Start(camera=True, microphone=True, rate=16_000), settings.face_model, settings.voice_model, settings.device
    ).session
    models = session.models
    make = partial(Stream, face_model=models["face"], voice_model=models["voice"])
    seats = Seats(settings.sessions)
    bench = Workbench(settings.analyses, settings.analysis_s)
    room = settings.upload_bytes + settings.limits.file
    jobs = Jobs(bench.places, settings.analysis_s, settings.queue, settings.keep_s, room)
    setup = Setup(
        face_model=settings.face_model,
        voice_model=settings.voice_model,
        device=settings.device,
        limits=settings.limits,
    )
    shares = Shares(jobs)
    metrics = Metrics(lambda: seats.taken, lambda: bench.taken, lambda: len(jobs.queued))
    jobs.ended = metrics.ended
    executor = ThreadPoolExecutor(settings.sessions, "stream")

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        with bench.open() as folder, jobs.open(settings.jobs or folder):
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(jobs.run)
                yield
                tasks.cancel_scope.cancel()
        executor.shutdown(wait=False, cancel_futures=True)

    app = FastAPI(
        title="emoscope",
        version=VERSION,
        description="Emotion from faces and voices. The scores are a model's guess about expression.",
        docs_url=None,  # its page asks other hosts for its scripts
        redoc_url=None,
        lifespan=lifespan,
        generate_unique_id_function=lambda route: route.name,  # what a generated client calls its functions
        middleware=[
            Middleware(Requests, metrics=metrics),
            Middleware(SafeHeaders),
            Middleware(TrustedHostMiddleware, allowed_hosts=list(hosts), www_redirect=False),
            *_cross_origin(settings.origins),
            Middleware(SameOrigin, allowed=settings.origins),
            *([Middleware(Tokens, clients=settings.clients)] if settings.clients else []),
            Middleware(SmallBodies, most=settings.upload_bytes),
            Middleware(SteadyBodies),
        ],
        exception_handlers=dict(HANDLERS),
    )
    app.mount("/static", StaticFiles(directory=PAGE / "static"), name="static")
    sources = Sources(settings.urls, settings.upload_bytes)
    app.include_router(uploads.router(bench, setup, shares))
    app.include_router(analyses.router(jobs, setup, shares, sources, kept=settings.jobs is not None))
    page = _page(session, local="*" not in hosts)

    @app.get("/", include_in_schema=False)
    async def index() -> HTMLResponse:
        return HTMLResponse(page)

    @app.get("/health")
    async def get_health() -> Health:
        """Whether the server runs, and how busy it is."""
        return Health(
            status="ok",
            version=version("emoscope"),
            sessions=seats.taken,
            most_sessions=seats.most,
            analyses=bench.taken,
            most_analyses=bench.most,
            queued=len(jobs.queued),
            most_queued=settings.queue,
        )

    @app.get("/health/live")
    async def get_live() -> Alive:
        """That the server runs."""
        return Alive(status="ok")

    @app.get("/health/ready", responses={503: {"model": Problem, "description": "It can take no work at present"}})
    async def get_ready() -> Alive:
        """That the server can take work: its models are loaded, and the disk has room."""
        if not jobs.has_room:
            raise HTTPException(503, "the server's disk is full")
        return Alive(status="ok")

    @app.get("/metrics", response_class=Response, responses={200: {"content": {"text/plain": {}}}, **DENIED})
    async def get_metrics() -> Response:
        """What the server counts and times, for Prometheus."""
        return metrics.page()

    @app.websocket("/live")
    async def live(socket: WebSocket) -> None:
        await socket.accept(PROTOCOL if PROTOCOL in offered(socket.scope) else None)
        with shares.stream(client_of(socket.scope)) as allowed:
            if not allowed or seats.full:
                whose = f"all {seats.most} sessions of this server" if allowed else "all sessions of this token"
                await refuse(socket, f"{whose} are in use; try again later", BUSY)
                return
            with seats:
                await Conversation(socket, make, executor, metrics).run()

    return app


def _cross_origin(origins: Sequence[str]) -> list[Middleware]:
    """What tells browsers that pages of these origins may read the answers."""
    if not origins:
        return []
    return [
        Middleware(
            CORSMiddleware,
            allow_origins=list(origins),
            allow_methods=["GET", "POST", "DELETE"],
            allow_headers=["authorization", "content-type"],
            expose_headers=["location", "retry-after", "content-disposition"],
        )
    ]


def _page(session: Session, local: bool) -> str:
    """The page; `local` says whether it is served to this machine alone."""
    environment = Environment(loader=FileSystemLoader(PAGE), autoescape=select_autoescape(["jinja"]))
    painted = colours(session.labels)
    facts = json.dumps({"emotions": session.labels, "colours": painted, "columns": session.columns})
    return environment.get_template("index.html.jinja").render(
        colours=painted,
        models=[model.card for model in session.models.values()],
        version=version("emoscope"),
        local=local,
        facts=facts.replace("<", "\\u003c"),  # nothing in it can end the script element
    )
