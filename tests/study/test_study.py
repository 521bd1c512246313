"""Many recordings: found, analyzed each in its folder, gone on with, and put into tables."""

import csv
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner
from make_media import steps, write_sound, write_video
from PIL import Image
from rows import row

import emoscope
from emoscope import ObserveOptions, Timeline
from emoscope.cli import main
from emoscope.errors import EmoscopeError
from emoscope.media import SAMPLE_RATE
from emoscope.study import study as of
from emoscope.study.measures import measures
from emoscope.study.pool import run_here
from emoscope.study.recordings import Recording, find_recordings
from emoscope.study.tables import _person
from emoscope.study.work import Settings

RATE = 10


@pytest.fixture(scope="module")
def media(portrait: np.ndarray, speech: np.ndarray, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a video, a sound below it, one broken file and one that is hidden."""
    folder = tmp_path_factory.mktemp("media")
    (folder / "day 2").mkdir()
    write_video(folder / "a.mp4", steps(RATE, RATE), lambda _: portrait, frame_rate=RATE)
    write_sound(folder / "day 2" / "b.wav", speech[None, : 2 * SAMPLE_RATE], SAMPLE_RATE)
    (folder / "broken.mp4").write_text("no video")
    (folder / ".hidden.mp4").write_text("no video")
    (folder / "notes.txt").write_text("no media")
    return folder


def run(*arguments: object) -> Any:
    return CliRunner().invoke(main, ["study", *map(str, arguments), "--workers", "1"])


def table(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def done(media: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("study") / "out"
    result = run(media, "--out", out)
    assert result.exit_code == 0, result.output
    assert "passed over broken.mp4" in result.stderr
    assert "2 of 3 recordings" in result.stdout
    return out


def names(paths: list[Path | str]) -> list[str]:
    return [recording.name for recording in find_recordings(paths)]


def test_folders_files_and_globs(media: Path) -> None:
    assert names([media]) == ["a.mp4", "broken.mp4", "day 2_b.wav"]
    assert names([media / "a.mp4"]) == ["a.mp4"]
    assert names([str(media / "**" / "*.wav")]) == ["b.wav"]
    assert names([str(media / "*.mp4"), media / "a.mp4"]) == ["a.mp4", "broken.mp4"]


def test_a_csv_has_columns_of_the_users(media: Path, tmp_path: Path) -> None:
    path = media / "list.csv"
    path.write_text("path,person,condition\na.mp4,Ana,calm\nday 2/b.wav,Ben,\n")
    found = {r.name: r.columns for r in find_recordings([path])}
    path.unlink()
    assert found == {
        "a.mp4": {"person": "Ana", "condition": "calm"},
        "day 2_b.wav": {"person": "Ben", "condition": ""},
    }


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("file,person\na.mp4,Ana\n", "expected a column named path"),
        ("path,status\na.mp4,x\n", "has a name that the results use"),
        ("path,person\n,x\n", "a row has no path"),
        ("path,person\na.mp4,x\na.mp4,y\n", "named twice"),
        ("path\n", "no videos, sound files or pictures"),
    ],
)
def test_a_csv_that_is_not_as_expected_is_refused(text: str, said: str, tmp_path: Path) -> None:
    (tmp_path / "list.csv").write_text(text)
    with pytest.raises(EmoscopeError, match=said):
        find_recordings([tmp_path / "list.csv"])


def test_two_files_of_one_name_are_refused(media: Path, tmp_path: Path) -> None:
    (tmp_path / "a.mp4").write_text("other")
    with pytest.raises(EmoscopeError, match="has the name of"):
        find_recordings([media / "a.mp4", tmp_path / "a.mp4"])
    with pytest.raises(EmoscopeError, match="no such file or folder"):
        find_recordings([tmp_path / "nowhere"])


def test_each_recording_has_a_folder_and_a_row_for_each_person_and_source(done: Path, media: Path) -> None:
    rows = table(done / "recordings.csv")
    assert [(r["recording"], r["status"], r["who"], r["source"]) for r in rows] == [
        ("a.mp4", "done", "Person 1", "face"),
        ("a.mp4", "done", "Person 1", "fused"),
        ("broken.mp4", "failed", "", ""),
        ("day 2_b.wav", "done", "Voice A", "voice"),
        ("day 2_b.wav", "done", "Voice A", "fused"),
    ]
    assert "not a video" in rows[2]["reason"]
    assert rows[0]["person"] == "a.mp4 Person 1"
    folder = done / "recordings" / "a.mp4"
    assert {p.name for p in folder.iterdir()} >= {"timeline.csv", "report.html", "picture.jpg", "finished.json"}
    straight = emoscope.analyze(media / "a.mp4").select("fused").mean_scores()
    assert {label: float(rows[1][label]) for label in straight} == pytest.approx(straight, abs=0.001)


def test_the_timeline_over_all_says_which_row_is_from_which_file(done: Path) -> None:
    import pandas as pd

    frame = pd.read_parquet(done / "timeline.parquet")
    assert set(frame["recording"]) == {"a.mp4", "day 2_b.wav"}
    own = Timeline.read(done / "recordings" / "a.mp4" / "timeline.csv")
    assert (frame["recording"] == "a.mp4").sum() == len(own)


def test_the_page_has_a_row_and_a_picture_a_recording(done: Path) -> None:
    page = (done / "index.html").read_text()
    assert 'href="recordings/a.mp4/report.html"' in page
    assert 'href="recordings/day%202_b.wav/report.html"' in page
    assert 'src="recordings/a.mp4/picture.jpg"' in page
    assert "broken.mp4" in page
    assert "failed" in page


def test_what_is_finished_is_skipped_and_what_is_new_is_added(done: Path, media: Path, tmp_path: Path) -> None:
    out, more = tmp_path / "out", tmp_path / "media"
    shutil.copytree(done, out)
    shutil.copytree(media, more, copy_function=shutil.copy2)
    (more / "broken.mp4").unlink()
    shutil.copy2(media / "a.mp4", more / "c.mp4")
    outcome = of.study([more], out, workers=1)
    assert (outcome.done, outcome.failed) == (3, {})
    assert json.loads((out / "recordings" / "a.mp4" / "finished.json").read_text()) == json.loads(
        (done / "recordings" / "a.mp4" / "finished.json").read_text()
    )
    assert {r["recording"] for r in table(out / "recordings.csv")} == {"a.mp4", "c.mp4", "day 2_b.wav"}


def test_a_reading_made_anew_is_measured_anew(done: Path, media: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    shutil.copytree(done, out)
    folder = out / "recordings" / "a.mp4"
    assert CliRunner().invoke(main, ["read", str(folder), "--baseline", "none"]).exit_code == 0
    of.study([media / "a.mp4"], out, workers=1)
    (row,) = (r for r in table(out / "recordings.csv") if r["source"] == "fused")
    means = Timeline.read(folder / "timeline.csv").select("fused").mean_scores()
    assert {label: float(row[label]) for label in means} == pytest.approx(means, abs=0.001)


def test_other_settings_are_refused_unless_forced(done: Path, media: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    shutil.copytree(done, out)
    settings = Settings(ObserveOptions(every=0.5))
    with pytest.raises(EmoscopeError, match="other settings"):
        of.study([media / "a.mp4"], out, settings, workers=1)
    of.study([media / "a.mp4"], out, settings, workers=1, force=True)
    (row,) = (r for r in table(out / "recordings.csv") if r["source"] == "face")
    assert row["observations"] == "2"


def test_whose_recording_it_is_stands_with_the_one_who_is_seen_longest() -> None:
    one = Recording("a.mp4", Path("a.mp4"), {"person": "Ana"})
    assert _person(one, {"who": "Person 2", "main": 1}, True) == "Ana"
    assert _person(one, {"who": "Person 1", "main": 0}, True) is None


def test_measures_of_a_timeline() -> None:
    rows = [
        row(0, 10, 1, "happiness"),
        row(10, 20, 1, "sadness", sure=0.6),
        row(20, 30, 1, "happiness"),
        row(0, 5, 2, "sadness"),
    ]
    first, second = measures(Timeline.of(rows))
    assert (first["who"], first["seconds"], first["main"]) == ("Person 1", 30, 1)
    assert (first["happiness_share"], first["sadness_share"]) == (
        pytest.approx(2 / 3, abs=1e-3),
        pytest.approx(1 / 3, abs=1e-3),
    )
    assert (first["happiness_onsets_per_min"], first["sadness_onsets_per_min"]) == (4.0, 2.0)
    assert first["confidence"] == pytest.approx((0.8 + 0.6 + 0.8) / 3, abs=1e-3)
    assert (second["who"], second["main"]) == ("Person 2", 0)


def test_ten_pictures_are_ten_rows(portrait: np.ndarray, tmp_path: Path) -> None:
    folder, out = tmp_path / "pictures", tmp_path / "out"
    folder.mkdir()
    for number in range(9):
        Image.fromarray(portrait).save(folder / f"{number}.png")
    Image.fromarray(np.zeros((64, 64, 3), np.uint8)).save(folder / "nobody.png")
    (folder / "broken.jpg").write_text("no picture")
    result = run(folder, "--out", out)
    assert result.exit_code == 0, result.output
    rows = {r["recording"]: r for r in table(out / "pictures.csv")}
    assert len(rows) == 11
    assert rows["0.png"]["path"] == str(folder / "0.png")
    assert (rows["0.png"]["faces"], rows["nobody.png"]["faces"]) == ("1", "0")
    face = emoscope.analyze(folder / "0.png").select("face")[0]
    assert rows["0.png"]["emotion"] == face.emotion
    assert float(rows["0.png"]["confidence"]) == pytest.approx(face.confidence, abs=0.001)
    assert "not a video, sound or picture" in rows["broken.jpg"]["reason"]
    before = (out / "pictures.csv").read_bytes()
    assert run(folder, "--out", out).exit_code == 0
    assert (out / "pictures.csv").read_bytes() == before


def _die_on_two(item: int) -> int:
    if item == 2:
        os.kill(os.getpid(), signal.SIGKILL)
    return item * item


def test_a_process_that_is_killed_stops_nothing_else() -> None:
    found = dict(run_here(_die_on_two, [1, 2, 3, 4], 1))
    assert found == {1: 1, 2: None, 3: 9, 4: 16}


def test_interrupted_it_keeps_everything_and_goes_on(portrait: np.ndarray, media: Path, tmp_path: Path) -> None:
    long = tmp_path / "media"
    long.mkdir()
    shutil.copy2(media / "a.mp4", long / "a.mp4")
    write_video(long / "z.mp4", steps(1500, 25), lambda _: portrait, options={"preset": "ultrafast"})
    command = [sys.executable, "-m", "emoscope", "study", str(long), "--out", str(tmp_path / "out"), "--workers", "1"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    kept = tmp_path / "out" / "recordings" / "z.mp4" / "evidence.sqlite"
    deadline = time.monotonic() + 120
    while not kept.exists() and time.monotonic() < deadline:
        time.sleep(0.1)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 2, errors
    assert errors.strip().splitlines()[-1].endswith("and the same command goes on")
    status = {r["recording"]: r["status"] for r in table(tmp_path / "out" / "recordings.csv")}
    assert status == {"a.mp4": "done", "z.mp4": "waiting"}
    assert kept.exists()


def test_a_folder_is_for_study_unless_joined(media: Path, tmp_path: Path) -> None:
    result = CliRunner().invoke(main, ["analyze", str(media), "--out", str(tmp_path / "out")])
    assert result.exit_code == 2
    (line,) = result.stderr.splitlines()
    assert "emoscope study" in line
    assert "--joined" in line
