"""Who is who from end to end: what is kept of it, how it is corrected, and whom it recognises."""

import json
import shutil
import sqlite3
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from make_media import steps, write_sound, write_video
from PIL import Image
from places import EXAMPLE

import emoscope
from emoscope.cli import main
from emoscope.errors import EmoscopeError
from emoscope.evidence import Evidence, EvidenceFile
from emoscope.face.crop import crop_faces
from emoscope.face.detect import Detector
from emoscope.face.identity import ALIGNED, FaceIdentity
from emoscope.media import SAMPLE_RATE
from emoscope.timeline import Timeline

RATE = 10


def shots(portrait: np.ndarray) -> list[np.ndarray]:
    """A woman, a plain picture, and the same woman further left and smaller."""
    plain = np.full_like(portrait, 110)
    plain[:, ::2] = 130
    small = np.full_like(portrait, 60)
    small[20:245, 10:202] = np.asarray(Image.fromarray(portrait).resize((192, 225)))
    return [portrait] * 15 + [plain] * 70 + [small] * 15


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory, portrait: np.ndarray) -> Path:
    """The results of such a video, its embeddings kept."""
    folder = tmp_path_factory.mktemp("kept")
    frames = shots(portrait)
    path = write_video(folder / "edit.mp4", steps(len(frames), RATE), lambda place: frames[place], frame_rate=RATE)
    emoscope.observe(path, out=folder, options=emoscope.ObserveOptions(keep_identity=True))
    return folder


@pytest.fixture
def out(kept: Path, tmp_path: Path) -> Path:
    """A copy to write in."""
    shutil.copy(kept / EvidenceFile.NAME, tmp_path)
    return tmp_path


def run(*words: object) -> str:
    result = CliRunner().invoke(main, [str(word) for word in words])
    assert result.exit_code == 0, result.output
    return result.output


def test_who_comes_back_after_seconds_is_the_same_person(kept: Path) -> None:
    evidence = Evidence.load(kept)
    assert len(np.unique(evidence.faces.track)) == 2
    assert evidence.shots.tolist() == pytest.approx([1.5, 8.5])
    assert emoscope.read(kept).persons == [1]


def test_embeddings_are_kept_only_where_it_is_asked_for(kept: Path, portrait: np.ndarray, tmp_path: Path) -> None:
    assert Evidence.load(kept).looks.embedding.shape[1] == 128
    whole = emoscope.observe(EXAMPLE, out=tmp_path)
    assert (len(whole.looks), len(whole.speakers)) == (0, 0)
    assert len(whole.pieces) and len(whole.views)
    with sqlite3.connect(tmp_path / EvidenceFile.NAME) as file:
        assert file.execute("SELECT COUNT(*) FROM looks").fetchone() == (0,)
        assert file.execute("PRAGMA freelist_count").fetchone() == (0,)  # nothing of them is left in the file


def test_corrections_are_applied_by_every_later_reading(out: Path) -> None:
    people = emoscope.Persons(out)
    people.name(1, "Anna")
    people.split(1, 5.0)
    assert [row["name"] for row in people.table()] == ["Anna", None]
    assert set(people.views()) == {1, 2}
    timeline = emoscope.read(out)
    assert (timeline.persons, timeline.names) == ([1, 2], {1: "Anna"})
    assert set(timeline.select(person=2).start > 5) == {True}
    assert {row["name"] for row in timeline.info["who"]} == {"Anna", None}
    assert people.undo().do == "split"
    people.drop(1)
    assert len(emoscope.read(out)) == 0
    people.undo()
    people.undo()
    with pytest.raises(EmoscopeError, match="no correction to undo"):
        people.undo()
    assert emoscope.read(out).names == {}


