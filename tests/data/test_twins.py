"""The twins against the sound that they stand for."""

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("audiomentations")

from emoscope.data import twins  # noqa: E402
from emoscope.data.waveform import Change, apply  # noqa: E402
from emoscope.voice.features import window_input  # noqa: E402


@pytest.fixture(scope="module")
def spoken(speech: np.ndarray) -> np.ndarray:
    return speech[: 2 * 16_000]


def twin(picture: np.ndarray, change: Change) -> np.ndarray:
    torch.manual_seed(0)
    window = torch.from_numpy(picture)[None]
    window = twins.warp(window, torch.tensor([change.rate or 1.0]), torch.tensor([change.semitones or 0.0]))
    if change.snr_db is not None:
        window = twins.noise(window, torch.tensor([change.snr_db]))
    return window[0].numpy()


@pytest.mark.parametrize(
    "change", [Change(rate=0.85), Change(rate=1.2), Change(semitones=2.5), Change(semitones=-2.5), Change(snr_db=15.0)]
)
def test_a_twin_is_far_closer_to_the_real_change_than_what_was_changed(change: Change, spoken: np.ndarray) -> None:
    before, real = window_input(spoken), window_input(apply(spoken, change))
    found = np.abs(twin(before, change) - real).mean()
    assert found < 0.6 * np.abs(before - real).mean()
    assert np.corrcoef(twin(before, change).ravel(), real.ravel())[0, 1] > 0.9


def test_nothing_asked_for_is_nothing_done(spoken: np.ndarray) -> None:
    picture = window_input(spoken)
    np.testing.assert_allclose(twin(picture, Change()), picture, atol=2e-3)


def test_averaged_bands_are_warped_as_whole_ones_are(spoken: np.ndarray) -> None:
    picture = window_input(spoken)
    change = Change(rate=1.1, semitones=2.0)
    halved = picture.reshape(188, 64, 2).mean(2)
    expected = twin(picture, change).reshape(188, 64, 2).mean(2)
    assert np.abs(twin(halved, change) - expected).mean() < 0.01


def test_noise_stays_in_range_and_leaves_silence_alone() -> None:
    windows = torch.rand(4, 188, 64)
    windows[0] = 0
    windows[1, 100:] = 0
    noisy = twins.noise(windows, torch.full((4,), 3.0), torch.tensor([0.0, 6.0, -3.0, 0.0]))
    assert torch.equal(noisy[0], windows[0])
    assert not noisy[1, 100:].any()
    assert noisy.min() >= 0
    torch.testing.assert_close(noisy[1:].amax((1, 2)), torch.ones(3))


def test_brown_noise_lies_lower_than_white() -> None:
    quiet = torch.full((2, 188, 64), 0.2)
    white, brown = twins.noise(quiet, torch.full((2,), -20.0), torch.tensor([0.0, 6.0]))
    assert white[:, 40:].mean() > brown[:, 40:].mean() + 0.1
