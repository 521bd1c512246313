"""`emoscope live`: the server on this machine."""

import ipaddress
import socket
from collections.abc import Callable
from contextlib import suppress

import cv2
import uvicorn

from ..errors import EmoscopeError
from .app import LOOPBACK, Settings, create_app
from .ledger import Ledger
from .protocol import LARGEST_MESSAGE

MOST_CONNECTIONS = 64
"""Connections at once, of whatever kind; one more is answered with status 503."""


def serve(host: str, port: int, settings: Settings, tell: Callable[[str], None]) -> None:
    """Serve until the process is told to end.

    Args:
        host: the address to listen on.
        port: 0 for a free one.
        settings: of the application.
        tell: told the page's address, and a warning where others can reach it.

    Raises:
        EmoscopeError: the address cannot be had, or a model cannot.
    """
    local = _is_loopback(host)
    if settings.jobs:
        with Ledger(settings.jobs) as ledger:  # what is wrong with it is said now, and in one line
            ledger.all()
    app = create_app(settings, LOOPBACK if local else ("*",))
    cv2.setNumThreads(1)  # a stream has one thread: its detector's would take the other streams' cores
    with _listen(host, port) as listener:
        shown = f"[{host}]" if ":" in host else host
        tell(f"emoscope live: http://{shown}:{listener.getsockname()[1]}/  (Ctrl+C ends it)")
        if not local:
            tell("everybody who reaches this address can use it, and browsers give it no camera: put TLS in front")
        config = uvicorn.Config(
            app,
            log_level="warning",
            access_log=False,
            server_header=False,
            ws="websockets-sansio",
            ws_max_size=LARGEST_MESSAGE,
            ws_per_message_deflate=False,  # pictures are compressed already
            limit_concurrency=MOST_CONNECTIONS,
            timeout_graceful_shutdown=2,
        )
        with suppress(KeyboardInterrupt):
            uvicorn.Server(config).run(sockets=[listener])


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
