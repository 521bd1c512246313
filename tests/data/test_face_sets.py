import csv
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result
from PIL import Image
from places import DATA
from training_samples import faces, write_ferplus

from emoscope.cli import main
from emoscope.data import face_sets, ferplus, picks
from emoscope.data.candidates import Candidate
from emoscope.data.face_sets import PUBLISHED, face_set
from emoscope.emotions import EMOTIONS
from emoscope.errors import DataError

real = pytest.mark.skipif(not (DATA / "ferplus" / "fer2013new.csv").exists(), reason=f"no FER+ in {DATA}")
FEAR, DISGUST = EMOTIONS.index("fear"), EMOTIONS.index("disgust")


@pytest.fixture
def small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """FER+ with five faces of each emotion in training and validation, as if that was published; no test faces."""
    write_ferplus(tmp_path / "data", [*faces(40, "train"), *faces(40, "validation")])
    monkeypatch.setattr(face_sets, "PUBLISHED", {"train": dict.fromkeys(EMOTIONS, 5), "test": {"fear": 93}})
    monkeypatch.setattr(face_sets, "FILLED", {"disgust": 8, "fear": 6})
    monkeypatch.setattr(ferplus, "MOST", {"train": 4, "validation": 3, "test": 3})
    return tmp_path / "data"


@pytest.fixture
def picked(tmp_path: Path) -> Path:
    """Five candidates of disgust and five of fear; of fear, two are picked."""
    random = np.random.default_rng(0)
    rows = [
        Candidate(e, f"{e}{i}", str(i), "train", 0, 1, 1, 0, 0, random.integers(0, 255, (48, 48)).astype(np.uint8))
        for e in ("disgust", "fear")
        for i in range(5)
    ]
    picks.write(rows, tmp_path / "faces")
    (tmp_path / "faces" / "fear.txt").write_text("4\n2\n")
    return tmp_path / "faces"


def emoscope(*arguments: object) -> Result:
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


def counted(out: Path, split: str) -> dict[str, int]:
    return {folder.name: len(list(folder.glob("*.png"))) for folder in (out / split).iterdir()}


def test_a_set_is_written_by_split_and_emotion_and_counted(small: Path, tmp_path: Path) -> None:
    out = tmp_path / "five"
    result = emoscope("research", "dataset", "five", "--data", small, "--out", out)
    assert result.exit_code == 0, result.output
    assert counted(out, "train") == dict.fromkeys(ferplus.FIVE, 4)
    assert counted(out, "validation") == dict.fromkeys(ferplus.FIVE, 3)
    assert "no test set: its faces are not in" in result.stdout
    assert "no train set" not in result.stdout
    assert "35 faces in" in result.stdout
    rows = list(csv.DictReader((out / "images.csv").open()))
    assert len(rows) == 35
    for row in rows:
        original = small / "ferplus" / ferplus.FOLDER[row["split"]] / row["origin"]
        assert (out / row["file"]).parent == out / row["split"] / row["emotion"]
        np.testing.assert_array_equal(np.asarray(Image.open(out / row["file"])), np.asarray(Image.open(original)))
    counts = list(csv.DictReader((out / "counts.csv").open()))
    assert [row["images"] for row in counts if row["emotion"] == "anger"] == ["4", "3"]
    assert [row["published"] for row in counts if row["emotion"] == "anger"] == ["5", ""]

    again = emoscope("research", "dataset", "five", "--data", small, "--out", out)
    assert again.exit_code == 2
    assert "holds something; expected a new or empty folder" in again.stderr


