"""What is answered where something goes wrong: one line, whatever it is."""

from collections.abc import Callable, Coroutine
from typing import Any

from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Match, Route

CLIENT_LEFT = 499
"""The status of an answer that nobody waits for any more, as web servers log it."""
MOST = 3
"""Mistakes of one request that are told."""


async def left(request: Request, error: Exception) -> Response:
    """The answer to a client that went away while it sent: nobody's, and no traceback in the log."""
    return Response(status_code=CLIENT_LEFT)


async def malformed(request: Request, error: Exception) -> Response:
    """Which parameters are wrong, and how; not what was sent."""
    assert isinstance(error, RequestValidationError)
    told = [
        f"{'.'.join(str(part) for part in e['loc'][1:]) or 'the query'}: {e['msg'].removeprefix('Value error, ')}"
        for e in error.errors()[:MOST]
    ]
    return JSONResponse({"detail": "; ".join(told)}, 422)


async def not_allowed(request: Request, error: Exception) -> Response:
    """Which methods there are at all: Starlette tells those of the first route alone."""
    assert isinstance(error, HTTPException)
    found = [r for r in request.app.routes if isinstance(r, Route) and r.matches(request.scope)[0] is Match.PARTIAL]
    methods = sorted({method for route in found for method in route.methods or ()})
    return JSONResponse({"detail": error.detail}, 405, {"allow": ", ".join(methods)})


Handler = Callable[[Request, Any], Coroutine[Any, Any, Response]]
HANDLERS: dict[int | type[Exception], Handler] = {
    ClientDisconnect: left,
    RequestValidationError: malformed,
    405: not_allowed,
}
