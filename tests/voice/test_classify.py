import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emoscope.evidence import pack, unpack
from emoscope.media.types import SAMPLE_RATE, Sound
from emoscope.models import load
from emoscope.voice.activity import BRIDGE, CHUNK, PAD
from emoscope.voice.classify import GAP_S, VoiceReader, VoiceRow

from .conftest import LoudnessDetector, PeakModel, speech_like

BRIDGE_S = BRIDGE / SAMPLE_RATE
PAD_S = PAD / SAMPLE_RATE
CHUNK_S = CHUNK / SAMPLE_RATE


def reader(model: PeakModel | None = None) -> VoiceReader:
    return VoiceReader(model or PeakModel(), LoudnessDetector)


def read(sound: np.ndarray, time: float = 0.0, cuts: list[int] | None = None) -> list[VoiceRow]:
    voice = reader()
    rows: list[VoiceRow] = []
    for start, piece in zip([0, *(cuts or [])], np.split(sound, cuts or []), strict=True):
        rows += voice.add(Sound(time + start / SAMPLE_RATE, piece))
    return rows + voice.finish()


def spans(rows: list[VoiceRow]) -> list[tuple[float, float]]:
    return [(row.start, row.end) for row in rows]


def test_an_utterance_is_a_row_in_stream_time() -> None:
    (row,) = read(speech_like((1.0, 1.5), (1.0, 0.0)), time=20.0)
    assert row.start == pytest.approx(20 + 1.0 - PAD_S + CHUNK_S, abs=CHUNK_S)
    assert row.end == pytest.approx(20 + 2.5 + PAD_S, abs=CHUNK_S)
    assert row.logits.shape == (8,)


def test_the_model_sees_the_utterance_and_nothing_else(peak_model: PeakModel) -> None:
    sound = speech_like((1.0, 1.5), (1.0, 0.0))
    click = round(1.2 * SAMPLE_RATE)
    sound[click] = 0.99
    voice = reader(peak_model)
    row = (voice.add(Sound(0.0, sound)) or voice.finish())[0]
    assert peak_model.shapes == [(1, 188, 128)]
    # the last frame with sound in it: that of the last loud sample, from the start of the row, and the two that overlap
    assert row.logits[2] == pytest.approx((2.5 - row.start) * SAMPLE_RATE / 256 + 2, abs=1)


def test_rows_of_a_long_utterance_come_while_it_goes_on() -> None:
    voice = reader()
    seen: list[tuple[float, int]] = []
    for k, piece in enumerate(np.split(speech_like((0.0, 10.0)), 20)):
        rows = voice.add(Sound(k / 2, piece))
        seen += [((k + 1) / 2, row.end) for row in rows]
    ends = [end for _, end in seen]
    assert ends == [1.75 + k / 2 for k in range(14)]
    assert all(now - end <= 1.25 + 0.5 for now, end in seen)  # a part ends 1.25 s before its window; items are 0.5 s
    assert spans(voice.finish()) == [(8.25, 10.0)]


def test_memory_does_not_grow_with_an_endless_utterance() -> None:
    voice = reader()
    sound = speech_like((0.0, 1.0))
    kept = []
    for k in range(40):
        voice.add(Sound(float(k), sound))
        assert voice._run is not None
        kept.append(len(voice._run._kept))
    assert max(kept[20:]) == max(kept[5:20]) <= 5 * SAMPLE_RATE


def test_memory_does_not_grow_with_silence() -> None:
    voice = reader()
    voice.add(Sound(0.0, np.zeros(60 * SAMPLE_RATE, np.float32)))
    assert voice._run is not None
    assert len(voice._run._kept) <= SAMPLE_RATE


def test_a_gap_ends_an_utterance() -> None:
    voice = reader()
    sound = speech_like((0.0, 1.0))
    assert voice.add(Sound(5.0, sound)) == []
    assert spans(voice.add(Sound(7.0, sound))) == [(5.0, 6.0)]
    assert spans(voice.finish()) == [(7.0, 8.0)]


def test_small_errors_in_the_times_are_no_gap() -> None:
    voice = reader()
    sound = speech_like((0.0, 1.0))
    for time in (5.0, 6.0 + 0.8 * GAP_S, 7.0 - 0.8 * GAP_S):
        assert voice.add(Sound(time, sound)) == [] or time == 7.0 - 0.8 * GAP_S
    rows = voice.finish()
    assert rows[-1].end == 8.0


def test_sound_given_twice_is_heard_once() -> None:
    sound = speech_like((0.5, 1.0), (1.0, 1.2), (1.0, 0.0))
    voice = reader()
    rows = voice.add(Sound(0.0, sound[: 2 * SAMPLE_RATE]))
    rows += voice.add(Sound(1.0, sound[SAMPLE_RATE : 3 * SAMPLE_RATE]))  # a second that is known already
    rows += voice.add(Sound(0.0, sound[: 3 * SAMPLE_RATE]))  # nothing new at all
    rows += voice.add(Sound(2.5, sound[int(2.5 * SAMPLE_RATE) :]))
    rows += voice.finish()
    assert spans(rows) == spans(read(sound))
    for ours, expected in zip(rows, read(sound), strict=True):
        np.testing.assert_array_equal(ours.logits, expected.logits)


