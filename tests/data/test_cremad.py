import wave
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from places import DATA

from emoscope.data.cremad import (
    ACTORS,
    TEST_ACTORS,
    VALIDATION_ACTORS,
    Clip,
    load_logmels,
    recordings,
    split_of,
    video_clips,
)
from emoscope.emotions import CREMAD_EMOTIONS
from emoscope.errors import DataError, MediaError
from emoscope.media.types import SAMPLE_RATE
from emoscope.voice.features import window_input

packed_here = pytest.mark.skipif(
    not (DATA / "cremad" / "logmel_train.npz").exists(), reason=f"no packed log-mels of CREMA-D in {DATA}"
)


def noise(seconds: float, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(-9000, 9000, int(seconds * SAMPLE_RATE)).astype(np.int16)


def write_wav(path: Path, samples: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(SAMPLE_RATE)
        file.writeframes(samples.tobytes())


def write_packed(path: Path, clips: list[str], **changed: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    n = len(clips)
    arrays = {
        "clip": np.array(clips),
        "logmel": np.arange(n * 188 * 128, dtype=np.uint32).astype(np.uint8).reshape(n, 188, 128),
        "frames": np.full(n, 100),
    }
    np.savez(path, **{**arrays, **changed})  # type: ignore[arg-type]


def test_a_clips_name_says_who_acts_what() -> None:
    clip = Clip.parse("1015_IEO_SAD_HI")
    assert clip == Clip(1015, "IEO", "SAD", "HI")
    assert (clip.emotion, clip.label, clip.split) == ("sadness", CREMAD_EMOTIONS.index("sadness"), "validation")
    assert str(clip) == "1015_IEO_SAD_HI"
    assert Clip.parse("1040_ITH_SAD_X").level == "XX"


@pytest.mark.parametrize("name", ["", "1001_DFA_ANG", "1001_DFA_JOY_XX", "1092_DFA_ANG_XX", "1001_DFA_ANG_XX.wav"])
def test_other_names_are_refused(name: str) -> None:
    with pytest.raises(DataError, match="1001_DFA_ANG_XX"):
        Clip.parse(name)


def test_every_actor_is_in_one_split() -> None:
    assert Counter(split_of(actor) for actor in ACTORS) == {"train": 63, "validation": 9, "test": 19}
    assert not VALIDATION_ACTORS & TEST_ACTORS
    assert (split_of(1089), split_of(1010), split_of(1001)) == ("validation", "test", "train")


def test_reads_a_packed_split_from_either_folder(tmp_path: Path) -> None:
    names = ["1015_DFA_ANG_XX", "1020_IEO_NEU_XX"]
    write_packed(tmp_path / "cremad" / "logmel_validation.npz", names)
    for folder in (tmp_path, tmp_path / "cremad"):
        found = load_logmels(folder, "validation")
        assert [str(clip) for clip in found.clips] == names
        assert [CREMAD_EMOTIONS[label] for label in found.labels] == ["anger", "neutral"]
        assert found.logmel.dtype == np.uint8
        assert found.logmel[0, 0, 5] == 5
        assert found.frames.tolist() == [100, 100]


def test_makes_the_pictures_of_a_split_from_its_sound(tmp_path: Path) -> None:
    sounds = {"1010_TAI_FEA_XX": noise(1.5), "1013_TAI_HAP_XX": noise(3.5, 1), "1013_TAI_SAD_XX": noise(1.0) * 0}
    for name, sound in {**sounds, "1001_TAI_FEA_XX": noise(1.0)}.items():
        write_wav(tmp_path / "AudioWAV" / f"{name}.wav", sound)
    calls: list[tuple[int, int]] = []
    found = load_logmels(tmp_path, "test", lambda done, all_: calls.append((done, all_)))
    assert [str(clip) for clip in found.clips] == ["1010_TAI_FEA_XX", "1013_TAI_HAP_XX"]  # the silent one is left out
    assert calls == [(1, 3), (2, 3), (3, 3)]
    for clip, picture in zip(found.clips, found.logmel, strict=True):
        expected = window_input(sounds[str(clip)] / 32768)
        np.testing.assert_allclose(picture / 255, expected, atol=0.51 / 255)
    assert found.frames.tolist() == [24_000 // 256 + 3, 188]
    assert found.logmel[0, found.frames[0] - 1].any()
    assert not found.logmel[0, found.frames[0] :].any()


def test_says_what_is_missing(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"expected .*cremad with logmel_SPLIT\.npz, AudioWAV, AudioMP3 or VideoFlash"):
        load_logmels(tmp_path, "train")
    write_packed(tmp_path / "cremad" / "logmel_validation.npz", ["1015_DFA_ANG_XX"])
    with pytest.raises(DataError, match=r"train split .* expected logmel_train\.npz, AudioWAV, AudioMP3 or VideoFlash"):
        load_logmels(tmp_path, "train")
    with pytest.raises(DataError, match=r"expected VideoFlash/\*\.flv"):
        video_clips(tmp_path)
    with pytest.raises(DataError, match="train, validation, test"):
        load_logmels(tmp_path, "dev")  # type: ignore[arg-type]


def test_refuses_a_packed_split_that_is_not_one(tmp_path: Path) -> None:
    path = tmp_path / "logmel_train.npz"
    path.write_bytes(b"not a zip")
    with pytest.raises(DataError, match="is not a packed CREMA-D split"):
        load_logmels(tmp_path, "train")
    write_packed(path, ["1001_DFA_ANG_XX"], logmel=np.zeros((1, 188, 64), np.uint8))
    with pytest.raises(DataError, match=r"expected logmel uint8 \(1, 188, 128\), got uint8 \(1, 188, 64\)"):
        load_logmels(tmp_path, "train")
    np.savez(path, clip=np.array(["1001_DFA_ANG_XX"]))
    with pytest.raises(DataError, match="is not a packed CREMA-D split"):
        load_logmels(tmp_path, "train")


def test_an_actor_of_another_split_is_refused(tmp_path: Path) -> None:
    write_packed(tmp_path / "logmel_train.npz", ["1001_DFA_ANG_XX", "1010_DFA_ANG_XX"])
    with pytest.raises(DataError, match="actors 1010 are not of the train split"):
        load_logmels(tmp_path, "train")


def test_a_file_that_is_no_sound_is_named(tmp_path: Path) -> None:
    path = tmp_path / "AudioWAV" / "1001_DFA_ANG_XX.wav"
    path.parent.mkdir()
    path.write_text("version https://git-lfs.github.com/spec/v1\n")
    with pytest.raises(MediaError, match=r"1001_DFA_ANG_XX\.wav: not a video, sound"):
        load_logmels(tmp_path, "train")


def test_lists_the_videos_by_name(tmp_path: Path) -> None:
    (tmp_path / "VideoFlash").mkdir()
    for name in ("1002_IEO_SAD_HI", "1001_IEO_ANG_HI"):
        (tmp_path / "VideoFlash" / f"{name}.flv").touch()
    assert [str(clip) for clip, _ in video_clips(tmp_path)] == ["1001_IEO_ANG_HI", "1002_IEO_SAD_HI"]


@packed_here
def test_the_data_set_is_whole() -> None:
    counts = {split: np.bincount(load_logmels(DATA, split).labels).tolist() for split in ("train", "validation")}
    # anger, disgust, fear, happiness, neutral, sadness
    assert counts == {"train": [876, 877, 876, 877, 749, 879], "validation": [125, 126, 126, 126, 108, 126]}


@packed_here
def test_the_packed_frames_are_the_sounding_ones() -> None:
    found = load_logmels(DATA, "validation")
    for picture, frames in zip(found.logmel, found.frames, strict=True):
        assert not picture[frames:].any()
    with np.load(DATA / "cremad" / "logmel_validation.npz") as arrays:
        from emoscope.data.cremad import sounding_frames

        assert [sounding_frames(n) for n in arrays["samples_16k"]] == found.frames.tolist()


def test_the_sound_of_the_videos_serves_where_there_is_no_other(tmp_path: Path) -> None:
    for folder, name in (("VideoFlash", "1001_IEO_ANG_HI.flv"), ("AudioMP3", "1002_IEO_SAD_HI.mp3")):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / name).touch()
        ((clip, recording),) = recordings(tmp_path)  # the compressed sound goes before the video's
        assert recording.path.name == name
        assert (recording.emotion, recording.person) == (clip.emotion, str(clip.actor))
    write_wav(tmp_path / "AudioWAV" / "1003_IEO_HAP_HI.wav", noise(0.5))
    assert [str(clip) for clip, _ in recordings(tmp_path)] == ["1003_IEO_HAP_HI"]
