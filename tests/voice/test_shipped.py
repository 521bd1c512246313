"""What the shipped voice model must do whatever it was trained on: mind no level, find no emotion where no voice is."""

import numpy as np
import pytest

from emoscope.calibration import probabilities
from emoscope.data.nonspeech import KINDS, make
from emoscope.media.types import Sound
from emoscope.models import Model, load
from emoscope.voice.classify import VoiceReader
from emoscope.voice.features import window_input

UNSEEN = 5_000_000
"""First seed of sounds that training has not drawn."""


@pytest.fixture(scope="module")
def model() -> Model:
    return load("voice")


def test_is_small(model: Model) -> None:
    assert model.card.parameters < 1_000_000
    assert 0.3 < model.card.temperature < 3


@pytest.mark.parametrize("decibel", [-40, -20, 10])
def test_the_level_of_the_sound_does_not_matter(decibel: float, model: Model, speech: np.ndarray) -> None:
    def rows(sound: np.ndarray) -> list[np.ndarray]:
        reader = VoiceReader(model)
        found = reader.add(Sound(0.0, sound.astype(np.float32))) + reader.finish()
        return [probabilities(row.logits, model.card.temperature) for row in found]

    usual = 0.3 * speech / np.abs(speech).max()
    expected = rows(usual)
    assert expected
    found, usually = np.mean(rows(usual * 10 ** (decibel / 20)), axis=0), np.mean(expected, axis=0)
    assert found.argmax() == usually.argmax()
    np.testing.assert_allclose(found, usually, atol=0.12)  # voice activity may begin or end some frames apart


@pytest.mark.parametrize("kind", KINDS)
def test_a_second_without_a_voice_has_no_confident_emotion(kind: str, model: Model) -> None:
    sounds = [make(kind, 1.0, UNSEEN + i) for i in range(10)]
    sure = [float(model.scores(window_input(sound)[None]).max()) for sound in sounds]
    assert np.mean(sure) < 0.45
    assert np.quantile(sure, 0.8) < 0.6


@pytest.mark.parametrize("kind", KINDS)
def test_the_pipeline_is_not_sure_of_anything_where_nobody_speaks(kind: str, model: Model) -> None:
    """Voice activity passes over silence, noise and clicks; where it takes a tone for a voice, the model is unsure."""
    sure: list[float] = []
    for i in range(8):
        reader = VoiceReader(model)
        rows = reader.add(Sound(0.0, make(kind, 2.0, UNSEEN + i))) + reader.finish()
        sure += [float(probabilities(row.logits, model.card.temperature).max()) for row in rows]
    if kind in ("silence", "noise", "clicks"):
        assert not sure
    assert np.mean(sure or [0.0]) < 0.5
