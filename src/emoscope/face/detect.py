"""Face detection with MTCNN (Zhang et al. 2016, arXiv:1604.02878), on ONNX Runtime.

Three networks in a row. P-Net looks at every 12 x 12 window of a pyramid of the picture and proposes boxes; R-Net, at
24 x 24, rejects most of them; O-Net, at 48 x 48, decides, and gives the final box and five landmarks. Each one also
corrects the box that it was given, and boxes that overlap too much are reduced to the best (non-maximum suppression).
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np

from . import mtcnn

PNET_SIDE = 12  # pixels
STRIDE = 2  # between P-Net's windows, pixels
RNET_SIZE, ONET_SIZE = 24, 48  # input sides, pixels
LEVEL_OVERLAP, OVERLAP = 0.5, 0.7  # more intersection over union than this: the same face, in one level and over all
INTEGRAL_SCALE = 0.3  # levels below it are cheaper from sums of the picture than from its pixels
BAND_PIXELS = 1 << 16  # of a pyramid level at a time: what stays in the processor's cache
BATCH = 32  # crops at a time, for the same reason
SMALLEST_FACE = 32  # a face is looked for down to 1/32 of the frame's shorter side, but not under 20 pixels


_nms_boxes: Any = cv2.dnn.NMSBoxes  # its stubs know no arrays


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


def smallest_face(image: np.ndarray) -> int:
    """The side in pixels of the smallest face to look for in a picture: so large ones do not take longer."""
    return max(20, min(image.shape[:2]) // SMALLEST_FACE)


class Detector:
    """Finds faces in pictures. One is for one thread at a time.

    Args:
        min_face: side of the smallest face to look for, pixels. Time grows with the square of its inverse.
        thresholds: probabilities that a box must reach in P-Net, R-Net and O-Net.
        factor: ratio of the sizes of neighbouring levels of the pyramid.
        threads: threads of one call.

    Raises:
        ValueError: an argument is out of its range.
    """

    def __init__(
        self,
        min_face: int = 20,
        thresholds: tuple[float, float, float] = (0.6, 0.7, 0.7),
        factor: float = 0.709,
        threads: int = 1,
    ) -> None:
        if min_face < PNET_SIDE:
            raise ValueError(f"expected min_face >= {PNET_SIDE} pixels, got {min_face}")
        if not 0 < factor < 1:
            raise ValueError(f"expected 0 < factor < 1, got {factor}")
        if not all(0 < threshold < 1 for threshold in thresholds):
            raise ValueError(f"expected thresholds between 0 and 1, got {thresholds}")
        self.min_face = min_face
        self.factor = factor
        self._logits = [math.log(threshold / (1 - threshold)) for threshold in thresholds]
        self._floats = np.empty(0, np.float32)
        self._pnet, self._rnet = mtcnn.Network("pnet", threads), mtcnn.Network("rnet", threads)
        self._onet = mtcnn.Network("onet", threads)

    def detect(self, image: np.ndarray) -> Faces:
        """Find the faces of an RGB uint8 picture `(height, width, 3)`.

        Raises:
            ValueError: the picture has another shape or type.
        """
        _check(image)
        pixels = self._as_floats(image)
        boxes = self._propose(image, pixels)
        boxes = self._reject(pixels, np.trunc(_squared(boxes)))
        faces, _ = self._decide(pixels, np.trunc(_squared(boxes)))
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

    def _as_floats(self, image: np.ndarray) -> np.ndarray:
        """The picture in float32, which is scaled faster and without rounding; in memory that the next one reuses.

        To get fresh memory for every frame would take a fifth of the time.
        """
        if self._floats.shape != image.shape:
            self._floats = np.empty(image.shape, np.float32)
        np.copyto(self._floats, image)
        return self._floats

    def _propose(self, image: np.ndarray, pixels: np.ndarray) -> np.ndarray:
        """P-Net over the pyramid: `(n, 4)` corners."""
        found = [self._propose_level(level, scale) for level, scale in self._pyramid(image, pixels)]
        if not found:
            return np.zeros((0, 4))
        boxes, regression, scores = (np.concatenate(parts) for parts in zip(*found, strict=True))
        kept = _suppress(boxes, scores, OVERLAP)
        boxes = boxes[kept]
        return boxes + regression[kept] * np.tile(boxes[:, 2:] - boxes[:, :2], 2)

    def _pyramid(self, image: np.ndarray, pixels: np.ndarray) -> Iterator[tuple[np.ndarray, float]]:
        """Yield the levels, whole numbers in float32, and their scales; every pixel is the mean of what it covers."""
        height, width = image.shape[:2]
        scale = PNET_SIDE / self.min_face
        integral = None
        while min(height, width) * scale >= PNET_SIDE:
            rows, columns = math.ceil(height * scale), math.ceil(width * scale)
            if scale > INTEGRAL_SCALE:
                level = cv2.resize(pixels, (columns, rows), interpolation=cv2.INTER_AREA)
            else:
                integral = _integral(image) if integral is None else integral
                level = _means(integral, rows, columns)
            yield np.rint(level), scale
            scale *= self.factor

    def _propose_level(self, level: np.ndarray, scale: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """P-Net on one level: `(n, 4)` corners in the picture, `(n, 4)` their regression and `(n,)` scores."""
        height, width = level.shape[:2]
        columns = _cells(width)
        step = max(1, BAND_PIXELS // (STRIDE * width))
        bands = [
            self._pnet(_planes(level[None, STRIDE * top : STRIDE * (top + step) + PNET_SIDE - STRIDE]))[0]
            for top in range(0, _cells(height), step)
        ]
        output = np.concatenate(bands, 1).reshape(5, -1, columns)
        logits = output[0].T
        x, y = np.nonzero(logits >= self._logits[0])
        corner = STRIDE * np.stack([x, y], 1)
        boxes = np.concatenate([np.trunc((corner + 1) / scale), np.trunc((corner + PNET_SIDE) / scale)], 1)
        scores = _probability(logits[x, y])
        if len(x) == 1:
            x = columns - 1 - x  # a slip of the package, kept so that the faces are the same
        kept = _suppress(boxes, scores, LEVEL_OVERLAP)
        return boxes[kept], output[1:, y, x].T[kept], scores[kept]

    def _reject(self, image: np.ndarray, boxes: np.ndarray) -> np.ndarray:
        """R-Net on `(n, 4)` square corners: the corrected corners of those that it keeps."""
        output = _run(self._rnet, image, boxes, RNET_SIZE, 5)
        passed = np.flatnonzero(output[:, 0] > self._logits[1])
        kept = passed[_suppress(boxes[passed], _probability(output[passed, 0]), OVERLAP)]
        return _regressed(boxes[kept], output[kept, 1:])

    def _decide(self, image: np.ndarray, boxes: np.ndarray) -> tuple[Faces, np.ndarray]:
        """O-Net on `(n, 4)` square corners: the faces, and the row of `boxes` that each came from."""
        output = _run(self._onet, image, boxes, ONET_SIZE, 15)
        passed = np.flatnonzero(output[:, 0] > self._logits[2])
        corners, scores = _regressed(boxes[passed], output[passed, 1:5]), _probability(output[passed, 0])
        kept = _suppress_contained(corners, scores, OVERLAP)
        rows, corners = passed[kept], corners[kept]
        points = output[rows, 5:].reshape(-1, 2, 5).transpose(0, 2, 1)
        squares = boxes[rows, None, :]
        landmarks = squares[:, :, :2] - 1 + points * (squares[:, :, 2:] - squares[:, :, :2] + 1)
        start = np.maximum(corners[:, :2], 0)
        found = np.concatenate([start, corners[:, 2:] - start], 1)
        return Faces(found.astype(np.float32), scores[kept], landmarks.astype(np.float32)), rows


def _check(image: np.ndarray) -> None:
    if image.ndim != 3 or image.shape[2] != 3 or image.dtype != np.uint8 or not image.size:
        raise ValueError(f"expected RGB uint8 of shape (height, width, 3), got {image.dtype} of shape {image.shape}")


def _cells(pixels: int) -> int:
    """P-Net's windows along a side."""
    return (pixels - 1) // 2 - 4


