"""Who may use the server: clients, each with a token and limits of its own."""

import hmac
import tomllib
from collections.abc import Iterable
from hashlib import sha256
from http.cookies import CookieError, SimpleCookie
from pathlib import Path
from urllib.parse import parse_qs, urlencode

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError
from starlette.datastructures import Headers
from starlette.responses import JSONResponse, PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from ..errors import EmoscopeError

OPEN = ("/health", "/health/live", "/health/ready")
"""Paths that need no token: who watches the server asks them."""
COOKIE = "emoscope-token"
PROTOCOL = "emoscope"
"""The WebSocket's subprotocol, beside which a page elsewhere offers `bearer.TOKEN`: it cannot send a header."""
CLIENT = "emoscope.client"
"""Where the scope of a request has its client."""


class Client(BaseModel):
    """One client.

    Attributes:
        token: at least 16 characters; `python -c "import secrets; print(secrets.token_urlsafe())"` makes one.
        streams: live streams at once; by default as many as the server has.
        analyses: analyses at once, waiting ones included; by default as many as the server has.
    """

    model_config = ConfigDict(extra="forbid")

    name: str = ""
    token: str = Field(min_length=16, pattern=r"^[A-Za-z0-9._~-]+$")
    streams: int | None = Field(None, ge=0)
    analyses: int | None = Field(None, ge=0)


def read_clients(path: Path) -> list[Client]:
    """The clients of a TOML file: a table each, under its name.

    Raises:
        EmoscopeError: the file cannot be read, or is no such file.
    """
    try:
        found = TypeAdapter(dict[str, Client]).validate_python(tomllib.loads(path.read_text(encoding="utf-8")))
    except OSError as error:
        raise EmoscopeError(f"{path}: cannot be read: {error.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise EmoscopeError(f"{path}: is no TOML: {error}") from None
    except ValidationError as error:
        first = error.errors(include_input=False)[0]  # not the token
        where = ".".join(str(part) for part in first["loc"])
        raise EmoscopeError(f"{path}: {where}: {first['msg']}; expected [NAME] with token, streams, analyses") from None
    if not found:
        raise EmoscopeError(f"{path}: names no client; expected [NAME] with token, streams, analyses")
    for name, client in found.items():
        client.name = name
    return list(found.values())


class Tokens:
    """Lets in who has a token; others are answered 401.

    A program sends it as `Authorization: Bearer TOKEN`. The server's own page is opened as `/?token=TOKEN`, which
    leaves a cookie that no script can read and no other site's page can send.

    Args:
        app: what is guarded.
        clients: who may come in.
    """

    def __init__(self, app: ASGIApp, clients: Iterable[Client]) -> None:
        self.app = app
        self.known = [(_digest(client.token), client) for client in clients]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, its client named, or refuse it."""
        if scope["type"] not in ("http", "websocket") or scope["path"] in OPEN:
            await self.app(scope, receive, send)
            return
        query = parse_qs(scope.get("query_string", b"").decode("latin-1"))
        if scope["type"] == "http" and scope["path"] == "/" and (tokens := query.pop("token", None)):
            await self._welcome(tokens[0], scope, urlencode(query, doseq=True))(scope, receive, send)
            return
        client = self._whose(_token(scope))
        if client is None:
            await _refuse(scope, receive, send)
            return
        scope[CLIENT] = client
        await self.app(scope, receive, send)

    def _whose(self, token: str) -> Client | None:
        """Whose a token is; every client's is compared, in a time that does not depend on it."""
        digest, found = _digest(token), None
        for known, client in self.known:
            if hmac.compare_digest(known, digest):
                found = client
        return found

    def _welcome(self, token: str, scope: Scope, query: str) -> Response:
        """To the page without the token in its address, which others might see."""
        if self._whose(token) is None:
            return PlainTextResponse("this token is not known\n", 401)
        response = RedirectResponse(f"/?{query}" if query else "/", 303)
        response.set_cookie(COOKIE, token, httponly=True, samesite="strict", secure=scope["scheme"] == "https")
        return response


def client_of(scope: Scope) -> Client | None:
    """The client of a request; `None` where the server asks nobody for a token."""
    found: Client | None = scope.get(CLIENT)
    return found


def offered(scope: Scope) -> list[str]:
    """The subprotocols that a WebSocket offers."""
    found: list[str] = scope.get("subprotocols") or []
    return found


def _token(scope: Scope) -> str:
    headers = Headers(scope=scope)
    kind, _, token = headers.get("authorization", "").partition(" ")
    if kind.lower() == "bearer":
        return token.strip()
    for protocol in offered(scope):
        if protocol.startswith("bearer."):
            return protocol.removeprefix("bearer.")
    try:
        cookie = SimpleCookie(headers.get("cookie", "")).get(COOKIE)
    except CookieError:
        return ""
    return cookie.value if cookie else ""


def _digest(token: str) -> bytes:
    """Of equal length for all: how long a token is, is not told either."""
    return sha256(token.encode("utf-8", "surrogatepass")).digest()


async def _refuse(scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] == "websocket":
        await receive()
        await send({"type": "websocket.close", "code": 1008})  # before it is accepted: status 403
        return
    detail = "expected a token, as `Authorization: Bearer TOKEN`, or for the page as /?token=TOKEN"
    refusal = JSONResponse({"detail": detail}, 401, {"www-authenticate": "Bearer"})
    await refusal(scope, receive, send)
