import csv
import wave
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

pytest.importorskip("audiomentations")

from emoscope.cli import main
from emoscope.data.waveform import Change, apply, eight, versions

RATE = 16_000


def pitch_of(sound: np.ndarray) -> float:
    """Hz of the strongest frequency."""
    spectrum = np.abs(np.fft.rfft(sound * np.hanning(len(sound))))
    return float(np.fft.rfftfreq(len(sound), 1 / RATE)[spectrum.argmax()])


@pytest.fixture
def tone() -> np.ndarray:
    return (0.3 * np.sin(2 * np.pi * 440 * np.arange(2 * RATE) / RATE)).astype(np.float32)


def test_a_stretch_changes_the_length_and_not_the_pitch(tone: np.ndarray) -> None:
    for rate in (0.8, 1.25):
        changed = apply(tone, Change(rate=rate))
        assert len(changed) == pytest.approx(len(tone) / rate, rel=0.01)
        assert pitch_of(changed) == pytest.approx(440, rel=0.02)


def test_a_shift_changes_the_pitch_and_not_the_length(tone: np.ndarray) -> None:
    for semitones in (-3.0, 4.0):
        changed = apply(tone, Change(semitones=semitones))
        assert len(changed) == len(tone)
        assert pitch_of(changed) == pytest.approx(440 * 2 ** (semitones / 12), rel=0.02)


def test_noise_has_the_ratio_that_was_asked_for_and_its_seed(tone: np.ndarray) -> None:
    noisy = apply(tone, Change(snr_db=12.0), seed=1)
    ratio = 10 * np.log10(np.mean(tone**2) / np.mean((noisy - tone) ** 2))
    assert ratio == pytest.approx(12, abs=0.3)
    np.testing.assert_array_equal(noisy, apply(tone, Change(snr_db=12.0), seed=1))
    assert (noisy != apply(tone, Change(snr_db=12.0), seed=2)).any()


def test_the_worlds_chance_is_left_as_it_was(tone: np.ndarray) -> None:
    np.random.seed(5)  # noqa: NPY002
    before = np.random.get_state()[1].copy()  # type: ignore[index]  # noqa: NPY002
    apply(tone, Change(snr_db=10.0, rate=0.9, semitones=1.0), seed=3)
    np.testing.assert_array_equal(np.random.get_state()[1], before)  # type: ignore[index]  # noqa: NPY002


def test_nothing_asked_for_is_nothing_done(tone: np.ndarray) -> None:
    changed = apply(tone, Change())
    np.testing.assert_array_equal(changed, tone)
    assert changed is not tone
    assert not apply(np.zeros(1000, np.float32), Change(10.0, 1.1, 1.0)).any()


def test_one_recording_becomes_eight(tone: np.ndarray) -> None:
    names = [change.name for change in eight(np.random.default_rng(0))]
    assert len(set(names)) == 8
    assert names[0] == "original"
    assert "noise-stretch-shift" in names
    first, second = ([sound for _, sound in versions(tone, seed)] for seed in (0, 0))
    for ours, again in zip(first, second, strict=True):
        np.testing.assert_array_equal(ours, again)
    np.testing.assert_array_equal(first[0], tone)


def test_a_folder_is_written_eightfold(tone: np.ndarray, tmp_path: Path) -> None:
    (tmp_path / "in" / "Ann").mkdir(parents=True)
    (tmp_path / "in" / "notes.txt").write_text("not a sound")
    with wave.open(str(tmp_path / "in" / "Ann" / "a.wav"), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes((tone * 32767).astype("<i2").tobytes())
    result = CliRunner().invoke(main, ["research", "augment", str(tmp_path / "in"), "--out", str(tmp_path / "out")])
    assert result.exit_code == 0, result.output
    assert "8 files" in result.stdout
    with (tmp_path / "out" / "changes.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert {row["path"] for row in rows} == {
        str(p.relative_to(tmp_path / "out")) for p in tmp_path.rglob("out/*/*.wav")
    }
    assert {row["source"] for row in rows} == {"Ann/a.wav"}
    stretched = next(row for row in rows if row["path"].endswith("a-stretch.wav"))
    with wave.open(str(tmp_path / "out" / stretched["path"])) as file:
        assert file.getnframes() == pytest.approx(len(tone) / float(stretched["rate"]), rel=0.01)


def test_a_folder_is_not_written_into_itself_nor_read_empty(tmp_path: Path) -> None:
    for out, message in (
        ("out", "no such folder"),
        ("in/out", "expected a folder outside"),
        ("out", "no recording in"),
    ):
        result = CliRunner().invoke(main, ["research", "augment", str(tmp_path / "in"), "--out", str(tmp_path / out)])
        assert result.exit_code == 2
        assert message in result.stderr
        assert len(result.stderr.splitlines()) == 1
        (tmp_path / "in").mkdir(exist_ok=True)
