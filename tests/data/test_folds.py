import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from emoscope.data.folds import person_folds


@given(st.lists(st.integers(0, 30), min_size=1, max_size=80), st.integers(2, 6), st.integers(0, 3))
def test_nobody_is_in_two_folds_and_folds_are_of_like_size(persons: list[int], folds: int, seed: int) -> None:
    everybody = set(persons)
    if len(everybody) < folds:
        with pytest.raises(ValueError, match="folds"):
            person_folds(persons, folds, seed)
        return
    found = person_folds(persons, folds, seed)
    members = [{p for p, f in zip(persons, found, strict=True) if f == fold} for fold in range(folds)]
    assert sum(map(len, members)) == len(everybody)
    assert max(map(len, members)) - min(map(len, members)) <= 1


def test_the_order_of_the_samples_makes_no_difference() -> None:
    persons = [1001, 1002, 1003, 1004, 1005, 1006] * 2
    found = person_folds(persons, 3)
    np.testing.assert_array_equal(person_folds(persons[::-1], 3), found[::-1])
    assert not np.array_equal(found, person_folds(persons, 3, seed=1))
