import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from emoscope.calibration import probabilities
from emoscope.training.metrics import calibration_error, confusion, fit_temperature, score, wilson


def logits_for(predicted: list[int], classes: int = 3) -> np.ndarray:
    return 5.0 * np.eye(classes)[predicted]


def test_metrics_as_worked_out_by_hand() -> None:
    labels = np.array([0, 0, 0, 1, 1, 2])
    metrics = score(logits_for([0, 0, 1, 1, 0, 2]), labels)
    assert metrics["n"] == 6
    assert metrics["accuracy"] == pytest.approx(4 / 6)
    assert metrics["recall"] == pytest.approx([2 / 3, 1 / 2, 1])
    assert metrics["uar"] == pytest.approx((2 / 3 + 1 / 2 + 1) / 3)
    assert metrics["macro_f1"] == pytest.approx((4 / 6 + 2 / 4 + 1) / 3)  # 2 right / (actual + said)
    assert metrics["confusion"] == [[2, 1, 0], [1, 1, 0], [0, 0, 1]]


def test_a_class_that_does_not_occur_has_no_recall_and_is_no_part_of_the_means() -> None:
    metrics = score(logits_for([0, 2, 1]), np.array([0, 0, 1]))
    assert metrics["recall"] == [0.5, 1.0, None]
    assert metrics["uar"] == 0.75
    assert metrics["macro_f1"] == pytest.approx((2 / 3 + 1) / 2)


def test_confusion_has_a_row_for_each_true_class() -> None:
    counts = confusion(np.array([1, 1, 0]), np.array([0, 0, 2]), 3)
    assert counts.tolist() == [[0, 2, 0], [0, 0, 0], [1, 0, 0]]


@pytest.mark.parametrize(
    ("right", "n", "interval"),
    [  # from the closed form, for instance Brown, Cai and DasGupta 2001
        (81, 263, (0.2553, 0.3662)),  # Newcombe 1998, table I
        (15, 148, (0.0624, 0.1605)),
        (0, 20, (0.0, 0.1611)),
        (1, 29, (0.0061, 0.1718)),
        (29, 29, (0.8830, 1.0)),
    ],
)
def test_the_interval_is_wilsons(right: int, n: int, interval: tuple[float, float]) -> None:
    assert wilson(right, n) == pytest.approx(interval, abs=5e-5)


@given(st.integers(1, 5000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_the_interval_holds_the_share_and_stays_between_0_and_1(case: tuple[int, int]) -> None:
    right, n = case
    low, high = wilson(right, n)
    assert -1e-12 <= low <= right / n + 1e-12
    assert right / n - 1e-12 <= high <= 1 + 1e-12


def test_nothing_is_known_of_nothing() -> None:
    assert wilson(0, 0) == (0.0, 1.0)


def test_calibration_error_as_worked_out_by_hand() -> None:
    # two at 0.9, one right; two at 0.6, both right: (|0.5 - 0.9| + |1 - 0.6|) / 2
    probabilities = np.array([[0.9, 0.1], [0.9, 0.1], [0.6, 0.4], [0.6, 0.4]])
    assert calibration_error(probabilities, np.array([0, 1, 0, 0])) == pytest.approx(0.4)


def test_each_bin_is_a_fifteenth() -> None:
    # 0.90 lies in the bin from 13/15 to 14/15, 0.97 in the one above; together they would give 0.435
    probabilities = np.array([[0.90, 0.10], [0.97, 0.03]])
    assert calibration_error(probabilities, np.array([1, 0])) == pytest.approx((0.90 + 0.03) / 2)


def test_a_sure_and_right_model_is_calibrated_and_a_sure_and_wrong_one_is_not() -> None:
    assert calibration_error(np.eye(4), np.arange(4)) == 0
    assert calibration_error(np.eye(4), (np.arange(4) + 1) % 4) == 1


def test_labels_drawn_from_the_probabilities_are_calibrated() -> None:
    random = np.random.default_rng(0)
    probabilities = random.dirichlet(np.ones(5), 20_000)
    labels = np.array([random.choice(5, p=p) for p in probabilities])
    assert calibration_error(probabilities, labels) < 0.015


@pytest.mark.parametrize("temperature", [0.3, 1.0, 2.5, 6.0])
def test_a_known_temperature_is_recovered(temperature: float) -> None:
    random = np.random.default_rng(1)
    true = random.normal(0, 2, (8000, 6))
    draws = random.gumbel(size=true.shape)
    labels = (true + draws).argmax(1)  # drawn from probabilities(true)
    assert fit_temperature(true * temperature, labels) == pytest.approx(temperature, rel=0.05)


@given(st.integers(0, 100), st.floats(0.2, 5))
def test_no_other_temperature_is_more_likely(seed: int, scale: float) -> None:
    random = np.random.default_rng(seed)
    logits, labels = random.normal(0, scale, (200, 4)), random.integers(0, 4, 200)
    logits[np.arange(100), labels[:100]] += scale

    def loss(temperature: float) -> float:
        return float(-np.log(probabilities(logits / temperature)[np.arange(200), labels]).mean())

    best = fit_temperature(logits, labels)
    assert all(loss(best) <= loss(best * factor) + 1e-6 for factor in (0.8, 0.95, 1.05, 1.25))


def test_the_temperature_changes_the_calibration_and_nothing_else() -> None:
    random = np.random.default_rng(2)
    logits, labels = random.normal(0, 3, (300, 4)), random.integers(0, 4, 300)
    hot, plain = score(logits, labels, 10.0), score(logits, labels)
    assert hot.pop("ece") < plain.pop("ece")
    assert hot.pop("log_likelihood") != plain.pop("log_likelihood")
    assert hot == plain
    assert not math.isnan(hot["uar"])
