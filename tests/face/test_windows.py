from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from emoscope.face.windows import FaceWindows

PLANS = st.builds(
    lambda faces, dilation, share: FaceWindows(faces, dilation, share * faces * dilation),
    st.integers(1, 20),
    st.floats(0.02, 0.5),
    st.floats(0.05, 1.0),
)
TIMES = st.lists(st.floats(0.001, 0.6), min_size=0, max_size=80).map(lambda gaps: np.cumsum([0.25, *gaps]))


@given(TIMES, PLANS, st.integers(0, 80))
def test_each_slot_has_the_nearest_face_of_its_moment(times: np.ndarray, plan: FaceWindows, row: int) -> None:
    end = float(times[min(row, len(times) - 1)])
    index, known = plan.window(times, end)
    assert index.shape == known.shape == (plan.faces,)
    assert known[-1]
    assert times[index[-1]] == end
    chosen = times[index[known]]
    assert (np.diff(chosen) > 0).all(), "oldest first, no face twice"
    for slot in range(plan.faces):
        moment = end - (plan.faces - 1 - slot) * plan.dilation
        away = abs(times[times <= end] - moment).min(initial=np.inf)
        if known[slot]:
            assert abs(times[index[slot]] - moment) == pytest.approx(away, abs=1e-5 * plan.dilation)
            assert away <= plan.dilation * 0.500001
        else:
            assert away >= plan.dilation * 0.499999


@given(TIMES, PLANS)
def test_the_windows_of_a_clip_cover_it(times: np.ndarray, plan: FaceWindows) -> None:
    ends = plan.covering(times)
    assert set(ends) <= set(times)
    assert ends[-1] == times[-1]
    assert (np.diff(ends) > 0).all()
    covered = np.zeros(len(times), bool)
    for end in ends:
        covered |= (times <= end) & (times > end - (plan.faces - 0.5) * plan.dilation - largest_gap(times))
    assert covered.all()
    if times[-1] - times[0] <= plan.span:
        assert len(ends) == 1


def largest_gap(times: np.ndarray) -> float:
    """By how much an end may move to the nearest face."""
    return float(np.diff(times).max(initial=0.0))


@given(TIMES, PLANS, st.integers(1, 79))
def test_what_comes_later_makes_no_difference(times: np.ndarray, plan: FaceWindows, row: int) -> None:
    row = min(row, len(times) - 1)
    whole = plan.window(times, float(times[row]))
    so_far = plan.window(times[: row + 1], float(times[row]))
    for one, other in zip(whole, so_far, strict=True):
        np.testing.assert_array_equal(one, other)


@given(TIMES, PLANS)
def test_what_is_kept_is_apart_and_bounded(times: np.ndarray, plan: FaceWindows) -> None:
    kept = plan.kept(times)
    assert kept[0] == 0
    assert (np.diff(times[kept]) >= plan.apart - 1e-6).all()
    left_out = np.setdiff1d(np.arange(len(times)), kept)
    for row in left_out:
        assert times[row] - times[kept[kept < row][-1]] < plan.apart


def test_at_an_even_rate_every_third_face_is_taken() -> None:
    times = np.arange(60) / 30
    index, known = FaceWindows(5, 0.1).window(times, times[30])
    assert known.all()
    assert index.tolist() == [18, 21, 24, 27, 30]
    index, known = FaceWindows(5, 0.1).window(times, times[4])
    assert known.tolist() == [False, False, False, True, True]


@pytest.mark.parametrize("change", [{"faces": 0}, {"dilation": 0.0}, {"stride": -1.0}, {"stride": 1.7}])
def test_plans_that_cannot_be_are_refused(change: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="expected"):
        replace(FaceWindows(16, 0.1), **change)  # type: ignore[arg-type]
