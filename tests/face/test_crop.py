import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from emoscope.face.crop import SIDE, TEMPLATE, crop_faces, similarity
from emoscope.models import FaceInput

smooth = cv2.GaussianBlur(np.random.default_rng(0).uniform(0, 1, (400, 600)), (0, 0), 6)
IMAGE = np.repeat(cv2.normalize(smooth, None, 0, 255, cv2.NORM_MINMAX).astype(np.uint8)[:, :, None], 3, 2)


def placed(scale: float = 1.0, degrees: float = 0.0, x: float = 0.0, y: float = 0.0) -> np.ndarray:
    """The template's landmarks, scaled and turned about its middle, which then lies at x, y."""
    angle = np.radians(degrees)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    return (TEMPLATE - SIDE / 2) @ turn.T * scale + (x, y)


def apply(transform: np.ndarray, points: np.ndarray) -> np.ndarray:
    return points @ transform[:, :2].T + transform[:, 2]


def sampled(points: np.ndarray) -> np.ndarray:
    """The image's grey at points `(..., 2)` measured from its edge."""
    maps = (points - 0.5).astype(np.float32)
    return cv2.remap(IMAGE[:, :, 0], maps[..., 0], maps[..., 1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)


def grid() -> np.ndarray:
    """The middles of the crop's pixels, `(48, 48, 2)` x, y."""
    y, x = np.mgrid[:SIDE, :SIDE] + 0.5
    return np.stack([x, y], -1)


@given(
    scale=st.floats(0.2, 50),
    degrees=st.floats(-180, 180),
    x=st.floats(-2000, 2000),
    y=st.floats(-2000, 2000),
    margin=st.floats(0.5, 2),
)
def test_a_known_similarity_is_recovered(scale: float, degrees: float, x: float, y: float, margin: float) -> None:
    transform = similarity(placed(scale, degrees, x, y), FaceInput(margin=margin))
    expected = (TEMPLATE - SIDE / 2) / margin + SIDE / 2
    np.testing.assert_allclose(apply(transform, placed(scale, degrees, x, y)), expected, atol=1e-6)
    np.testing.assert_allclose(transform[:, :2] @ transform[:, :2].T, np.eye(2) / (scale * margin) ** 2, atol=1e-8)


@given(st.lists(st.floats(-1000, 1000), min_size=10, max_size=10).map(lambda v: np.array(v).reshape(5, 2)))
def test_no_small_change_fits_the_landmarks_better(points: np.ndarray) -> None:
    def error(transform: np.ndarray) -> float:
        return float(((apply(transform, points) - TEMPLATE) ** 2).sum())

    best = similarity(points)
    (a, _, tx), (b, _, ty) = best
    assert np.isfinite(best).all()
    for da, db, dx, dy in np.eye(4) * 1e-3:
        for sign in (1, -1):
            c, d = a + sign * da * 0.01, b + sign * db * 0.01
            changed = np.array([[c, -d, tx + sign * dx], [d, c, ty + sign * dy]])
            if np.ptp(points, axis=0).max() > 0.1:  # else the landmarks coincide, and their size is kept instead
                assert error(changed) >= error(best) - 1e-9


@pytest.mark.parametrize("degrees", [0, 30, -75])
@pytest.mark.parametrize("scale", [0.5, 1.0, 2.0, 4.0])
def test_the_crop_shows_what_lies_around_the_landmarks(scale: float, degrees: float) -> None:
    landmarks = placed(scale, degrees, 300, 200)
    (crop,) = crop_faces(IMAGE, landmarks[None])
    inverse = cv2.invertAffineTransform(similarity(landmarks))
    expected = sampled(apply(inverse, grid()))
    assert crop.shape == (SIDE, SIDE)
    assert crop.dtype == np.uint8
    assert np.abs(crop.astype(int) - expected.astype(int)).mean() < 2


def test_no_half_pixel_is_lost() -> None:
    x0, y0 = 200, 100
    (crop,) = crop_faces(IMAGE, placed(1.0, 0, x0 + 24, y0 + 24)[None])
    np.testing.assert_array_equal(crop, IMAGE[y0 : y0 + SIDE, x0 : x0 + SIDE, 0])
    large = cv2.resize(IMAGE, None, fx=4, fy=4, interpolation=cv2.INTER_NEAREST)
    (crop,) = crop_faces(large, 4 * placed(1.0, 0, x0 + 24, y0 + 24)[None])
    assert np.abs(crop.astype(int) - IMAGE[y0 : y0 + SIDE, x0 : x0 + SIDE, 0]).mean() < 1


def test_a_margin_shows_more() -> None:
    landmarks = placed(2.0, 0, 300, 200)[None]
    (tight,), (loose,) = crop_faces(IMAGE, landmarks), crop_faces(IMAGE, landmarks, FaceInput(margin=1.5))
    inner = cv2.resize(loose[8:40, 8:40], (SIDE, SIDE))
    assert np.abs(inner.astype(int) - tight).mean() < 4
    assert np.abs(loose.astype(int) - tight).mean() > 10


def test_a_face_at_the_edge_has_the_edge_pixels_repeated() -> None:
    (crop,) = crop_faces(IMAGE, placed(1.0, 0, 0, 200)[None])  # its left half lies beyond the frame
    np.testing.assert_array_equal(crop[:, :24], np.repeat(crop[:, 24:25], 24, 1))
    np.testing.assert_array_equal(crop[:, 24:], IMAGE[176:224, :24, 0])


@pytest.mark.parametrize("x", [-5000, -40, 700, 5000])
@pytest.mark.parametrize("y", [-5000, 200, 460, 5000])
@pytest.mark.parametrize("scale", [0.3, 5.0])
def test_a_face_beyond_the_frame_gives_pixels_of_the_frame(x: int, y: int, scale: float) -> None:
    (crop,) = crop_faces(IMAGE, placed(scale, 20, x, y)[None])
    assert crop.shape == (SIDE, SIDE)
    if abs(x) == 5000 and abs(y) == 5000:
        corner = IMAGE[0 if y < 0 else -1, 0 if x < 0 else -1, 0]
        assert (crop == corner).all()


@pytest.mark.parametrize(
    "landmarks",
    [
        np.zeros((5, 2)),
        np.full((5, 2), 100.0),
        np.full((5, 2), 100.0) + np.eye(5, 2) * 1e-4,
        np.stack([np.arange(5.0), np.arange(5.0)], 1) * 10 + 50,
        placed(400.0, 0, 300, 200),
        placed(0.01, 0, 300, 200),
    ],
    ids=["origin", "point", "almost a point", "line", "far larger than the frame", "smaller than a pixel"],
)
def test_degenerate_landmarks_give_a_crop_all_the_same(landmarks: np.ndarray) -> None:
    crops = crop_faces(IMAGE, landmarks[None])
    assert crops.shape == (1, SIDE, SIDE)


@pytest.mark.parametrize("size", [(1, 1), (1, 50), (50, 1), (3, 7)])
def test_a_frame_of_a_few_pixels_is_cropped(size: tuple[int, int]) -> None:
    tiny = np.full((*size, 3), 77, np.uint8)
    assert (crop_faces(tiny, placed(2.0, 10, 2, 2)[None]) == 77).all()


def test_a_large_face_is_averaged_not_sampled() -> None:
    checks = np.indices((800, 800)).sum(0) % 2 * 255
    image = np.repeat(checks[:, :, None], 3, 2).astype(np.uint8)
    (crop,) = crop_faces(image, placed(12.0, 15, 400, 400)[None])
    inner = crop[6:-6, 6:-6].astype(int)
    assert np.abs(inner - 127).max() < 12  # a sampled one would have black and white pixels


def test_faces_are_cropped_each_for_itself() -> None:
    landmarks = np.stack([placed(1, 0, 100, 100), placed(3, 40, 350, 250), placed(0.6, 0, 590, 20)])
    together = crop_faces(IMAGE, landmarks)
    for crop, one in zip(together, landmarks, strict=True):
        np.testing.assert_array_equal(crop, crop_faces(IMAGE, one[None])[0])


@pytest.mark.parametrize("none", [np.zeros((0, 5, 2)), np.array([])])
def test_no_face_gives_no_crop(none: np.ndarray) -> None:
    assert crop_faces(IMAGE, none).shape == (0, SIDE, SIDE)


def test_the_frame_is_not_changed() -> None:
    before = IMAGE.copy()
    crop_faces(IMAGE, placed(3, 10, 300, 200)[None])
    np.testing.assert_array_equal(IMAGE, before)


def test_faces_of_another_size_in_colour_show_the_same() -> None:
    landmarks = placed(3.0, 10.0, 90.0, 80.0)[None]
    (small,), (large,) = crop_faces(IMAGE, landmarks), crop_faces(IMAGE, landmarks, FaceInput(side=112, channels=3))
    assert large.shape == (112, 112, 3)
    grey = cv2.resize(cv2.cvtColor(large, cv2.COLOR_RGB2GRAY), (48, 48), interpolation=cv2.INTER_AREA)
    assert abs(grey.astype(float) - small).mean() < 12
    assert crop_faces(IMAGE, landmarks[:0], FaceInput(side=112, channels=3)).shape == (0, 112, 112, 3)
