from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emoscope.data.sampler import covering_windows
from emoscope.emotions import EMOTIONS
from emoscope.errors import ModelError
from emoscope.face.sequence import SequenceClassifier
from emoscope.models import Card
from emoscope.packing import pack, unpack

INPUT = {
    "shape": ["n", 1, 48, 48],
    "range": [0, 1],
    "faces": 6,
    "dilation_s": 0.1,
    "stride_s": 0.3,
    "features": 1,
}


class Echo:
    """A model whose feature of a face is its brightness, and whose logits are the window that it was given."""

    def __init__(self, **wanted: Any) -> None:
        data = {**INPUT, **wanted}
        self.card = Card("echo", "sequence", "", EMOTIONS[:6], data, 0, 2.0, {}, (), "", (), (), "none")

    def run(self, faces: np.ndarray, past: np.ndarray) -> list[np.ndarray]:
        features = 255 * faces.max((2, 3))
        return [np.concatenate([past[:, :, 0], features], 1), features]


def classifier() -> SequenceClassifier:
    return SequenceClassifier(Echo())  # type: ignore[arg-type]


def crop(brightness: int) -> np.ndarray:
    return np.full((1, 48, 48), brightness, np.uint8)


TIMES = st.lists(st.floats(0.001, 0.5), min_size=0, max_size=60).map(lambda gaps: np.cumsum([0.0, *gaps]))


@given(TIMES)
@settings(max_examples=60)
def test_the_stream_sees_the_windows_of_training(times: np.ndarray) -> None:
    reader = classifier()
    faces = np.arange(1, len(times) + 1)
    seen = {float(t): reader.logits([7], float(t), crop(int(f)))[0] for t, f in zip(times, faces, strict=True)}
    windows = covering_windows([times], reader.plan)
    expected = windows.gather([faces.astype(np.float32)])
    ends = times[windows.slots[:, -1]]
    np.testing.assert_allclose([seen[float(end)] for end in ends], expected, atol=1e-3)


def test_persons_do_not_mix() -> None:
    reader, alone = classifier(), classifier()
    for i in range(10):
        both = np.concatenate([crop(10 + i), crop(200 + i)])
        rows = reader.logits([1, 2], i / 10, both)
        one = alone.logits([2], i / 10, crop(200 + i))
        np.testing.assert_array_equal(rows[1:], one)
    assert rows[0].max() < 100


def test_people_come_and_go_and_the_state_stays_bounded() -> None:
    reader = classifier()
    for i in range(3000):
        persons = [i // 20, 1_000_000]
        reader.logits(persons, i / 200, np.concatenate([crop(9), crop(9)]))
        assert len(reader._people) <= 2 + reader.plan.faces * reader.plan.dilation * 200 / 20
        assert max(len(m.times) for m in reader._people.values()) <= 4 * reader.plan.faces + 4
    assert reader.logits([], 99.0, np.empty((0, 48, 48), np.uint8)).shape == (0, 6)
    assert not reader._people


def test_who_comes_back_later_starts_anew() -> None:
    reader = classifier()
    reader.logits([1], 0.0, crop(50))
    np.testing.assert_allclose(reader.logits([1], 5.0, crop(60)), [[0, 0, 0, 0, 0, 60]], atol=1e-3)


def test_a_reader_that_is_restored_goes_on_as_if_it_had_not_stopped() -> None:
    first, second = classifier(), classifier()
    for i in range(12):
        first.logits([1], i / 10, crop(i))
    second.restore(unpack(pack(first.state())))
    np.testing.assert_array_equal(first.logits([1], 1.2, crop(50)), second.logits([1], 1.2, crop(50)))


def test_other_crops_and_cards_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"expected crops of shape \(2, 48, 48\), got \(1, 48, 48\)"):
        classifier().logits([1, 2], 0.0, crop(1))
    for wrong in ({"faces": None}, {"dilation_s": -1.0}, {"features": "many"}):
        with pytest.raises(ModelError, match="the card of echo does not say which window it wants"):
            SequenceClassifier(Echo(**wrong))  # type: ignore[arg-type]
