import csv
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from click.testing import CliRunner
from make_media import sine, steps, write_video

from emoscope.cli import main
from emoscope.data.clips import FaceClip, Source, labelled_sources, load, own_clips
from emoscope.data.prepare import find_clips, prepare, read_clip
from emoscope.errors import DataError
from emoscope.media import open_media

RATE = 10
TIMES = [0.0, 0.1, 0.2, 0.35, 0.4, 0.5, 0.8, 0.9, 1.0, 1.1]


@pytest.fixture(scope="module")
def videos(portrait: np.ndarray, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two clips with a face, one of them at uneven times, one without, one that is no video; and their labels."""
    folder = tmp_path_factory.mktemp("videos")
    write_video(
        folder / "even.mkv", steps(10, RATE), lambda _: portrait, sound=sine(1.0, rate=16_000), sound_rate=16_000
    )
    (folder / "more").mkdir()
    write_video(folder / "more" / "uneven.mkv", TIMES, lambda _: portrait)
    write_video(folder / "nobody.mkv", steps(10, RATE), lambda _: np.full((120, 160, 3), 90, np.uint8))
    (folder / "broken.mkv").write_bytes(b"no video")
    rows = [("even.mkv", "happiness", "a"), ("more/uneven.mkv", "contempt", "b"), ("nobody.mkv", "fear", "c")]
    write_labels(folder / "labels.csv", [*rows, ("broken.mkv", "anger", "d")])
    return folder


def write_labels(
    path: Path, rows: list[tuple[str, str, str]], heads: tuple[str, ...] = ("path", "label", "person")
) -> Path:
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([heads, *rows])
    return path


def run(*arguments: object) -> tuple[int, str, str]:
    result = CliRunner().invoke(main, ["prepare", *map(str, arguments)])
    return result.exit_code, result.stdout, result.stderr


def test_labelled_clips_become_sequences_and_what_is_no_clip_is_named(videos: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    code, stdout, stderr = run(videos, "--labels", videos / "labels.csv", "--out", out, "--workers", 2)
    assert code == 0, stderr
    assert "2 of 4 clips" in stdout
    assert "nobody.mkv: no face in it" in stderr
    assert "broken.mkv" in stderr
    assert {path.name for path in out.iterdir()} == {"even.npz", "more-uneven.npz", "clips.csv", "preview.mp4"}

    even, uneven = load(out)
    assert (even.name, even.label, even.person, even.skipped) == ("even", "happiness", "a", 0)
    assert even.faces.shape == (10, 48, 48)
    np.testing.assert_allclose(even.times, np.arange(10) / RATE, atol=1e-3)
    np.testing.assert_allclose(uneven.times, TIMES, atol=1e-3)
    assert even.logmel.shape[1] == 128
    assert 50 < len(even.logmel) < 80
    assert len(uneven.logmel) == 0
    assert even.faces[5].std() > 20

    rows = list(csv.DictReader((out / "clips.csv").open()))
    assert [(row["clip"], row["faces"]) for row in rows] == [("even", "10"), ("more-uneven", "10")]
    with open_media(out / "preview.mp4") as media:
        assert sum(1 for _ in media) > 20


def test_it_goes_on_where_it_stopped(videos: Path, tmp_path: Path) -> None:
    sources = labelled_sources(videos, videos / "labels.csv")[:2]
    prepare(sources[:1], tmp_path, workers=1)
    before = (tmp_path / "even.npz").stat().st_mtime_ns
    calls: list[tuple[int, int]] = []
    assert prepare(sources, tmp_path, workers=1, progress=lambda done, total: calls.append((done, total))) == []
    assert calls == [(2, 2)]
    assert (tmp_path / "even.npz").stat().st_mtime_ns == before

    whole = (tmp_path / "even.npz").read_bytes()
    (tmp_path / "even.npz").write_bytes(whole[: len(whole) // 2])
    prepare(sources, tmp_path, workers=1)
    assert FaceClip.read(tmp_path / "even.npz").label == "happiness"


def test_frames_that_do_not_decode_are_counted(portrait: np.ndarray, tmp_path: Path) -> None:
    moved = [np.roll(portrait, i % 3, 0) for i in range(20)]
    frames = {"codec": "mpeg4", "options": {"g": "1"}, "time_base": Fraction(1, RATE), "frame_rate": RATE}
    video = write_video(tmp_path / "whole.avi", steps(20, RATE), lambda i: moved[i], **frames)
    with av.open(str(video)) as container:
        packets = [bytes(packet) for packet in container.demux(video=0) if packet.size]
    data = video.read_bytes()
    for lost in (10, 14):
        at = data.index(packets[lost])
        data = data[:at] + bytes(len(packets[lost])) + data[at + len(packets[lost]) :]
    video.write_bytes(data)
    clip = read_clip(Source(video, "whole", "anger", "a"))
    assert (clip.skipped, clip.unseen) == (2, 0)
    np.testing.assert_allclose(clip.times, [i / RATE for i in range(20) if i not in (10, 14)], atol=1e-3)


def test_clips_are_found_prepared_or_made_and_without_a_face_they_are_none(videos: Path, tmp_path: Path) -> None:
    sources = labelled_sources(videos, videos / "labels.csv")[:3]
    prepare(sources[:1], tmp_path, workers=1)
    even, uneven, nobody = find_clips(sources, tmp_path)
    assert even
    assert uneven
    assert (even.name, uneven.name, nobody) == ("even", "more-uneven", None)
    assert not (tmp_path / "more-uneven.npz").exists()


@pytest.mark.parametrize(
    ("rows", "heads", "message"),
    [
        ([("even.mkv", "", "a")], ("path", "label", "person"), "all filled in; label is empty"),
        ([("gone.mkv", "anger", "a")], ("path", "label", "person"), "line 2: there is no clip"),
        ([("even.mkv", "anger", "")], ("path", "label", "person"), "all filled in; person is empty"),
        ([("even.mkv", "anger", "a")], ("file", "label", "person"), "expected the columns path, label, person"),
        ([], ("path", "label", "person"), "expected a row for each file"),
    ],
)
def test_labels_that_cannot_be_are_said_in_one_line(
    rows: list[tuple[str, str, str]], heads: tuple[str, ...], message: str, videos: Path, tmp_path: Path
) -> None:
    code, _, stderr = run(videos, "--labels", write_labels(tmp_path / "l.csv", rows, heads), "--out", tmp_path / "out")
    assert code == 2
    assert message in stderr
    assert len(stderr.splitlines()) == 1


def test_without_labels_the_names_must_be_cremads(videos: Path, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="is not the name of a CREMA-D clip"):
        labelled_sources(videos)
    (tmp_path / "1001_IEO_SAD_HI.flv").write_bytes((videos / "even.mkv").read_bytes())
    (source,) = labelled_sources(tmp_path)
    assert (source.name, source.label, source.person) == ("1001_IEO_SAD_HI", "sadness", "1001")
    with pytest.raises(DataError, match="no CREMA-D in"):
        labelled_sources(tmp_path / "nowhere")


def test_names_that_stand_for_two_clips_are_refused(videos: Path, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="more than one clip, such as same"):
        prepare([Source(videos / "even.mkv", "same", "anger", "a")] * 2, tmp_path)
    with pytest.raises(DataError, match="none of 1 clips could be prepared"):
        prepare([Source(videos / "broken.mkv", "broken", "anger", "a")], tmp_path, workers=1)
    with pytest.raises(DataError, match="no prepared clips in"):
        load(tmp_path)


def write_clip(folder: Path, name: str, person: str, label: str = "anger") -> None:
    folder.mkdir(parents=True, exist_ok=True)
    faces = np.full((3, 48, 48), 99, np.uint8)
    points, sound = np.zeros((3, 5, 2), np.float32), np.zeros((0, 128), np.uint8)
    FaceClip(name, label, person, faces, np.arange(3) / 10, points, sound, 0, 0).write(folder / f"{name}.npz")


def test_ones_own_clips_are_split_by_person(tmp_path: Path) -> None:
    for person in range(12):
        for take in range(2):
            write_clip(tmp_path / "sequences", f"{person}-{take}", str(person))
    train, validation = (own_clips(tmp_path, split) for split in ("train", "validation"))
    assert len(train) + len(validation) == 24
    assert not {clip.person for clip in train} & {clip.person for clip in validation}
    assert len({clip.person for clip in validation}) == 3
    assert len(own_clips(tmp_path, "test")) == 24


def test_clips_of_too_few_persons_are_refused(tmp_path: Path) -> None:
    write_clip(tmp_path / "sequences", "one", "a")
    with pytest.raises(DataError, match="1 persons; expected at least 5"):
        own_clips(tmp_path, "train")


def test_a_file_that_is_no_clip_is_refused(tmp_path: Path) -> None:
    write_clip(tmp_path, "bad", "a", label="joy")
    assert load(tmp_path)[0].label == "joy"
    np.savez(tmp_path / "bad.npz", faces=np.zeros(3))
    with pytest.raises(DataError, match="is not a prepared clip"):
        load(tmp_path)
