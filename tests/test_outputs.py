import json
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from places import EXAMPLE

import emoscope
from emoscope.emotions import EMOTIONS
from emoscope.errors import EmoscopeError
from emoscope.media import Frame, decode, open_media
from emoscope.media.write import VideoWriter
from emoscope.outputs import _Moving, check_folder, summarize, write_pictures, write_tables
from emoscope.timeline import Observation, Timeline

HAPPY = (0.1, 0.6, 0.05, 0.05, 0.05, 0.05, 0.05, 0.05)
SAD = (0.1, 0.05, 0.05, 0.6, 0.05, 0.05, 0.05, 0.05)


def seen(start: float, end: float, person: int | None = 1, scores: tuple[float, ...] = HAPPY) -> Observation:
    return Observation(start, end, "fused", person, None, scores)


def test_what_covers_a_time_is_shown() -> None:
    rows = [seen(0, 2), seen(1, 3, 2), seen(5, 6)]
    moving = _Moving(reversed(rows))
    shown = [[rows.index(o) for o in moving.at(time)] for time in (0.0, 0.9, 1.0, 1.99, 2.0, 3.0, 5.5, 7.0)]
    assert shown == [[0], [0], [0, 1], [0, 1], [1], [], [2], []]


def test_an_observation_without_a_length_is_shown_at_its_moment() -> None:
    moving = _Moving([seen(1, 1)])
    assert [len(moving.at(time)) for time in (0.9, 1.0, 1.1)] == [0, 1, 0]


spans = st.tuples(st.integers(0, 20), st.integers(0, 5)).map(lambda v: seen(v[0], v[0] + v[1]))


@given(st.lists(spans, max_size=10), st.lists(st.integers(0, 25), max_size=10))
def test_it_shows_the_same_as_looking_at_all(rows: list[Observation], times: list[int]) -> None:
    moving = _Moving(rows)
    for time in sorted(times):
        expected = [o for o in rows if o.start <= time < o.end or o.start == time]
        assert sorted(moving.at(time), key=id) == sorted(expected, key=id)


def test_the_summary_has_a_row_for_each_person_and_source() -> None:
    rows = [seen(0, 3), seen(3, 4, 1, SAD), seen(0, 1, None, SAD), Observation(0, 4, "face", 2, None, HAPPY)]
    summary = summarize(Timeline.of(rows, {"kind": "video"}))
    assert summary["kind"] == "video"
    assert summary["emotions"] == list(EMOTIONS)
    totals = [(t["person"], t["source"], t["observations"], t["seconds"], t["emotion"]) for t in summary["totals"]]
    assert totals == [(1, "fused", 2, 4, "happiness"), (2, "face", 1, 4, "happiness"), (None, "fused", 1, 1, "sadness")]
    assert summary["totals"][0]["scores"]["sadness"] == pytest.approx((3 * 0.05 + 0.6) / 4, abs=1e-4)


def test_an_empty_timeline_is_written_too(tmp_path: Path) -> None:
    files = write_tables(Timeline.of([], {"input": "ä <b> 'x'"}), tmp_path)
    assert [path.name for path in files] == ["timeline.csv", "timeline.parquet", "summary.json"]
    assert json.loads(files[2].read_text(encoding="utf-8")) == {
        "input": "ä <b> 'x'",
        "emotions": list(EMOTIONS),
        "totals": [],
    }


def test_the_folder_is_made_with_its_parents(tmp_path: Path) -> None:
    check_folder(tmp_path / "a" / "b")
    check_folder(tmp_path / "a" / "b")
    assert (tmp_path / "a" / "b").is_dir()


@pytest.mark.parametrize("below", [".", "deeper/still"])
def test_a_folder_that_cannot_be_made_is_refused(below: str, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(EmoscopeError, match=r"cannot be made: .*; name another folder with --out"):
        check_folder(tmp_path / "file" / below)


def test_the_input_is_never_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "annotated.mp4"
    path.write_bytes(EXAMPLE.read_bytes())
    with pytest.raises(EmoscopeError, match="is the input itself; name another folder"):
        write_pictures(Timeline.of([], {"kind": "video"}), path, tmp_path, lambda done, total: None)
    assert path.read_bytes() == EXAMPLE.read_bytes()


def test_a_file_is_opened_once_to_observe_it_and_once_to_draw(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    opened = []
    original = decode.av.open
    monkeypatch.setattr(decode.av, "open", lambda *args, **more: (opened.append(args[1]), original(*args, **more))[1])
    timeline = emoscope.analyze(EXAMPLE)
    assert opened == ["r"]
    write_pictures(timeline, EXAMPLE, tmp_path, lambda done, total: None)
    assert opened == ["r", "r", "w"]


def test_the_annotated_video_has_at_most_720_lines(portrait: np.ndarray, tmp_path: Path) -> None:
    large = cv2.resize(portrait, (900, 1080))
    with VideoWriter(tmp_path / "large.mp4", 900, 1080) as video:
        for frame in range(6):
            video.write(large, frame / 10)
    (tmp_path / "out").mkdir()
    timeline = emoscope.analyze(tmp_path / "large.mp4", out=tmp_path / "out")
    write_pictures(timeline, tmp_path / "large.mp4", tmp_path / "out", lambda done, total: None)
    with open_media(tmp_path / "out" / "annotated.mp4") as media:
        shapes = {item.image.shape for item in media if isinstance(item, Frame)}
    assert shapes == {(864, 720, 3)}
    assert media.frames == 6