def test_the_command_shows_and_corrects(out: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    assert "1" in run("persons", out)
    assert "Anna Bo" in run("persons", out, "name", 1, "Anna", "Bo")
    assert "to apply it: emoscope read" in run("persons", out, "split", 1, "at", "0:05")
    other = tmp_path_factory.mktemp("other")
    shutil.copy(out / EvidenceFile.NAME, other)
    assert "Anna Bo" in run("persons", other, "same-as", 1, f"{out}@1")
    run("read", out)
    assert "Anna Bo" in (out / "report.html").read_text()
    assert "data:image/jpeg" in (out / "report.html").read_text()
    assert Timeline.read(out / "timeline.csv").names == {1: "Anna Bo"}
    assert json.loads((out / "summary.json").read_text())["who"][0]["name"] == "Anna Bo"
    assert "took back: split" in run("persons", out, "undo")


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (["name", "7", "Anna"], "there is no person 7; there are: 1"),
        (["rename", "1"], "expected name 1 Anna, merge 2 5, split 3 at 0:41, drop 4, same-as 3 OTHER@1 or undo"),
        (["same-as", "1", "nowhere@1"], "there is no evidence"),
        (["split", "1", "at", "3:00"], "is not there both before and after 180 s"),
    ],
)
def test_what_cannot_be_corrected_is_said_in_one_line(words: list[str], why: str, out: Path) -> None:
    result = CliRunner().invoke(main, ["persons", str(out), *words])
    assert result.exit_code == 2
    assert why in result.output and result.output.count("\n") == 1
    assert not (out / "persons.json").exists()


def test_people_are_recognised_across_recordings(
    kept: Path, portrait: np.ndarray, speech: np.ndarray, tmp_path: Path
) -> None:
    people = tmp_path / "people"
    people.mkdir()
    Image.fromarray(portrait).save(people / "Grace.jpg")
    write_sound(people / "Robot.wav", speech[None], SAMPLE_RATE)
    found = emoscope.analyze(kept / "edit.mp4", options=emoscope.ObserveOptions(people=people, voices=False))
    assert found.names == {1: "Grace"}
    spoken = emoscope.analyze(EXAMPLE, options=emoscope.ObserveOptions(people=people))
    assert set(spoken.names.values()) == {"Robot"}


def test_a_profile_of_kept_identity_recognises_too(kept: Path, tmp_path: Path) -> None:
    run("profile", kept, "--out", tmp_path / "Grace.json")
    found = emoscope.observe(kept / "edit.mp4", options=emoscope.ObserveOptions(people=tmp_path, voices=False))
    assert emoscope.read(found).names == {1: "Grace"}


@pytest.mark.parametrize("content", ["nobody", "empty", "two", "profile"])
def test_a_folder_of_people_that_says_nothing_is_refused(content: str, portrait: np.ndarray, tmp_path: Path) -> None:
    people = tmp_path / "people"
    people.mkdir()
    why = "holds nobody; expected a picture, a sound or a profile for each"
    if content == "empty":
        Image.new("RGB", (64, 64)).save(people / "Anna.png")
        why = "there is no face and no voice in it"
    elif content == "two":
        Image.fromarray(np.concatenate([portrait, portrait], 1)).save(people / "Anna.png")
        why = "there are 2 faces in it; expected that of one person"
    elif content == "profile":
        (people / "Anna.json").write_text('{"emoscope_profile": {}}')
        why = "says nothing of who it is"
    with pytest.raises(EmoscopeError, match=why):
        emoscope.observe(EXAMPLE, options=emoscope.ObserveOptions(people=people))


def test_a_mirrored_face_is_the_same_person(portrait: np.ndarray) -> None:
    faces = [Detector().detect(image) for image in (portrait, portrait[:, ::-1].copy())]
    images = (portrait, portrait[:, ::-1].copy())
    rows = [FaceIdentity().embed(crop_faces(image, found.landmarks, ALIGNED))[0]
            for image, found in zip(images, faces, strict=True)]  # fmt: skip
    assert [np.linalg.norm(row) for row in rows] == pytest.approx([1, 1])
    assert float(rows[0] @ rows[1]) > 0.7


def test_live_who_comes_back_is_the_same_person(portrait: np.ndarray) -> None:
    session = emoscope.Session(voice=False)
    frames = shots(portrait)
    rows = [o for place, image in enumerate(frames) for o in session.add_frame(image, place / RATE, 1 / RATE)]
    assert {o.person for o in rows} == {1}
    assert max(o.start for o in rows) > 9
