"""Face detection with MTCNN (Zhang et al. 2016, arXiv:1604.02878), on ONNX Runtime.

Three networks in a row. P-Net looks at every 12 x 12 window of a pyramid of the picture and proposes boxes; R-Net, at
24 x 24, rejects most of them; O-Net, at 48 x 48, decides, and gives the final box and five landmarks. Each one also
corrects the box that it was given, and boxes that overlap too much are reduced to the best (non-maximum suppression).
"""

import math
from dataclasses import dataclass

import cv2
import numpy as np

from . import mtcnn

WINDOW = 12  # P-Net's, pixels
STRIDE = 2  # between P-Net's windows, pixels
RNET_SIZE, ONET_SIZE = 24, 48  # input sides, pixels
LEVEL_OVERLAP, OVERLAP = 0.5, 0.7  # more intersection over union than this: the same face, in one level and over all
BAND_PIXELS = 1 << 16  # of a pyramid level at a time: what stays in the processor's cache
BATCH = 32  # crops at a time, for the same reason


@dataclass(frozen=True, slots=True)
class Faces:
    """The faces of one picture, best first.

    Attributes:
        boxes: `(n, 4)` float32 x, y, width, height in pixels; x and y >= 0, while the far sides may lie outside.
        scores: `(n,)` float32, O-Net's probability that it is a face.
        landmarks: `(n, 5, 2)` float32 x, y in pixels of left eye, right eye, nose, left and right corner of the mouth;
            left and right as seen in the picture.
    """

    boxes: np.ndarray
    scores: np.ndarray
    landmarks: np.ndarray

    def __len__(self) -> int:
        return len(self.scores)

    def __getitem__(self, rows: np.ndarray | slice) -> "Faces":
        """The faces that a mask, an array of indices or a slice selects."""
        return Faces(self.boxes[rows], self.scores[rows], self.landmarks[rows])

    @classmethod
    def empty(cls) -> "Faces":
        return cls(np.zeros((0, 4), np.float32), np.zeros(0, np.float32), np.zeros((0, 5, 2), np.float32))


