"""The colours must be told apart, also by people who do not see all of them."""

import itertools

import numpy as np
import pytest

from emoscope.emotions import EMOTIONS
from emoscope.report.palette import COLOURS, ink, luminance, rgb

# Linear sRGB to the cones' responses: XYZ of IEC 61966-2-1, then Hunt, Pointer and Estevez, normalised to D65.
XYZ = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])
LMS = np.array([[0.4002, 0.7076, -0.0808], [-0.2263, 1.1653, 0.0457], [0.0, 0.0, 0.9182]]) @ XYZ


def without_cone(missing: int, anchor: tuple[float, float, float]) -> np.ndarray:
    """Linear RGB as it is seen without one cone: its response is that which keeps white and the anchor as they are
    (Viénot, Brettel and Mollon 1999)."""
    kept = [cone for cone in range(3) if cone != missing]
    known = np.stack([LMS @ np.ones(3), LMS @ np.array(anchor)])
    replaced = np.eye(3)
    replaced[missing] = 0
    replaced[missing, kept] = np.linalg.solve(known[:, kept], known[:, missing])
    return np.linalg.inv(LMS) @ replaced @ LMS


SIGHT = {
    "normal": np.eye(3),
    "protanopia": without_cone(0, (0, 0, 1)),
    "deuteranopia": without_cone(1, (0, 0, 1)),
    "tritanopia": without_cone(2, (1, 0, 0)),
}


def lab(linear: np.ndarray) -> np.ndarray:
    t = XYZ @ np.clip(linear, 0, 1) / (XYZ @ np.ones(3))
    f = np.where(t > 216 / 24389, np.cbrt(t), (24389 / 27 * t + 16) / 116)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


def linear(emotion: str) -> np.ndarray:
    value = np.array(rgb(COLOURS[emotion])) / 255
    return np.where(value <= 0.04045, value / 12.92, ((value + 0.055) / 1.055) ** 2.4)


def test_one_colour_an_emotion_in_their_order() -> None:
    assert tuple(COLOURS) == EMOTIONS


@pytest.mark.parametrize("sight", SIGHT)
def test_any_two_colours_differ(sight: str) -> None:
    seen = {name: lab(SIGHT[sight] @ linear(name)) for name in EMOTIONS}
    distances = {pair: np.linalg.norm(seen[pair[0]] - seen[pair[1]]) for pair in itertools.combinations(EMOTIONS, 2)}
    assert min(distances.values()) >= 20, min(distances, key=lambda pair: distances[pair])


def test_letters_read_on_every_colour() -> None:
    for name in EMOTIONS:
        low, high = sorted((luminance(rgb(COLOURS[name])), luminance(ink(COLOURS[name]))))
        assert (high + 0.05) / (low + 0.05) >= 4.5, name
