import numpy as np
import pytest

pytest.importorskip("librosa")

from emoscope.data.spectra import REFERENCE, Kind, Setting, cepstra, picture
from emoscope.voice.features import window_input

OURS = Setting()


def test_the_references_pictures_have_its_shapes(speech: np.ndarray) -> None:
    assert picture(speech, "mfcc", REFERENCE).shape == (40, 216)
    assert picture(speech, "mel", REFERENCE).shape == (128, 216)
    assert picture(speech[:8000], "stft", REFERENCE).shape == (1025, 216)


@pytest.mark.parametrize("kind", ["stft", "mel", "mfcc"])
@pytest.mark.parametrize("samples", [0, 5, 16_000, 64_000])
def test_any_sound_fills_the_picture(kind: Kind, samples: int) -> None:
    sound = np.random.default_rng(0).normal(0, 0.1, samples).astype(np.float32)
    found = picture(sound, kind, OURS)
    assert found.shape == (OURS.height(kind), OURS.width)
    assert np.isfinite(found).all()
    if kind != "mfcc":
        assert found.max() <= 1e-4
        assert found.min() >= -80 - 1e-4


def test_the_mel_picture_is_what_the_shipped_models_see(speech: np.ndarray) -> None:
    sound = speech[: 2 * 16_000]
    np.testing.assert_allclose(picture(sound, "mel", OURS).T / 80 + 1, window_input(sound), atol=2e-3)


def test_mfcc_of_a_log_mel_are_those_of_its_sound(speech: np.ndarray) -> None:
    sound = speech[: 2 * 16_000]
    found = cepstra(window_input(sound))
    expected = picture(sound, "mfcc", OURS)
    assert found.shape == (40, 188)
    np.testing.assert_allclose(found, expected, atol=0.5)  # of hundreds
    packed = cepstra(np.round(window_input(sound) * 255)[None] / 255)[0]
    assert np.corrcoef(packed.ravel(), expected.ravel())[0, 1] > 0.9999


def test_other_input_is_refused() -> None:
    with pytest.raises(ValueError, match=r"\(2, 5\)"):
        picture(np.zeros((2, 5)), "mel", OURS)
    with pytest.raises(ValueError, match="no kind"):
        picture(np.zeros(5), "cqt", OURS)  # type: ignore[arg-type]
