import errno
import json
import struct
import subprocess
import sys
import wave
import zlib
from fractions import Fraction
from pathlib import Path

import click
import numpy as np
import pytest
from click.testing import CliRunner, Result
from make_media import damage, sine, steps, write_sound, write_video
from PIL import Image
from training_samples import clips, faces, write_ferplus, write_packed

from emoscope.cli import _Group, main
from emoscope.media import SAMPLE_RATE, open_media
from emoscope.models import registry
from emoscope.timeline import Timeline

RATE = 10
TABLES = {"timeline.csv", "timeline.parquet", "summary.json", "evidence.sqlite"}


def emoscope(*arguments: object) -> Result:
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def refused(result: Result) -> str:
    """The one line that a refusal consists of."""
    assert result.exit_code == 2, result.output
    assert isinstance(result.exception, SystemExit)
    (line,) = result.stderr.splitlines()
    assert line.startswith("emoscope: ")
    return line


@pytest.fixture(scope="module")
def clip(portrait: np.ndarray, speech: np.ndarray, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two seconds of the portrait and of speech, in a container that can be cut anywhere."""
    path = tmp_path_factory.mktemp("clip") / "clip.mkv"
    return write_video(
        path,
        steps(2 * RATE, RATE),
        lambda _: portrait,
        sound=speech[None, : 2 * SAMPLE_RATE],
        sound_rate=SAMPLE_RATE,
        time_base=Fraction(1, 1000),
        options={"g": "4"},
    )


def test_a_video_becomes_tables_a_page_and_a_video(clip: Path, tmp_path: Path) -> None:
    result = emoscope("analyze", clip, "--out", tmp_path / "out")
    assert result.exit_code == 0, result.output
    assert result.stderr == ""
    assert names(tmp_path / "out") == TABLES | {"report.html", "annotated.mp4"}
    for name in names(tmp_path / "out") - {"evidence.sqlite"}:
        assert name in result.stdout
    assert "Person 1" in result.stdout

    timeline = Timeline.read(tmp_path / "out" / "timeline.csv")
    assert list(timeline) == list(Timeline.read(tmp_path / "out" / "timeline.parquet"))
    assert {o.source for o in timeline} == {"face", "voice", "fused"}
    summary = json.loads((tmp_path / "out" / "summary.json").read_text())
    assert (summary["input"], summary["persons"], summary["frames"]) == ("clip.mkv", 2, 20)
    seen = [(total["who"], total["source"], total["observations"]) for total in summary["totals"]]
    assert sorted(seen) == [("Person 1", "face", 20), ("Voice A", "voice", 1)]  # both together would say the same again
    with open_media(tmp_path / "out" / "annotated.mp4") as media:
        assert sum(1 for _ in media) > 0
        assert (media.frames, media.has_sound, media.width, media.height) == (20, True, 256, 300)
    assert "clip.mkv" in (tmp_path / "out" / "report.html").read_text()


def test_reading_again_needs_no_recording(clip: Path, tmp_path: Path) -> None:
    out, copy = tmp_path / "out", tmp_path / "clip.mkv"
    copy.write_bytes(clip.read_bytes())
    assert emoscope("analyze", copy, "--out", out, "--no-video").exit_code == 0
    before = {name: (out / name).read_bytes() for name in ("timeline.csv", "report.html")}
    copy.unlink()
    result = emoscope("read", out)
    assert result.exit_code == 0, result.output
    assert (out / "timeline.csv").read_bytes() == before["timeline.csv"]
    assert (out / "report.html").read_text().count("data:image/jpeg") == before["report.html"].count(b"data:image/jpeg")
    assert emoscope("read", out, "--smoothing", "none").exit_code == 0
    assert (out / "timeline.csv").read_bytes() != before["timeline.csv"]
    assert "there is no evidence; make it with" in refused(emoscope("read", tmp_path))


def test_another_recording_does_not_inherit_results(clip: Path, portrait: np.ndarray, tmp_path: Path) -> None:
    picture, out = tmp_path / "me.png", tmp_path / "out"
    Image.fromarray(portrait).save(picture)
    assert emoscope("analyze", clip, "--out", out).exit_code == 0
    assert "holds the results of another recording, clip.mkv" in refused(emoscope("analyze", picture, "--out", out))
    assert emoscope("analyze", picture, "--out", out, "--force").exit_code == 0
    assert names(out) == TABLES | {"report.html"}


@pytest.mark.parametrize("kind", ["picture", "sound", "folder", "nobody"])
def test_other_inputs_have_no_annotated_video(
    kind: str, portrait: np.ndarray, speech: np.ndarray, tmp_path: Path
) -> None:
    path = tmp_path / "input.png"
    if kind == "sound":
        path = write_sound(tmp_path / "input.wav", speech[None], SAMPLE_RATE)
    elif kind == "nobody":
        Image.new("RGB", (64, 64)).save(path)
    else:
        Image.fromarray(portrait).save(path)
    source = [tmp_path, "--joined"] if kind == "folder" else [path]
    result = emoscope("analyze", *source, "--out", tmp_path / "out")
    assert result.exit_code == 0, result.output
    assert names(tmp_path / "out") == TABLES | {"report.html"}
    found = "No face and no voice was found." if kind == "nobody" else "wrote"
    assert found in result.stdout


def test_results_go_beside_the_caller_unless_told(
    portrait: np.ndarray, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Image.fromarray(portrait).save(tmp_path / "me.png")
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    assert emoscope("analyze", "../me.png").exit_code == 0
    assert names(tmp_path / "here" / "me-emoscope") == TABLES | {"report.html"}


def huge_png(path: Path, side: int = 16_000) -> None:
    """A picture whose header says that it is 16,000 x 16,000."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"\0")))


BAD = {
    "missing.mp4": "there is no such file or folder",
    "empty.mp4": "is empty",
    "text.mp4": "not a video, sound or picture that can be read",
    "folder": "a folder without media",
    "silence.wav": "nothing in it decodes",
    "huge.png": "the picture is too large, expected at most 67 megapixels",
    "cut.jpg": "the picture is damaged",
    "no\nname\x1b[2J.mp4": "there is no such file or folder",
    "a" * 300: "File name too long",
}


@pytest.mark.parametrize("name", BAD)
def test_bad_input_gets_one_line(name: str, tmp_path: Path, portrait: np.ndarray) -> None:
    path = tmp_path / name
    if name == "empty.mp4":
        path.touch()
    elif name == "text.mp4":
        path.write_text("Dear diary,\n" * 100)
    elif name == "folder":
        path.mkdir()
        (path / "notes.txt").touch()
    elif name == "silence.wav":
        with wave.open(str(path), "wb") as file:
            file.setparams((1, 2, SAMPLE_RATE, 0, "NONE", "not compressed"))
    elif name == "huge.png":
        huge_png(path)
    elif name == "cut.jpg":
        Image.fromarray(portrait).save(path)
        path.write_bytes(path.read_bytes()[:2000])
    assert BAD[name] in refused(emoscope("analyze", path, "--joined", "--out", tmp_path / "out"))


@pytest.mark.parametrize("below", ["", "deeper"])
def test_a_folder_that_cannot_be_written_gets_one_line(below: str, clip: Path, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    line = refused(emoscope("analyze", clip, "--out", tmp_path / "file" / below))
    assert "cannot be made" in line
    assert "--out" in line


@pytest.mark.parametrize("taken", ["timeline.csv", "timeline.parquet", "summary.json", "report.html", "annotated.mp4"])
def test_a_file_that_cannot_be_written_gets_one_line(taken: str, clip: Path, tmp_path: Path) -> None:
    (tmp_path / taken).mkdir()
    assert taken in refused(emoscope("analyze", clip, "--out", tmp_path))
    if taken == "annotated.mp4":
        assert names(tmp_path) >= TABLES  # what was computed is kept


def test_a_video_cut_off_gets_one_line_and_keeps_what_was_computed(clip: Path, tmp_path: Path) -> None:
    longer = write_video(
        tmp_path / "cut.mkv",
        steps(40, RATE),
        lambda i: np.random.default_rng(i).integers(0, 255, (64, 64, 3)).astype(np.uint8),
        time_base=Fraction(1, 1000),
    )
    longer.write_bytes(longer.read_bytes()[: longer.stat().st_size // 2])
    line = refused(emoscope("analyze", longer, "--out", tmp_path / "out"))
    assert "the file is damaged or cut off" in line
    assert line.endswith(f"what was computed is in {tmp_path / 'out'}")
    assert names(tmp_path / "out") == TABLES | {"report.html", "annotated.mp4"}
    assert json.loads((tmp_path / "out" / "summary.json").read_text())["truncated"] is True


def test_a_cut_off_file_in_a_folder_is_the_one_that_is_named(portrait: np.ndarray, tmp_path: Path) -> None:
    first = write_sound(tmp_path / "a.flac", sine(4.0), codec="flac")
    first.write_bytes(first.read_bytes()[: first.stat().st_size // 4])
    Image.fromarray(portrait).save(tmp_path / "b.png")
    (tmp_path / "c.mp4").write_text("no video")
    assert "a.flac: ends at" in refused(emoscope("analyze", tmp_path, "--joined", "--out", tmp_path / "out"))
    assert len(Timeline.read(tmp_path / "out" / "timeline.csv").select("face")) == 1


@pytest.mark.parametrize("seed", range(6))
def test_flipped_bits_never_give_a_traceback(seed: int, clip: Path, tmp_path: Path) -> None:
    path = tmp_path / "flipped.mkv"
    path.write_bytes(damage(clip.read_bytes(), seed, flips=10 if seed < 3 else 200, start=0 if seed % 2 else 600))
    result = emoscope("analyze", path, "--out", tmp_path / "out")
    if result.exit_code:
        refused(result)
    else:
        assert names(tmp_path / "out") == TABLES | {"report.html"} | (
            {"annotated.mp4"}
            if json.loads((tmp_path / "out" / "summary.json").read_text())["kind"] == "video"
            else set()
        )


def test_a_process_says_it_on_stderr_and_exits_with_2(tmp_path: Path) -> None:
    (tmp_path / "text.mp4").write_text("Dear diary,\n" * 100)
    command = [sys.executable, "-m", "emoscope", "analyze", str(tmp_path / "text.mp4"), "--out", str(tmp_path / "out")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (2, "")
    (line,) = done.stderr.splitlines()
    assert "text.mp4: not a video" in line


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["analyze"], "Missing argument 'INPUT'"),
        (["analyze", "x.mp4", "--smoothing", "heavy"], "Invalid value for '--smoothing'"),
        (["analyse", "x.mp4"], "No such command 'analyse'"),
        (["models", "--yaml"], "No such option"),
        (["evaluate", "face", "--data", "."], "Missing option '--split'"),
        (["train", "face-ferplus", "--data", ".", "--out", ".", "--epochs", "0"], "Invalid value for '--epochs'"),
    ],
)
def test_wrong_usage_is_explained_as_click_does(arguments: list[str], message: str) -> None:
    result = emoscope(*arguments)
    assert result.exit_code == 2
    assert result.stderr.startswith("Usage: ")
    assert message in result.stderr


@pytest.mark.parametrize("arguments", [["--help"], ["analyze", "--help"], ["train", "-h"], ["--version"]])
def test_help_is_no_error(arguments: list[str]) -> None:
    result = emoscope(*arguments)
    assert result.exit_code == 0
    assert result.stdout
    assert result.stderr == ""


def breaking(error: Exception) -> click.Group:
    """A command line whose one command fails."""

    @click.command("break")
    def breaks() -> None:
        raise error

    return _Group("test", commands={"break": breaks})


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (OSError(errno.ENOSPC, "No space left on device"), "No space left on device"),
        (MemoryError(), "not enough memory for this input"),
    ],
)
def test_what_the_machine_lacks_is_said_in_one_line(error: Exception, line: str) -> None:
    assert line in refused(CliRunner().invoke(breaking(error), ["break"]))


def test_a_reader_who_leaves_is_told_nothing() -> None:
    result = CliRunner().invoke(breaking(BrokenPipeError(errno.EPIPE, "Broken pipe")), ["break"])
    assert (result.exit_code, result.stderr) == (1, "")


def test_models_as_json_are_those_of_the_contract() -> None:
    rows = json.loads(emoscope("models", "--json").stdout)
    assert {row["modality"] for row in rows} >= {"face", "voice"}
    for row in rows:
        assert list(row) == ["name", "modality", "labels", "parameters", "bytes", "metrics", "licence", "path"]
        assert row["bytes"] == (registry.WEIGHTS / f"{row['name']}.onnx").stat().st_size
        for metrics in row["metrics"]:
            low, high = metrics["interval"]
            assert low < metrics["accuracy"] < high
    shown = emoscope("models")
    assert shown.exit_code == 0
    assert all(row["name"] in shown.stdout for row in rows)


@pytest.mark.parametrize(("model", "protocol"), [("face", "majority"), ("face", "plurality"), ("voice", "tfds")])
def test_evaluation_as_json_is_that_of_the_contract(model: str, protocol: str, tmp_path: Path) -> None:
    write_ferplus(tmp_path, faces(16, "validation"))
    write_packed(tmp_path, "validation", clips(12, "validation"))
    command = ["evaluate", model, "--data", tmp_path, "--split", "validation"]
    options = [] if protocol in ("majority", "tfds") else ["--protocol", protocol]
    result = emoscope(*command, *options, "--json")
    assert result.exit_code == 0, result.output
    metrics = json.loads(result.stdout)
    contract = {"model", "protocol", "split", "n", "accuracy", "interval", "recall", "uar", "macro_f1", "ece"}
    assert contract | {"confusion"} <= set(metrics)
    assert (metrics["protocol"], metrics["split"], metrics["model"]) == (
        protocol,
        "validation",
        registry.DEFAULTS[model],
    )
    counts = np.array(metrics["confusion"])
    assert counts.sum() == metrics["n"] == {"face": 16, "voice": 12}[model]
    assert counts.trace() / counts.sum() == pytest.approx(metrics["accuracy"])
    shown = emoscope(*command, *options)
    assert shown.exit_code == 0
    assert f"protocol {protocol}" in shown.stdout


@pytest.mark.parametrize(
    ("model", "options", "message"),
    [
        ("nobody", [], "no model is named 'nobody'; there are"),
        ("face", [], "no FER+ labels at"),
        ("voice", [], "no CREMA-D in"),
        ("face", ["--protocol", "tfds"], "no protocol 'tfds' for face models; there are majority, plurality"),
        ("voice", ["--protocol", "majority"], "no protocol 'majority' for voice models; there are tfds"),
    ],
)
def test_what_cannot_be_evaluated_is_said_in_one_line(
    model: str, options: list[str], message: str, tmp_path: Path
) -> None:
    assert message in refused(emoscope("evaluate", model, "--data", tmp_path, "--split", "test", *options))


def test_a_model_of_the_other_kind_is_refused(clip: Path, tmp_path: Path) -> None:
    line = refused(emoscope("analyze", clip, "--out", tmp_path, "--face-model", "voice-cremad"))
    assert "voice-cremad is a voice model; expected a face or sequence model" in line


def test_training_without_torch_says_how_to_get_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.startswith("emoscope.training")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "torch", None)
    line = refused(emoscope("train", "face-ferplus", "--data", tmp_path, "--out", tmp_path))
    assert "training needs torch, which is not installed; install it with: pip install 'emoscope[train]'" in line