def test_an_item_without_samples_says_that_there_is_no_sound() -> None:
    voice = reader()
    nothing = np.zeros(0, np.float32)
    assert voice.add(Sound(3.0, nothing)) == []
    assert voice.settled == 3.0
    voice.add(Sound(3.0, speech_like((0.0, 1.0))))
    assert voice.settled == 3.0
    assert spans(voice.add(Sound(6.0, nothing))) == [(3.0, 4.0)]
    assert voice.settled == 6.0


def test_settled_follows_close_behind_when_nobody_speaks() -> None:
    voice = reader()
    for k in range(10):
        voice.add(Sound(k / 10, np.zeros(SAMPLE_RATE // 10, np.float32)))
    assert 1.0 - PAD_S - CHUNK_S <= voice.settled <= 1.0


def test_settled_waits_for_the_row_of_an_utterance_under_way() -> None:
    voice = reader()
    voice.add(Sound(0.0, speech_like((1.0, 2.0))))
    waiting = voice.settled
    (row,) = voice.add(Sound(3.0, np.zeros(2 * SAMPLE_RATE, np.float32)))
    assert waiting == row.start
    assert voice.settled >= row.end


parts = st.lists(st.tuples(st.floats(0, 1.5), st.sampled_from([0.05, 0.3, 1.0, 3.0, 4.7])), max_size=4)


@given(parts, st.data())
@settings(max_examples=40, deadline=None)
def test_file_and_stream_give_the_same_rows(parts: list[tuple[float, float]], data: st.DataObject) -> None:
    sound = speech_like((0.2, 0.4), *parts, (0.3, 0.0))
    cuts = sorted(data.draw(st.lists(st.integers(0, len(sound)), max_size=10)))
    file, stream = read(sound), read(sound, cuts=cuts)
    assert spans(file) == spans(stream)
    for ours, expected in zip(stream, file, strict=True):
        np.testing.assert_array_equal(ours.logits, expected.logits)


@given(parts, st.lists(st.tuples(st.floats(-1.0, 1.0), st.integers(0, 30_000)), max_size=8))
@settings(max_examples=40, deadline=None)
def test_whatever_the_times_rows_are_in_order_and_none_comes_before_settled(
    parts: list[tuple[float, float]], items: list[tuple[float, int]]
) -> None:
    sound = speech_like((0.0, 2.0), *parts)
    voice = reader()
    time = settled = end = 0.0
    for jump, samples in items:
        time = max(0.0, time + jump)
        for row in voice.add(Sound(time, sound[:samples])):
            assert settled <= row.start < row.end
            assert row.start >= end
            end = row.end
        assert voice.settled >= settled
        settled = voice.settled
        time += samples / SAMPLE_RATE
    assert all(row.start >= max(settled, end) - 1e-9 for row in voice.finish())


def test_a_window_scores_the_same_from_a_file_from_a_stream_and_by_itself(speech: np.ndarray) -> None:
    """With the shipped model and real voice activity: every row is what the network says of its 3 s alone."""
    from emoscope.models import load
    from emoscope.voice.features import WINDOW, window_input

    model = load("voice")
    sound = np.concatenate([speech, speech])

    def rows(cuts: list[int]) -> list[VoiceRow]:
        voice, found, start = VoiceReader(model), [], 0
        for piece in np.split(sound, cuts):
            found += voice.add(Sound(start / SAMPLE_RATE, piece))
            start += len(piece)
        return found + voice.finish()

    file, stream = rows([]), rows([*range(3000, len(sound), 3000)])
    assert len(file) >= 4
    assert spans(file) == spans(stream)
    for row, again in zip(file, stream, strict=True):
        np.testing.assert_array_equal(row.logits, again.logits)
    middle = file[1]  # neither the first nor the last: its window lies evenly around it
    centre = round((middle.start + middle.end) / 2 * SAMPLE_RATE)
    alone = model.logits(window_input(sound[centre - WINDOW // 2 : centre + WINDOW // 2])[None])[0]
    np.testing.assert_array_equal(middle.logits, alone)


def test_utterances_are_numbered() -> None:
    rows = read(speech_like((0.5, 4.0), (2.0, 1.0), (2.0, 1.0)))
    assert sorted({row.utterance for row in rows}) == [1, 2, 3]
    assert [row.utterance for row in rows] == sorted(row.utterance for row in rows)


@pytest.mark.parametrize("stop", [0.3, 1.7, 4.2, 5.6])
def test_a_reader_that_is_restored_goes_on_as_if_it_had_not_stopped(stop: float, speech: np.ndarray) -> None:
    model, at = load("voice"), round(stop * SAMPLE_RATE)
    sound = np.concatenate([speech, speech])
    whole, first, second = VoiceReader(model), VoiceReader(model), VoiceReader(model)
    expected = whole.add(Sound(0.0, sound)) + whole.finish()
    rows = first.add(Sound(0.0, sound[:at]))
    second.restore(unpack(pack(first.state())))
    rows += second.add(Sound(stop, sound[at:])) + second.finish()
    assert [row[:3] for row in rows] == [row[:3] for row in expected]
    np.testing.assert_array_equal([row.logits for row in rows], [row.logits for row in expected])