def test_the_test_set_is_made_where_its_faces_are(small: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_ferplus(tmp_path / "all", [face for split in ferplus.SPLITS for face in faces(40, split)])
    refused = emoscope("research", "dataset", "seven", "--data", tmp_path / "all", "--out", tmp_path / "first")
    assert refused.exit_code == 2
    assert "test fear: expected 93 under plurality, got 5" in refused.stderr
    monkeypatch.setitem(face_sets.PUBLISHED, "test", {"fear": 5})
    result = emoscope("research", "dataset", "seven", "--data", tmp_path / "all", "--out", tmp_path / "second")
    assert result.exit_code == 0, result.output
    assert counted(tmp_path / "second", "test") == dict.fromkeys(ferplus.SEVEN, 3)
    assert "no test set" not in result.stdout


def test_another_seed_chooses_other_faces(small: Path) -> None:
    first, same, other = (face_set(small, "five", "train", seed=seed) for seed in (0, 0, 1))
    assert first.origins == same.origins
    assert first.origins != other.origins
    assert len(first) == len(other) == 20


def test_the_enhanced_set_fills_up_rare_emotions_in_training_alone(small: Path, picked: Path) -> None:
    enhanced = face_set(small, "enhanced", "train", picked)
    seven = face_set(small, "seven", "train")
    assert enhanced.images.shape == (len(seven) + 4 + 2, 48, 48)
    assert np.bincount(enhanced.labels, minlength=8)[[DISGUST, FEAR]].tolist() == [8, 6]
    assert enhanced.origins[-6:] == (
        *(f"clips/disgust/{i}.png" for i in (1, 2, 3, 4)),
        *("clips/fear/4.png", "clips/fear/2.png"),
    )
    np.testing.assert_array_equal(enhanced.images[-1], np.asarray(Image.open(picked / "fear" / "2.png")))
    assert face_set(small, "enhanced", "validation", picked).origins == face_set(small, "seven", "validation").origins
    with pytest.raises(DataError, match="needs picked faces"):
        face_set(small, "enhanced", "train")


def test_too_few_picked_faces_are_said(small: Path, picked: Path, tmp_path: Path) -> None:
    (picked / "disgust.txt").write_text("1\n")
    result = emoscope("research", "dataset", "enhanced", "--data", small, "--faces", picked, "--out", tmp_path / "out")
    assert result.exit_code == 0, result.output
    assert "disgust: 5 of 8, for only 1 picked faces were there" in result.stdout
    assert "fear:" not in result.stdout
    assert counted(tmp_path / "out", "train")["disgust"] == 5
    assert (tmp_path / "out" / "train" / "fear" / "clip4.png").exists()


def test_ferplus_that_is_not_as_published_is_said_and_kept(
    small: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(face_sets, "PUBLISHED", {"train": {"anger": 6, "fear": 5}})
    result = emoscope("research", "dataset", "seven", "--data", small, "--out", tmp_path / "out")
    assert result.exit_code == 2
    (line,) = result.stderr.splitlines()
    assert "FER+ is not as published: train anger: expected 6 under plurality, got 5; what was built is in" in line
    assert counted(tmp_path / "out", "train")["anger"] == 4


def test_a_name_that_is_there_twice_gives_two_files(small: Path, tmp_path: Path) -> None:
    rows = faces(8, "train")
    write_ferplus(tmp_path / "twice", [*rows, rows[4]])
    counts = face_sets.write(tmp_path / "twice", "five", tmp_path / "out")
    assert counted(tmp_path / "out", "train")["anger"] == 2
    assert {c.emotion: c.images for c in counts}["anger"] == 2


def test_what_is_not_there_is_said(tmp_path: Path) -> None:
    result = emoscope("research", "dataset", "five", "--data", tmp_path, "--out", tmp_path / "out")
    assert result.exit_code == 2
    assert "no FER+ labels at" in result.stderr


@real
@pytest.mark.parametrize(("name", "total"), [("five", 12_330), ("seven", 13_173)])
def test_the_real_sets_are_as_published(name: str, total: int) -> None:
    faces = ferplus.load(DATA, "train")
    chosen = face_set(DATA, name, "train")
    assert len(chosen) == total
    counts = list(face_sets._counted("train", faces, chosen))
    assert face_sets.differences(counts) == []
    assert {c.emotion: c.plurality for c in counts} == PUBLISHED["train"]
