"""How good a view of a face is: what tells doubtful faces from clear ones."""

import math

import cv2
import numpy as np

NOSE_DEPTH = 0.6
"""How far the tip of the nose stands out before the line between the eyes, in distances of the eyes: what makes it
move to the side when the head turns. A mean over adults (Farkas 1994, Anthropometry of the Head and Face)."""


def sharpness(crop: np.ndarray) -> float:
    """How much fine detail a crop has for its contrast: the deviation of its Laplacian, by that of its grey values.

    After Pech-Pacheco et al. 2000 (doi:10.1109/ICPR.2000.903548), made independent of light and contrast.

    Args:
        crop: grey uint8 `(side, side)`.

    Returns:
        0 where there is nothing; about 0.1 for a blurred face, above 0.3 for a sharp one.
    """
    grey = crop.astype(np.float32)
    return float(cv2.Laplacian(grey, cv2.CV_32F).std() / (grey.std() + 1.0))


def turn(landmarks: np.ndarray) -> float:
    """By how many degrees a head is turned to the side, from where its nose is between its eyes.

    Args:
        landmarks: `(5, 2)` x, y in pixels, as `detect.Faces` has them.

    Returns:
        0 to 90; 0 is frontal. Within some 10 degrees of the truth up to 45.
    """
    left, right, nose = np.asarray(landmarks[:3], np.float64)
    across = right - left
    distance = math.hypot(*across)
    if distance < 1e-6:
        return 90.0
    aside = float((nose - (left + right) / 2) @ across) / distance**2
    return math.degrees(math.atan(abs(aside) / NOSE_DEPTH))
