"""`emoscope live`: the server on this machine."""

import ipaddress
import socket
import ssl
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import cv2
import uvicorn

from ..errors import EmoscopeError
from .app import LOOPBACK, Settings, create_app
from .ledger import Ledger
from .logs import log_json
from .protocol import LARGEST_MESSAGE


@dataclass(frozen=True)
class Address:
    """Where the server listens.

    Attributes:
        host: the address to listen on.
        port: 0 for a free one.
        insecure: whether others may reach it though it asks nobody for a token.
        tls_cert: PEM file of the certificate and those above it; with `tls_key` the server speaks https.
        tls_key: PEM file of its key.
        connections: at once, of whatever kind; one more is answered with status 503.
        log: `text`: warnings alone; `json`: a line a request too.
    """

    host: str = "127.0.0.1"
    port: int = 0
    insecure: bool = False
    tls_cert: Path | None = None
    tls_key: Path | None = None
    connections: int = 64
    log: Literal["text", "json"] = "text"


def serve(address: Address, settings: Settings, tell: Callable[[str], None]) -> None:
    """Serve until the process is told to end.

    Args:
        address: where.
        settings: of the application.
        tell: told the page's address, the limits, and a warning where others can reach it.

    Raises:
        EmoscopeError: the address or a model cannot be had, or everybody could reach the server and that was not said.
    """
    local = _is_loopback(address.host)
    if not (local or settings.clients or address.insecure):
        raise EmoscopeError(
            f"everybody who reaches {address.host} could use this server; give clients tokens with --token-file, or "
            "say --insecure"
        )
    _check_tls(address)
    if settings.jobs:
        with Ledger(settings.jobs) as ledger:  # what is wrong with it is said now, and in one line
            ledger.all()
    app = create_app(settings, LOOPBACK if local else ("*",))
    cv2.setNumThreads(1)  # a stream has one thread: its detector's would take the other streams' cores
    with _listen(address.host, address.port) as listener:
        shown = f"[{address.host}]" if ":" in address.host else address.host
        scheme = "https" if address.tls_cert else "http"
        tell(f"emoscope live: {scheme}://{shown}:{listener.getsockname()[1]}/  (Ctrl+C ends it)")
        tell(_limits(address, settings))
        if not local and not settings.clients:
            tell("everybody who reaches this address can use it")
        if not local and not address.tls_cert:
            tell("what is sent can be read on its way, and browsers give a page no camera: put TLS in front")
        if address.log == "json":
            log_json()
        config = uvicorn.Config(
            app,
            log_level="warning",
            log_config=uvicorn.config.LOGGING_CONFIG if address.log == "text" else None,
            access_log=False,
            server_header=False,
            ws="websockets-sansio",
            ws_max_size=LARGEST_MESSAGE,
            ws_per_message_deflate=False,  # pictures are compressed already
            limit_concurrency=address.connections,
            ssl_certfile=address.tls_cert,
            ssl_keyfile=address.tls_key,
            timeout_graceful_shutdown=2,
        )
        with suppress(KeyboardInterrupt):
            uvicorn.Server(config).run(sockets=[listener])


def _limits(address: Address, settings: Settings) -> str:
    """What clients may have, in one line."""
    job = settings.limits
    cpu = f"{job.cpu_s} s of CPU time" if job.cpu_s else "any CPU time"
    where = f"in {settings.jobs}" if settings.jobs else "not over a restart"
    asked = f"{len(settings.clients)} tokens" if settings.clients else "no token is asked for"
    return (
        f"limits: {address.connections} connections, {settings.sessions} streams, {settings.analyses} analyses at once "
        f"and {settings.queue} waiting; uploads of {settings.upload_bytes >> 20} MiB; an analysis may take "
        f"{settings.analysis_s / 60:g} min, {cpu} and {job.memory / (1 << 30):g} GiB of address space; its results are "
        f"kept for {settings.keep_s:g} s, {where}; {asked}"
    )


def _check_tls(address: Address) -> None:
    """See that certificate and key fit, before uvicorn says it in many lines.

    Raises:
        EmoscopeError: one is missing, cannot be read, or does not fit the other.
    """
    if (address.tls_cert is None) != (address.tls_key is None):
        raise EmoscopeError("TLS needs both: --tls-cert and --tls-key")
    if address.tls_cert:
        try:
            ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(address.tls_cert, address.tls_key)
        except OSError as error:  # ssl.SSLError is one
            why = getattr(error, "reason", None) or error.strerror or error
            raise EmoscopeError(f"{address.tls_cert}, {address.tls_key}: no certificate with its key: {why}") from None


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _listen(host: str, port: int) -> socket.socket:
    try:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        listener = socket.create_server(address[:2], family=family)
    except OSError as error:
        raise EmoscopeError(
            f"cannot listen on {host} port {port}: {error.strerror or error}; name another with --host or --port"
        ) from None
    return listener
