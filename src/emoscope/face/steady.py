"""Landmarks without jitter, so that the crops of one person do not tremble from frame to frame.

The one-euro filter (Casiez et al. 2012, doi:10.1145/2207676.2208639): an exponential mean whose cutoff frequency rises
with the speed. A face that is still is held still; one that moves is followed at once. It only looks back, so what is
prepared for training is what a live stream gets.
"""

import math

import numpy as np

from .crop import crop_faces

STILL_HZ = 1.0
"""Cutoff for a face at rest."""
PER_SPEED = 6.0
"""Hz by which the cutoff rises for each face width (distance of the eyes) a second."""
SPEED_HZ = 2.0
"""Cutoff of the speed itself."""
RESET_S = 0.5
"""Seconds out of sight after which a face starts anew."""


class Steady:
    """Follows the landmarks of one person."""

    def __init__(self) -> None:
        self._time = -math.inf
        self._raw = self._points = np.zeros((5, 2))
        self._speed = np.zeros(2)

    def update(self, time: float, landmarks: np.ndarray) -> np.ndarray:
        """The steady landmarks of a frame.

        Args:
            time: seconds; not before the last one's.
            landmarks: `(5, 2)` x, y in pixels, as `detect.Faces` has them.

        Returns:
            `(5, 2)` float64.
        """
        points = np.asarray(landmarks, np.float64)
        elapsed = time - self._time
        if elapsed > RESET_S:
            self._points, self._speed = points, np.zeros(2)
        elif elapsed > 0:
            size = max(1.0, math.hypot(*(points[1] - points[0])))
            speed = (points - self._raw).mean(0) / size / elapsed
            self._speed = self._speed + _share(SPEED_HZ, elapsed) * (speed - self._speed)
            cutoff = STILL_HZ + PER_SPEED * math.hypot(*self._speed)
            self._points = self._points + _share(cutoff, elapsed) * (points - self._points)
        self._time, self._raw = time, points
        return self._points

    def crop(self, image: np.ndarray, time: float, landmarks: np.ndarray) -> np.ndarray:
        """The steady crop `(48, 48)` of a frame, RGB uint8 `(height, width, 3)`, grey uint8; see `update`."""
        return crop_faces(image, self.update(time, landmarks)[None])[0]


def _share(cutoff: float, elapsed: float) -> float:
    """What a new value counts for, after `elapsed` seconds, at a cutoff in Hz."""
    return 1 / (1 + 1 / (2 * math.pi * cutoff * elapsed))
