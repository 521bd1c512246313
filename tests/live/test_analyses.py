"""Analyses under /v1: a queue, and results that are kept for a while."""

import json
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import fields
from inspect import signature
from pathlib import Path
from typing import Any

import anyio
import httpx2
import pytest
from places import EXAMPLE
from pydantic import BaseModel, ValidationError
from starlette.testclient import TestClient

import emoscope
from emoscope.errors import EmoscopeError
from emoscope.live import jobs as jobs_module
from emoscope.live.analyses import KINDS
from emoscope.live.app import Settings, create_app
from emoscope.live.jobs import MOST_TRIES, Full, Job, Jobs
from emoscope.live.ledger import Ledger
from emoscope.live.order import INPUT, OUT, Order, Setup
from emoscope.live.parameters import Parameters
from emoscope.live.schema import Analysis
from emoscope.live.working import JobError, Progress
from emoscope.media import Frame, open_media
from emoscope.observing import ObserveOptions

from .conftest import HERE, jpeg, serving


def submit(client: Any, content: bytes, name: str = "clip.mp4", **query: Any) -> Any:
    return client.post("/v1/analyses", files={"file": (name, content)}, params=query)


def until_over(client: Any, id: str) -> dict[str, Any]:
    """The states that the events tell, up to the last, which is returned."""
    with client.stream("GET", f"/v1/analyses/{id}/events") as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        told = [json.loads(line.removeprefix("data: ")) for line in answer.iter_lines() if line.startswith("data: ")]
    steps = [state["progress"]["step"] for state in told if state["progress"]]
    assert steps == sorted(steps, reverse=True)  # looking, then drawing
    last: dict[str, Any] = told[-1]
    return last


def test_from_a_recording_to_its_results(client: TestClient, short: Path, tmp_path: Path) -> None:
    taken = submit(client, short.read_bytes(), baseline="none", video="true")
    assert taken.status_code == 202
    here = taken.headers["location"]
    state = taken.json()
    assert state["state"] == "queued" and state["place"] == 0 and state["parameters"]["baseline"] == "none"
    assert client.get(f"{here}/result").status_code in (200, 409)  # it is quick
    over = until_over(client, state["id"])
    assert over["state"] == "done" and over["place"] is None and over["expires"] > over["ended"]
    assert client.get(here).json() == over

    emoscope.analyze(short, baseline="none").to_csv(tmp_path / "expected.csv")
    assert client.get(f"{here}/files/csv").content == (tmp_path / "expected.csv").read_bytes()
    result = client.get(f"{here}/result").json()
    assert result["summary"]["input"] == "clip.mp4" and result["observations"]
    assert set(over["results"]) == set(KINDS)
    for kind in over["results"]:
        answer = client.get(f"{here}/files/{kind}")
        assert answer.status_code == 200 and (answer.content or kind == "rttm"), kind  # nobody speaks
        assert 'filename="clip.' in answer.headers["content-disposition"]
    assert client.get(f"{here}/files/nothing").status_code == 422

    assert client.delete(here).status_code == 204
    for gone in (here, f"{here}/result", f"{here}/files/csv", f"{here}/events"):
        assert client.get(gone).status_code == 404
    assert client.delete(here).status_code == 404


def test_nothing_in_a_result_is_off_its_description(client: TestClient, short: Path) -> None:
    files = [("file", (name, short.read_bytes())) for name in ("a.mp4", "b.mp4")]
    for sent in (files[:1], files):
        here = client.post("/v1/analyses", files=sent).headers["location"]
        until_over(client, here.rpartition("/")[2])
        result = client.get(f"{here}/result").json()
        described = Analysis.model_validate(result)
        assert _names(result["summary"], described.summary) == set()
        for observation, described_one in zip(result["observations"], described.observations, strict=True):
            assert _names(observation, described_one) == set()


def _names(sent: dict[str, Any], described: BaseModel) -> set[str]:
    """What is sent beside what is described."""
    return set(sent) - set(type(described).model_fields)


