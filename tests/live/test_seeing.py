"""What is seen of the server from outside: counters, log lines, health."""

import json
import logging
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import httpx2
import pytest
from prometheus_client.parser import text_string_to_metric_families
from starlette.testclient import TestClient

from emoscope.live.access import Client
from emoscope.live.app import Settings, create_app
from emoscope.live.logs import JsonLines
from emoscope.live.protocol import Picture, pack
from emoscope.media import Frame, open_media

from .conftest import HERE, LIVE, jpeg
from .test_sockets import START, until


def counted(client: TestClient) -> dict[str, float]:
    """The samples by name and labels, as `name{a=b}`."""
    answer = client.get("/metrics")
    assert answer.headers["content-type"].startswith("text/plain")
    samples = [s for family in text_string_to_metric_families(answer.text) for s in family.samples]
    return {f"{s.name}{{{','.join(f'{k}={v}' for k, v in sorted(s.labels.items()))}}}": s.value for s in samples}


def test_requests_and_analyses_are_counted(client: TestClient, short: Path) -> None:
    here = client.post("/v1/analyses", content=short.read_bytes()).headers["location"]
    client.get(f"{here}/events")  # until it is over
    for path in ("/nowhere", "/elsewhere/../x", "/v1/analyses/x"):
        client.get(path)
    found = counted(client)
    assert found["emoscope_requests_total{method=POST,route=/v1/analyses,status=202}"] == 1
    assert found["emoscope_requests_total{method=GET,route=other,status=404}"] == 2
    assert found["emoscope_requests_total{method=GET,route=/v1/analyses/{id},status=404}"] == 1
    assert found["emoscope_jobs_total{state=done}"] == 1 and found["emoscope_queue{}"] == 0
    assert found["emoscope_job_seconds_count{stage=looking}"] == found["emoscope_job_seconds_count{stage=waiting}"] == 1
    assert found["emoscope_job_seconds_sum{stage=looking}"] > 0
    if sys.platform == "linux":
        assert found["process_resident_memory_bytes{}"] > 1e6 and found["process_open_fds{}"] > 3
    assert here.rpartition("/")[2] not in client.get("/metrics").text  # an id opens an analysis


def test_pictures_are_counted(client: TestClient, short: Path) -> None:
    with open_media(short) as media:
        pictures = [(item.time, jpeg(item.image)) for item in media if isinstance(item, Frame)]
    with client.websocket_connect(LIVE) as socket:
        socket.send_text(START)
        socket.receive_json()
        assert counted(client)["emoscope_streams{}"] == 1
        for time_s, data in pictures[:2]:
            socket.send_bytes(pack(Picture(time_s, data)))
            until(socket, "observations")
    found = counted(client)
    assert found["emoscope_pictures_total{}"] == 2 and found["emoscope_pictures_dropped_total{}"] == 0
    assert found["emoscope_picture_seconds_count{stage=scoring}"] == 2


def test_health(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    assert client.get("/health/live").json() == client.get("/health/ready").json() == {"status": "ok"}
    monkeypatch.setattr("shutil.disk_usage", lambda path: SimpleNamespace(free=0))
    assert client.get("/health/ready").status_code == 503 and client.get("/health/live").status_code == 200


def test_a_request_has_an_id(client: TestClient) -> None:
    assert client.get("/health", headers={"x-request-id": "mine-1"}).headers["x-request-id"] == "mine-1"
    for bad in ("", "a" * 65, 'a"b', "a b"):
        given = client.get("/health", headers={"x-request-id": bad}).headers["x-request-id"]
        assert len(given) == 32 and given != bad


def test_log_lines_are_json_and_name_nobody(client: TestClient, short: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "emoscope.live.requests")
    files = {"file": ("anna-secret.mp4", short.read_bytes())}
    here = client.post("/v1/analyses?name=anna-secret", files=files, headers={"x-request-id": "r1"}).headers["location"]
    client.get(here)
    lines = [JsonLines().format(record) for record in caplog.records if record.name == "emoscope.live.requests"]
    first = json.loads(lines[0])
    assert {"request_id": "r1", "route": "/v1/analyses", "status": 202, "level": "info"}.items() <= first.items()
    assert json.loads(lines[1])["route"] == "/v1/analyses/{id}"
    assert not [line for line in lines if "secret" in line or here.rpartition("/")[2] in line or "testclient" in line]


def test_of_an_exception_its_words_are_not_logged() -> None:
    try:
        raise ValueError("anna-secret")
    except ValueError:
        record = logging.LogRecord("x", logging.ERROR, __file__, 1, "it broke\nanna-secret", (), sys.exc_info())
    line = JsonLines().format(record)
    assert "secret" not in line and json.loads(line)["error"] == "ValueError" and "test_seeing.py" in line


def test_the_server_writes_them(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "emoscope", "live", "--port", "0", "--log", "json"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout and process.stderr
        address = process.stdout.readline().split()[2]
        httpx2.get(f"{address}health", headers={"x-request-id": "seen"})
        line = json.loads(process.stderr.readline())
        process.kill()
    assert line["request_id"] == "seen" and line["route"] == "/health" and line["status"] == 200


def test_counters_need_a_token_where_there_are_any() -> None:
    settings = Settings(clients=[Client(name="prometheus", token="p" * 20)])
    with TestClient(create_app(settings), base_url=HERE) as client:
        assert client.get("/metrics").status_code == 401
        assert client.get("/metrics", headers={"authorization": f"Bearer {'p' * 20}"}).status_code == 200
