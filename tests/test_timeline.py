from pathlib import Path
from tempfile import TemporaryDirectory

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyarrow import parquet

from emoscope.emotions import EMOTIONS
from emoscope.timeline import COLUMNS, Observation, Timeline, in_order, merge

EVEN = (0.125,) * 8
HAPPY = (0.1, 0.6, 0.05, 0.05, 0.05, 0.05, 0.05, 0.05)

amount = st.floats(0, 1e6, allow_subnormal=False)
boxes = st.none() | st.tuples(st.floats(-1e4, 1e4), st.floats(-1e4, 1e4), amount, amount)
scores = st.lists(st.floats(0, 1), min_size=8, max_size=8).map(tuple)


@st.composite
def observations(draw: st.DrawFn) -> Observation:
    start = draw(amount)
    person = draw(st.none() | st.integers(1, 2**31 - 1))
    source = draw(st.sampled_from(["face", "voice", "fused"]))
    return Observation(start, start + draw(amount), source, person, draw(boxes), draw(scores))


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
    Timeline(rows).to_parquet(tmp_path / "t.parquet")
    schema = parquet.read_schema(tmp_path / "t.parquet")
    types = {"source": pa.string(), "person": pa.int32(), "emotion": pa.string()}
    assert schema.names == list(COLUMNS)
    assert schema.types == [types.get(name, pa.float64()) for name in COLUMNS]


def test_csv_has_a_header_and_empty_cells_for_what_is_missing(tmp_path: Path) -> None:
    Timeline([Observation(0.5, 2.0, "voice", None, None, HAPPY)]).to_csv(tmp_path / "t.csv")
    header, row = (line.split(",") for line in (tmp_path / "t.csv").read_text().splitlines())
    assert header == list(COLUMNS)
    assert row[:8] == ["0.5", "2", "voice", "", "", "", "", ""]
    assert row[16:] == ["happiness", "0.6"]


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
@given(rows=st.lists(observations(), max_size=5))
def test_what_is_written_is_read_back(rows: list[Observation], suffix: str) -> None:
    with TemporaryDirectory() as folder:
        assert read_back(Timeline(rows), Path(folder), suffix).observations == rows


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_numbers_without_a_fraction_stay_floats(suffix: str, tmp_path: Path) -> None:
    (o,) = read_back(
        Timeline([Observation(0.0, 2.0, "face", 3, (1.0, 2.0, 3.0, 4.0), (1.0, *[0.0] * 7))]), tmp_path, suffix
    )
    assert {type(v) for v in (o.start, o.end, *(o.box or ()), *o.scores)} == {float}
    assert isinstance(o.person, int)


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_an_empty_timeline_is_read_back(suffix: str, tmp_path: Path) -> None:
    assert len(read_back(Timeline(), tmp_path, suffix)) == 0


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
    assert in_order(reversed(rows)) == rows
    assert merge([Timeline(rows[4:]), Timeline(rows[:4])]) == rows


def test_parts_of_a_timeline() -> None:
    rows = [seen(person=2), seen(person=1, source="fused"), seen(person=None, source="voice")]
    timeline = Timeline(rows, {"kind": "video"})
    assert timeline.persons == [1, 2]
    assert timeline.select("face").observations == rows[:1]
    assert timeline.select(person=1).observations == rows[1:2]
    assert timeline.select("voice", 1).observations == []
    assert timeline.scene().observations == rows[2:]
    assert timeline[1:].observations == rows[1:]
    assert timeline[-1] is rows[-1]
    assert list(timeline) == rows
    assert timeline.select("face").info == timeline[1:].info == timeline.scene().info == {"kind": "video"}


def test_the_mean_weighs_by_length() -> None:
    sure, even = (1.0, *[0.0] * 7), (0.0, 1.0, *[0.0] * 6)
    rows = [Observation(0, 3, "face", 1, None, sure), Observation(3, 4, "face", 1, None, even)]
    means = Timeline(rows).mean_scores()
    assert list(means) == list(EMOTIONS)
    assert (means["neutral"], means["happiness"], means["fear"]) == (0.75, 0.25, 0)
    stills = [Observation(0, 0, "face", 1, None, sure), Observation(0, 0, "face", 2, None, even)]
    assert Timeline(stills).mean_scores()["neutral"] == 0.5
    assert set(Timeline().mean_scores().values()) == {0.0}
