"""What of a recording is observed: from Python and from the command line."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner
from make_media import steps, write_video
from PIL import Image

import emoscope
from emoscope import Evidence, ObserveOptions
from emoscope.cli import main
from emoscope.errors import EmoscopeError
from emoscope.media import SAMPLE_RATE, Frame, open_media

RATE, SECONDS = 10, 4


@pytest.fixture(scope="module")
def clip(portrait: np.ndarray, speech: np.ndarray, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four seconds of speech and of two faces, one of them half as large on the right."""
    small = np.zeros_like(portrait)
    small[:150, :128] = portrait[::2, ::2]
    both = np.concatenate([portrait, small], 1)
    path = tmp_path_factory.mktemp("clip") / "clip.mp4"
    times = steps(SECONDS * RATE, RATE)
    return write_video(path, times, lambda _: both, sound=speech[None], sound_rate=SAMPLE_RATE, frame_rate=RATE)


@pytest.fixture(scope="module")
def whole(clip: Path) -> Evidence:
    return emoscope.observe(clip)


def observed(clip: Path, **options: Any) -> Evidence:
    return emoscope.observe(clip, options=ObserveOptions(**options))


def test_by_default_everything_is_observed(whole: Evidence) -> None:
    assert ObserveOptions().to_json() == {}
    assert whole.info["left_out"] == []
    assert set(whole.faces.track.tolist()) == {1, 2}
    assert len(whole.voices)


def test_frames_are_scored_every_so_often_and_stand_for_those_between(clip: Path) -> None:
    found = observed(clip, every=0.5)
    times = np.unique(found.faces.time)
    assert times == pytest.approx(np.arange(0, SECONDS, 0.5), abs=0.001)
    assert found.faces.duration == pytest.approx(0.5, abs=0.001)
    assert found.info["left_out"] == ["frames in between: one every 0.5 s is scored"]
    assert found.info["frames"] == SECONDS * RATE


def test_the_next_scored_frame_is_the_nearest(clip: Path) -> None:
    times = np.unique(observed(clip, every=0.27).faces.time)
    assert np.diff(times) == pytest.approx(0.3, abs=0.001)


def test_start_and_end_keep_the_times_of_the_recording(clip: Path, whole: Evidence) -> None:
    found = observed(clip, start=1.0, end=2.5)
    assert np.unique(found.faces.time) == pytest.approx(1 + np.arange(15) / RATE, abs=0.001)
    assert len(found.voices)
    assert found.voices.start.min() >= 1.0 - 1e-6
    assert found.voices.end.max() <= 2.5 + 1e-6
    assert found.info["duration_s"] == 2.5
    assert not found.info["truncated"]
    assert whole.voices.end.max() > 2.5


def test_the_sound_is_cut_at_the_sample(clip: Path) -> None:
    late = observed(clip, start=0.4, faces=False)
    shifted = observed(clip, start=0.4 + 1 / SAMPLE_RATE, faces=False)
    assert late.voices.start[0] == pytest.approx(shifted.voices.start[0], abs=0.04)


def test_faces_or_voices_alone(clip: Path, whole: Evidence) -> None:
    seen, heard = observed(clip, voices=False), observed(clip, faces=False)
    assert len(seen.faces) == len(whole.faces)
    assert not len(seen.voices)
    assert list(seen.info["models"]) == ["face"]
    assert not len(heard.faces)
    np.testing.assert_array_equal(heard.voices.logits, whole.voices.logits)
    assert list(heard.info["models"]) == ["voice"]
    assert (seen.info["left_out"], heard.info["left_out"]) == (["voices"], ["faces"])
    assert emoscope.read(heard).select("voice")


def test_what_is_not_wanted_is_not_decoded(clip: Path) -> None:
    with open_media(clip, frames=False) as media:
        assert not any(isinstance(item, Frame) for item in media)
    with open_media(clip, sound=False) as media:
        assert all(isinstance(item, Frame) for item in media)
        assert media.frames == SECONDS * RATE


def test_a_region_keeps_boxes_in_pixels_of_the_frame(clip: Path, whole: Evidence) -> None:
    x = 250
    found = observed(clip, region=(x, 0, 10_000, 10_000), every=1.0)
    small = whole.faces.box[whole.faces.box[:, 0] > x].mean(0)
    assert set(found.faces.track.tolist()) == {1}
    assert found.faces.box.mean(0) == pytest.approx(small, abs=12)
    with pytest.raises(EmoscopeError, match="lies outside its 512 x 300 pixels"):
        observed(clip, region=(600, 0, 10, 10))


