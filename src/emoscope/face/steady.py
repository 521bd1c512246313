"""Landmarks without jitter, so that the crops of one person do not tremble from frame to frame.

The one-euro filter (Casiez et al. 2012, doi:10.1145/2207676.2208639): an exponential mean whose cutoff frequency rises
with the speed. A face that is still is held still; one that moves is followed at once. It only looks back, so what is
prepared for training is what a live stream gets.
"""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from ..models import FaceInput
from .crop import FERPLUS, crop_faces
from .track import Track

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

    def state(self) -> list[Any]:
        """What `restore` needs to go on from here, as numbers and arrays."""
        return [self._time, self._raw, self._points, self._speed]

    def restore(self, state: list[Any]) -> None:
        """Go on from a state."""
        self._time, self._raw, self._points, self._speed = state


class SteadyCrops:
    """Steady crops of all persons of a stream; who is out of sight for longer than `RESET_S` starts anew.

    Args:
        wanted: how they are cut.
    """

    def __init__(self, wanted: FaceInput = FERPLUS) -> None:
        self._wanted = wanted
        self._people: dict[int, tuple[float, Steady]] = {}

    def update(self, image: np.ndarray, time: float, tracks: Sequence[Track]) -> np.ndarray:
        """The crops of the persons in the next frame, RGB uint8 `(height, width, 3)`; see `Steady`, `crop_faces`."""
        self._people = {person: seen for person, seen in self._people.items() if time - seen[0] <= RESET_S}
        landmarks = np.empty((len(tracks), 5, 2))
        for row, track in enumerate(tracks):
            _, steady = self._people.get(track.person, (time, Steady()))
            landmarks[row] = steady.update(time, track.landmarks)
            self._people[track.person] = (time, steady)
        return crop_faces(image, landmarks, self._wanted)

    def state(self) -> dict[str, Any]:
        """What `restore` needs to go on from here, as numbers and arrays."""
        return {"people": [[person, time, steady.state()] for person, (time, steady) in self._people.items()]}

    def restore(self, state: dict[str, Any]) -> None:
        """Go on from a state."""
        for person, time, kept in state["people"]:
            self._people[person] = (time, Steady())
            self._people[person][1].restore(kept)


def _share(cutoff: float, elapsed: float) -> float:
    """What a new value counts for, after `elapsed` seconds, at a cutoff in Hz."""
    return 1 / (1 + 1 / (2 * math.pi * cutoff * elapsed))
