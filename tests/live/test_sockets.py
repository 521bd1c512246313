import json
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from places import EXAMPLE
from starlette.testclient import TestClient, WebSocketTestSession
from starlette.websockets import WebSocketDisconnect
from websockets.sync.client import connect

from emoscope import EMOTIONS
from emoscope.live.protocol import Chunk, Picture, pack
from emoscope.media import Frame, open_media
from emoscope.models import DEFAULTS

from .conftest import LIVE, Server, jpeg

START = json.dumps({"type": "start"})
STOP = json.dumps({"type": "stop"})


@pytest.fixture(scope="module")
def pictures() -> list[tuple[float, bytes]]:
    with open_media(EXAMPLE) as media:
        frames = [item for item in media if isinstance(item, Frame)][60:80]
    return [(frame.time, jpeg(frame.image)) for frame in frames]


def until(socket: WebSocketTestSession, kind: str) -> list[dict[str, Any]]:
    """The messages up to the first of a type, that one included."""
    messages = [socket.receive_json()]
    while messages[-1]["type"] != kind:
        messages.append(socket.receive_json())
    return messages


def test_pictures_and_sound_in_observations_out(
    client: TestClient, pictures: list[tuple[float, bytes]], speech: np.ndarray
) -> None:
    with client.websocket_connect(LIVE) as socket:
        socket.send_text(START)
        ready = socket.receive_json()
        assert ready["type"] == "ready" and ready["emotions"] == list(EMOTIONS)
        assert ready["models"] == {kind: DEFAULTS[kind] for kind in ("face", "voice")}
        for time_s, data in pictures:
            socket.send_bytes(pack(Picture(time_s, data)))
            [*_, answer] = until(socket, "observations")
            assert answer["picture"]["time"] == time_s and answer["picture"]["scored_ms"] > 0
            [face] = [o for o in answer["observations"] if o["source"] == "face"]
            assert face["start"] == round(time_s, 3) and face["person"] == 1 and len(face["box"]) == 4
            assert sum(face["scores"]) == pytest.approx(1, abs=1e-3)
            assert set(face) >= {"face_score", "sharpness", "turn"}
        for at in range(0, len(speech), 1600):
            socket.send_bytes(pack(Chunk(2.0 + at / 16_000, speech[at : at + 1600])))
        socket.send_text(STOP)
        rest = [o for message in until(socket, "end") for o in message.get("observations", [])]
        assert {o["source"] for o in rest} >= {"voice", "fused"}
        with pytest.raises(WebSocketDisconnect) as closed:
            socket.receive_json()
        assert closed.value.code == 1000


@pytest.mark.parametrize(
    ("first", "then", "why"),
    [
        ("nonsense", b"", "must be JSON"),
        (STOP, b"", "first message"),
        (START, b"PICTURE", "header of 16 bytes"),
        (START, pack(Picture(0.0, b"no picture")), "must be JPEG"),
        (START, START, "started already"),
        (json.dumps({"type": "start", "camera": False}), pack(Picture(0.0, b"x")), "no camera"),
    ],
)
def test_a_mistake_is_told_in_one_line(client: TestClient, first: str, then: str | bytes, why: str) -> None:
    with client.websocket_connect(LIVE) as socket:
        socket.send_text(first)
        if isinstance(then, str):
            socket.send_text(then)
        elif then:
            socket.send_bytes(then)
        [*_, error] = until(socket, "error")
        assert why in error["message"] and "\n" not in error["message"]
        with pytest.raises(WebSocketDisconnect) as closed:
            socket.receive_json()
        assert closed.value.code == 1008
    assert client.get("/health").json()["sessions"] == 0


def test_one_client_too_many_is_refused_clearly_and_a_place_is_given_again(client: TestClient) -> None:
    with client.websocket_connect(LIVE) as one, client.websocket_connect(LIVE) as two:
        for socket in (one, two):
            socket.send_text(START)
            assert socket.receive_json()["type"] == "ready"
        assert client.get("/health").json()["sessions"] == 2
        with client.websocket_connect(LIVE) as three:
            assert "all 2 sessions" in three.receive_json()["message"]
            with pytest.raises(WebSocketDisconnect) as closed:
                three.receive_json()
            assert closed.value.code == 1013
        two.send_text(STOP)
        until(two, "end")
    with client.websocket_connect(LIVE) as again:
        again.send_text(START)
        assert again.receive_json()["type"] == "ready"


def test_sessions_know_nothing_of_each_other(client: TestClient, pictures: list[tuple[float, bytes]]) -> None:
    with client.websocket_connect(LIVE) as one, client.websocket_connect(LIVE) as two:
        for socket, times in ((one, (5.0, 5.1)), (two, (1.0, 1.1))):
            socket.send_text(START)
            socket.receive_json()
            for time_s in times:
                socket.send_bytes(pack(Picture(time_s, pictures[0][1])))
                [answer] = until(socket, "observations")
                assert [o["person"] for o in answer["observations"] if o["source"] == "face"] == [1]


def memory(server: Server) -> float:
    """Resident memory of the server, MB."""
    status = Path(f"/proc/{server.process.pid}/status").read_text()
    return int(status.partition("VmRSS:")[2].split()[0]) / 1024


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="reads the memory of a process from /proc")
def test_who_does_not_read_costs_bounded_memory_and_loses_no_sound(
    server: Server, pictures: list[tuple[float, bytes]], speech: np.ndarray
) -> None:
    seconds, loop = 120, np.resize(speech, 16_000)
    with connect(server.socket, compression=None, max_size=None, max_queue=1) as socket:
        socket.send(START)
        assert json.loads(socket.recv())["type"] == "ready"
        before = memory(server)
        sent = 0
        for second in range(seconds):  # far faster than it is scored, and nothing is read meanwhile
            socket.send(pack(Chunk(float(second), loop)))
            if second % 2:
                socket.send(pack(Picture(float(second), pictures[0][1])))
                sent += 1
        socket.send(STOP)
        assert memory(server) - before < 150
        messages = [json.loads(message) for message in socket]
    scored = [message for message in messages if message.get("picture")]
    assert scored[-1]["picture"]["time"] == seconds - 1  # the newest
    assert len(scored) + scored[-1]["dropped"] == sent
    voices = [o for m in messages for o in m.get("observations", []) if o["source"] == "voice"]
    assert sum(o["end"] - o["start"] for o in voices) > 0.95 * seconds


def test_a_killed_client_gives_its_place_back(server: Server) -> None:
    import urllib.request

    def sessions() -> int:
        with urllib.request.urlopen(f"{server.address}health") as answer:
            return int(json.load(answer)["sessions"])

    socket = connect(server.socket, legacy=True)
    socket.send(START)
    socket.recv()
    assert sessions() == 1
    socket.socket.close()  # without a word
    for _ in range(100):
        if sessions() == 0:
            return
        time.sleep(0.05)
    raise AssertionError("the place was not given back")
