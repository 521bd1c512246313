import json
from contextlib import suppress

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from emoscope.live.protocol import (
    HEADER,
    LAST_TIME_S,
    Chunk,
    Picture,
    ProtocolError,
    Start,
    pack,
    read_binary,
    read_start,
    read_text,
)
from emoscope.timeline import Observation

TIMES = st.floats(0, LAST_TIME_S)


@given(TIMES, st.binary(min_size=1))
def test_pictures_come_back_as_they_were_sent(time: float, data: bytes) -> None:
    assert read_binary(pack(Picture(time, data)), 16_000) == Picture(time, data)


@given(TIMES, st.lists(st.floats(-1, 1, width=32), min_size=1, max_size=100))
def test_sound_comes_back_as_it_was_sent(time: float, samples: list[float]) -> None:
    sent = np.array(samples, np.float32)
    back = read_binary(pack(Chunk(time, sent)), 16_000)
    assert isinstance(back, Chunk) and back.time == time
    assert np.array_equal(back.samples, sent)


def test_sound_is_made_finite_and_kept_in_range() -> None:
    back = read_binary(pack(Chunk(0.0, np.array([np.nan, np.inf, -7, 0.5], np.float32))), 16_000)
    assert isinstance(back, Chunk)
    assert back.samples.tolist() == [0.0, 1.0, -1.0, 0.5]


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    try:
        assert isinstance(read_binary(data, 16_000), Picture | Chunk)
    except ProtocolError as error:
        assert "must" in str(error)


@pytest.mark.parametrize("time", [float("nan"), float("inf"), -0.001, 2 * LAST_TIME_S])
def test_times_that_cannot_be_are_refused(time: float) -> None:
    with pytest.raises(ProtocolError, match="a time must be"):
        read_binary(HEADER.pack(b"PICT", time) + b"x", 16_000)


def test_long_or_broken_sound_is_refused() -> None:
    with pytest.raises(ProtocolError, match="2 seconds"):
        read_binary(pack(Chunk(0.0, np.zeros(16_001 * 2, np.float32))), 16_000)
    with pytest.raises(ProtocolError, match="whole float32"):
        read_binary(HEADER.pack(b"SOUN", 0.0) + b"abc", 16_000)


def test_the_start_says_what_will_come() -> None:
    assert read_start('{"type": "start"}') == Start(True, True, 16_000)
    text = json.dumps({"type": "start", "camera": False, "rate": 48_000, "unknown": 1})
    assert read_start(text) == Start(False, True, 48_000)


@pytest.mark.parametrize(
    "text",
    [
        "hello",
        "[]",
        "[" * 10_000,
        '{"type": "stop"}',
        '{"type": "start", "camera": false, "microphone": false}',
        '{"type": "start", "camera": "yes"}',
        '{"type": "start", "rate": 7999}',
        '{"type": "start", "rate": 1e5}',
        '{"type": "start", "rate": true}',
    ],
)
def test_other_starts_are_refused(text: str) -> None:
    with pytest.raises(ProtocolError, match="must"):
        read_start(text)


@given(st.text())
def test_any_text_is_read_or_refused(text: str) -> None:
    with suppress(ProtocolError):
        assert read_text(text)["type"] in ("start", "neutral", "stop")


def test_an_observation_keeps_its_fields() -> None:
    observation = Observation(1.0, 1.5, "face", 2, (1.0, 2.0, 3.0, 4.0), (0.1, 0.9, 0, 0, 0, 0, 0, 0))
    assert json.loads(json.dumps(observation.as_json())) == {
        "start": 1.0,
        "end": 1.5,
        "source": "face",
        "person": 2,
        "box": [1.0, 2.0, 3.0, 4.0],
        "scores": [0.1, 0.9, 0, 0, 0, 0, 0, 0],
        "emotion": "happiness",
        "confidence": 0.9,
    }


def test_whose_face_is_neutral_is_a_number() -> None:
    assert read_text('{"type": "neutral", "person": 2}')["person"] == 2
    for person in ("", ', "person": "1"', ', "person": true', ', "person": 1.5'):
        with pytest.raises(ProtocolError, match="by their number"):
            read_text(f'{{"type": "neutral"{person}}}')
