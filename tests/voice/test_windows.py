import itertools

from hypothesis import given
from hypothesis import strategies as st

from emoscope.media.types import SAMPLE_RATE
from emoscope.voice.features import WINDOW
from emoscope.voice.windows import WINDOW_STEP, Window, WindowPlan


def plan(start: int, end: int, steps: list[int] | None = None) -> list[Window]:
    """All windows of an utterance, of which it is first known that it reaches each of the `steps`."""
    made = WindowPlan(start)
    windows = [window for step in steps or [] for window in made.reached(step)]
    return [*windows, *made.ended(end)]


def seconds(windows: list[Window]) -> list[tuple[float, ...]]:
    return [tuple(x / SAMPLE_RATE for x in (w.start, w.end, w.part_start, w.part_end)) for w in windows]


def test_a_short_utterance_is_one_window() -> None:
    assert seconds(plan(8_000, 24_000)) == [(0.5, 1.5, 0.5, 1.5)]
    assert seconds(plan(0, WINDOW)) == [(0, 3, 0, 3)]


def test_a_long_one_has_a_window_every_half_second_and_a_last_one_that_ends_with_it() -> None:
    assert seconds(plan(16_000, 16_000 + int(4.75 * SAMPLE_RATE))) == [
        (1.0, 4.0, 1.0, 2.75),
        (1.5, 4.5, 2.75, 3.25),
        (2.0, 5.0, 3.25, 3.75),
        (2.5, 5.5, 3.75, 4.25),
        (2.75, 5.75, 4.25, 5.75),
    ]


def test_a_regular_window_that_ends_with_the_utterance_is_the_last() -> None:
    assert seconds(plan(0, int(3.5 * SAMPLE_RATE))) == [(0, 3, 0, 1.75), (0.5, 3.5, 1.75, 3.5)]


utterances = st.tuples(st.integers(0, 10**6), st.integers(1, 30 * SAMPLE_RATE), st.lists(st.floats(0, 1), max_size=20))


@given(utterances)
def test_the_parts_tile_the_utterance_and_lie_in_their_windows(utterance: tuple[int, int, list[float]]) -> None:
    start, length, _ = utterance
    windows = plan(start, start + length)
    assert windows[0].part_start == start
    assert windows[-1].part_end == start + length
    for before, after in itertools.pairwise(windows):
        assert before.part_end == after.part_start
        assert before.start < after.start <= before.start + WINDOW_STEP
    for window in windows:
        assert start <= window.start <= window.part_start < window.part_end <= window.end <= start + length
        assert window.end - window.start == min(length, WINDOW)
        assert window.part_end - window.part_start >= min(length, WINDOW_STEP)


@given(utterances)
def test_the_windows_are_the_same_however_the_utterance_unfolds(utterance: tuple[int, int, list[float]]) -> None:
    start, length, fractions = utterance
    steps = sorted(start + int(fraction * length) for fraction in fractions)
    assert plan(start, start + length, steps) == plan(start, start + length)


@given(utterances)
def test_what_is_not_needed_is_not_asked_for(utterance: tuple[int, int, list[float]]) -> None:
    start, length, fractions = utterance
    made = WindowPlan(start)
    for step in sorted(start + int(fraction * length) for fraction in fractions):
        needed = made.needed
        assert all(window.start >= needed for window in made.reached(step))
        assert step - made.needed <= WINDOW + WINDOW_STEP
    assert all(window.start >= made.needed for window in made.ended(start + length))