def _planes(pictures: np.ndarray) -> np.ndarray:
    """`(n, height, width, 3)` to `(n, 3, height, width)` float32."""
    return np.ascontiguousarray(pictures.transpose(0, 3, 1, 2), np.float32)


def _probability(logits: np.ndarray) -> np.ndarray:
    """float32, so that sure faces tie, as they do in the published networks' softmax."""
    return np.asarray(1 / (1 + np.exp(-logits)), np.float32)


def _integral(image: np.ndarray) -> np.ndarray:
    """`(height + 1, width + 1, 3)` sums of all pixels above and to the left."""
    fits = image.shape[0] * image.shape[1] * 255 < 1 << 31
    return np.asarray(cv2.integral(image, sdepth=cv2.CV_32S if fits else cv2.CV_64F))


def _means(integral: np.ndarray, rows: int, columns: int) -> np.ndarray:
    """Scale to `(rows, columns, 3)` as INTER_AREA does, which reads the whole picture for the smallest level too."""
    height, width = integral.shape[0] - 1, integral.shape[1] - 1
    sums = _differences(_differences(integral, rows, axis=0), columns, axis=1)
    return sums * (rows * columns / (height * width))


def _differences(integral: np.ndarray, parts: int, axis: int) -> np.ndarray:
    """Sums over equal parts of an axis; their borders may lie within pixels."""
    last = integral.shape[axis] - 1
    at = np.arange(parts + 1) * (last / parts)
    below = np.minimum(at.astype(int), last - 1)
    low = integral.take(below, axis)
    part = np.expand_dims(at - below, tuple(range(1, integral.ndim - axis)))
    return np.diff(low + part * (integral.take(below + 1, axis) - low), axis=axis)


