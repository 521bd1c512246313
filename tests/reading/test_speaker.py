from collections.abc import Callable

import cv2
import numpy as np
import pytest

from emoscope.evidence import pack, unpack
from emoscope.face.mouth import FORGET_S, MOUTH, MouthMeter
from emoscope.reading.speaker import Mouths

RATE = 25
TEXTURE = cv2.GaussianBlur(np.random.default_rng(0).integers(0, 256, (96, 96)).astype(np.uint8), (0, 0), 2)
Move = Callable[[int], np.ndarray]


def still(index: int) -> np.ndarray:
    """A face that does not move."""
    return TEXTURE[24:72, 24:72].copy()


def talking(index: int) -> np.ndarray:
    """The mouth opens and closes twice a second."""
    crop = still(index)
    gape = abs(np.sin(2 * np.pi * index / RATE))
    crop[MOUTH] = (crop[MOUTH] * (1 - 0.6 * gape)).astype(np.uint8)
    return crop


def shaking(index: int) -> np.ndarray:
    """The whole face goes from side to side."""
    shift = round(8 * np.sin(2 * np.pi * index / RATE))
    return TEXTURE[24:72, 24 + shift : 72 + shift].copy()


def noisy(index: int) -> np.ndarray:
    """A dark room: each pixel changes from frame to frame."""
    noise = np.random.default_rng(index).normal(0, 20, (48, 48))
    return np.clip(still(index) + noise, 0, 255).astype(np.uint8)


def flickering(index: int) -> np.ndarray:
    """The light goes up and down."""
    return np.clip(still(index) * (1 + 0.3 * np.sin(index)), 0, 255).astype(np.uint8)


def watched(*persons: Move, seconds: float = 2.0, rate: int = RATE) -> Mouths:
    """What is remembered of these persons, numbered from 1."""
    meter, mouths = MouthMeter(), Mouths()
    numbers = list(range(1, len(persons) + 1))
    for i in range(round(seconds * rate)):
        crops = np.array([move(i * RATE // rate) for move in persons])
        moved = meter.measure(i / rate, numbers, crops)
        mouths.add(np.full(len(numbers), i / rate), np.array(numbers), moved[:, 0], moved[:, 1])
    return mouths


def test_nobody_in_sight_does_not_speak() -> None:
    assert Mouths().speaker(0, 2) is None


@pytest.mark.parametrize("rate", [10, 25, 50])
def test_a_moving_mouth_speaks(rate: int) -> None:
    assert watched(talking, rate=rate).speaker(0, 2) == 1


@pytest.mark.parametrize("move", [still, shaking, noisy, flickering])
def test_what_is_no_speech_is_not_taken_for_it(move: Move) -> None:
    assert watched(move).speaker(0, 2) is None


@pytest.mark.parametrize("other", [still, shaking, noisy, flickering])
def test_the_voice_is_that_of_the_person_whose_mouth_moves(other: Move) -> None:
    assert watched(other, talking).speaker(0, 2) == 2
    assert watched(talking, other).speaker(0, 2) == 1


def test_two_moving_mouths_are_undecided() -> None:
    assert watched(talking, talking).speaker(0, 2) is None


def test_each_voice_has_its_own_speaker() -> None:
    mouths = watched(
        lambda i: talking(i) if i < 50 else still(i), lambda i: still(i) if i < 50 else talking(i), seconds=4
    )
    assert (mouths.speaker(0, 1.9), mouths.speaker(2.1, 4)) == (1, 2)


def test_a_person_in_sight_for_a_moment_of_the_voice_is_not_its_speaker() -> None:
    assert watched(talking, seconds=0.8).speaker(0, 2) is None
    assert watched(talking, seconds=1.5).speaker(0, 2) == 1


def test_a_frame_at_the_end_of_the_voice_does_not_count() -> None:
    mouths = watched(talking)
    before = mouths.speaker(0, 2)
    mouths.add(np.array([2.0]), np.array([1]), np.array([0.0]), np.array([200.0]))
    assert mouths.speaker(0, 2) == before


def test_what_is_old_is_forgotten() -> None:
    mouths = watched(talking)
    mouths.forget(1.0)
    assert mouths.speaker(0, 1) is None
    assert mouths.speaker(1, 2) == 1


def test_the_meter_remembers_who_was_in_sight_of_late() -> None:
    meter = MouthMeter()
    sizes = []
    for i in range(round(4 * FORGET_S * 5)):
        meter.measure(i / 5, [i // 25], talking(i)[None])
        sizes.append(len(meter.state()["last"]))
    assert max(sizes) <= FORGET_S / 5 + 2


def test_a_meter_that_is_restored_goes_on_as_if_it_had_not_stopped() -> None:
    whole, first, second = MouthMeter(), MouthMeter(), MouthMeter()
    for i in range(10):
        first.measure(i / RATE, [1], talking(i)[None])
        whole.measure(i / RATE, [1], talking(i)[None])
    second.restore(unpack(pack(first.state())))
    for i in range(10, 20):
        expected = whole.measure(i / RATE, [1], talking(i)[None])
        np.testing.assert_array_equal(second.measure(i / RATE, [1], talking(i)[None]), expected)
