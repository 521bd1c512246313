from collections.abc import Callable

import cv2
import numpy as np
import pytest

from emoscope.speaker import MEMORY, MOUTH, MouthWatch

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


def watched(*persons: Move, seconds: float = 2.0, rate: int = RATE) -> MouthWatch:
    """A watch that has seen these persons, numbered from 1."""
    mouths = MouthWatch()
    for i in range(round(seconds * rate)):
        for person, move in enumerate(persons, 1):
            mouths.add(person, i / rate, move(i * RATE // rate))
    return mouths


def test_nobody_in_sight_does_not_speak() -> None:
    assert MouthWatch().speaker(0, 2) is None


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
    mouths.add(1, 2.0, 255 - still(0))
    assert mouths.speaker(0, 2) == before


def test_only_the_last_seconds_are_kept() -> None:
    mouths = MouthWatch()
    sizes = []
    for i in range(4 * round(MEMORY) * RATE):
        mouths.add(i // 100, i / RATE, talking(i))
        sizes.append(len(mouths._last) + sum(map(len, mouths._moves.values())))
    assert max(sizes) < 1.1 * MEMORY * RATE
    assert len(mouths._last) == len(mouths._moves) < 6
