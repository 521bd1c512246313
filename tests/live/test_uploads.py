import asyncio
import json
import os
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx2
import pytest
from places import EXAMPLE
from starlette.exceptions import HTTPException
from starlette.testclient import TestClient

import emoscope
from emoscope.live.app import Settings, create_app
from emoscope.live.receiving import readable
from emoscope.live.uploads import PREFIX, Workbench

from .conftest import HERE, Server, serving


def post(client: TestClient, content: bytes, name: str = "clip.mp4", **query: str) -> httpx2.Response:
    return client.post("/analyze", files={"file": (name, content)}, params=query)


def left_behind() -> list[Path]:
    """What lies in the server's folder."""
    return [
        path
        for folder in Path(tempfile.gettempdir()).glob(f"{PREFIX}{os.getpid()}-*/uploads")
        for path in folder.iterdir()
    ]


def test_an_upload_is_read_as_a_file_is(client: TestClient, short: Path, tmp_path: Path) -> None:
    expected = emoscope.analyze(short)
    expected.to_csv(tmp_path / "expected.csv")
    assert post(client, short.read_bytes(), format="csv").content == (tmp_path / "expected.csv").read_bytes()
    answer = post(client, short.read_bytes()).json()
    assert answer["summary"]["input"] == "clip.mp4" and answer["summary"]["persons"] == 1
    assert len(answer["observations"]) == len(expected)
    first = answer["observations"][0]
    assert first == expected[0].as_json()
    assert left_behind() == []


def test_what_an_upload_is_read_against(client: TestClient, short: Path) -> None:
    def baselines(**query: str) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = post(client, short.read_bytes(), **query).json()["summary"]["baselines"]
        return rows

    assert baselines(baseline="none") == []
    assert "neutral" in baselines(neutral="0:00-0:01@1", mix="everyday")[0]["how"]
    assert post(client, short.read_bytes(), neutral="/etc/passwd").status_code == 422


def test_the_servers_models_read_uploads_too(short: Path) -> None:
    with TestClient(create_app(Settings(face_model="face-ferplus")), base_url="http://localhost") as other:
        summary = post(other, short.read_bytes()).json()["summary"]
    assert summary["models"]["face"] == "face-ferplus"


def test_unknown_fields_of_the_form_are_refused(client: TestClient, short: Path) -> None:
    files = {"file": ("clip.mp4", short.read_bytes())}
    answer = client.post("/analyze", files=files, data={"face_model": "sequence"})
    assert answer.status_code == 400


def test_the_report_and_the_progress(client: TestClient, short: Path) -> None:
    answer = post(client, short.read_bytes(), format="report")
    assert answer.headers["content-type"].startswith("text/html") and "clip.mp4" in answer.text
    lines = [json.loads(line) for line in post(client, short.read_bytes(), format="events").text.splitlines()]
    assert {line["step"] for line in lines[:-1]} == {"looking", "drawing"}
    assert lines[0]["total_s"] == pytest.approx(2, abs=0.1)
    assert lines[-1]["timeline"].startswith("start_s,end_s,source") and "<html" in lines[-1]["report"]
    assert left_behind() == []


@pytest.mark.parametrize("content", [b"", b"\0" * 1000, b"not a video", b"\xff\xd8\xff\xe0" + b"x" * 500])
def test_what_is_no_media_costs_one_clear_error(client: TestClient, content: bytes) -> None:
    answer = post(client, content, name="../../etc/holiday.mp4")
    assert answer.status_code == 415
    detail = answer.json()["detail"]
    assert detail.startswith("holiday.mp4: ") and "\n" not in detail and tempfile.gettempdir() not in detail
    [line] = post(client, content, name="x.mp4", format="events").text.splitlines()
    assert json.loads(line)["error"].startswith("x.mp4: ")
    assert left_behind() == []


