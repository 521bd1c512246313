import numpy as np
import pytest
from places import DATA

from emoscope.media.types import SAMPLE_RATE
from emoscope.voice.features import FLOOR_DB, HOP, MELS, N_FFT, WINDOW, WINDOW_FRAMES, log_mel, window_input

from .conftest import sound_of


def vowel(seconds: float, pitch: float = 140.0) -> np.ndarray:
    """Harmonics of a gliding pitch under two formants, in four syllables a second."""
    t = np.arange(int(seconds * SAMPLE_RATE)) / SAMPLE_RATE
    phase = 2 * np.pi * np.cumsum(pitch * (1 + 0.1 * np.sin(2 * np.pi * 0.7 * t))) / SAMPLE_RATE
    formants = [(k, sum(np.exp(-(((k * pitch - f) / 150) ** 2)) for f in (600, 1200))) for k in range(1, 20)]
    sound = sum(weight * np.sin(k * phase) for k, weight in formants)
    return (0.1 * sound * (0.5 - 0.5 * np.cos(2 * np.pi * 4 * t))).astype(np.float32)


@pytest.mark.parametrize("samples", [N_FFT, 16_000, 40_001, WINDOW])
def test_is_librosas_mel_spectrogram_in_db(samples: int) -> None:
    librosa = pytest.importorskip("librosa")
    sound = vowel(samples / SAMPLE_RATE) + np.random.default_rng(0).normal(0, 1e-3, samples).astype(np.float32)
    power = librosa.feature.melspectrogram(y=sound, sr=SAMPLE_RATE, n_fft=N_FFT, hop_length=HOP, n_mels=MELS)
    decibel = librosa.power_to_db(power, ref=np.max, top_db=-FLOOR_DB).T
    expected = (decibel - decibel.min()) / (decibel.max() - decibel.min())
    np.testing.assert_allclose(log_mel(sound), expected, atol=1e-5)


def test_matches_the_packed_pictures_of_the_same_clips() -> None:
    from emoscope.data.cremad import load_logmels, video_clips

    if not (DATA / "cremad" / "logmel_validation.npz").exists() or not (DATA / "cremad" / "VideoFlash").exists():
        pytest.skip(f"no packed log-mels and clips of CREMA-D in {DATA}")
    packed = load_logmels(DATA, "validation")
    pictures = dict(zip(packed.clips, packed.logmel, strict=True))
    clips = [(clip, path) for clip, path in video_clips(DATA) if clip in pictures][::5]
    found = [_correlation(window_input(sound_of(path)), pictures[clip] / 255) for clip, path in clips]
    assert len(found) >= 3
    assert np.median(found) > 0.97


def _correlation(ours: np.ndarray, packed: np.ndarray) -> float:
    late = 3  # the .flv is three frames later than the .wav that was packed
    return float(np.corrcoef(ours[late:].ravel(), packed[:-late].ravel())[0, 1])


def test_a_tone_peaks_in_its_band() -> None:
    tone = np.sin(2 * np.pi * 1000 * np.arange(WINDOW) / SAMPLE_RATE)
    picture = log_mel(tone)
    # Slaney: 15 mel at 1 kHz of 45.2 at 8 kHz, over 129 steps; band i is centred on step i + 1
    assert set(picture[5:-5].argmax(axis=1)) <= {41, 42}
    assert picture.max() == 1.0


def test_frames_are_centred_on_multiples_of_the_hop() -> None:
    click = np.zeros(WINDOW, np.float32)
    click[100 * HOP] = 1.0
    assert log_mel(click).sum(axis=1).argmax() == 100


def test_does_not_depend_on_the_level() -> None:
    sound = vowel(1.0)
    for gain in (1e-30, 1e-4, 0.5, 1e25):
        np.testing.assert_allclose(log_mel(sound * np.float32(gain)), log_mel(sound), atol=1e-4)


@pytest.mark.parametrize("samples", [0, 1, 100, N_FFT - 1, 16_000])
def test_silence_is_zero_at_any_length(samples: int) -> None:
    picture = log_mel(np.zeros(samples, np.float32))
    assert picture.shape == (samples // HOP + 1, MELS)
    assert not picture.any()


def test_values_that_are_not_finite_count_as_silence() -> None:
    sound = vowel(1.0)
    holed, spoilt = sound.copy(), sound.copy()
    holed[5000:5003] = 0
    spoilt[5000:5003] = np.nan, np.inf, -np.inf
    np.testing.assert_array_equal(log_mel(spoilt), log_mel(holed))
    assert not log_mel(np.full(5000, np.nan)).any()


def test_the_window_is_cut_or_followed_by_silence() -> None:
    long = vowel(4.0)
    short = np.random.default_rng(0).normal(0, 0.1, SAMPLE_RATE)  # loud up to its end
    assert window_input(long).shape == window_input(short).shape == (WINDOW_FRAMES, MELS) == (188, 128)
    np.testing.assert_array_equal(window_input(long), log_mel(long[:WINDOW]))
    last = SAMPLE_RATE // HOP + 2  # frames up to here overlap the second that holds sound
    assert window_input(short)[last].any()
    assert not window_input(short)[last + 1 :].any()


def test_stereo_is_refused() -> None:
    with pytest.raises(ValueError, match=r"\(2, 100\)"):
        log_mel(np.zeros((2, 100)))
