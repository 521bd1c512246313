"""The intervals of a comparison cover what they say, and frames taken as samples would not."""

import numpy as np
import pytest

from emoscope.study import contrast as of
from emoscope.study.contrast import contrast, estimate

RUNS, PERSONS, FRAMES = 500, 40, 50
PERSON_SD, FRAME_SD, EFFECT = 0.15, 0.2, 0.05


@pytest.fixture(autouse=True)
def few_resamples(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(of, "RESAMPLES", 400)


def frames(rng: np.random.Generator, persons: np.ndarray) -> np.ndarray:
    """Frames `(persons, frames)` of persons whose means are given."""
    return persons[:, None] + FRAME_SD * rng.standard_normal((len(persons), FRAMES))


def covers(values: np.ndarray, others: np.ndarray, paired: bool, seed: int) -> bool:
    found = contrast(values, others, paired, seed).difference
    return found.low <= EFFECT <= found.high


def test_intervals_over_persons_cover_and_over_frames_do_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(of, "_p", lambda *_: np.nan)  # the intervals are what is counted
    rng = np.random.default_rng(7)
    hits = {"between": 0, "within": 0}
    naive = 0
    for run in range(RUNS):
        one = frames(rng, EFFECT + PERSON_SD * rng.standard_normal(PERSONS))
        two = frames(rng, PERSON_SD * rng.standard_normal(PERSONS))
        hits["between"] += covers(one.mean(1), two.mean(1), False, run)
        rest = PERSON_SD * rng.standard_normal(PERSONS)
        changed = frames(rng, rest + EFFECT + 0.05 * rng.standard_normal(PERSONS))
        hits["within"] += covers(changed.mean(1), frames(rng, rest).mean(1), True, run)
        gap = one.mean() - two.mean()  # of frames as if each were a sample of its own
        reach = 1.96 * np.sqrt((one.var() + two.var()) / one.size)
        naive += abs(gap - EFFECT) <= reach
    shares = {design: count / RUNS for design, count in hits.items()}
    assert all(0.93 <= share <= 0.97 for share in shares.values()), shares
    assert naive / RUNS < 0.5


def test_a_difference_within_persons_is_sharper_than_between() -> None:
    rng = np.random.default_rng(1)
    rest = rng.standard_normal(30)
    changed = rest + 0.3 + 0.1 * rng.standard_normal(30)
    within, between = contrast(changed, rest, True), contrast(changed, rest, False)
    assert (within.design, between.design) == ("within", "between")
    assert within.difference.value == pytest.approx(between.difference.value)
    assert within.difference.high - within.difference.low < 0.2 * (between.difference.high - between.difference.low)
    assert within.p < 0.01 < between.p
    assert within.effect == pytest.approx((changed - rest).mean() / (changed - rest).std(ddof=1))


def test_the_effect_between_persons_is_hedges_g() -> None:
    first, second = np.array([1.0, 2.0, 3.0, 4.0]), np.array([0.0, 1.0, 2.0, 3.0])
    pooled = np.sqrt((first.var(ddof=1) + second.var(ddof=1)) / 2)
    assert contrast(first, second, False).effect == pytest.approx(1 / pooled * (1 - 3 / 23))


def test_the_test_is_exact_where_persons_are_few() -> None:
    own = np.array([1.0, 2.0, 3.0, 4.0, 5.0])
    assert contrast(own, np.zeros(5), True).p == pytest.approx(2 / 2**5)  # all signs alike: one in 32, two-sided


def test_persons_that_are_all_alike_have_no_interval_but_their_value() -> None:
    assert estimate(np.full(5, 0.2)) == of.Estimate(5, pytest.approx(0.2), pytest.approx(0.2), pytest.approx(0.2))
    one = estimate(np.array([0.2]))
    assert one.value == 0.2
    assert np.isnan([one.low, one.high]).all()
