import csv
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from click.testing import CliRunner, Result
from make_media import steps, write_video
from PIL import Image

from emoscope.cli import main
from emoscope.data.candidates import (
    BLURRED,
    CUT,
    TURNED,
    Candidate,
    _turned,
    distinct,
    find,
    of_clip,
    ranked,
    sharpness,
)
from emoscope.data.clips import labelled_sources
from emoscope.data.picks import MOST_OF_ONE, first_choice, picked, picks, write
from emoscope.errors import DataError

RATE = 10


def candidate(clip: str = "a", person: str = "1", seed: int = 0, **changes: object) -> Candidate:
    """A face of noise, without a fault."""
    face = np.random.default_rng(seed).integers(0, 255, (48, 48)).astype(np.uint8)
    good = Candidate("fear", clip, person, "train", float(seed), 1.0, 0.5, 0.0, 0.0, face)
    return replace(good, **changes)  # type: ignore[arg-type]


def blurred(image: np.ndarray, sigma: float) -> np.ndarray:
    return np.asarray(cv2.GaussianBlur(image, (0, 0), sigma))


@pytest.fixture(scope="module")
def frames(portrait: np.ndarray) -> list[np.ndarray]:
    """The same face for half a second, then blurred, then mirrored and cut by the frame's upper border."""
    cut = np.vstack([portrait[60:, ::-1], np.zeros((60, 256, 3), np.uint8)])
    return [portrait] * 5 + [blurred(portrait, 4)] * 5 + [cut] * 5


@pytest.fixture(scope="module")
def clips(frames: list[np.ndarray], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of clips by CREMA-D's names: of an actor who trains, of one who validates, and one without a face."""
    folder = tmp_path_factory.mktemp("clips")
    quality = {"options": {"crf": "12"}}
    write_video(folder / "1001_IEO_FEA_HI.mkv", steps(15, RATE), lambda i: frames[i], **quality)
    write_video(folder / "1015_IEO_FEA_HI.mkv", steps(5, RATE), lambda i: frames[i], **quality)
    write_video(folder / "1002_IEO_DIS_HI.mkv", steps(5, RATE), lambda _: np.full((120, 160, 3), 90, np.uint8))
    return folder


def emoscope(*arguments: object) -> Result:
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


def test_of_a_clip_the_distinct_faces_are_kept_and_bad_ones_come_last(clips: Path, frames: list[np.ndarray]) -> None:
    found = of_clip(labelled_sources(clips)[0])
    assert 2 <= len(found) < len(frames) / 2  # alike within a shot
    best = found[0]
    assert (best.emotion, best.clip, best.person, best.split) == ("fear", "1001_IEO_FEA_HI", "1001", "train")
    assert best.faults == ()
    assert best.time < 0.45
    assert best.face.shape == (48, 48)
    assert best.sharpness > 2 * BLURRED
    assert best.confidence > 0.99
    faults = [c.faults for c in found]
    assert any("blurred" in words for words in faults)
    assert any("cut" in words for words in faults)
    assert [len(words) for words in faults] == sorted(len(words) for words in faults)
    for c in found:
        assert ("blurred" in c.faults) == (0.45 < c.time < 0.95)
        assert ("cut" in c.faults) == (c.outside > CUT) == (c.time > 0.95)


def test_a_dark_face_is_as_sharp_as_a_bright_one(clips: Path) -> None:
    face = of_clip(labelled_sources(clips)[0])[0].face
    assert sharpness(face // 2) == pytest.approx(sharpness(face), rel=0.1)
    assert sharpness(blurred(face, 0.8)) < 0.6 * sharpness(face)
    assert sharpness(np.full((48, 48), 7, np.uint8)) == 0


def test_a_turned_face_is_told_by_its_nose() -> None:
    frontal = np.array([(30, 40), (70, 40), (50, 60), (35, 80), (65, 80)], float)
    assert _turned(frontal) == 0
    aside = frontal + np.array([(0, 0), (0, 0), (15, 0), (0, 0), (0, 0)])
    assert _turned(aside) == pytest.approx(15 / 40)
    tilt = np.array([[0.8, 0.6], [-0.6, 0.8]])
    assert _turned(aside @ tilt) == pytest.approx(15 / 40)  # the head on one side: the crop turns it upright
    assert candidate(turned=TURNED + 0.1).faults == ("turned",)
    assert _turned(np.zeros((5, 2))) == 0


def test_the_best_of_each_clip_comes_before_the_second_of_any() -> None:
    rows = [
        candidate("a", sharpness=0.9, seed=1),
        candidate("a", sharpness=0.8, seed=2),
        candidate("b", sharpness=0.3, seed=3),
        candidate("b", sharpness=0.2, seed=4, confidence=0.5),
        candidate("c", sharpness=0.95, seed=5, outside=0.5, turned=0.9),
    ]
    assert [int(c.time) for c in ranked(rows[::-1])] == [1, 3, 2, 4, 5]


def test_of_two_alike_the_better_one_is_kept() -> None:
    worse = candidate(seed=1, sharpness=0.4)
    better = replace(worse, face=np.clip(worse.face * 0.8 + 20, 0, 255).astype(np.uint8), sharpness=0.6, time=9.0)
    other = candidate(seed=2)
    assert [c.time for c in distinct([worse, other, better])] == [9.0, 2.0]


def test_faces_are_found_written_and_picked(clips: Path, tmp_path: Path) -> None:
    out = tmp_path / "faces"
    result = emoscope("research", "faces", clips, "--out", out, "--workers", 1)
    assert result.exit_code == 0, result.output
    assert "1002_IEO_DIS_HI.mkv: no face in it" in result.stderr
    rows = list(csv.DictReader((out / "candidates.csv").open()))
    assert [row["number"] for row in rows] == [str(i + 1) for i in range(len(rows))]
    assert {row["split"] for row in rows} == {"train", "validation"}
    chosen = [int(path.stem) for path in picks(out, "fear")]
    assert chosen
    assert f"fear: {len(rows)} faces, {len(chosen)} picked" in result.stdout
    for row in (rows[number - 1] for number in chosen):
        assert (row["clip"], row["faults"]) == ("1001_IEO_FEA_HI", "")
    with Image.open(out / "fear-1.png") as sheet:
        assert sheet.size == (12 * 104, 138)
        green = np.array(sheet.convert("RGB"))[2, :, :]
    assert [i + 1 for i in range(len(rows)) if (green[104 * i + 2] == (40, 170, 90)).all()] == chosen
    images = picked(out, "fear", 20)
    assert images.shape == (len(chosen), 48, 48)
    np.testing.assert_array_equal(images[0], np.asarray(Image.open(out / "fear" / f"{chosen[0]}.png")))

    again = emoscope("research", "faces", clips, "--out", out)
    assert again.exit_code == 2
    assert "holds candidates and what was picked of them; expected a new folder" in again.stderr


def test_what_somebody_picked_is_taken_in_their_order(tmp_path: Path) -> None:
    rows = [candidate(f"c{i}", f"p{i}", i) for i in range(6)]
    rows[4] = replace(rows[4], split="test")
    assert write(rows, tmp_path) == {"fear": (6, 5)}
    (tmp_path / "fear.txt").write_text("# mine\n6\n\n2  # this one too\n")
    np.testing.assert_array_equal(picked(tmp_path, "fear"), [rows[5].face, rows[1].face])
    np.testing.assert_array_equal(picked(tmp_path, "fear", 1), [rows[5].face])
    assert picked(tmp_path, "anger", 5).shape == (0, 48, 48)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("7\n", "line 1: expected a number from 1 to 6, once each, got '7'"),
        ("1\n2\n1\n", "line 3: expected a number from 1 to 6, once each, got '1'"),
        ("../../secret\n", "line 1: expected a number"),
        ("5\n", "line 1: face 5 is of a person of the test split"),
    ],
)
def test_picks_that_cannot_be_are_said_in_one_line(text: str, message: str, tmp_path: Path) -> None:
    rows = [candidate(f"c{i}", f"p{i}", i) for i in range(6)]
    write([*rows[:4], replace(rows[4], split="test"), rows[5]], tmp_path)
    (tmp_path / "fear.txt").write_text(text)
    with pytest.raises(DataError, match=r"fear\.txt") as error:
        picked(tmp_path, "fear")
    assert message in str(error.value)


