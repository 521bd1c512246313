import os
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from make_media import sine, steps, write_sound, write_video
from PIL import Image
from rows import in_order

import emoscope
from emoscope import Session, Timeline, analyze
from emoscope.errors import MediaError, ModelError
from emoscope.media import SAMPLE_RATE, Frame, open_media
from emoscope.media.folder import left_out, media_files
from emoscope.models import DEFAULTS

RATE = 10


@pytest.fixture(scope="module")
def clip(portrait: np.ndarray, speech: np.ndarray, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two seconds of the portrait and of speech."""
    path = tmp_path_factory.mktemp("clip") / "clip.mp4"
    sound = speech[None, : 2 * SAMPLE_RATE]
    return write_video(path, steps(2 * RATE, RATE), lambda _: portrait, sound=sound, sound_rate=SAMPLE_RATE)


@pytest.fixture(scope="module")
def of_clip(clip: Path) -> Timeline:
    return analyze(clip)


def save(image: np.ndarray, path: Path) -> Path:
    Image.fromarray(image).save(path)
    return path


def silent(path: Path, seconds: float, image: np.ndarray | None = None) -> Path:
    picture = np.full((64, 64, 3), 90, np.uint8) if image is None else image
    return write_video(path, steps(round(seconds * RATE), RATE), lambda _: picture, frame_rate=RATE)


def test_a_file_gives_what_a_session_gives(clip: Path) -> None:
    session, rows = Session(), []
    of_clip = analyze(clip, baseline="causal")
    with open_media(clip) as media:
        for item in media:
            if isinstance(item, Frame):
                rows += session.add_frame(item.image, item.time, item.duration)
            else:
                rows += session.add_sound(item.samples, item.time)
    lived = Timeline.of(in_order(rows + session.close()))
    np.testing.assert_allclose(lived.scores, of_clip.scores, atol=1e-9)
    scenes = [replace(o, person=None if o.person in of_clip.names else o.person) for o in of_clip]
    alike = [[replace(o, scores=lived[0].scores) for o in rows] for rows in (lived, in_order(scenes))]
    assert alike[0] == alike[1]  # live, who is only heard is nobody yet


def test_a_video_has_face_voice_and_both_in_order(of_clip: Timeline) -> None:
    assert len(of_clip.select("face")) == 2 * RATE
    assert of_clip.select("voice")
    assert len(of_clip.select("fused", person=1)) == 2 * RATE
    assert (of_clip.persons, of_clip.names) == ([1, 2], {2: "Voice A"})  # her lips do not move
    assert list(of_clip) == in_order(of_clip)


def test_the_facts_of_a_video(of_clip: Timeline, clip: Path) -> None:
    info = of_clip.info
    expected = {
        "input": "clip.mp4",
        "kind": "video",
        "width": 256,
        "height": 300,
        "has_sound": True,
        "frames": 20,
        "frames_skipped": 0,
        "truncated": False,
        "synthetic": False,
        "persons": 2,
        "models": {kind: DEFAULTS[kind] for kind in ("face", "voice")},
        "notes": [],
        "smoothing": "mean",
    }
    assert {key: info[key] for key in expected} == expected
    assert info["duration_s"] == pytest.approx(2.0, abs=0.1)
    assert "parts" not in info


def test_a_picture_is_a_moment(portrait: np.ndarray, tmp_path: Path) -> None:
    found = analyze(save(portrait, tmp_path / "one.png"))
    assert [(o.source, o.start, o.end, o.person) for o in found] == [("face", 0, 0, 1), ("fused", 0, 0, 1)]
    assert found[0].scores == found[1].scores
    assert (found.info["kind"], found.info["duration_s"], found.info["frames"]) == ("picture", 0, 1)
    assert found.info["models"] == {"face": DEFAULTS["face"]}


def test_who_is_only_heard_is_a_voice(speech: np.ndarray, tmp_path: Path) -> None:
    found = analyze(write_sound(tmp_path / "voice.wav", speech[None], SAMPLE_RATE))
    assert {(o.source, o.person) for o in found} == {("voice", 1), ("fused", 1)}
    assert found.names == {1: "Voice A"}
    assert [o.scores for o in found.select("fused")] == [o.scores for o in found.select("voice")]
    info = found.info
    assert (info["kind"], info["width"], info["frames"], info["models"]) == (
        "sound",
        None,
        0,
        {"voice": "voice-cremad"},
    )


def test_a_video_without_sound_says_so_and_gives_the_faces(portrait: np.ndarray, tmp_path: Path) -> None:
    found = analyze(silent(tmp_path / "silent.mp4", 0.5, portrait))
    assert {o.source for o in found} == {"face", "fused"}
    assert found.info["notes"] == ["silent.mp4: no sound"]
    assert not found.info["has_sound"]


def test_nobody_to_see_or_hear_gives_an_empty_timeline(tmp_path: Path) -> None:
    grey = np.full((64, 64, 3), 90, np.uint8)
    path = write_video(tmp_path / "grey.mp4", steps(5), lambda _: grey, sound=sine(0.2))
    assert len(analyze(path)) == 0
    assert len(analyze(write_sound(tmp_path / "tone.wav", sine(1.0)))) == 0


def test_frames_keep_their_times(portrait: np.ndarray, tmp_path: Path) -> None:
    times = [0.0, 0.1, 0.15, 0.6, 0.7]
    path = write_video(tmp_path / "uneven.mkv", times, lambda _: portrait)
    assert [o.start for o in analyze(path).select("face")] == pytest.approx(times, abs=0.001)


def test_a_folder_is_one_timeline(portrait: np.ndarray, clip: Path, of_clip: Timeline, tmp_path: Path) -> None:
    save(portrait, tmp_path / "a.png")
    (tmp_path / "b.mp4").write_bytes(clip.read_bytes())
    save(portrait, tmp_path / "c.jpg")
    silent(tmp_path / "d.mp4", 0.4)
    save(np.concatenate([portrait, portrait], 1), tmp_path / "e.png")
    (tmp_path / "broken.mp4").write_text("this is no video")
    (tmp_path / "notes.txt").write_text("no media")
    save(portrait, tmp_path / ".hidden.png")
    (tmp_path / "folder.png").mkdir()
    found = analyze(tmp_path)

    parts = found.info["parts"]
    length = of_clip.info["duration_s"]
    assert [part["file"] for part in parts] == ["a.png", "b.mp4", "c.jpg", "d.mp4", "e.png"]
    starts = [0, 1, 1 + length, 2 + length, 2.4 + length, 3.4 + length]
    assert [part["start_s"] for part in parts] == pytest.approx(starts[:-1], abs=0.01)
    assert [part["end_s"] for part in parts] == pytest.approx(starts[1:], abs=0.01)
    assert found.info["duration_s"] == parts[-1]["end_s"]

    faces = found.select("face")
    hers = [o.start for o in faces.select(person=1)]  # the same woman in all of them
    assert hers == pytest.approx([0, *(1 + o.start for o in of_clip.select("face")), 1 + length], abs=0.01)
    assert (found.persons, found.names) == ([1, 2, 3, 4], {4: "Voice A"})
    last = parts[-1]["start_s"], parts[-1]["end_s"]
    assert [(o.start, o.end) for o in faces if o.person in (2, 3)] == [last, last]  # who of two alike she is, is open
    assert {(row["person"], *(one["person"] for one in row["maybe"])) for row in found.info["who"]} == {
        (1, 2, 3), (2, 1), (3, 1), (4,),
    }  # fmt: skip

    info = found.info
    assert (info["kind"], info["frames"], info["persons"], info["has_sound"]) == ("folder", 27, 4, True)
    assert next(note for note in info["notes"] if "broken.mp4" in note).startswith("passed over ")
    assert "d.mp4: no sound" in info["notes"]


def test_a_name_that_is_no_text_can_be_written(portrait: np.ndarray, tmp_path: Path) -> None:
    path = tmp_path / os.fsdecode(b"caf\xe9.png")
    save(portrait, path)
    assert analyze(path).info["input"] == "caf?.png"
    assert analyze(tmp_path).info["parts"][0]["file"] == "caf?.png"


def test_a_video_cut_off_keeps_what_came_before(portrait: np.ndarray, tmp_path: Path) -> None:
    settings = {"time_base": Fraction(1, 1000), "options": {"g": "5"}}
    whole = write_video(tmp_path / "whole.mkv", steps(40, RATE), lambda _: portrait, **settings)  # type: ignore[arg-type]
    cut = tmp_path / "cut.mkv"
    cut.write_bytes(whole.read_bytes()[: whole.stat().st_size // 2])
    found = analyze(cut)
    assert found.info["truncated"]
    assert found.info["notes"][-1].startswith("cut.mkv: ends at ")
    assert found.info["notes"][-1].endswith("the file is damaged or cut off")
    assert 0 < len(found.select("face")) < 40


def test_progress_goes_to_the_end(clip: Path, tmp_path: Path) -> None:
    told: list[tuple[float, float | None]] = []
    analyze(clip, progress=lambda *now: told.append(now))
    done = [now for now, _ in told]
    assert done == sorted(done)
    assert done[-1] == pytest.approx(2.0, abs=0.1)
    assert [total for _, total in told] == pytest.approx([2.0] * len(told), abs=0.1)

    for name in ("a.mp4", "b.mp4"):
        (tmp_path / name).write_bytes(clip.read_bytes())
    told.clear()
    analyze(tmp_path, progress=lambda *now: told.append(now))
    done = [now for now, _ in told]
    assert done == sorted(done)
    assert done[-1] == pytest.approx(4.0, abs=0.2)
    assert {total for _, total in told} == {None}


def test_smoothing_and_models_are_passed_on(portrait: np.ndarray, tmp_path: Path) -> None:
    path = save(portrait, tmp_path / "one.png")
    assert analyze(path, smoothing="vote").info["smoothing"] == "vote"
    with pytest.raises(ValueError, match="no smoothing"):
        analyze(path, smoothing="heavy")
    with pytest.raises(ModelError, match="no model is named 'nobody'"):
        analyze(path, face_model="nobody")


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("missing.mp4", None, "no such file"),
        ("empty.mp4", b"", "is empty"),
        ("text.mp4", b"Dear diary,\n" * 50, "not a video, sound or picture"),
    ],
)
def test_what_is_no_media_is_refused(name: str, content: bytes | None, message: str, tmp_path: Path) -> None:
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(MediaError, match=f"{name}: .*{message}"):
        analyze(tmp_path / name)


def test_a_folder_of_which_nothing_can_be_read_is_refused(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("no media")
    with pytest.raises(MediaError, match="a folder without media; expected videos, sound files or pictures"):
        analyze(tmp_path)
    (tmp_path / "broken.mp4").write_text("no video")
    with pytest.raises(MediaError, match=r"none of its 1 files can be read; the first: passed over .*broken\.mp4"):
        analyze(tmp_path)


def test_media_files_are_in_order_of_name(tmp_path: Path) -> None:
    for name in ("b10.png", "b2.png", "A.MP4", "c.wav", ".d.png", "e.txt"):
        (tmp_path / name).touch()
    (tmp_path / "deeper").mkdir()
    assert [path.name for path in media_files(tmp_path)] == ["A.MP4", "b2.png", "b10.png", "c.wav"]
    assert left_out(tmp_path) == [
        "left out deeper: a folder",
        "left out e.txt: its name is none of a video, sound or picture",
    ]
    assert media_files(tmp_path / "e.txt") == [tmp_path / "e.txt"]


def test_the_public_names_are_there() -> None:
    assert len(emoscope.__all__) <= 14
    assert {getattr(emoscope, name) is not None for name in emoscope.__all__} == {True}
    assert dir(emoscope) == sorted(emoscope.__all__)
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        emoscope.nothing  # noqa: B018
