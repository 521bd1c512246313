from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyarrow import parquet

from emoscope.emotions import EMOTIONS
from emoscope.timeline import Observation, Timeline, column_names

COLUMNS = column_names()
EVEN = (0.125,) * 8
HAPPY = (0.1, 0.6, 0.05, 0.05, 0.05, 0.05, 0.05, 0.05)

amount = st.integers(0, 10**9).map(lambda ms: ms / 1000)
side = st.integers(-(10**4), 10**4).map(float)
boxes = st.none() | st.tuples(side, side, side, side)
scores = st.lists(st.integers(0, 10**4).map(lambda share: share / 10**4), min_size=8, max_size=8).map(tuple)


@st.composite
def observations(draw: st.DrawFn) -> Observation:
    """One whose values have no more digits than a table."""
    start = draw(amount)
    person = draw(st.none() | st.integers(1, 2**31 - 1))
    source = draw(st.sampled_from(["face", "voice", "fused"]))
    return Observation(start, round(start + draw(amount), 3), source, person, draw(boxes), draw(scores))


def seen(start: float = 0.0, end: float = 1.0, source: str = "face", person: int | None = 1) -> Observation:
    return Observation(start, end, source, person, (1.0, 2.0, 3.0, 4.0), HAPPY)  # type: ignore[arg-type]


def read_back(timeline: Timeline, folder: Path, suffix: str) -> Timeline:
    path = folder / f"timeline.{suffix}"
    timeline.to_csv(path) if suffix == "csv" else timeline.to_parquet(path)
    return Timeline.read(path)


def test_the_columns_are_those_of_the_contract() -> None:
    expected = "start_s, end_s, source, person, x, y, width, height, neutral, happiness, surprise, sadness, anger, "
    assert ", ".join(COLUMNS) == expected + "disgust, fear, contempt, emotion, confidence"


@pytest.mark.parametrize("rows", [[], [seen(), seen(person=None, source="voice")]])
def test_the_types_do_not_depend_on_the_rows(rows: list[Observation], tmp_path: Path) -> None:
    Timeline.of(rows).to_parquet(tmp_path / "t.parquet")
    schema = parquet.read_schema(tmp_path / "t.parquet")
    types = {"source": pa.string(), "person": pa.int32(), "emotion": pa.string()}
    assert schema.names == list(COLUMNS)
    assert schema.types == [types.get(name, pa.float64()) for name in COLUMNS]


def test_csv_has_a_header_and_empty_cells_for_what_is_missing(tmp_path: Path) -> None:
    Timeline.of([Observation(0.5, 2.0, "voice", None, None, HAPPY)]).to_csv(tmp_path / "t.csv")
    header, row = (line.split(",") for line in (tmp_path / "t.csv").read_text().splitlines())
    assert header == list(COLUMNS)
    assert row[:8] == ["0.5", "2", "voice", "", "", "", "", ""]
    assert row[16:] == ["happiness", "0.6"]


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
@given(rows=st.lists(observations(), max_size=5))
def test_what_is_written_is_read_back(rows: list[Observation], suffix: str) -> None:
    with TemporaryDirectory() as folder:
        assert list(read_back(Timeline.of(rows), Path(folder), suffix)) == rows


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_numbers_without_a_fraction_stay_floats(suffix: str, tmp_path: Path) -> None:
    (o,) = read_back(
        Timeline.of([Observation(0.0, 2.0, "face", 3, (1.0, 2.0, 3.0, 4.0), (1.0, *[0.0] * 7))]), tmp_path, suffix
    )
    assert {type(v) for v in (o.start, o.end, *(o.box or ()), *o.scores)} == {float}
    assert isinstance(o.person, int)


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_an_empty_timeline_is_read_back(suffix: str, tmp_path: Path) -> None:
    assert len(read_back(Timeline.empty(), tmp_path, suffix)) == 0


