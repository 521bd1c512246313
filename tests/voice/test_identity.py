"""Who a voice sounds like: the same however loud it is and however the sound is cut."""

import numpy as np
import pytest

from emoscope.media import SAMPLE_RATE, Sound
from emoscope.models import load
from emoscope.voice.classify import VoiceReader
from emoscope.voice.identity import SHORTEST, STRETCH, VALUES, embed, mel_input, stretches


def test_an_embedding_is_of_unit_length_and_knows_no_level(speech: np.ndarray) -> None:
    loud, quiet = embed(speech[: 2 * SAMPLE_RATE]), embed(speech[: 2 * SAMPLE_RATE] * 0.05)
    assert loud.shape == (VALUES,)
    assert float(np.linalg.norm(loud)) == pytest.approx(1, abs=1e-5)
    assert float(loud @ quiet) > 0.999


@pytest.mark.parametrize("samples", [0, 1, 5000])
def test_short_and_silent_sound_has_one_too(samples: int) -> None:
    assert np.isfinite(embed(np.zeros(samples, np.float32))).all()


def test_its_bands_are_those_of_librosa(speech: np.ndarray) -> None:
    librosa = pytest.importorskip("librosa")
    window = speech[16_000:32_000]
    power = librosa.feature.melspectrogram(y=window, sr=SAMPLE_RATE, n_fft=512, win_length=400, hop_length=160,
                                           n_mels=40, window="hamming", center=False, power=2.0)  # fmt: skip
    np.testing.assert_allclose(mel_input(window), np.log10(power + 1e-10).T, atol=1e-3)


@pytest.mark.parametrize("seconds", [0.1, 1.5, 2.2, 2.3, 9.9])
def test_stretches_tile_an_utterance(seconds: float) -> None:
    end = round(seconds * SAMPLE_RATE)
    found = stretches(0, end, True)
    assert [a for a, _ in found[1:]] == [b for _, b in found[:-1]]
    assert (found[0][0], found[-1][1]) == (0, end)
    assert all(SHORTEST <= b - a < STRETCH + SHORTEST for a, b in found) or end < SHORTEST
    assert stretches(0, end, False) == [part for part in found if part[1] + SHORTEST <= end]


def test_how_the_sound_is_cut_makes_no_difference(speech: np.ndarray) -> None:
    sound = np.concatenate([speech, speech, np.zeros(2 * SAMPLE_RATE, np.float32), speech])
    told = []
    for step in (len(sound), 1600, 7777):
        reader, rows = VoiceReader(load("voice")), []
        for start in range(0, len(sound), step):
            reader.add(Sound(start / SAMPLE_RATE, sound[start : start + step]))
            rows += reader.speakers()
        reader.finish()
        told.append(rows + reader.speakers())
    for rows in told[1:]:
        assert [row[:3] for row in rows] == [row[:3] for row in told[0]]
        np.testing.assert_array_equal([row.embedding for row in rows], [row.embedding for row in told[0]])
    assert len(told[0]) > 4