def _run(network: mtcnn.Network, image: np.ndarray, boxes: np.ndarray, size: int, outputs: int) -> np.ndarray:
    """A network's `(n, outputs)` on the picture inside `(n, 4)` corners, scaled to `size`."""
    result = np.zeros((len(boxes), outputs), np.float32)
    corners = boxes.astype(int)
    corners[:, :2] -= 1  # corners count pixels from 1 and include the last: now from 0, without it
    corners[:, 2:] = np.maximum(corners[:, 2:], corners[:, :2] + 1)
    height, width = image.shape[:2]
    inside = np.all((corners >= 0) & (corners <= (width, height, width, height)), axis=1)
    for start in range(0, len(boxes), BATCH):
        batch = slice(start, start + BATCH)
        crops = [
            cv2.resize(
                image[top:bottom, left:right] if whole else _beyond(image, left, top, right, bottom),
                (size, size),
                interpolation=cv2.INTER_AREA,
            )
            for (left, top, right, bottom), whole in zip(corners[batch].tolist(), inside[batch].tolist(), strict=True)
        ]
        result[batch] = network(_planes(np.array(crops)))
    return result


def _beyond(image: np.ndarray, left: int, top: int, right: int, bottom: int) -> np.ndarray:
    """A crop that reaches beyond the picture, black there."""
    height, width = image.shape[:2]
    y0, y1 = min(max(top, 0), height), min(max(bottom, 0), height)
    x0, x1 = min(max(left, 0), width), min(max(right, 0), width)
    crop = np.zeros((bottom - top, right - left, 3), image.dtype)
    crop[y0 - top : y1 - top, x0 - left : x1 - left] = image[y0:y1, x0:x1]
    return crop


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
    order = np.argsort(scores)[::-1]
    rectangles = np.concatenate([boxes[:, :2], boxes[:, 2:] - boxes[:, :2] + 1], 1)[order]
    ranks = np.arange(len(boxes), 0, -1).astype(np.float32)
    # OpenCV holds the limit in float32: the margin keeps an overlap of just that much.
    return np.asarray(order[_nms_boxes(rectangles, ranks, 0, overlap + 1e-6)])


def _suppress_contained(boxes: np.ndarray, scores: np.ndarray, overlap: float) -> np.ndarray:
    """As `_suppress`, with the intersection over the smaller of the two areas."""
    sides = boxes[:, None, 2:] - boxes[:, None, :2] + 1
    common = np.minimum(boxes[:, None, 2:], boxes[None, :, 2:]) - np.maximum(boxes[:, None, :2], boxes[None, :, :2]) + 1
    areas = sides.prod(axis=-1)
    close = np.maximum(common, 0).prod(axis=-1) > overlap * np.minimum(areas, areas.T)
    kept: list[int] = []
    for row in np.argsort(scores)[::-1]:
        if not close[row, kept].any():
            kept.append(int(row))
    return np.array(kept, int)