def test_small_faces_are_left_out(clip: Path, whole: Evidence) -> None:
    found = observed(clip, min_face=90, every=1.0)
    assert len(set(found.faces.track.tolist())) == 1
    assert found.faces.box[:, 3].min() >= 90
    assert found.info["left_out"][-1] == "faces under 90 pixels"


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"start": 2.0, "end": 1.0}, "start < end"),
        ({"start": -1.0}, "start < end"),
        ({"every": 0.0}, "every > 0"),
        ({"faces": False, "voices": False}, "faces, voices or both"),
        ({"region": (0, 0, 0, 5)}, "region"),
        ({"min_face": 3}, "min_face >= 20"),
    ],
)
def test_values_out_of_range_are_refused(options: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        ObserveOptions(**options)


def test_a_part_of_a_folder_is_refused(portrait: np.ndarray, tmp_path: Path) -> None:
    Image.fromarray(portrait).save(tmp_path / "a.png")
    with pytest.raises(ValueError, match="of one recording, not of a folder"):
        observed(tmp_path, start=1.0)


def test_interrupted_it_goes_on_to_the_same_evidence(
    clip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("emoscope.observing.COMMIT_S", 0.0)
    options = ObserveOptions(every=0.3, start=0.5)

    def interrupt(done: float, total: float | None) -> None:
        if done > 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        emoscope.observe(clip, out=tmp_path, options=options, progress=interrupt)
    resumed, straight = emoscope.observe(clip, out=tmp_path, options=options), emoscope.observe(clip, options=options)
    np.testing.assert_array_equal(resumed.faces.time, straight.faces.time)
    np.testing.assert_array_equal(resumed.voices.start, straight.voices.start)
    np.testing.assert_allclose(resumed.faces.logits, straight.faces.logits, atol=0.01)


def test_other_options_observe_anew(clip: Path, tmp_path: Path) -> None:
    few = emoscope.observe(clip, out=tmp_path, options=ObserveOptions(every=1.0, voices=False))
    more = emoscope.observe(clip, out=tmp_path, options=ObserveOptions(every=0.5, voices=False))
    assert len(more.faces) > len(few.faces)
    assert more.info["notes"] == [
        "clip.mp4: observed anew, as the evidence was made by another version or model, or with other options"
    ]


def emoscope_command(*arguments: object) -> Any:
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


def test_the_command_line_says_in_the_summary_what_was_left_out(clip: Path, tmp_path: Path) -> None:
    switches = ["--start", "0:01", "--end", "2", "--every", "0.5", "--region", "0,0,256,300", "--min-face", "40"]
    switches += ["--faces-only", "--no-video"]
    result = emoscope_command("analyze", clip, "--out", tmp_path / "out", *switches)
    assert result.exit_code == 0, result.output
    assert "left out: everything before 1 s" in " ".join(result.stdout.split())
    assert json.loads((tmp_path / "out" / "summary.json").read_text())["left_out"] == [
        "everything before 1 s",
        "everything from 2 s on",
        "frames in between: one every 0.5 s is scored",
        "voices",
        "faces outside the region 0,0,256,300",
        "faces under 40 pixels",
        "annotated.mp4",
    ]
    assert "left out: everything before 1 s" in (tmp_path / "out" / "report.html").read_text()


@pytest.mark.parametrize(
    ("switches", "said"),
    [
        (["--faces-only", "--voice-only"], "faces, voices or both"),
        (["--start", "3", "--end", "2"], "start < end"),
        (["--start", "soon"], "--start soon: expected seconds or minutes:seconds"),
        (["--region", "1,2,3"], "--region 1,2,3: expected X,Y,WIDTH,HEIGHT"),
    ],
)
def test_wrong_switches_are_refused_in_one_line(switches: list[str], said: str, clip: Path, tmp_path: Path) -> None:
    result = emoscope_command("analyze", clip, "--out", tmp_path / "out", *switches)
    assert result.exit_code == 2
    (line,) = result.stderr.splitlines()
    assert said in line