def test_people_to_recognise_come_as_files_and_are_not_kept(client: TestClient, short: Path, tmp_path: Path) -> None:
    with open_media(short) as media:
        face = jpeg(next(item.image for item in media if isinstance(item, Frame)))
    files = [("file", ("clip.mp4", short.read_bytes())), ("people", ("anna.jpg", face))]
    here = client.post("/v1/analyses", files=files).headers["location"]
    over = until_over(client, here.rpartition("/")[2])
    assert over["state"] == "done", over["error"]
    result = client.get(f"{here}/result")
    assert result.json()["summary"]["who"][0]["name"] == "anna"
    assert "/people" not in result.text and tempfile.gettempdir() not in result.text
    wrong = [files[0], ("people", ("ben.jpg", b"no picture"))]
    failed = client.post("/v1/analyses", files=wrong).headers["location"]
    over = until_over(client, failed.rpartition("/")[2])
    assert over["state"] == "failed" and "ben.jpg" in over["error"] and tempfile.gettempdir() not in over["error"]
    assert client.post("/v1/analyses", files=[files[1]]).status_code == 400


def test_what_was_not_asked_for_is_not_there(client: TestClient, short: Path) -> None:
    here = submit(client, short.read_bytes()).headers["location"]
    until_over(client, here.rpartition("/")[2])
    answer = client.get(f"{here}/files/video")
    assert answer.status_code == 409 and "no video" in answer.json()["detail"]


def test_what_is_no_media_fails_in_one_line(client: TestClient) -> None:
    here = submit(client, b"no video", name="../x.mp4").headers["location"]
    over = until_over(client, here.rpartition("/")[2])
    assert over["state"] == "failed" and over["error"].startswith("x.mp4: ") and over["results"] == []
    answer = client.get(f"{here}/result")
    assert answer.status_code == 409 and answer.json()["detail"] == over["error"]


@pytest.mark.parametrize(
    "query",
    [
        {"people": "?"}, {"baseline": "/etc/passwd"}, {"neutral": "/etc/passwd"}, {"face_model": "/etc/passwd"},
        {"voice_model": "face"}, {"start": "3", "end": "2"}, {"start": "-1"}, {"every": "0"}, {"region": "1,2,0,4"},
        {"sources": "smell"}, {"min_face": "3"}, {"name": "a/b"}, {"device": "tpu"}, {"mix": "{}"}, {"start": "nan"},
    ],
)  # fmt: skip
def test_parameters_that_are_none_are_refused(client: TestClient, query: dict[str, str]) -> None:
    assert client.post("/v1/analyses", content=b"x", params=query).status_code == 422


def test_what_the_command_line_takes_can_be_asked_for() -> None:
    asked = Parameters(
        sources=["face"], start=1, end=2, every=0.5, region="1,2,30,40", min_face=25, audio_track="2", mix="everyday",
        neutral=["0:05-0:12@1"], smoothing="none", baseline="causal",
    )  # fmt: skip
    assert asked.options() == ObserveOptions(
        start=1, end=2, every=0.5, voices=False, region=(1, 2, 30, 40), min_face=25, audio_track="2"
    )
    changed = asked.options().to_json()
    # none is forgotten: people come as files, and embeddings, which are biometric data, are never kept
    assert {f.name for f in fields(ObserveOptions)} == {*changed, "faces", "people", "keep_identity"}
    keywords = set(signature(emoscope.read).parameters) - {"evidence"}
    assert set(asked.reading()) == keywords
    with pytest.raises(ValidationError):
        Parameters(threads=2)  # type: ignore[call-arg]


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@asynccontextmanager
async def running(
    folder: Path, places: int = 1, waiting: int = 3, keep_s: float = 60, room: int = 0
) -> AsyncIterator[Jobs]:
    """Jobs that are worked at."""
    jobs = Jobs(anyio.Semaphore(places), 10, waiting, keep_s, room)
    with jobs.open(folder):
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(jobs.run)
            yield jobs
            tasks.cancel_scope.cancel()


def add(jobs: Jobs, name: str = "a", owner: str | None = None) -> Job:
    with jobs.arriving(owner) as arrival:
        (arrival.folder / INPUT).write_bytes(b"x")
        return arrival.submit(Order(name=name, parameters=Parameters(), setup=Setup()))