def test_a_cut_off_upload_is_read_up_to_there(client: TestClient) -> None:
    answer = post(client, EXAMPLE.read_bytes()[: EXAMPLE.stat().st_size // 2]).json()
    assert answer["summary"]["truncated"] and answer["observations"]


@pytest.mark.parametrize(
    ("sent", "shown"),
    [
        ("../../etc/passwd", "passwd"),
        ("a\nb\0.mp4", "ab.mp4"),
        ("", "upload"),
        (None, "upload"),
        ("x" * 200 + ".mp4", "x" * 96 + ".mp4"),
        ("é" * 200, "é" * 50),
        (".hidden", "hidden"),
        ("C:\\\\a:b.mp4", "ab.mp4"),
    ],
)
def test_the_clients_name_is_only_shown(sent: str | None, shown: str) -> None:
    assert readable(sent) == shown


def test_an_analysis_that_takes_too_long_is_ended(short: Path) -> None:
    with TestClient(create_app(Settings(analysis_s=0.3)), base_url=HERE) as client:
        answer = post(client, short.read_bytes())
        assert answer.status_code == 504 and "longer than 0 s" in answer.json()["detail"]
        assert left_behind() == []


def test_one_analysis_too_many_is_refused_before_its_body_is_read() -> None:
    async def run() -> None:
        bench = Workbench(most=1, longest_s=1)
        with bench.open():
            async with bench.place() as folder:
                with pytest.raises(HTTPException) as refused:
                    async with bench.place():
                        pass
                assert refused.value.status_code == 503
                assert folder.exists()
            async with bench.place():
                assert not folder.exists()

    asyncio.run(run())


@pytest.mark.parametrize(
    "sent", [{}, {"files": {"other": ("clip.mp4", b"x")}}, {"files": {"file": ("a", b"")}, "data": {"x": "y"}}]
)
def test_a_body_without_a_file_is_refused(client: TestClient, sent: dict[str, Any]) -> None:
    answer = client.post("/analyze", **sent)
    assert answer.status_code == 400 and answer.json()["detail"]


def test_a_body_that_is_the_file_itself(client: TestClient, short: Path) -> None:
    as_curl_has_it = {"content-type": "application/x-www-form-urlencoded"}
    answer = client.post("/analyze", content=short.read_bytes(), headers=as_curl_has_it)
    assert answer.json()["summary"]["persons"] == 1
    assert client.post("/analyze", json={"file": "text"}).status_code == 415


def test_several_files_are_one_recording(client: TestClient, short: Path) -> None:
    files = [("file", (name, short.read_bytes())) for name in ("b.mp4", "../a.mp4", "b.mp4")]
    answer = client.post("/analyze", files=files).json()
    assert [part["file"] for part in answer["summary"]["parts"]] == ["a.mp4", "b-2.mp4", "b.mp4"]
    assert {o["file"] for o in answer["observations"]} == {"a.mp4", "b.mp4", "b-2.mp4"}
    assert answer["summary"]["input"] == "b.mp4 and 2 more" and answer["summary"]["persons"] == 1


def test_a_damaged_form_is_refused(client: TestClient) -> None:
    answer = client.post("/analyze", content=b"x", headers={"content-type": "multipart/form-data"})
    assert answer.status_code == 400 and answer.json()["detail"]


def folders(server: Server) -> list[Path]:
    return list(Path(tempfile.gettempdir()).glob(f"{PREFIX}{server.process.pid}-*"))


def files(server: Server, name: str) -> list[Path]:
    return [path for folder in folders(server) for path in folder.glob(f"uploads/*/{name}")]


def wait_until(true: Callable[[], bool]) -> None:
    """Wait up to 20 s."""
    for _ in range(400):
        if true():
            return
        time.sleep(0.05)
    raise AssertionError("it did not become true")


@pytest.mark.skipif(os.name != "posix", reason="kills with a signal")
def test_a_killed_server_leaves_no_upload_behind(tmp_path: Path) -> None:
    with serving() as server:
        upload = subprocess.Popen(
            ["curl", "-s", "-F", f"file=@{EXAMPLE}", f"{server.address}analyze"], stdout=subprocess.DEVNULL
        )
        wait_until(lambda: bool(files(server, "out")))
        assert files(server, "upload")
        server.process.send_signal(signal.SIGKILL)
        server.process.wait()
        wait_until(lambda: not files(server, "*"))
        upload.wait()
        with Workbench(1, 1).open():  # the next server takes the empty folder away
            assert folders(server) == []


def test_a_server_that_ends_takes_its_folder_along() -> None:
    with serving() as server:
        httpx2.get(f"{server.address}health")
        assert folders(server)
        server.process.send_signal(signal.SIGINT)
        assert server.process.wait(20) == 0
        assert not folders(server)
