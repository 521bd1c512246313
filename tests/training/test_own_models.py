"""Models of one's own, trained, measured and used as the how-to says."""

import csv
import wave
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import pytest
from click.testing import CliRunner

from emoscope.cli import main
from emoscope.models import Card
from emoscope.timeline import Timeline

EXAMPLE = Path(__file__).parents[2] / "examples" / "synthetic.mp4"


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


def test_a_voice_model_on_ten_recordings(speech: np.ndarray, tmp_path: Path) -> None:
    write_recordings(tmp_path / "mine", ["ann", "bob", "cem", "dee", "eve"], speech)
    write_recordings(tmp_path / "others", ["fay", "gus"], speech)
    runs = tmp_path / "runs"
    emoscope("train", "voice-folder", "--data", tmp_path / "mine", "--out", runs, "--epochs", 1, "--device", "cpu")
    card = Card.read(runs / "voice-folder.json")
    assert card.labels == ("calm", "excited")
    assert card.recipe == "emoscope train voice-folder --data DATA --out OUT --epochs 1 --device cpu"
    model = runs / "voice-folder.onnx"
    told = emoscope(
        "evaluate", model, "--data", tmp_path / "others", "--split", "test", "--protocol", "recordings", "--json"
    )
    assert '"n": 4' in told
    emoscope("analyze", EXAMPLE, "--out", tmp_path / "out", "--voice-model", model, "--no-video")
    timeline = Timeline.read(tmp_path / "out" / "timeline.csv")
    assert {"calm", "excited"} <= set(timeline.labels)
    assert {o.emotion for o in timeline.select("voice")} <= {"calm", "excited"}


def test_a_label_that_the_model_does_not_know_is_named(speech: np.ndarray, tmp_path: Path) -> None:
    write_recordings(tmp_path / "others", ["fay", "gus"], speech)
    arguments = ["evaluate", "voice", "--data", tmp_path / "others", "--split", "test", "--protocol", "recordings"]
    result = CliRunner().invoke(main, [str(argument) for argument in arguments])
    assert result.exit_code == 2
    assert "voice-cremad cannot say 'calm'; it can say anger, disgust, fear" in result.stderr


@pytest.fixture
def pictures(portrait: np.ndarray, tmp_path: Path) -> Path:
    """The portrait as it is and in the dark, in five versions each."""
    folder = tmp_path / "pictures"
    rows = []
    for label, light in (("bright", 1.0), ("gloomy", 0.4)):
        (folder / label).mkdir(parents=True)
        for number in range(5):
            image = (portrait[number:] * light).astype(np.uint8)
            cv2.imwrite(str(folder / label / f"{number}.png"), image[:, :, ::-1])
            rows.append([f"{label}/{number}.png", f"person {number}"])
    table(folder / "persons.csv", ["path", "person"], rows)
    return folder


def test_a_face_model_on_folders_of_pictures(pictures: Path, tmp_path: Path) -> None:
    runs = tmp_path / "runs"
    emoscope("train", "face-folder", "--data", pictures, "--out", runs, "--epochs", 1, "--device", "cpu")
    model = runs / "face-folder.onnx"
    assert Card.read(model.with_suffix(".json")).labels == ("bright", "gloomy")
    told = emoscope("evaluate", model, "--data", pictures, "--split", "validation", "--protocol", "folders", "--json")
    assert '"n": 2' in told
    picture = pictures / "bright" / "0.png"
    emoscope("analyze", picture, "--out", tmp_path / "out", "--face-model", model)
    (face,) = Timeline.read(tmp_path / "out" / "timeline.csv").select("face")
    assert face.emotion in ("bright", "gloomy")
