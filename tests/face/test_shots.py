"""Cuts: found where another shot begins, and not where light or the camera changes."""

import cv2
import numpy as np
import pytest
from places import DATA

from emoscope.face.shots import Cut, Shots
from emoscope.packing import pack, unpack

RATE = 25


def scene(seed: int) -> np.ndarray:
    """A picture of soft shapes, RGB uint8 (360, 960, 3)."""
    small = np.random.default_rng(seed).integers(30, 200, (9, 24, 3), np.uint8)
    return cv2.GaussianBlur(np.kron(small, np.ones((40, 40, 1), np.uint8)), (0, 0), 15)


def shot(seed: int, n: int = 30) -> list[np.ndarray]:
    """A scene with a little noise."""
    random = np.random.default_rng(seed)
    still = scene(seed)[:, :640].astype(np.int16)
    return [np.clip(still + random.integers(-3, 4, still.shape), 0, 255).astype(np.uint8) for _ in range(n)]


def cuts(frames: list[np.ndarray], shots: Shots | None = None) -> list[tuple[int, Cut]]:
    shots = shots or Shots()
    return [(place, how) for place, frame in enumerate(frames) if (how := shots.cut(frame, place / RATE))]


def test_another_shot_begins_with_a_cut() -> None:
    assert cuts([*shot(1), *shot(2), *shot(1)]) == [(30, "hard"), (60, "hard")]


def test_a_shot_has_no_cut() -> None:
    assert cuts(shot(1, 100)) == []


def test_a_flash_is_no_cut() -> None:
    frames = shot(1, 60)
    frames[20:22] = [np.clip(frame.astype(int) + 120, 0, 255).astype(np.uint8) for frame in frames[20:22]]
    assert cuts(frames) == []


def test_a_cut_to_a_bright_shot_is_one_though_it_comes_late() -> None:
    bright = [np.clip(frame.astype(int) // 8 + 215, 0, 255).astype(np.uint8) for frame in shot(2, 40)]
    (found,) = cuts([*shot(1), *bright])
    assert 30 <= found[0] <= 42


def test_a_change_of_light_is_no_cut() -> None:
    assert cuts([*shot(1), *((frame * 0.4).astype(np.uint8) for frame in shot(1))]) == []


def test_a_moving_camera_is_no_cut() -> None:
    whole = scene(1)
    assert cuts([whole[:, 9 * place : 9 * place + 640].copy() for place in range(35)]) == []


@pytest.mark.parametrize("n", [8, 15, 30])
def test_a_dissolve_is_one_cut(n: int) -> None:
    first, second = shot(1, 40), shot(2, 60)
    mixed = [(a * (1 - k / n) + b * (k / n)).astype(np.uint8)
             for k, (a, b) in enumerate(zip(shot(1, n), shot(2, n), strict=True))]  # fmt: skip
    (found,) = cuts([*first, *mixed, *second])
    assert 40 < found[0] <= 40 + n + 12


def test_frames_far_apart_are_compared_less_strictly() -> None:
    frames = [np.clip(frame.astype(int) + 12 * (np.arange(640) // 160 % 2)[None, :, None] * (place % 2), 0, 255)
              .astype(np.uint8) for place, frame in enumerate(shot(1, 12))]  # fmt: skip
    shots = Shots()
    assert [shots.cut(frame, 2.0 * place) for place, frame in enumerate(frames)] == [None] * 12


def test_it_goes_on_from_a_state() -> None:
    frames = [*shot(1, 30), *shot(2, 30)]
    first = Shots()
    before = cuts(frames[:25], first)
    again = Shots()
    again.restore(unpack(pack(first.state())))
    rest = [how for place, frame in enumerate(frames[25:], 25) if (how := again.cut(frame, place / RATE))]
    assert (before, rest) == ([], ["hard"])


def test_two_actors_in_the_same_framing_are_two_shots() -> None:
    from emoscope.data.cremad import video_clips
    from emoscope.errors import DataError
    from emoscope.media import Frame, open_media

    try:
        clips = [path for clip, path in video_clips(DATA) if (clip.sentence, clip.code) == ("IEO", "HAP")][:4]
    except DataError:
        pytest.skip("needs CREMA-D's clips")
    frames: list[np.ndarray] = []
    true = []
    for path in clips:
        true.append(len(frames))
        with open_media(path, sound=False) as media:
            frames += [item.image for item in media if isinstance(item, Frame)]
    assert [place for place, _ in cuts(frames)] == true[1:]
