import numpy as np
import pytest

from emoscope.face.steady import RESET_S, Steady, SteadyCrops
from emoscope.face.track import Track

POINTS = np.array([(100.0, 100), (140, 100), (120, 125), (104, 145), (136, 145)])
RATE = 30


def follow(path: np.ndarray, noise: float, rate: float = RATE) -> tuple[np.ndarray, np.ndarray]:
    """The landmarks of a face that goes along a path `(n, 2)`, as found and as made steady."""
    random = np.random.default_rng(0)
    found = POINTS + path[:, None] + random.normal(0, noise, (len(path), 5, 2))
    steady = Steady()
    return found, np.array([steady.update(i / rate, points) for i, points in enumerate(found)])


def test_a_face_at_rest_does_not_tremble() -> None:
    found, steady = follow(np.zeros((60, 2)), noise=0.7)
    raw, calm = (abs(np.diff(some, axis=0)).mean() for some in (found, steady[:]))
    assert calm < 0.35 * raw
    np.testing.assert_allclose(steady[20:].mean(0), POINTS, atol=0.5)


def test_a_face_that_moves_is_followed() -> None:
    path = np.stack([np.linspace(0, 120, 60), np.zeros(60)], 1)
    _, steady = follow(path, noise=0.0)
    behind = abs(steady[30:] - POINTS - path[30:, None]).max()
    assert behind < 0.15 * 40, "within a seventh of the distance of the eyes, at 1.5 of them a second"


def test_the_first_face_and_one_after_a_gap_are_as_found() -> None:
    steady = Steady()
    np.testing.assert_array_equal(steady.update(1.0, POINTS), POINTS)
    assert not np.array_equal(steady.update(1.03, POINTS + 5), POINTS + 5)
    np.testing.assert_array_equal(steady.update(1.04 + RESET_S, POINTS + 50), POINTS + 50)


def test_each_person_is_steadied_alone_and_forgotten_when_gone() -> None:
    image = np.random.default_rng(0).integers(0, 255, (300, 400, 3), np.uint8)
    here, there = (Track(p, (0, 0, 1, 1), POINTS + 100 * (p - 1), 1.0, np.zeros((48, 48), np.uint8)) for p in (1, 2))
    crops = SteadyCrops()
    both = crops.update(image, 0.0, [here, there])
    assert both.shape == (2, 48, 48)
    alone = SteadyCrops().update(image, 0.0, [there])
    np.testing.assert_array_equal(both[1:], alone)
    assert crops.update(image, 0.1, []).shape == (0, 48, 48)
    crops.update(image, 5.0, [here])
    assert list(crops._people) == [1]


@pytest.mark.parametrize("rate", [10, 60])
def test_the_frame_rate_changes_little(rate: float) -> None:
    seconds = 2
    moments = np.arange(seconds * rate) / rate
    path = np.stack([20 * np.sin(2 * moments), 5 * moments], 1)
    _, steady = follow(path, noise=0.0, rate=rate)
    assert abs(steady - POINTS - path[:, None]).mean() < 2.0