def test_missing_candidates_and_pictures_are_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="make them with `emoscope research faces CLIPS"):
        picked(tmp_path, "fear")
    write([candidate()], tmp_path)
    (tmp_path / "fear" / "1.png").write_text("no picture")
    with pytest.raises(DataError, match=r"1\.png is not a 48x48 picture"):
        picked(tmp_path, "fear")


def test_of_one_person_only_so_many_are_picked_and_none_with_a_fault() -> None:
    rows = [candidate("a", "one", i) for i in range(MOST_OF_ONE + 3)]
    rows += [candidate("b", "two", 20, sharpness=0.0), candidate("c", "three", 21, split="validation")]
    rows += [candidate("d", "four", 22)]
    assert first_choice(rows) == [*range(1, MOST_OF_ONE + 1), len(rows)]


def test_clips_without_any_face_are_refused(clips: Path, tmp_path: Path) -> None:
    nobody = [source for source in labelled_sources(clips) if source.label == "disgust"]
    with pytest.raises(DataError, match=r"no face in any of 1 clips; the first: .*no face in it"):
        find(nobody, workers=1)


def test_ravdess_videos_are_known_by_their_names(clips: Path, tmp_path: Path) -> None:
    folder = tmp_path / "Actor_14"
    folder.mkdir()
    for name in ("01-01-06-02-01-01-14", "01-01-02-01-01-01-14", "02-01-06-02-01-01-14", "03-01-06-02-01-01-14"):
        (folder / f"{name}.mp4").write_bytes((clips / "1015_IEO_FEA_HI.mkv").read_bytes())
    (source,) = labelled_sources(tmp_path)  # 02: calm has no counterpart; modality 02 is the same without sound
    assert (source.name, source.label, source.person, source.split) == ("01-01-06-02-01-01-14", "fear", "14", "train")