@pytest.fixture
def gate(monkeypatch: pytest.MonkeyPatch) -> dict[str, anyio.Event]:
    """Work that waits for the event of its name; `bad` fails."""
    events: dict[str, anyio.Event] = {}

    async def work(folder: Path, order: Order, longest_s: float) -> AsyncGenerator[Progress]:
        yield Progress(step="looking", done_s=1)
        await events.setdefault(order.name, anyio.Event()).wait()
        (folder / OUT).mkdir()
        if order.name == "bad":
            raise JobError("bad: as it is")
        if order.name == "broken":
            raise RuntimeError("a mistake of ours")

    monkeypatch.setattr(jobs_module, "work", work)
    return events


async def settle(true: Any) -> None:
    with anyio.fail_after(5):
        while not true():
            await anyio.sleep(0.01)


@pytest.mark.anyio
async def test_the_queue_is_worked_at_in_order_and_has_a_limit(tmp_path: Path, gate: dict[str, anyio.Event]) -> None:
    async with running(tmp_path) as jobs:
        first = add(jobs, "first")
        await settle(lambda: first.record.state == "running")
        waiting = [add(jobs, name) for name in ("bad", "broken", "last")]
        with pytest.raises(Full):
            add(jobs)
        assert [jobs.before(job) for job in (first, *waiting)] == [None, 0, 1, 2]
        told = [jobs.before(job) async for job in _some(jobs.watch(waiting[2]), 1)]
        jobs.remove(waiting[0])
        assert told == [2] and jobs.before(waiting[2]) == 1
        assert not waiting[0].folder.exists()
        bad = add(jobs, "bad")
        for name in ("first", "broken", "last", "bad"):
            gate.setdefault(name, anyio.Event()).set()
        await settle(lambda: bad.over)
        states = {job.record.order.name: job.record.state for job in (first, *waiting[1:], bad)}
        assert states == {"first": "done", "broken": "failed", "last": "done", "bad": "failed"}
        assert bad.record.error == "bad: as it is"
        assert not (first.folder / INPUT).exists() and (first.folder / OUT).exists()
        assert jobs.places.value == 1


async def _some(items: AsyncIterator[Job], count: int) -> AsyncIterator[Job]:
    async for item in items:
        yield item
        count -= 1
        if not count:
            return


@pytest.mark.anyio
async def test_one_that_is_removed_while_it_runs_is_ended(tmp_path: Path, gate: dict[str, anyio.Event]) -> None:
    async with running(tmp_path) as jobs:
        first, second = add(jobs, "first"), add(jobs, "second")
        await settle(lambda: first.record.state == "running")
        jobs.remove(first)
        await settle(lambda: second.record.state == "running" and not first.folder.exists())
        with pytest.raises(KeyError):
            jobs.get(first.record.id, None)
        assert [job async for job in jobs.watch(first)] == [first]  # who watches is let go


@pytest.mark.anyio
async def test_results_are_kept_for_the_stated_time(
    tmp_path: Path, gate: dict[str, anyio.Event], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jobs_module, "SWEEP_S", 0.01)
    async with running(tmp_path, keep_s=0.2) as jobs:
        gate["first"] = anyio.Event()
        gate["first"].set()
        first = add(jobs, "first")
        await settle(lambda: first.record.state == "done")
        assert first.record.ended and jobs.expires(first) == pytest.approx(first.record.ended + 0.2)
        await settle(lambda: first.gone)
        assert list((tmp_path / jobs_module.FOLDER).iterdir()) == []


@pytest.mark.anyio
async def test_jobs_outlive_their_server(tmp_path: Path, gate: dict[str, anyio.Event]) -> None:
    async with running(tmp_path) as jobs:
        add(jobs, "first")
        add(jobs, "second")
        await settle(lambda: jobs.running == 1)
    (tmp_path / jobs_module.FOLDER / "broken-off-upload").mkdir()
    async with running(tmp_path) as jobs:
        first, second = jobs._jobs.values()
        await settle(lambda: first.record.state == "running")
        assert first.record.tries == 1 and jobs.before(second) == 0  # a server that ends in order is no fault of it
        assert not (tmp_path / jobs_module.FOLDER / "broken-off-upload").exists()


