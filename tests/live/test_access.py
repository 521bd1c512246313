"""Who may use the server, and how much of it."""

import ssl
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest
from click.testing import CliRunner
from starlette.testclient import TestClient
from starlette.websockets import WebSocketDisconnect

from emoscope.cli import main
from emoscope.errors import EmoscopeError
from emoscope.live.access import COOKIE, read_clients
from emoscope.live.app import Settings, create_app

from .conftest import HERE, LIVE, serving

ANNA, BEN = "anna-" + "a" * 20, "ben-" + "b" * 20
CLIENTS = f'[anna]\ntoken = "{ANNA}"\nstreams = 1\nanalyses = 1\n[ben]\ntoken = "{BEN}"\n'
APP = "https://app.example"


def bearer(token: str) -> dict[str, str]:
    return {"authorization": f"Bearer {token}"}


@pytest.fixture
def clients(tmp_path: Path) -> Path:
    path = tmp_path / "clients.toml"
    path.write_text(CLIENTS)
    return path


@pytest.fixture
def guarded(clients: Path) -> Iterator[TestClient]:
    """A server that asks for tokens, and may be used by a page elsewhere."""
    settings = Settings(sessions=3, clients=read_clients(clients), origins=[APP])
    with TestClient(create_app(settings), base_url=HERE) as client:
        yield client


@pytest.mark.parametrize("path", ["/", "/static/app.js", "/openapi.json", "/v1/analyses/x", "/nowhere"])
def test_without_a_token_nothing_is_told(guarded: TestClient, path: str) -> None:
    for headers in ({}, bearer("x" * 20), bearer(""), {"authorization": f"Basic {ANNA}"}, {"cookie": f"{COOKIE}=x"}):
        answer = guarded.get(path, headers=headers)
        assert answer.status_code == 401 and answer.headers["www-authenticate"] == "Bearer"
    assert guarded.get("/health").status_code == 200
    assert guarded.get(path, headers=bearer(ANNA)).status_code != 401


def test_no_upload_is_read_without_a_token(guarded: TestClient) -> None:
    for path in ("/analyze", "/v1/analyses"):
        assert guarded.post(path, content=b"x").status_code == 401
        assert guarded.post(path, headers=bearer(BEN)).status_code == 400  # nothing came


def test_the_page_takes_its_token_once(guarded: TestClient) -> None:
    assert guarded.get("/?token=wrong").status_code == 401
    first = guarded.get(f"/?token={BEN}", follow_redirects=False)
    assert first.status_code == 303 and first.headers["location"] == "/"
    cookie = first.headers["set-cookie"].lower()
    assert "httponly" in cookie and "samesite=strict" in cookie
    assert guarded.get("/").status_code == 200  # the client has kept the cookie
    with guarded.websocket_connect(LIVE) as socket:
        socket.send_text('{"type": "start"}')
        assert socket.receive_json()["type"] == "ready"


def test_a_stream_needs_a_token_too(guarded: TestClient) -> None:
    with pytest.raises(WebSocketDisconnect), guarded.websocket_connect(LIVE) as socket:
        socket.receive_json()
    with guarded.websocket_connect(LIVE, subprotocols=["emoscope", f"bearer.{ANNA}"]) as socket:
        assert socket.accepted_subprotocol == "emoscope"  # not the token
        with guarded.websocket_connect(LIVE, headers=bearer(ANNA)) as second:
            assert "this token" in second.receive_json()["message"]
        with guarded.websocket_connect(LIVE, headers=bearer(BEN)) as other:
            other.send_text('{"type": "start"}')
            assert other.receive_json()["type"] == "ready"


def test_analyses_are_their_owners_and_counted(guarded: TestClient, short: Path) -> None:
    taken = guarded.post("/v1/analyses", content=short.read_bytes(), headers=bearer(ANNA))
    here = taken.headers["location"]
    for path in ("/v1/analyses", "/analyze"):
        assert guarded.post(path, content=b"x", headers=bearer(ANNA)).status_code == 429
    assert guarded.get(here, headers=bearer(BEN)).status_code == 404
    assert guarded.delete(here, headers=bearer(BEN)).status_code == 404
    assert guarded.get(here, headers=bearer(ANNA)).status_code == 200
    assert guarded.delete(here, headers=bearer(ANNA)).status_code == 204
    assert guarded.post("/v1/analyses", content=b"x", headers=bearer(ANNA)).status_code == 202


def test_pages_elsewhere_that_are_allowed(guarded: TestClient) -> None:
    asked = {"origin": APP, "access-control-request-method": "POST", "access-control-request-headers": "authorization"}
    assert guarded.options("/v1/analyses", headers=asked).headers["access-control-allow-origin"] == APP
    answer = guarded.get("/health", headers={"origin": APP})
    assert answer.status_code == 200 and answer.headers["access-control-allow-origin"] == APP
    for other in ("https://other.example", f"{APP}.evil", "http://app.example"):
        refused = guarded.get("/health", headers={"origin": other})
        assert refused.status_code == 403 and "access-control-allow-origin" not in refused.headers
    assert guarded.get("/openapi.json", headers={"origin": APP}).status_code == 401  # a token is needed all the same


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "names no client"),
        ("[anna", "no TOML"),
        ('[anna]\ntoken = "short"', "at least 16 characters"),
        ('[anna]\ntoken = "aaaaaaaaaaaaaaaaaaaa"\nadmin = true', "anna.admin"),
        ('[anna]\ntoken = "aaaaaaaaaaaaaaaaaaa secret"', "anna.token"),
    ],
)
def test_a_wrong_token_file_is_said_in_one_line_and_without_the_token(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "clients.toml"
    path.write_text(text)
    with pytest.raises(EmoscopeError, match=said) as error:
        read_clients(path)
    assert "\n" not in str(error.value) and "secret" not in str(error.value)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--host", "0.0.0.0"], "--insecure"),
        (["--tls-cert", "x"], "--tls-key"),
        (["--tls-cert", "x", "--tls-key", "y"], "no certificate with its key"),
        (["--token-file", "nowhere"], "cannot be read"),
    ],
)
def test_what_is_not_safe_does_not_start(options: list[str], said: str) -> None:
    result = CliRunner().invoke(main, ["live", "--port", "0", *options])
    assert result.exit_code == 2 and said in result.stderr and result.stderr.count("\n") == 1


def test_limits_from_options_and_the_environment_are_printed(clients: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"STREAMS": "7", "UPLOAD_MIB": "9", "KEEP": "60", "TOKEN_FILE": str(clients)}.items():
        monkeypatch.setenv(f"EMOSCOPE_LIVE_{name}", value)
    with serving("--queue", "5", "--cpu-seconds", "99") as server:
        assert server.process.stdout
        line = server.process.stdout.readline()
        for limit in ("7 streams", "5 waiting", "9 MiB", "99 s of CPU", "60 s", "2 tokens"):
            assert limit in line
        assert httpx2.get(f"{server.address}openapi.json").status_code == 401


@pytest.mark.skipif(sys.platform == "win32", reason="openssl")
def test_tls_from_files(tmp_path: Path) -> None:
    cert, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    made = subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "1",
         "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1", "-keyout", key,
         "-out", cert],
        capture_output=True,
    )  # fmt: skip
    if made.returncode:
        pytest.skip("openssl makes no certificate here")
    with serving("--tls-cert", str(cert), "--tls-key", str(key)) as server:
        assert server.address.startswith("https://")
        trusted = ssl.create_default_context(cafile=str(cert))
        assert httpx2.get(f"{server.address}health", verify=trusted).json()["status"] == "ok"
