"""Each format is opened by a reader that is not ours."""

import csv
import io
import json
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner
from rows import row

from emoscope import Timeline
from emoscope.cli import main
from emoscope.export.export import FORMATS, SUFFIXES, export
from emoscope.export.stretches import stretches

HAPPY, SAD = "happiness", "sadness"


ROWS = [
    *(row(i / 10, (i + 1) / 10, 1, HAPPY) for i in range(10)),
    *(row(1 + i / 10, 1.1 + i / 10, 1, SAD, sure=0.6) for i in range(5)),
    row(0.5, 0.9, 2, SAD),
    row(2.0, 2.5, None, HAPPY),
    row(0.2, 1.0, 1, HAPPY, "voice"),
    row(1.0, 1.4, 1, SAD, "voice"),
    row(2.0, 2.5, None, HAPPY, "voice"),
]
"""Person 1: happy for a second, then sad for half a second; "Ana <b> {x}" is sad for 0.4 s; then a voice."""
NAMES = {2: "Ana <b> & {x}"}
EXPECTED = {
    "Person 1": [(0.0, 1.0, "happiness 80%"), (1.0, 1.5, "sadness 60%")],
    NAMES[2]: [(0.5, 0.9, "sadness 80%")],
    "Scene": [(2.0, 2.5, "happiness 80%")],
}


@pytest.fixture
def results(tmp_path: Path) -> Path:
    timeline = Timeline.of(ROWS, names=NAMES)
    timeline.to_csv(tmp_path / "timeline.csv")
    (tmp_path / "summary.json").write_text(json.dumps({"input": "my interview.mp4", "duration_s": 4.0}))
    return tmp_path


def same(found: list[tuple[float, float, str]], expected: list[tuple[float, float, str]]) -> None:
    assert [text for *_, text in found] == [text for *_, text in expected]
    np.testing.assert_allclose([f[:2] for f in found], [e[:2] for e in expected], atol=0.001)


def test_pympi_and_speach_open_elan(results: Path) -> None:
    import pympi
    from speach import elan

    path = export(results, "elan")
    eaf = pympi.Elan.Eaf(str(path))
    assert list(eaf.get_tier_names()) == list(EXPECTED)
    for who, expected in EXPECTED.items():
        same([(a / 1000, b / 1000, text) for a, b, text, *_ in eaf.get_annotation_data_for_tier(who)], expected)
    document = elan.read_eaf(str(path))
    for tier in document:
        same([(a.from_ts.sec, a.to_ts.sec, a.value) for a in tier], EXPECTED[tier.ID])


def test_praat_opens_a_textgrid(results: Path) -> None:
    import parselmouth
    from parselmouth.praat import call

    grid = parselmouth.read(str(export(results, "textgrid")))
    assert grid.xmax == 4.0
    for number, (who, expected) in enumerate(EXPECTED.items(), 1):
        assert call(grid, "Get tier name", number) == who
        found = [
            (call(grid, f"Get {side} time of interval", number, i), call(grid, "Get label of interval", number, i))
            for i in range(1, call(grid, "Get number of intervals", number) + 1)
            for side in ("start",)
        ]
        said = [(start, text) for start, text in found if text]
        assert said == [(pytest.approx(start), text) for start, _, text in expected]


def test_srt_opens_subtitles(results: Path) -> None:
    import srt

    read = list(srt.parse(export(results, "srt").read_text()))
    found = [(s.start.total_seconds(), s.end.total_seconds(), s.content) for s in read]
    assert found == [
        (0.0, 1.0, "Person 1: happiness 80%"),
        (0.5, 0.9, "Ana <b> & (x): sadness 80%"),
        (1.0, 1.5, "Person 1: sadness 60%"),
        (2.0, 2.5, "Scene: happiness 80%"),
    ]


def test_webvtt_opens_subtitles_with_a_voice_for_each_person(results: Path) -> None:
    import webvtt

    read = webvtt.read(str(export(results, "vtt")))
    assert [(c.start, c.end, c.voice, c.text) for c in read] == [
        ("00:00:00.000", "00:00:01.000", "Person 1", "happiness 80%"),
        ("00:00:00.500", "00:00:00.900", "Ana &lt;b&gt; &amp; (x)", "sadness 80%"),
        ("00:00:01.000", "00:00:01.500", "Person 1", "sadness 60%"),
        ("00:00:02.000", "00:00:02.500", "Scene", "happiness 80%"),
    ]


def test_pyannote_opens_who_speaks_when(results: Path) -> None:
    from pyannote.core import Annotation, Segment
    from pyannote.database.util import load_rttm

    (name, found), *rest = load_rttm(str(export(results, "rttm"))).items()
    expected = Annotation(uri=name)
    expected[Segment(0.2, 1.4)], expected[Segment(2.0, 2.5)] = "Person_1", "Scene"
    assert not rest
    assert name == "my_interview"
    assert [(s.start, s.end, who) for s, _, who in found.itertracks(yield_label=True)] == [
        (pytest.approx(s.start), pytest.approx(s.end), who) for s, _, who in expected.itertracks(yield_label=True)
    ]


def test_pandas_opens_the_tables(results: Path) -> None:
    import pandas as pd

    text = (results / "timeline.csv").read_text()
    assert export(results, "csv", results / "copy.csv").read_text() == text
    frame = pd.read_parquet(export(results, "parquet"))
    assert frame.shape == (len(ROWS), len(next(csv.reader(io.StringIO(text)))))
    assert set(frame["name"].dropna()) == set(NAMES.values())


def test_stretches_end_where_the_emotion_changes_or_nobody_is_seen() -> None:
    rows = [row(0, 0.2, 1, HAPPY), row(0.2, 0.4, 1, HAPPY, sure=0.6), row(0.45, 0.6, 1, HAPPY), row(1, 1.2, 1, HAPPY)]
    found = stretches(Timeline.of(rows))["Person 1"]
    assert [(s.start, s.end) for s in found] == [(0, 0.6), (1, 1.2)]
    assert found[0].confidence == pytest.approx((0.2 * 0.8 + 0.2 * 0.6 + 0.15 * 0.8) / 0.55)


def test_stretches_of_one_person_never_overlap() -> None:
    rows = [row(0, 1, 1, HAPPY), row(0.5, 1.5, 1, SAD), row(0.5, 0.7, 1, HAPPY)]
    found = stretches(Timeline.of(rows))["Person 1"]
    assert all(a.end <= b.start for a, b in pairwise(found))


def test_what_takes_no_time_is_refused(tmp_path: Path) -> None:
    Timeline.of([row(0, 0, 1, HAPPY)]).to_csv(tmp_path / "timeline.csv")
    (tmp_path / "summary.json").write_text("{}")
    result = CliRunner().invoke(main, ["export", str(tmp_path), "--to", "elan"])
    assert (result.exit_code, "takes any time" in result.stderr) == (2, True)


@pytest.mark.parametrize("to", FORMATS)
def test_the_command_writes_beside_the_timeline(to: Any, results: Path) -> None:
    result = CliRunner().invoke(main, ["export", str(results), "--to", to])
    assert result.exit_code == 0, result.output
    assert (results / f"timeline{SUFFIXES[to]}").stat().st_size


def test_a_folder_without_a_timeline_is_refused_in_one_line(tmp_path: Path) -> None:
    result = CliRunner().invoke(main, ["export", str(tmp_path), "--to", "srt"])
    assert result.exit_code == 2
    (line,) = result.stderr.splitlines()
    assert "holds no timeline; make it with: emoscope analyze" in line
