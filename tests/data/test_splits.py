import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from emoscope.data import splits


@given(st.lists(st.integers(0, 8), min_size=2).filter(lambda s: len(set(s)) > 1), st.floats(0.01, 0.99), st.integers())
def test_nobody_is_on_both_sides(speakers: list[int], share: float, seed: int) -> None:
    validates = splits.by_speaker(speakers, share, abs(seed))
    names = np.array(speakers)
    assert not set(names[validates]) & set(names[~validates])
    assert 0 < validates.sum() < len(names)


def test_the_share_is_of_the_speakers_and_the_seed_chooses_them() -> None:
    speakers = [f"s{i % 20}" for i in range(400)]
    first, second = (splits.by_speaker(speakers, 0.2, seed) for seed in (0, 1))
    assert first.sum() == second.sum() == 4 * 20
    assert (first != second).any()
    assert (first == splits.by_speaker(speakers, 0.2, 0)).all()


def test_one_speaker_cannot_be_kept_apart() -> None:
    with pytest.raises(ValueError, match="at least two speakers"):
        splits.by_speaker(["a", "a"], 0.5)


def test_a_random_split_is_of_that_size_and_is_marked() -> None:
    validates = splits.random(100, 0.25, 3)
    assert validates.sum() == 25
    assert (validates != splits.random(100, 0.25, 4)).any()
    assert "random" in splits.INFLATED
