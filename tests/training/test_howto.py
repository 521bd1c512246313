"""Models of one's own, trained, measured and used by the commands of the how-to pages, word for word."""

import csv
import json
import re
import shlex
import shutil
import wave
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import pytest
from click.testing import CliRunner

from emoscope.cli import main
from emoscope.media.write import VideoWriter
from emoscope.models import Card
from emoscope.timeline import Timeline
from emoscope.training import sequences

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "examples" / "synthetic.mp4"


def emoscope(*arguments: object) -> str:
    result = CliRunner().invoke(main, [str(argument) for argument in arguments])
    assert result.exit_code == 0, result.output
    return result.output


def table(path: Path, header: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([header, *rows])


def write_recordings(folder: Path, persons: Sequence[str], speech: np.ndarray) -> None:
    """The same speech by each person, calm as it is and excited at twice the speed."""
    folder.mkdir()
    rows = []
    for place, person in enumerate(persons):
        for label, step in (("calm", 1), ("excited", 2)):
            sound = speech[place * 500 :: step][:32_000]
            with wave.open(str(folder / f"{person}-{label}.wav"), "wb") as file:
                file.setparams((1, 2, 16_000, 0, "NONE", "not compressed"))
                file.writeframes((sound * 20_000).astype("<i2").tobytes())
            rows.append([f"{person}-{label}.wav", label, person])
    table(folder / "recordings.csv", ["path", "label", "person"], rows)


def follow(page: str, *headings: str) -> list[str]:
    """Run the commands of a how-to's sections as they stand there, in the current folder; returns what they print."""
    text = (ROOT / "docs" / page).read_text(encoding="utf-8")
    sections = {part.partition("\n")[0]: part for part in text.split("\n## ")}
    told = []
    for heading in headings:
        lines = [
            line for block in re.findall(r"```sh\n(.*?)```", sections[heading], re.S) for line in block.splitlines()
        ]
        commands = [shlex.split(line) for line in lines if line.startswith("emoscope ")]
        assert commands, f"no command under {heading}"
        told += [emoscope(*command[1:]) for command in commands]
    return told


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder to follow a how-to in, with the recording that it analyses."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    (tmp_path / "examples").mkdir()
    shutil.copy(EXAMPLE, tmp_path / "examples")
    shutil.copy(EXAMPLE, tmp_path / "interview.mp4")
    return tmp_path


def test_a_voice_model_on_ten_recordings(speech: np.ndarray, here: Path) -> None:
    write_recordings(here / "MINE", ["ann", "bob", "cem", "dee", "eve"], speech)
    write_recordings(here / "OTHERS", ["fay", "gus"], speech)
    _, measured, _ = follow("train-a-model.md", "Recordings of your own")
    assert "n = 4" in measured
    card = Card.read(here / "runs" / "mine" / "voice-folder.json")
    assert card.labels == ("calm", "excited")
    timeline = Timeline.read(here / "out" / "timeline.csv")
    assert {"calm", "excited"} <= set(timeline.labels)
    assert {o.emotion for o in timeline.select("voice")} <= {"calm", "excited"}


def test_options_are_in_the_card_s_command(speech: np.ndarray, tmp_path: Path) -> None:
    write_recordings(tmp_path / "mine", ["ann", "bob", "cem", "dee", "eve"], speech)
    runs = tmp_path / "runs"
    options = ["--epochs", 1, "--device", "cpu", "--set", "batch=4"]
    emoscope("train", "voice-folder", "--data", tmp_path / "mine", "--out", runs, *options)
    card = Card.read(runs / "voice-folder.json")
    assert card.recipe == "emoscope train voice-folder --data DATA --out OUT --epochs 1 --device cpu --set batch=4"
    assert json.loads((runs / "configuration.json").read_text())["settings"]["batch"] == 4


def test_a_label_that_the_model_does_not_know_is_named(speech: np.ndarray, tmp_path: Path) -> None:
    write_recordings(tmp_path / "others", ["fay", "gus"], speech)
    arguments = ["evaluate", "voice", "--data", tmp_path / "others", "--split", "test", "--protocol", "recordings"]
    result = CliRunner().invoke(main, [str(argument) for argument in arguments])
    assert result.exit_code == 2
    assert "voice-cremad cannot say 'calm'; it can say anger, disgust, fear" in result.stderr


def write_pictures(folder: Path, portrait: np.ndarray, persons: int, several: bool) -> None:
    """The portrait as it is and in the dark; with a table of persons if each has several pictures."""
    rows = []
    for label, light in (("happy", 1.0), ("bored", 0.4)):
        (folder / label).mkdir(parents=True)
        for number in range(persons):
            image = (portrait[number:] * light).astype(np.uint8)
            cv2.imwrite(str(folder / label / f"{number}.jpg"), image[:, :, ::-1])
            rows.append([f"{label}/{number}.jpg", f"person {number}"])
    if several:
        table(folder / "persons.csv", ["path", "person"], rows)


@pytest.mark.parametrize("several", [False, True], ids=["a person a picture", "with persons.csv"])
def test_a_face_model_on_folders_of_pictures(portrait: np.ndarray, here: Path, several: bool) -> None:
    write_pictures(here / "MINE", portrait, 5, several)
    write_pictures(here / "OTHERS", portrait, 2, several)
    follow("train-a-model.md", "Faces of your own")
    assert Card.read(here / "runs" / "mine" / "face-folder.json").labels == ("bored", "happy")
    timeline = Timeline.read(here / "out" / "timeline.csv")
    assert {o.emotion for o in timeline.select("face")} <= {"happy", "bored"}


def test_a_sequence_model_on_clips(portrait: np.ndarray, here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sequences, "VALIDATION", 8)  # fewer windows: the commands stay
    monkeypatch.setattr(sequences, "WINDOWS", 4)
    rows = []
    for person in ("anna", "ben", "cem", "dee", "eve"):
        for label, light in (("calm", 1.0), ("bored", 0.5)):
            path = here / "clips" / "monday" / f"{person}-{label}.mp4"
            path.parent.mkdir(parents=True, exist_ok=True)
            height, width = portrait.shape[:2]
            with VideoWriter(path, width, height) as video:
                for frame in range(12):
                    video.write((portrait * light).astype(np.uint8), frame / 10)
            rows.append([f"monday/{path.name}", label, person])
    table(here / "clips" / "labels.csv", ["path", "label", "person"], rows)
    follow("train-on-your-own-clips.md", "Make face sequences of them", "Train", "See how good it is, and use it")
    assert Card.read(here / "runs" / "sequence" / "sequence-clips.json").labels == ("bored", "calm")
    (out,) = here.glob("*emoscope*")
    timeline = Timeline.read(out / "timeline.csv")
    assert {o.emotion for o in timeline.select("face")} <= {"calm", "bored"}
