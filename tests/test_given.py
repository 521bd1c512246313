"""What `emoscope.analyze` takes beside paths."""

import io
from pathlib import Path

import numpy as np
import pytest
from places import EXAMPLE

import emoscope
from emoscope.given import as_file
from emoscope.media import Frame, open_media
from emoscope.timeline import Timeline


@pytest.fixture(scope="module")
def frames() -> list[tuple[float, np.ndarray]]:
    with open_media(EXAMPLE, sound=False) as media:
        return [(item.time, item.image) for item in media if isinstance(item, Frame) and item.time < 1.0]


def scores(timeline: Timeline) -> list[float]:
    return [round(score, 4) for o in timeline for score in o.scores]


def test_bytes_and_open_files_are_read_as_the_file_is() -> None:
    options = emoscope.ObserveOptions(end=1.0)
    expected = emoscope.analyze(EXAMPLE, options=options)
    with EXAMPLE.open("rb") as file:
        opened = emoscope.analyze(file, options=options)
    for timeline in (opened, emoscope.analyze(EXAMPLE.read_bytes(), options=options)):
        assert scores(timeline) == scores(expected) != []
    assert opened.info["input"] == "synthetic.mp4"
    assert emoscope.analyze(io.BytesIO(EXAMPLE.read_bytes()), options=options).info["input"] == "file"


def test_a_picture(frames: list[tuple[float, np.ndarray]]) -> None:
    timeline = emoscope.analyze(frames[20][1])
    assert timeline.info["kind"] == "picture" and timeline.info["input"] == "picture.png"
    assert timeline.select("face")[0].box and timeline.persons == [1]


def test_frames_are_scored_as_they_are(frames: list[tuple[float, np.ndarray]]) -> None:
    timeline = emoscope.analyze(iter(frames), baseline="none")
    session = emoscope.Session(voice=False, baseline="none")
    expected = [o for time, image in frames for o in session.add_frame(image, time, 1 / 30) if o.source == "face"]
    found = list(timeline.select("face"))
    assert np.array([o.box for o in found]) == pytest.approx(np.array([o.box for o in expected]), abs=1)
    assert [o.start for o in found] == pytest.approx([o.start for o in expected], abs=0.001)
    assert scores(timeline.select("face"))[:8] == pytest.approx([round(s, 4) for s in expected[0].scores], abs=1e-4)


def test_sound_with_its_rate(tmp_path: Path) -> None:
    with open_media(EXAMPLE, frames=False) as media:
        samples = np.concatenate([item.samples for item in media if not isinstance(item, Frame)])
    timeline = emoscope.analyze((samples, 16_000))
    assert timeline.info["kind"] == "sound" and timeline.info["duration_s"] == pytest.approx(
        len(samples) / 16e3, abs=0.1
    )
    for same in ((samples * 32767).astype(np.int16), np.stack([samples, samples], 1)):
        other = emoscope.analyze((same, 16_000))
        assert [o.start for o in other] == pytest.approx([o.start for o in timeline], abs=0.05)
        assert len(other.select("voice")) == len(timeline.select("voice")) > 0


def test_nothing_is_left_behind(frames: list[tuple[float, np.ndarray]]) -> None:
    with as_file(frames[:2]) as path:
        assert path.is_file()
    assert not path.parent.exists()
    with as_file(EXAMPLE) as path:
        assert path == EXAMPLE


@pytest.mark.parametrize(
    "wrong",
    [
        np.zeros((4, 4), np.uint8), np.zeros((4, 4, 3)), np.zeros((0, 4, 3), np.uint8), [],
        [(0.0, np.zeros((4, 4, 3), np.uint8)), (0.0, np.zeros((4, 4, 3), np.uint8))],
        [(0.0, np.zeros((4, 4, 3), np.uint8)), (1.0, np.zeros((6, 4, 3), np.uint8))],
        (np.zeros((5, 3)), 16_000), (np.zeros(5, np.int64), 16_000), (np.zeros(0), 16_000), (np.zeros(5), 0),
    ],
)  # fmt: skip
def test_other_shapes_and_types_are_refused(wrong: object) -> None:
    with pytest.raises(ValueError, match="expected"):
        emoscope.analyze(wrong)  # type: ignore[arg-type]


def test_bytes_that_are_no_media() -> None:
    with pytest.raises(emoscope.EmoscopeError, match="bytes: not a video, sound or picture"):
        emoscope.analyze(b"nothing")
