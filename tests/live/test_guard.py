from collections.abc import Iterator

import anyio
import pytest
from fastapi import FastAPI
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.testclient import TestClient
from starlette.types import Message, Receive, Scope, Send
from starlette.websockets import WebSocketDisconnect

from emoscope.live.app import create_app
from emoscope.live.guard import SteadyBodies
from emoscope.live.jobs import Jobs
from emoscope.live.order import Setup
from emoscope.live.problems import CLIENT_LEFT
from emoscope.live.serve import _is_loopback
from emoscope.live.shares import Shares
from emoscope.live.uploads import Workbench, router

from .conftest import LIVE


@pytest.mark.parametrize("origin", ["http://evil.example", "http://127.0.0.1:9999", "https://localhost.evil", "null"])
def test_other_sites_pages_are_refused(client: TestClient, origin: str) -> None:
    assert client.get("/health", headers={"origin": origin}).status_code == 403
    assert client.post("/analyze", headers={"origin": origin}).status_code == 403
    with (
        pytest.raises(WebSocketDisconnect),
        client.websocket_connect(LIVE, headers={"origin": origin}) as socket,
    ):
        socket.receive_json()


def test_the_own_page_and_programs_are_let_in(client: TestClient) -> None:
    own = {"origin": "http://127.0.0.1", "host": "127.0.0.1"}
    assert client.get("/health", headers=own).status_code == 200
    with client.websocket_connect(LIVE, headers=own) as socket:
        socket.send_text('{"type": "start"}')
        assert socket.receive_json()["type"] == "ready"


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", ""])
def test_other_names_of_this_machine_are_refused(client: TestClient, host: str) -> None:
    assert client.get("/", headers={"host": host}).status_code == 400


@pytest.mark.parametrize("host", ["127.0.0.1:8765", "localhost", "[::1]:80"])
def test_its_own_names_are_not(client: TestClient, host: str) -> None:
    assert client.get("/", headers={"host": host}).status_code == 200


def test_a_server_for_others_takes_any_name_and_does_not_promise_that_nothing_leaves() -> None:
    with TestClient(create_app(hosts=("*",)), base_url="http://emotions.example") as client:
        page = client.get("/").text
    assert "Nothing leaves this machine" not in page and "go to the server" in page


def test_large_bodies_are_refused_by_their_header(client: TestClient) -> None:
    answer = client.post("/analyze", files={"file": ("a.mp4", b"x" * (5 << 20))})
    assert answer.status_code == 413
    assert answer.json() == {"detail": "the upload is too large; expected at most 4 MiB"}


def test_large_bodies_are_refused_as_they_come(client: TestClient) -> None:
    def body() -> Iterator[bytes]:
        yield b'--b\r\nContent-Disposition: form-data; name="file"; filename="a.mp4"\r\n\r\n'
        for _ in range(8):
            yield b"x" * (1 << 20)

    answer = client.post("/analyze", content=body(), headers={"content-type": "multipart/form-data; boundary=b"})
    assert answer.status_code == 413


def test_the_page_may_load_nothing_from_elsewhere(client: TestClient) -> None:
    for path in ("/", "/static/app.js", "/health", "/openapi.json"):
        answer = client.get(path)
        assert answer.status_code == 200
        assert "default-src 'self'" in answer.headers["content-security-policy"]
        assert answer.headers["cache-control"] == "no-store"
    assert client.get("/docs").status_code == 404


def test_what_counts_as_this_machine() -> None:
    assert [_is_loopback(h) for h in ("127.0.0.1", "::1", "localhost", "0.0.0.0", "10.0.0.1", "name")] == [
        True, True, True, False, False, False,
    ]  # fmt: skip


def test_a_body_that_trickles_is_ended_and_its_place_is_free_again() -> None:
    messages: list[Message] = []
    form = iter(b"--b\r\n" + b"C" * 1000)

    async def trickle() -> Message:
        await anyio.sleep(0.02)
        return {"type": "http.request", "body": bytes([next(form)]), "more_body": True}

    async def keep(message: Message) -> None:
        messages.append(message)

    bench = Workbench(1, 60)
    app = FastAPI(middleware=[Middleware(SteadyBodies, least=1000, patience=0.1)])
    app.include_router(router(bench, Setup(), Shares(Jobs(bench.places, 60, 1, 1, 0))))
    headers = [(b"content-type", b"multipart/form-data; boundary=b")]
    scope = {"type": "http", "method": "POST", "path": "/analyze", "query_string": b"", "headers": headers}
    with bench.open():
        anyio.run(app, scope, trickle, keep)
    assert messages[0]["status"] == 408 and (b"connection", b"close") in messages[0]["headers"]
    assert bench.taken == 0


def test_what_a_body_is_ahead_is_not_kept() -> None:
    come = iter([1_000_000, *[1] * 1000])
    taken = 0

    async def fast_then_slow() -> Message:
        size = next(come)
        if size == 1:
            await anyio.sleep(0.02)
        return {"type": "http.request", "body": b"x" * size, "more_body": True}

    async def read(scope: Scope, receive: Receive, send: Send) -> None:
        nonlocal taken
        while True:
            await receive()
            taken += 1

    with pytest.raises(HTTPException, match="too slowly"):
        anyio.run(SteadyBodies(read, least=1000, patience=0.1), {"type": "http"}, fast_then_slow, None)
    assert 1 < taken < 100


def test_after_the_body_a_client_may_wait() -> None:
    async def pause() -> Message:
        if not asked:
            asked.append(1)
            return {"type": "http.request", "body": b"", "more_body": False}
        await anyio.sleep(0.05)
        return {"type": "http.disconnect"}

    asked: list[int] = []
    seen: list[str] = []

    async def read(scope: Scope, receive: Receive, send: Send) -> None:
        seen.extend([(await receive())["type"], (await receive())["type"]])

    anyio.run(SteadyBodies(read, patience=0.01), {"type": "http"}, pause, None)
    assert seen == ["http.request", "http.disconnect"]


def test_a_client_that_goes_away_while_it_sends_raises_nothing(client: TestClient) -> None:
    messages: list[Message] = []

    async def leave() -> Message:
        return {"type": "http.disconnect"}

    async def keep(message: Message) -> None:
        messages.append(message)

    headers = [(b"host", b"127.0.0.1"), (b"content-type", b"multipart/form-data; boundary=b")]
    scope = {"type": "http", "method": "POST", "path": "/analyze", "query_string": b"", "headers": headers}
    anyio.run(client.app, scope, leave, keep)
    assert messages[0]["status"] == CLIENT_LEFT