def test_a_table_of_something_else_is_refused(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("start_s,end_s\n0,1\n")
    with pytest.raises(ValueError, match=r"t\.csv: expected the columns of a timeline, missing source, person, x"):
        Timeline.read(tmp_path / "t.csv")


@pytest.mark.parametrize(
    ("changed", "message"),
    [({"scores": EVEN[:7]}, "expected 8 scores, got 7"), ({"end": -0.1}, "expected end >= start")],
)
def test_an_impossible_observation_is_refused(changed: dict, message: str) -> None:  # type: ignore[type-arg]
    values = {"start": 0.0, "end": 1.0, "source": "face", "person": 1, "box": None, "scores": EVEN} | changed
    with pytest.raises(ValueError, match=message):
        Observation(**values)


def test_the_emotion_is_the_highest_score_and_the_first_on_ties() -> None:
    assert (seen().emotion, seen().confidence) == ("happiness", 0.6)
    assert Observation(0, 0, "face", 1, None, EVEN).emotion == "neutral"


def test_order_is_by_start_then_source_then_person_with_the_scene_last() -> None:
    rows = [
        seen(0, source="face", person=1),
        seen(0, source="face", person=2),
        seen(0, source="voice", person=9),
        seen(0, source="voice", person=None),
        seen(0, source="fused", person=1),
        seen(0, source="fused", person=None),
        seen(1, 2, source="face", person=1),
    ]
    assert list(Timeline.of(reversed(rows)).sorted()) == rows
    assert list(Timeline.join([Timeline.of(rows[4:]), Timeline.of(rows[:4])]).sorted()) == rows


def test_parts_of_a_timeline() -> None:
    rows = [seen(person=2), seen(person=1, source="fused"), seen(person=None, source="voice")]
    timeline = Timeline.of(rows, {"kind": "video"})
    assert timeline.persons == [1, 2]
    assert list(timeline.select("face")) == rows[:1]
    assert list(timeline.select(person=1)) == rows[1:2]
    assert list(timeline.select("voice", 1)) == []
    assert list(timeline.scene()) == rows[2:]
    assert list(timeline[1:]) == rows[1:]
    assert timeline[-1] == rows[-1]
    assert list(timeline) == rows
    assert timeline.select("face").info == timeline[1:].info == timeline.scene().info == {"kind": "video"}


def test_the_mean_weighs_by_length() -> None:
    sure, even = (1.0, *[0.0] * 7), (0.0, 1.0, *[0.0] * 6)
    rows = [Observation(0, 3, "face", 1, None, sure), Observation(3, 4, "face", 1, None, even)]
    means = Timeline.of(rows).mean_scores()
    assert list(means) == list(EMOTIONS)
    assert (means["neutral"], means["happiness"], means["fear"]) == (0.75, 0.25, 0)
    stills = [Observation(0, 0, "face", 1, None, sure), Observation(0, 0, "face", 2, None, even)]
    assert Timeline.of(stills).mean_scores()["neutral"] == 0.5
    assert set(Timeline.empty().mean_scores().values()) == {0.0}


def test_any_labels_and_further_columns_are_read_back(tmp_path: Path) -> None:
    labels = ("calm", "bored", "delighted")
    rows = [
        Observation(0, 1, "voice", 1, None, (0.2, 0.3, 0.5), labels, {"turn": 12.5, "file": "a.wav"}),
        Observation(1, 2, "voice", 2, None, (0.6, 0.3, 0.1), labels),
    ]
    timeline = Timeline.of(rows, names={1: "Anna"})
    for suffix in ("csv", "parquet"):
        again = read_back(timeline, tmp_path, suffix)
        assert list(again) == rows
        assert again.column_names == (*column_names(labels), "name", "turn", "file")
        assert (again.who(1), again.who(2), again.who(None)) == ("Anna", "Person 2", "Scene")
    assert rows[0].as_json()["turn"] == 12.5


def test_data_frames_hold_the_table() -> None:
    timeline = Timeline.of([seen(), seen(1, 2, "voice", None)])
    frame = timeline.to_pandas()
    assert list(frame.columns) == list(COLUMNS)
    assert frame["person"].isna().tolist() == [False, True]
    assert pa.table(timeline).to_pydict() == timeline.columns()
    assert timeline.__dataframe__().num_rows() == 2  # type: ignore[attr-defined]


def test_parts_with_other_columns_are_joined() -> None:
    first, second = Timeline.of([seen()]), Timeline.of([replace(seen(), extra={"turn": 3.0})])
    assert list(Timeline.join([first, second])) == [first[0], second[0]]


def test_a_timeline_in_a_line() -> None:
    assert repr(Timeline.of([seen()] * 1000)).startswith("<Timeline: 1,000 observations of 1 person in 1.0 s; neutral,")


def test_columns_that_do_not_fit_are_refused() -> None:
    timeline = Timeline.of([seen()])
    with pytest.raises(ValueError, match=r"expected scores of shape \(1, 2\), got \(1, 8\)"):
        replace(timeline, labels=("a", "b"))
    with pytest.raises(ValueError, match=r"expected the column turn of shape \(1,\)"):
        replace(timeline, extra={"turn": timeline.start[:0]})
    with pytest.raises(ValueError, match="expected observations with the same labels"):
        Timeline.of([seen(), Observation(0, 1, "voice", 1, None, (1.0,), ("calm",))])


def test_a_long_table_is_small(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    n = 18_000
    start = np.repeat(np.arange(n) / 30, 2)
    scores = np.repeat(random.dirichlet(np.full(8, 0.1), n), 2, axis=0)
    box = np.repeat(random.uniform(50, 300, (n, 4)), 2, axis=0)
    source = np.tile(np.array([0, 2], np.int8), n)
    quality = np.where(source == 0, random.random(2 * n), np.nan)
    extra = dict.fromkeys(("face_score", "sharpness", "turn"), quality)
    timeline = Timeline(start, start + 1 / 30, source, np.ones(2 * n, np.int32), box, scores, extra=extra)
    timeline.to_csv(tmp_path / "t.csv")
    assert (tmp_path / "t.csv").stat().st_size < 4.0e6
