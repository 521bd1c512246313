"""What keeps other pages and large bodies out: middleware around the whole server."""

import time
from collections.abc import Collection
from urllib.parse import urlsplit

import anyio
from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ..report.player import script

HEADERS = {
    # The report that is opened from the page has styles of its own, and one script, which is known; no other may run.
    "content-security-policy": f"default-src 'self'; script-src 'self' '{script()[1]}'; img-src 'self' blob: data:; "
    "media-src 'self' blob:; style-src 'self' 'unsafe-inline'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'",
    "cross-origin-opener-policy": "same-origin",
    "permissions-policy": "camera=(self), microphone=(self)",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "cache-control": "no-store",
}

LEAST_BYTES_S = 16 << 10
"""Bytes a second that a body must come at: a tenth of what a slow telephone sends."""
PATIENCE_S = 5.0
"""Seconds that a body may be behind, or a client may pause."""


class SameOrigin:
    """Refuses what a browser sends on behalf of another site's page, WebSockets included, with status 403.

    Browsers name the page's origin; programs that are no browsers name none, and are let through.

    Args:
        app: what is guarded.
        allowed: origins, as `https://app.example`, whose pages are let in too.
    """

    def __init__(self, app: ASGIApp, allowed: Collection[str] = ()) -> None:
        self.app = app
        self.allowed = {origin.lower() for origin in allowed}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on or refuse it."""
        if scope["type"] in ("http", "websocket"):
            headers = Headers(scope=scope)
            origin = headers.get("origin")
            if origin is not None and not self._own(origin.lower(), headers.get("host", "").lower()):
                await _refuse(scope, receive, send)
                return
        await self.app(scope, receive, send)

    def _own(self, origin: str, host: str) -> bool:
        return origin in self.allowed or urlsplit(origin).netloc == host


async def _refuse(scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] == "websocket":
        await receive()
        await send({"type": "websocket.close", "code": 1008})  # before it is accepted: status 403
        return
    refusal = JSONResponse({"detail": "requests from other sites' pages are refused"}, 403)
    await refusal(scope, receive, send)


class SmallBodies:
    """Ends a request with status 413 as soon as its body is larger than `most` bytes."""

    def __init__(self, app: ASGIApp, most: int) -> None:
        self.app = app
        self.most = most

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, its body counted."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        stated = Headers(scope=scope).get("content-length", "0")
        if stated.isdecimal() and int(stated) > self.most:
            await JSONResponse({"detail": self._complaint}, 413)(scope, receive, send)
            return
        come = 0

        async def counted() -> Message:
            nonlocal come
            message = await receive()
            come += len(message.get("body", b""))
            if come > self.most:
                raise HTTPException(413, self._complaint)
            return message

        await self.app(scope, counted, send)

    @property
    def _complaint(self) -> str:
        return f"the upload is too large; expected at most {self.most >> 20} MiB"


class SteadyBodies:
    """Ends a request with status 408 when its body comes more slowly than `least` bytes a second.

    Only the time that the server waits for the client counts. A body that came fast at first may not
    trickle later: what it is ahead is kept for `patience` seconds at most.

    Args:
        app: what is guarded.
        least: bytes a second.
        patience: seconds that a body may be behind.
    """

    def __init__(self, app: ASGIApp, least: float = LEAST_BYTES_S, patience: float = PATIENCE_S) -> None:
        self.app = app
        self.least = least
        self.patience = patience

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, its body timed."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        left = self.patience
        whole = False

        async def timed() -> Message:
            nonlocal left, whole
            if whole:
                return await receive()  # that the client leaves may take as long as it likes
            asked = time.monotonic()
            try:
                with anyio.fail_after(left):
                    message = await receive()
            except TimeoutError:
                raise HTTPException(408, self._complaint, {"connection": "close"}) from None
            come = len(message.get("body", b"")) / self.least
            left = min(self.patience, left - (time.monotonic() - asked) + come)
            whole = not message.get("more_body", False)
            return message

        await self.app(scope, timed, send)

    @property
    def _complaint(self) -> str:
        return f"the upload comes too slowly; expected at least {self.least / 1024:.0f} KiB a second"


class SafeHeaders:
    """Adds `HEADERS` to every response."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, the headers of its response completed."""

        async def completed(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(HEADERS)
            await send(message)

        await self.app(scope, receive, completed)
