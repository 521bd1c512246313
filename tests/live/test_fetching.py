"""Recordings that the server fetches."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from starlette.testclient import TestClient

from emoscope.live import fetching
from emoscope.live.app import Settings, create_app
from emoscope.live.fetching import NotAllowed, NotFetched, TooLarge, _public, check, fetch

from .conftest import HERE

ALLOWED = ["https://media.example/clips/", "http://other.example:8080"]


@pytest.mark.parametrize(
    "url",
    [
        "https://media.example/clips/a.mp4", "https://media.example/clips/b/a.mp4?x=1", "http://other.example:8080/x",
        "https://MEDIA.example/clips/",
    ],
)  # fmt: skip
def test_what_begins_as_allowed_is_allowed(url: str) -> None:
    assert check(url, ALLOWED).geturl()


@pytest.mark.parametrize(
    "url",
    [
        "https://media.example/", "https://media.example/clips/../secret", "https://media.example/clips/%2e%2e/secret",
        "http://media.example/clips/a", "https://media.example:444/clips/a", "https://media.example.evil/clips/a",
        "https://media.example@evil/clips/a", "https://evil@media.example/clips/a", "file:///clips/a", "ftp://x/",
        "http://other.example/x", "https://[bad/clips/", "https://media.example:x/clips/", "",
    ],
)  # fmt: skip
def test_nothing_else_is(url: str) -> None:
    for allowed in (ALLOWED, []):
        with pytest.raises(NotAllowed):
            check(url, allowed)


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "10.0.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0", "224.0.0.1", "::1",
        "fc00::1", "fe80::1", "::ffff:127.0.0.1", "2002:7f00:1::",
    ],
)  # fmt: skip
def test_private_addresses_are_private(address: str) -> None:
    assert not _public(address)
    assert _public("93.184.215.14") and _public("2606:2800:21f:cb07:6820:80da:af6b:8b2c")


def test_names_that_lead_into_a_private_network_are_refused(tmp_path: Path) -> None:
    with pytest.raises(NotAllowed, match="private network"):
        fetch(urlsplit("http://localhost/x"), tmp_path / "x", 10)


@pytest.fixture
def site(short: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A server with a clip, which counts as one of the open network."""

    class Site(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if self.path == "/elsewhere":
                self.send_response(302)
                self.send_header("location", "/clip.mp4")
                self.end_headers()
                return
            content = short.read_bytes()
            self.send_response(404 if self.path == "/missing" else 200)
            self.send_header("content-length", str(len(content) + (self.path == "/broken") * 10))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            pass

    monkeypatch.setattr(fetching, "_public", lambda address: True)
    with ThreadingHTTPServer(("127.0.0.1", 0), Site) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()


def test_limits_of_what_is_fetched(site: str, short: Path, tmp_path: Path) -> None:
    path = tmp_path / "x"
    assert fetch(urlsplit(f"{site}/a%20clip.mp4"), path, 1 << 20) == "a clip.mp4"
    assert path.read_bytes() == short.read_bytes()
    with pytest.raises(TooLarge):
        fetch(urlsplit(f"{site}/clip.mp4"), path, 1000)
    with pytest.raises(NotFetched, match="within 0 s"):
        fetch(urlsplit(f"{site}/clip.mp4"), path, 1 << 20, within_s=0)
    for bad in ("missing", "elsewhere", "broken"):
        with pytest.raises(NotFetched):
            fetch(urlsplit(f"{site}/{bad}"), path, 1 << 20)
    with pytest.raises(NotFetched, match="cannot be fetched"):
        fetch(urlsplit("http://127.0.0.1:1/"), path, 1 << 20)


def test_an_analysis_of_what_is_fetched(site: str) -> None:
    with TestClient(create_app(Settings(urls=[site])), base_url=HERE) as client:
        taken = client.post("/v1/analyses", params={"input_url": f"{site}/clip.mp4"})
        assert taken.status_code == 202 and taken.json()["name"] == "clip.mp4"
        client.get(f"{taken.headers['location']}/events")
        assert client.get(f"{taken.headers['location']}/result").json()["summary"]["persons"] == 1
        for url, status in (("http://evil.example/x", 403), (f"{site}/missing", 502)):
            assert client.post("/v1/analyses", params={"input_url": url}).status_code == status
    with TestClient(create_app(), base_url=HERE) as client:  # by default there is none
        assert client.post("/v1/analyses", params={"input_url": f"{site}/clip.mp4"}).status_code == 403