class Detector:
    """Finds faces in pictures.

    Args:
        min_face: side of the smallest face to look for, pixels. Time grows with the square of its inverse.
        thresholds: probabilities that a box must reach in P-Net, R-Net and O-Net.
        factor: ratio of the sizes of neighbouring levels of the pyramid.
        threads: threads of one call.

    Raises:
        ValueError: an argument is out of its range.
        ModelError: the weights are missing.
    """

    def __init__(
        self,
        min_face: int = 20,
        thresholds: tuple[float, float, float] = (0.6, 0.7, 0.7),
        factor: float = 0.709,
        threads: int = 1,
    ) -> None:
        if min_face < WINDOW:
            raise ValueError(f"expected min_face >= {WINDOW} pixels, got {min_face}")
        if not 0 < factor < 1:
            raise ValueError(f"expected 0 < factor < 1, got {factor}")
        if not all(0 < threshold < 1 for threshold in thresholds):
            raise ValueError(f"expected thresholds between 0 and 1, got {thresholds}")
        self.min_face = min_face
        self.factor = factor
        self._logits = [math.log(threshold / (1 - threshold)) for threshold in thresholds]
        self._pnet, self._rnet, self._onet = mtcnn.pnet(threads), mtcnn.rnet(threads), mtcnn.onet(threads)

    def detect(self, image: np.ndarray) -> Faces:
        """Find the faces of an RGB uint8 picture `(height, width, 3)`.

        Raises:
            ValueError: the picture has another shape or type.
        """
        _check(image)
        boxes = self._propose(image)
        boxes = np.trunc(_squared(boxes))
        boxes = self._reject(image, boxes)
        faces, _ = self._decide(image, np.trunc(_squared(boxes)))
        return faces

    def refine(self, image: np.ndarray, boxes: np.ndarray) -> tuple[Faces, np.ndarray]:
        """Look for faces only near known boxes, with O-Net alone: a small part of the time of `detect`.

        Args:
            image: RGB uint8 `(height, width, 3)`.
            boxes: `(n, 4)` x, y, width, height, such as the faces of the frame before.

        Returns:
            The faces that are still there, and for each the row of `boxes` that it was found from.

        Raises:
            ValueError: the picture or the boxes have another shape or type.
        """
        _check(image)
        boxes = np.asarray(boxes, np.float32)
        if boxes.ndim != 2 or boxes.shape[1] != 4:
            raise ValueError(f"expected boxes of shape (n, 4), got {boxes.shape}")
        corners = np.concatenate([boxes[:, :2], boxes[:, :2] + boxes[:, 2:]], 1)
        return self._decide(image, np.trunc(_squared(corners)))

    def _propose(self, image: np.ndarray) -> np.ndarray:
        """P-Net over the pyramid: `(n, 4)` corners."""
        found = [self._propose_level(level, scale) for level, scale in self._pyramid(image)]
        boxes, scores = (np.concatenate(parts) for parts in zip(*found, strict=True)) if found else _NOTHING
        boxes, regression = boxes[:, :4], boxes[:, 4:]
        kept = _suppress(boxes, scores, OVERLAP)
        boxes, sides = boxes[kept], boxes[kept, 2:] - boxes[kept, :2]
        return boxes + regression[kept] * np.tile(sides, 2)

    def _pyramid(self, image: np.ndarray) -> "list[tuple[np.ndarray, float]]":
        height, width = image.shape[:2]
        scale = WINDOW / self.min_face
        levels = []
        while min(height, width) * scale >= WINDOW:
            size = math.ceil(width * scale), math.ceil(height * scale)
            levels.append((cv2.resize(image, size, interpolation=cv2.INTER_AREA), scale))
            scale *= self.factor
        return levels

    def _propose_level(self, level: np.ndarray, scale: float) -> tuple[np.ndarray, np.ndarray]:
        """Return `(n, 8)` corners in the picture and their regression, and `(n,)` scores, of one level."""
        height, width = level.shape[:2]
        rows, columns = _cells(height), _cells(width)
        step = max(1, BAND_PIXELS // (STRIDE * width))
        outputs = []
        for top in range(0, rows, step):
            band = level[STRIDE * top : STRIDE * (top + step) + WINDOW - STRIDE]
            outputs.append(self._pnet(_planes(band[None]))[0])
        output = np.concatenate(outputs, 1)
        cells = np.flatnonzero(output[0] >= self._logits[0])
        y, x = np.divmod(cells, columns)
        corner = STRIDE * np.stack([x, y], 1)
        boxes = np.concatenate([np.trunc((corner + 1) / scale), np.trunc((corner + WINDOW) / scale)], 1)
        kept = _suppress(boxes, output[0, cells], LEVEL_OVERLAP)
        return np.concatenate([boxes, output[1:, cells].T], 1)[kept], output[0, cells[kept]]

    def _reject(self, image: np.ndarray, boxes: np.ndarray) -> np.ndarray:
        """R-Net on `(n, 4)` square corners: the corrected corners of those that it keeps."""
        output = _run(self._rnet, image, boxes, RNET_SIZE, 5)
        passed = np.flatnonzero(output[:, 0] > self._logits[1])
        kept = passed[_suppress(boxes[passed], output[passed, 0], OVERLAP)]
        return _regressed(boxes[kept], output[kept, 1:])

    def _decide(self, image: np.ndarray, boxes: np.ndarray) -> tuple[Faces, np.ndarray]:
        """O-Net on `(n, 4)` square corners: the faces, and the row of `boxes` that each came from."""
        output = _run(self._onet, image, boxes, ONET_SIZE, 15)
        passed = np.flatnonzero(output[:, 0] > self._logits[2])
        corners = _regressed(boxes[passed], output[passed, 1:5])
        kept = _suppress_contained(corners, output[passed, 0], OVERLAP)
        rows, corners = passed[kept], corners[kept]
        points = output[rows, 5:].reshape(-1, 2, 5).transpose(0, 2, 1)
        squares = boxes[rows, None, :]
        landmarks = squares[:, :, :2] - 1 + points * (squares[:, :, 2:] - squares[:, :, :2] + 1)
        start = np.maximum(corners[:, :2], 0)
        found = np.concatenate([start, corners[:, 2:] - start], 1)
        scores = 1 / (1 + np.exp(-output[rows, 0]))
        return Faces(found.astype(np.float32), scores.astype(np.float32), landmarks.astype(np.float32)), rows


_NOTHING = np.zeros((0, 8)), np.zeros(0, np.float32)


def _check(image: np.ndarray) -> None:
    if image.ndim != 3 or image.shape[2] != 3 or image.dtype != np.uint8 or not image.size:
        raise ValueError(f"expected RGB uint8 of shape (height, width, 3), got {image.dtype} of shape {image.shape}")


def _cells(pixels: int) -> int:
    """P-Net's windows along a side."""
    return (pixels - 1) // 2 - 4


def _planes(pictures: np.ndarray) -> np.ndarray:
    """`(n, height, width, 3)` uint8 to `(n, 3, height, width)` float32."""
    return np.ascontiguousarray(pictures.transpose(0, 3, 1, 2), np.float32)


def _run(network: mtcnn.Network, image: np.ndarray, boxes: np.ndarray, size: int, outputs: int) -> np.ndarray:
    """A network's `(n, outputs)` on the picture inside `(n, 4)` corners, scaled to `size`."""
    result = np.zeros((len(boxes), outputs), np.float32)
    for start in range(0, len(boxes), BATCH):
        crops = np.stack([_crop(image, box, size) for box in boxes[start : start + BATCH].astype(int)])
        result[start : start + BATCH] = network(_planes(crops))
    return result


def _crop(image: np.ndarray, box: np.ndarray, size: int) -> np.ndarray:
    """Scale the box to `size`; it counts pixels from 1 and includes its last, and is black outside the picture."""
    height, width = image.shape[:2]
    left, top, right, bottom = int(box[0]) - 1, int(box[1]) - 1, int(box[2]), int(box[3])
    inside = image[max(top, 0) : max(bottom, 0), max(left, 0) : max(right, 0)]
    if left < 0 or top < 0 or right > width or bottom > height:
        margins = max(-top, 0), max(bottom - height, 0), max(-left, 0), max(right - width, 0)
        inside = cv2.copyMakeBorder(inside, *margins, cv2.BORDER_CONSTANT)
    return cv2.resize(inside, (size, size), interpolation=cv2.INTER_AREA)


def _squared(boxes: np.ndarray) -> np.ndarray:
    """Widen corners to squares about the same centres."""
    sides = boxes[:, 2:] - boxes[:, :2]
    side = sides.max(axis=1, initial=0, keepdims=True)
    start = boxes[:, :2] + (sides - side) / 2
    return np.concatenate([start, start + side], 1)


def _regressed(boxes: np.ndarray, regression: np.ndarray) -> np.ndarray:
    """Move corners by fractions of their sides."""
    return boxes + regression * np.tile(boxes[:, 2:] - boxes[:, :2] + 1, 2)


def _suppress(boxes: np.ndarray, scores: np.ndarray, overlap: float) -> np.ndarray:
    """Rows of the boxes that overlap no better one by more than `overlap` (intersection over union), best first."""
    if not len(boxes):
        return np.zeros(0, int)
    rectangles = np.concatenate([boxes[:, :2], boxes[:, 2:] - boxes[:, :2] + 1], 1)
    return np.asarray(cv2.dnn.NMSBoxes(rectangles, scores - scores.min() + 1, 0, overlap), int)


def _suppress_contained(boxes: np.ndarray, scores: np.ndarray, overlap: float) -> np.ndarray:
    """As `_suppress`, with the intersection over the smaller of the two areas."""
    sides = boxes[:, None, 2:] - boxes[:, None, :2] + 1
    common = np.minimum(boxes[:, None, 2:], boxes[None, :, 2:]) - np.maximum(boxes[:, None, :2], boxes[None, :, :2]) + 1
    areas = sides.prod(axis=-1)
    close = np.maximum(common, 0).prod(axis=-1) > overlap * np.minimum(areas, areas.T)
    kept: list[int] = []
    for row in np.argsort(-scores):
        if not close[row, kept].any():
            kept.append(int(row))
    return np.array(kept, int)
