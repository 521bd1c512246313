import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from emoscope.reading.smooth import FORGET_S, SMOOTHERS, Exponential, MajorityVote, Smoother, Unsmoothed

distributions = st.lists(st.floats(0.01, 1), min_size=8, max_size=8).map(lambda v: np.array(v) / sum(v))


def sure(label: int, of: float = 0.65) -> np.ndarray:
    scores = np.full(8, (1 - of) / 7)
    scores[label] = of
    return scores


def fed(smoother: Smoother, faces: list[np.ndarray], step: float = 0.04) -> list[np.ndarray]:
    return [one(smoother, i * step, face) for i, face in enumerate(faces)]


def one(smoother: Smoother, time: float, face: np.ndarray) -> np.ndarray:
    return np.asarray(smoother.update(np.array([time]), face[None])[0])


def labels(outputs: list[np.ndarray]) -> list[int]:
    return [int(output.argmax()) for output in outputs]


@pytest.mark.parametrize("name", SMOOTHERS)
@given(faces=st.lists(distributions, min_size=1, max_size=25))
def test_what_comes_out_is_a_distribution(name: str, faces: list[np.ndarray]) -> None:
    for output in fed(SMOOTHERS[name](), faces):
        assert output.shape == (8,)
        assert output.sum() == pytest.approx(1, abs=1e-5)
        assert (output >= 0).all()


@pytest.mark.parametrize("name", SMOOTHERS)
def test_the_first_face_and_one_that_does_not_change_stay_as_they_are(name: str) -> None:
    for output in fed(SMOOTHERS[name](), [sure(3)] * 23):
        np.testing.assert_allclose(output, sure(3), rtol=1e-5)


def test_unsmoothed_is_every_frame_by_itself() -> None:
    assert labels(fed(Unsmoothed(), [sure(i % 8) for i in range(20)])) == [i % 8 for i in range(20)]


def test_a_batch_of_ten_votes_and_its_prediction_holds_until_the_next_is_complete() -> None:
    faces = [sure(1)] * 10 + [sure(2)] * 6 + [sure(3)] * 4 + [sure(4)] * 5
    assert labels(fed(MajorityVote(), faces)) == [1] * 19 + [2] * 6


def test_before_the_first_batch_is_complete_the_faces_so_far_vote_and_the_earlier_label_wins_ties() -> None:
    assert labels(fed(MajorityVote(), [sure(label) for label in (1, 2, 2, 1, 2, 1)])) == [1, 1, 2, 1, 2, 1]


def test_a_face_that_is_sure_has_no_more_votes_than_others() -> None:
    assert labels(fed(MajorityVote(), [sure(1, 0.2)] * 6 + [sure(2, 0.99)] * 4))[-1] == 1


def test_the_scores_are_the_mean_of_the_winners_voters() -> None:
    faces = [sure(1, 0.3)] * 3 + [sure(1, 0.9)] * 3 + [sure(2)] * 4
    np.testing.assert_allclose(fed(MajorityVote(), faces)[-1], (sure(1, 0.3) + sure(1, 0.9)) / 2)


@given(st.lists(st.integers(0, 7), min_size=10, max_size=10))
def test_the_winner_of_a_batch_has_most_of_its_labels(batch: list[int]) -> None:
    winner = labels(fed(MajorityVote(), [sure(label) for label in batch]))[-1]
    assert batch.count(winner) == max(map(batch.count, batch))


@pytest.mark.parametrize("rate", [5, 25, 60])
def test_an_exponential_mean_moves_at_the_same_speed_at_any_frame_rate(rate: int) -> None:
    smoother = Exponential(constant=0.4)
    one(smoother, 0.0, sure(1))
    for i in range(1, 2 * rate + 1):
        output = one(smoother, i / rate, sure(2))
        left = (output[1] - sure(2)[1]) / (sure(1)[1] - sure(2)[1])
        assert left == pytest.approx(np.exp(-i / rate / 0.4), abs=1e-4)


def test_one_odd_frame_does_not_change_the_label() -> None:
    faces = [sure(1)] * 20 + [sure(4, 0.9)] + [sure(1)] * 5
    for smoother in (Exponential(), MajorityVote()):
        assert set(labels(fed(smoother, faces))) == {1}


def test_after_a_long_absence_the_past_is_forgotten() -> None:
    smoother = Exponential()
    one(smoother, 0.0, sure(1))
    np.testing.assert_allclose(one(smoother, 60.0, sure(2)), sure(2), rtol=1e-5)


def test_a_time_that_goes_back_is_harmless() -> None:
    smoother = Exponential()
    one(smoother, 5.0, sure(1))
    np.testing.assert_allclose(one(smoother, 4.0, sure(2)), sure(1), rtol=1e-6)


def test_what_was_returned_is_not_changed_later() -> None:
    for make in SMOOTHERS.values():
        smoother = make()
        first = one(smoother, 0.0, sure(1))
        before = first.copy()
        one(smoother, 0.1, sure(2))
        np.testing.assert_array_equal(first, before)


@pytest.mark.parametrize("name", SMOOTHERS)
@given(faces=st.lists(distributions, min_size=1, max_size=25), cut=st.integers(0, 25))
def test_how_many_come_at_once_makes_no_difference(name: str, faces: list[np.ndarray], cut: int) -> None:
    times, scores = np.arange(len(faces)) * 0.04, np.array(faces)
    smoother = SMOOTHERS[name]()
    parts = [smoother.update(times[:cut], scores[:cut]), smoother.update(times[cut:], scores[cut:])]
    np.testing.assert_array_equal(np.concatenate(parts), SMOOTHERS[name]().update(times, scores))


def test_after_a_long_absence_a_vote_begins_anew() -> None:
    vote = MajorityVote()
    fed(vote, [sure(1)] * 10)
    assert one(vote, FORGET_S + 1, sure(2)).argmax() == 2
