import csv
import wave
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from emoscope.data import ased, nemo, ravdess
from emoscope.data.recordings import Recording, log_mels, read_table, samples
from emoscope.errors import DataError, MediaError
from emoscope.voice.features import window_input


def write_tone(path: Path, seconds: float = 1.0, pitch: float = 300.0) -> np.ndarray:
    t = np.arange(int(seconds * 16_000)) / 16_000
    tone = (9000 * np.sin(2 * np.pi * pitch * t)).astype("<i2")
    path.parent.mkdir(parents=True, exist_ok=True)
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(16_000)
        file.writeframes(tone.tobytes())
    return tone / 32768


def write_table(path: Path, rows: list[list[str]], header: str = "path,label,person") -> Path:
    with path.open("w", newline="") as file:
        table = csv.writer(file)
        table.writerow(header.split(","))
        table.writerows(rows)
    return path


def test_a_table_lists_recordings_beside_it(tmp_path: Path) -> None:
    write_tone(tmp_path / "sounds" / "a.wav")
    write_tone(tmp_path / "b.wav")
    table = write_table(tmp_path / "recordings.csv", [["sounds/a.wav", "anger", "Ann"], ["b.wav", "delighted", "7"]])
    assert read_table(table) == [
        Recording(tmp_path / "sounds" / "a.wav", "anger", "Ann"),
        Recording(tmp_path / "b.wav", "delighted", "7"),
    ]


@pytest.mark.parametrize(
    ("rows", "header", "message"),
    [
        ([["a.wav", "anger", "1"], ["no.wav", "anger", "1"]], "path,label,person", "line 3: there is no file"),
        ([["a.wav", "anger"]], "path,label", "expected the columns path, label, person, got path, label"),
        ([["a.wav", "anger", ""]], "path,label,person", "line 2: expected the columns"),
        ([], "path,label,person", "expected a row for each file"),
    ],
)
def test_a_table_that_is_wrong_is_refused_by_line(
    rows: list[list[str]], header: str, message: str, tmp_path: Path
) -> None:
    write_tone(tmp_path / "a.wav")
    with pytest.raises(DataError, match=message):
        read_table(write_table(tmp_path / "recordings.csv", rows, header))


@pytest.mark.parametrize("content", [None, b"\xff\xfe\x00path"])
def test_what_is_no_table_is_refused(content: bytes | None, tmp_path: Path) -> None:
    path = tmp_path / "recordings.csv"
    if content:
        path.write_bytes(content)
    with pytest.raises(DataError, match="is not a csv that can be read"):
        read_table(path)


def test_a_recording_is_read_and_pictured(tmp_path: Path) -> None:
    tone = write_tone(tmp_path / "a.wav", 4.0)
    np.testing.assert_allclose(samples(tmp_path / "a.wav"), tone, atol=1e-4)
    calls: list[tuple[int, int]] = []
    pictures = log_mels([Recording(tmp_path / "a.wav", "anger", "1")], lambda *done: calls.append(done))
    assert (pictures.shape, pictures.dtype, calls) == ((1, 188, 128), np.uint8, [(1, 1)])
    np.testing.assert_allclose(pictures[0] / 255, window_input(tone), atol=0.51 / 255)


def test_only_the_first_minute_is_read(tmp_path: Path) -> None:
    write_tone(tmp_path / "long.wav", 70.0)
    assert len(samples(tmp_path / "long.wav")) == 60 * 16_000


def test_what_is_no_sound_is_named(tmp_path: Path) -> None:
    (tmp_path / "a.wav").write_text("no sound")
    with pytest.raises(MediaError, match=r"a\.wav"):
        samples(tmp_path / "a.wav")


def test_ravdess_says_who_speaks_and_what_is_acted(tmp_path: Path) -> None:
    names = [
        "Actor_13/03-01-06-01-02-01-13.flac",
        "Actor_13/03-02-05-01-01-01-13.flac",  # song
        "Actor_13/01-01-05-01-01-01-13.flac",  # with a picture
        "Actor_14/03-01-01-01-01-01-14.wav",
        "Actor_14/03-01-02-01-01-01-14.wav",  # calm
        "Actor_14/notes.txt",
    ]
    for name in names:
        (tmp_path / "ravdess" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "ravdess" / name).touch()
    for folder in (tmp_path, tmp_path / "ravdess"):
        found = ravdess.recordings(folder)
        assert [(r.path.name, r.emotion, r.person) for r in found] == [
            ("03-01-06-01-02-01-13.flac", "fear", "13"),
            ("03-01-01-01-01-01-14.wav", "neutral", "14"),
        ]


def test_a_folder_without_ravdess_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="expected ravdess/Actor_NN"):
        ravdess.recordings(tmp_path)


def test_ased_and_nemo_are_read_by_their_names(tmp_path: Path) -> None:
    for name in ("ased/S4-04-02-01-29.wav", "ased/a5-01-01-02-03.wav", "ased/notes.wav"):
        write_tone(tmp_path / name)
    for name in ("nemo/EB0_anger_1.wav", "nemo/KI1_surprised_12.wav", "nemo/KI1_bored_2.wav"):
        write_tone(tmp_path / name)
    expected = [("S4-04-02-01-29.wav", "sadness", "29"), ("a5-01-01-02-03.wav", "anger", "03")]
    assert ased.recordings(tmp_path) == [Recording(tmp_path / "ased" / name, *rest) for name, *rest in expected]
    assert ased.recordings(tmp_path / "ased") == ased.recordings(tmp_path)
    expected = [("EB0_anger_1.wav", "anger", "EB0"), ("KI1_surprised_12.wav", "surprise", "KI1")]
    assert nemo.recordings(tmp_path) == [Recording(tmp_path / "nemo" / name, *rest) for name, *rest in expected]


@pytest.mark.parametrize("read", [ased.recordings, nemo.recordings])
def test_a_corpus_that_is_not_there_is_asked_for(read: Callable[[Path], list[Recording]], tmp_path: Path) -> None:
    with pytest.raises(DataError, match="expected"):
        read(tmp_path)