@pytest.mark.anyio
async def test_a_job_that_takes_its_server_down_is_not_tried_for_ever(
    tmp_path: Path, gate: dict[str, anyio.Event]
) -> None:
    async with running(tmp_path) as jobs:
        add(jobs, "first")
        await settle(lambda: jobs.running == 1)
    with Ledger(tmp_path) as ledger:  # as servers leave it that were killed
        [record] = ledger.all()
        assert record.state == "running"
        ledger.put(record.model_copy(update={"tries": MOST_TRIES}))
    async with running(tmp_path) as jobs:
        [first] = jobs._jobs.values()
        await settle(lambda: first.record.state == "failed")
        assert "interrupted" in (first.record.error or "")


@pytest.mark.anyio
async def test_a_full_disk_and_foreign_jobs(tmp_path: Path, gate: dict[str, anyio.Event]) -> None:
    async with running(tmp_path, room=1 << 60) as jobs:
        with pytest.raises(Full, match="disk"):
            add(jobs)
        jobs.room = 0
        mine = add(jobs, owner="anna")
        assert jobs.get(mine.record.id, "anna") is mine
        for other in ("ben", None):
            with pytest.raises(KeyError):
                jobs.get(mine.record.id, other)
        with pytest.raises(EmoscopeError, match="another server"):
            Ledger(tmp_path)


def test_an_upload_that_breaks_off_leaves_its_place(tmp_path: Path) -> None:
    jobs = Jobs(anyio.Semaphore(1), 1, 1, 1, 0)
    with jobs.open(tmp_path):
        with pytest.raises(OSError), jobs.arriving(None) as arrival:
            with pytest.raises(Full), jobs.arriving(None):
                pass
            raise OSError
        assert not arrival.folder.exists()
        with jobs.arriving(None):
            pass


def test_a_full_queue_answers_503_before_the_body_is_read() -> None:
    with TestClient(create_app(Settings(queue=0)), base_url=HERE) as client:
        answer = submit(client, b"x")
        assert answer.status_code == 503 and answer.headers["retry-after"]
        assert client.get("/health").json()["most_queued"] == 0


@pytest.mark.skipif(sys.platform == "win32", reason="kills with a signal")
def test_a_killed_server_goes_on_where_it_was(tmp_path: Path) -> None:
    def frames(folder: Path) -> int:
        try:
            return len(emoscope.Evidence.load(folder).faces)
        except EmoscopeError:  # not there yet, or being written
            return 0

    with serving("--jobs", str(tmp_path)) as server:
        with EXAMPLE.open("rb") as file:
            taken = httpx2.post(f"{server.address}v1/analyses", content=file.read())
        id = taken.json()["id"]
        out = tmp_path / "analyses" / id / OUT
        wal = out / "evidence.sqlite-wal"
        _until(lambda: wal.exists() and wal.stat().st_size > 100_000)
        server.process.send_signal(signal.SIGKILL)
        server.process.wait()
    before = _until(lambda: frames(out))
    with serving("--jobs", str(tmp_path)) as server, httpx2.Client(base_url=server.address, timeout=60) as client:
        over = until_over(client, id)
        assert over["state"] == "done"
        result = client.get(f"/v1/analyses/{id}/result").json()
        assert "anew" not in " ".join(result["summary"]["notes"])
        assert sum(o["source"] == "face" for o in result["observations"]) > before
        second = subprocess.run(
            [sys.executable, "-m", "emoscope", "live", "--port", "0", "--jobs", str(tmp_path)],
            capture_output=True, text=True,
        )  # fmt: skip
        assert second.returncode == 2 and "another server has these jobs" in second.stderr


def _until(true: Callable[[], Any]) -> Any:
    """Wait up to 30 s for something, which is returned."""
    for _ in range(600):
        if found := true():
            return found
        time.sleep(0.05)
    raise AssertionError("it did not come true")
