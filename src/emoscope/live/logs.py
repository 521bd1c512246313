"""Log lines as JSON, and what gives each request an id, a count and a line: nothing in them is of a person."""

import json
import logging
import re
import sys
import time
import traceback
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from .metrics import Metrics

_log = logging.getLogger("emoscope.live.requests")
ID = "x-request-id"
_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
OTHER = "other"
"""Stands for every address that is none of the server's, however many are tried."""
METHODS = ("GET", "POST", "DELETE", "HEAD", "OPTIONS", "PUT", "PATCH")


class JsonLines(logging.Formatter):
    """A line of JSON a record. Of an exception it has the kind and where it was raised, not its words or values."""

    def format(self, record: logging.LogRecord) -> str:
        """The record as one line."""
        line: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage().partition("\n")[0],
            **getattr(record, "facts", {}),
        }
        if record.exc_info and record.exc_info[0]:
            line["error"] = record.exc_info[0].__name__
            line["at"] = [f"{f.filename}:{f.lineno} {f.name}" for f in traceback.extract_tb(record.exc_info[2])]
        return json.dumps(line)


def log_json() -> None:
    """Write all log lines of this process to standard error as JSON, a line for each request among them."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines())
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
    _log.setLevel(logging.INFO)


class Requests:
    """Gives each request an id, which is the client's own if it sent one, counts it, and logs it.

    The line has the route, not the address: an analysis's id opens it.

    Args:
        app: what answers.
        metrics: where it is counted.
    """

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self.app = app
        self.metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, watched."""
        if scope["type"] not in ("http", "websocket"):
            await self.app(scope, receive, send)
            return
        own = Headers(scope=scope).get(ID, "")
        id = own if _ID.fullmatch(own) else uuid4().hex
        began, status, sent = time.monotonic(), 0, 0

        async def watched(message: Message) -> None:
            nonlocal status, sent
            if message["type"] in ("http.response.start", "websocket.accept"):
                status = message.get("status", 101)
                MutableHeaders(scope=message)[ID] = id
            elif message["type"] == "websocket.close" and not status:
                status = 403
            sent += len(message.get("body", b""))
            await send(message)

        try:
            await self.app(scope, receive, watched)
        finally:
            seconds = time.monotonic() - began
            method, route, status = _method(scope), _route(scope), status or 500
            self.metrics.answered(method, route, status, seconds)
            facts = {"request_id": id, "method": method, "route": route, "status": status, "bytes": sent}
            _log.info("request", extra={"facts": {**facts, "ms": round(seconds * 1000, 1)}})


def _method(scope: Scope) -> str:
    method = scope.get("method", "WEBSOCKET")
    return method if method in (*METHODS, "WEBSOCKET") else OTHER


def _route(scope: Scope) -> str:
    """The route that answered, as `/v1/analyses/{id}`."""
    path = getattr(scope.get("route"), "path", None)
    if path is None and scope["path"].startswith("/static/"):
        return "/static"
    return str(path or OTHER)
