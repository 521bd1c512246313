import numpy as np
import pytest

from emoscope.data.nonspeech import KINDS, make


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("seconds", [0.05, 1.0])
def test_every_kind_is_a_sound_of_that_length_in_range(kind: str, seconds: float) -> None:
    for seed in range(4):
        sound = make(kind, seconds, seed)
        assert (sound.shape, sound.dtype) == ((round(seconds * 16_000),), np.float32)
        assert np.abs(sound).max() <= 1
        np.testing.assert_array_equal(sound, make(kind, seconds, seed))


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "silence"])
def test_seeds_differ_and_sounds_are_heard(kind: str) -> None:
    sounds = [make(kind, 1.0, seed) for seed in range(5)]
    assert all(np.abs(sound).max() > 0.9 for sound in sounds)
    assert len({float(np.abs(sound).sum()) for sound in sounds}) == 5


def test_silence_is_quieter_than_two_steps_of_16_bits() -> None:
    assert max(np.abs(make("silence", 1.0, seed)).max() for seed in range(6)) <= 3 / 32768
