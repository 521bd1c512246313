import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from places import DATA

from emoscope.data.nonspeech import make
from emoscope.media.types import SAMPLE_RATE
from emoscope.voice.activity import CHUNK, GRID, PAD, Stretch, VoiceActivity

from .conftest import LoudnessDetector, sound_of, speech_like

T = np.arange(3 * SAMPLE_RATE) / SAMPLE_RATE


def found(sound: np.ndarray, activity: VoiceActivity | None = None) -> list[Stretch]:
    activity = activity or VoiceActivity()
    return [*activity.add(sound), *activity.finish()]


def ruled(sound: np.ndarray) -> list[Stretch]:
    return found(sound, VoiceActivity(LoudnessDetector()))


def chunks(seconds: float) -> float:
    """The nearest time that is a whole number of chunks."""
    return round(seconds * SAMPLE_RATE / CHUNK) * CHUNK / SAMPLE_RATE


def test_a_stretch_is_padded() -> None:
    (stretch,) = ruled(speech_like((chunks(1.0), chunks(1.5)), (1.0, 0)))
    assert 0 <= stretch.start - (chunks(1.0) * SAMPLE_RATE - PAD) < GRID
    assert stretch.start % GRID == 0
    assert stretch.end == chunks(1.0) * SAMPLE_RATE + chunks(1.5) * SAMPLE_RATE + PAD


def test_the_padding_ends_with_the_sound() -> None:
    sound = speech_like((0.1, 1.0))
    assert ruled(sound) == [Stretch(0, len(sound))]


def test_a_short_pause_is_bridged_and_a_long_one_is_not() -> None:
    assert len(ruled(speech_like((0.5, 0.6), (0.8, 0.6), (1.5, 0)))) == 1
    first, second = ruled(speech_like((0.5, 0.6), (1.3, 0.6), (1.5, 0)))
    assert first.end <= second.start


def test_a_blip_is_dropped() -> None:
    assert ruled(speech_like((0.5, 0.1), (1.5, 0.1), (1.5, 0))) == []


@pytest.mark.parametrize("samples", [0, 1, 100, CHUNK - 1, CHUNK])
def test_sound_of_any_length_is_taken(samples: int) -> None:
    assert found(np.zeros(samples, np.float32)) == []


def test_a_stretch_under_way_is_open_until_it_is_over() -> None:
    activity = VoiceActivity(LoudnessDetector())
    assert activity.add(speech_like((1.0, 1.0))) == []
    assert activity.open is not None
    under_way = activity.open
    assert activity.settled == under_way.start
    (ended,) = activity.add(np.zeros(2 * SAMPLE_RATE, np.float32))
    assert activity.open is None
    assert ended.start == under_way.start
    assert ended.end >= under_way.end
    assert activity.settled >= ended.end
    assert activity.finish() == []


@given(st.lists(st.tuples(st.floats(0, 1.2), st.floats(0, 1.2)), max_size=6), st.data())
@settings(max_examples=60, deadline=None)
def test_how_the_sound_is_cut_makes_no_difference(parts: list[tuple[float, float]], data: st.DataObject) -> None:
    sound = speech_like((0.0, 0.0), *parts)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(sound)), max_size=12)))
    activity = VoiceActivity(LoudnessDetector())
    stretches: list[Stretch] = []
    settled = 0
    for piece in np.split(sound, cuts):
        ended = activity.add(piece)
        stretches += ended
        # no stretch starts before the time that was called settled, and that time never goes back
        assert all(stretch.start >= settled for stretch in [*ended, *filter(None, [activity.open])])
        assert activity.settled >= settled
        settled = activity.settled
    stretches += activity.finish()
    assert stretches == ruled(sound)
    for before, after in itertools.pairwise(stretches):
        assert before.end <= after.start


def test_silero_gives_the_same_whatever_the_chunks() -> None:
    sound = _sentence()
    activity = VoiceActivity()
    pieces = [activity.add(piece) for piece in np.split(sound, range(0, len(sound), 777))]
    assert [*(s for piece in pieces for s in piece), *activity.finish()] == found(sound)


