"""Faces of pictures that lie on their side or upside down without a note of it, as of a phone held sideways.

MTCNN knows upright faces: others it misses, or finds with less certainty and takes for upright ones, which are then cut
out turned. So where a search leaves doubt, O-Net looks at the face that was found in its three other turns; where none
was found, a small copy of the picture is searched in them. From then on the pictures are looked at in the turn in which
their faces are surest.
"""

from dataclasses import asdict, dataclass
from typing import Any

import cv2
import numpy as np

from .detect import Detector, Faces

SURE = 0.9995
"""Probability of a face above which nothing else is tried."""
SURER = 4
"""How many times less likely to be no face a turned one must be than the one found so far."""
SMALL_SIDE = 160
"""Pixels of the shorter side of the copy that is searched: it shows faces from an eighth of that on."""
SELDOM = 64
"""Searches in doubt between two tries, at most; the first tries are the first, fourth and sixteenth of them."""

_ROTATIONS = {1: cv2.ROTATE_90_COUNTERCLOCKWISE, 2: cv2.ROTATE_180, 3: cv2.ROTATE_90_CLOCKWISE}


@dataclass(slots=True)
class _State:
    """Quarter turns to the left that make the pictures upright; searches in doubt, so far and at the next try."""

    turns: int = 0
    doubts: int = 0
    next_try: int = 1


class UprightDetector:
    """A detector for one stream that turns its pictures upright first, once it has found out how.

    Args:
        detector: finds upright faces.
    """

    def __init__(self, detector: Detector) -> None:
        self.detector = detector
        self._state = _State()

    def detect(self, image: np.ndarray) -> Faces:
        """As `Detector.detect`, in pixels of the picture as it is; the left of a face is where it is once upright."""
        faces = self.detector.detect(turned(image, self._state.turns))
        if _doubt(faces) > 1 - SURE and self._due():
            faces = self._other(image, faces)
        return faces_back(faces, image, self._state.turns)

    def refine(self, image: np.ndarray, boxes: np.ndarray) -> tuple[Faces, np.ndarray]:
        """As `Detector.refine`, in pixels of the picture as it is."""
        turns = self._state.turns
        if turns:
            height, width = image.shape[:2]
            boxes = _boxes_turned(np.asarray(boxes, np.float64), width, height, turns)
        faces, rows = self.detector.refine(turned(image, turns), boxes)
        return faces_back(faces, image, turns), rows

    def state(self) -> dict[str, Any]:
        """What `restore` needs to go on from here, as numbers, and the detector's smallest face."""
        return {"min_face": self.detector.min_face, **asdict(self._state)}

    def restore(self, state: dict[str, Any]) -> None:
        """Go on from a state."""
        self._state = _State(state["turns"], state["doubts"], state["next_try"])

    def _due(self) -> bool:
        s = self._state
        s.doubts += 1
        if s.doubts < s.next_try:
            return False
        s.next_try = s.doubts + min(3 * s.doubts, SELDOM)
        return True

    def _other(self, image: np.ndarray, faces: Faces) -> Faces:
        """The faces in the turn in which they are surest, which is kept for what follows."""
        found = self._near(image, faces) if len(faces) else self._anywhere(image)
        best = min(found, key=found.__getitem__)
        if found[best] * SURER >= _doubt(faces):
            return faces
        others = self.detector.detect(turned(image, best))
        if _doubt(others) * SURER >= _doubt(faces):
            return faces
        self._state = _State(turns=best)
        return others

    def _near(self, image: np.ndarray, faces: Faces) -> dict[int, float]:
        """The doubt in each other turn, where the faces were found."""
        looked = turned(image, self._state.turns)
        height, width = looked.shape[:2]
        boxes = faces.boxes.astype(np.float64)
        return {
            (self._state.turns + k) % 4: _doubt(
                self.detector.refine(turned(looked, k), _boxes_turned(boxes, width, height, k))[0]
            )
            for k in (1, 2, 3)
        }

    def _anywhere(self, image: np.ndarray) -> dict[int, float]:
        """The doubt in each other turn, by a search of a small copy."""
        scale = min(1.0, SMALL_SIDE / min(image.shape[:2]))
        small = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        return {k: _doubt(self.detector.detect(turned(small, k))) for k in range(4) if k != self._state.turns}


def turned(image: np.ndarray, turns: int) -> np.ndarray:
    """The picture after so many quarter turns to the left, 0 to 3."""
    return np.asarray(cv2.rotate(image, _ROTATIONS[turns])) if turns else image


def faces_back(faces: Faces, image: np.ndarray, turns: int) -> Faces:
    """Where the faces of the turned picture are in the picture itself."""
    if not turns:
        return faces
    height, width = turned_size(image.shape[1], image.shape[0], turns)[::-1]
    back = 4 - turns
    boxes = _boxes_turned(faces.boxes.astype(np.float64), width, height, back)
    end = boxes[:, :2] + boxes[:, 2:]
    boxes[:, :2] = np.maximum(boxes[:, :2], 0)
    boxes[:, 2:] = end - boxes[:, :2]
    points = _points_turned(faces.landmarks.astype(np.float64), width, height, back)
    return Faces(boxes.astype(np.float32), faces.scores, points.astype(np.float32))


def turned_size(width: int, height: int, turns: int) -> tuple[int, int]:
    """Width and height of a picture after so many quarter turns."""
    return (height, width) if turns % 2 else (width, height)


def _points_turned(points: np.ndarray, width: int, height: int, turns: int) -> np.ndarray:
    """Points `(..., 2)` of a picture of that size after so many quarter turns of it to the left."""
    x, y = points[..., 0], points[..., 1]
    return np.stack({1: (y, width - x), 2: (width - x, height - y), 3: (height - y, x)}[turns], -1)


def _boxes_turned(boxes: np.ndarray, width: int, height: int, turns: int) -> np.ndarray:
    ends = [_points_turned(corner, width, height, turns) for corner in (boxes[:, :2], boxes[:, :2] + boxes[:, 2:])]
    start, end = np.minimum(*ends), np.maximum(*ends)
    return np.concatenate([start, end - start], 1)


def _doubt(faces: Faces) -> float:
    """The probability that the surest face is none; 1 where there is none."""
    return 1 - float(faces.scores.max()) if len(faces) else 1.0
