"""The overlay: what it changes, what it leaves alone, and where the words go."""

from dataclasses import replace

import numpy as np
import pytest
from report_samples import observe

from emoscope.report.overlay import draw, text_size
from emoscope.report.palette import COLOURS, colours, rgb
from emoscope.timeline import Observation


def noise(height: int, width: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (height, width, 3), np.uint8)


def changed(before: np.ndarray, after: np.ndarray) -> np.ndarray:
    return (before != after).any(axis=2)


def extent(image: np.ndarray, colour: tuple[int, int, int]) -> tuple[int, int, int, int]:
    """Left, top, right and bottom of the pixels that have exactly this colour."""
    y, x = np.nonzero((image == colour).all(axis=2))
    return x.min(), y.min(), x.max() + 1, y.max() + 1


def test_input_is_not_changed() -> None:
    image = noise(120, 160)
    kept = image.copy()
    result = draw(image, [observe(0, 1, box=(20, 40, 50, 50), fear=0.9)], observe(0, 1, "voice", anger=0.9))
    assert (image == kept).all()
    assert (result != kept).any()
    assert result.shape == image.shape
    assert result.dtype == np.uint8


def test_only_the_box_the_label_and_the_mark_are_painted() -> None:
    image = noise(480, 640)
    differs = changed(image, draw(image, [observe(0, 1, box=(200, 200, 100, 120), fear=0.9)]))
    assert not differs[208:312, 208:292].any()  # inside the box: the face itself
    differs[0:30, 480:] = False  # the mark
    differs[170:330, 190:420] = False  # the box, and the label above it
    assert not differs.any()


def test_box_has_the_colour_of_its_emotion() -> None:
    result = draw(np.zeros((480, 640, 3), np.uint8), [observe(0, 1, box=(200, 200, 100, 120), happiness=0.9)])
    assert tuple(result[260, 200]) == rgb(COLOURS["happiness"])
    assert tuple(result[320, 250]) == rgb(COLOURS["happiness"])


@pytest.mark.parametrize("box", [(-30, -30, 100, 100), (590, 0, 200, 90), (600, 450, 90, 90), (-40, 400, 80, 200)])
def test_label_stays_inside_the_frame(box: tuple[float, float, float, float]) -> None:
    black = np.zeros((480, 640, 3), np.uint8)
    whole = draw(black, [observe(0, 1, box=(200, 200, 100, 120), fear=0.9)])
    edge = draw(black, [observe(0, 1, box=box, fear=0.9)])

    def letters(image: np.ndarray) -> int:
        image = image.copy()
        image[0:16, 480:] = 0  # without the mark, whose letters are not quite white
        return int((image == 255).all(axis=2).sum())

    assert letters(edge) == letters(whole) > 50


def test_a_box_outside_the_frame_is_left_out() -> None:
    image = noise(120, 160)
    assert (draw(image, [observe(0, 1, box=(400, 10, 30, 30), fear=0.9)]) == draw(image, [])).all()


@pytest.mark.parametrize(("width", "height"), [(1, 1), (2, 50), (16, 16), (64, 48), (160, 120), (120, 160)])
def test_small_frames(width: int, height: int) -> None:
    image = noise(height, width)
    face = observe(0, 1, box=(width * 0.2, height * 0.2, width * 0.5, height * 0.5), fear=0.9)
    assert draw(image, [face], observe(0, 1, "voice", anger=0.9), "synthetic").shape == image.shape


def test_text_grows_with_the_frame() -> None:
    sizes = [text_size(160, 120), text_size(640, 480), text_size(1920, 1080), text_size(3840, 2160)]
    assert sizes == sorted(set(sizes))
    black = np.zeros((2160, 3840, 3), np.uint8)
    _, top, _, bottom = extent(draw(black, [observe(0, 1, box=(900, 900, 400, 400), fear=0.9)]), (255, 255, 255))
    assert bottom - top > 40


def test_fused_is_drawn_instead_of_the_face_of_the_same_person() -> None:
    black = np.zeros((480, 640, 3), np.uint8)
    face, fused = observe(0, 1, fear=0.9), observe(0, 1, "fused", happiness=0.9)
    for order in ([face, fused], [fused, face]):
        assert (draw(black, order) == draw(black, [fused])).all()


def test_observations_without_a_box_are_left_out() -> None:
    image = noise(120, 160)
    assert (draw(image, [observe(0, 1, box=None), observe(0, 1, "voice")]) == draw(image, [])).all()


def test_voice_is_a_strip_with_all_its_scores() -> None:
    image = np.zeros((480, 640, 3), np.uint8)
    result = draw(image, [], observe(0, 1, "voice", person=None, anger=0.5, fear=0.25))
    left, top, right, bottom = extent(result[30:], rgb(COLOURS["anger"]))  # the label, and half of the bar
    assert (left, bottom) == (0, 450)
    assert bottom - top < 40
    neutral, fear = extent(result[440:], rgb(COLOURS["neutral"])), extent(result[440:], rgb(COLOURS["fear"]))
    assert fear[2] == 640
    assert fear[0] == right
    assert fear[2] - fear[0] == pytest.approx(neutral[2] - neutral[0], abs=1)
    assert not changed(image, result)[30:440].any()


def test_label_does_not_cover_the_strip() -> None:
    image = np.zeros((480, 640, 3), np.uint8)
    voice = observe(0, 1, "voice", anger=0.6)
    face = observe(0, 1, box=(0, 470, 100, 100), fear=0.9)
    strip = draw(image, [], voice)[460:]
    assert (draw(image, [face], voice)[460:] == strip).all()


def test_every_frame_carries_the_mark_and_the_notice_widens_it() -> None:
    image = noise(480, 640)
    plain, marked = changed(image, draw(image, [])), changed(image, draw(image, [], notice="synthetic"))
    assert plain[:, -1].any()
    assert marked.any(axis=0).sum() > plain.any(axis=0).sum() > 50


def test_the_image_must_be_rgb() -> None:
    with pytest.raises(ValueError, match=r"got uint8 \(10, 10\)"):
        draw(np.zeros((10, 10), np.uint8), [])


def test_the_label_hides_little_of_a_face_that_fills_a_small_picture() -> None:
    image = noise(48, 48)
    covered = changed(image, draw(image, [observe(0, 1, box=(4, 4, 40, 40), fear=0.9)]))[6:42, 6:42].mean()
    assert covered < 0.4


def test_names_stand_on_the_label() -> None:
    black = np.zeros((480, 640, 3), np.uint8)
    face = observe(0, 1, box=(200, 200, 100, 120), fear=0.9)
    assert (draw(black, [face], names={1: "Anna"}) != draw(black, [face])).any()


def test_labels_of_ones_own_have_colours() -> None:
    face = Observation(0, 1, "face", 1, (200, 200, 100, 120), (0.9, 0.1), ("calm", "bored"))
    result = draw(np.zeros((480, 640, 3), np.uint8), [face], replace(face, source="voice", box=None))
    assert tuple(result[260, 200]) == rgb(colours(("calm", "bored"))["calm"])