NOT_SPEECH = {
    "white noise": np.random.default_rng(0).normal(size=len(T)),
    "a tone": np.sin(2 * np.pi * 440 * T),
    "mains hum": np.sin(2 * np.pi * 50 * T) + 0.5 * np.sin(2 * np.pi * 150 * T),
    "clicks": (np.arange(len(T)) % 7000 < 40).astype(float),
    "a chord": sum(np.sin(2 * np.pi * f * k * T) / k for f in (220, 277.2, 329.6) for k in range(1, 6)),
}


@pytest.mark.parametrize("decibel", [-10, -40])
@pytest.mark.parametrize("name", NOT_SPEECH)
def test_what_is_no_voice_is_not_marked(name: str, decibel: int) -> None:
    sound = np.asarray(NOT_SPEECH[name])
    level = np.sqrt(np.mean(sound**2))
    assert found((sound / level * 10 ** (decibel / 20)).astype(np.float32)) == []


@pytest.mark.parametrize("kind", ["hum", "tone", "music", "breath", "keyboard", "traffic"])
def test_hardly_any_sound_without_a_voice_is_marked(kind: str) -> None:
    assert sum(bool(found(make(kind, 1.0 if i % 2 else 3.0, 9_000_000 + i))) for i in range(12)) <= 1


class TakesAll(LoudnessDetector):
    def probability(self, chunk: np.ndarray, /) -> float:
        return 1.0


def test_what_does_not_change_is_no_voice_whatever_the_detector_says() -> None:
    glide = np.sin(2 * np.pi * np.cumsum(300 + 200 * np.sin(2 * np.pi * 2 * T)) / SAMPLE_RATE)
    assert found(np.sin(2 * np.pi * 300 * T).astype(np.float32), VoiceActivity(TakesAll())) == []
    assert found(glide.astype(np.float32), VoiceActivity(TakesAll())) == [Stretch(0, len(glide))]


def test_a_second_of_quiet_makes_the_detector_begin_anew() -> None:
    begun: list[int] = []

    class Forgets(LoudnessDetector):
        def forget(self) -> None:
            begun.append(activity.received)

    activity = VoiceActivity(Forgets())
    for piece in np.split(speech_like((2.5, 1.0), (1.5, 0.0)), 10):
        activity.add(piece)
    assert [round(samples / SAMPLE_RATE, 1) for samples in begun] == [1.5, 2.5, 5.0]


def test_what_is_not_finite_counts_as_silence() -> None:
    assert found(np.full(SAMPLE_RATE, np.nan, np.float32)) == []
    assert found(np.full(SAMPLE_RATE, np.inf, np.float32)) == []


def _sentence() -> np.ndarray:
    """Somebody speaking, from the data sets."""
    paths = sorted((DATA / "ravdess").glob("Actor_*/03-01-01-01-01-01-*.flac"))
    if not paths:
        pytest.skip(f"no RAVDESS speech in {DATA}")
    return sound_of(paths[0])


@pytest.mark.parametrize("decibel", [-20, -10, 10])
def test_a_voice_begins_and_ends_where_it_does_at_any_level(decibel: int, speech: np.ndarray) -> None:
    usual = 0.3 * speech / np.abs(speech).max()
    (expected,), (stretch,) = found(usual), found((usual * 10 ** (decibel / 20)).astype(np.float32))
    assert abs(stretch.start - expected.start) <= GRID
    assert abs(stretch.end - expected.end) <= GRID


@pytest.mark.parametrize("decibel", [0, -20, -40])
def test_a_voice_is_found_at_any_level(decibel: int) -> None:
    sound = _sentence()
    (stretch,) = found((sound * 10 ** (decibel / 20)).astype(np.float32))
    # the sentence lies between the silences that the recording starts and ends with
    loud = np.flatnonzero(np.abs(sound) > 0.1 * np.abs(sound).max())
    assert stretch.start < loud[0] < loud[-1] < stretch.end
    assert stretch.end - stretch.start < 0.8 * len(sound)
