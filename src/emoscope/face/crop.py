"""Crops that look like FER+'s: a face turned upright and scaled so that eyes, nose and mouth lie where FER+'s lie."""

import cv2
import numpy as np

SIDE = 48
"""Pixels a side of a crop."""

TEMPLATE = np.array([(15.0, 19.4), (33.0, 19.4), (24.0, 29.8), (16.5, 38.6), (31.5, 38.6)])
"""Where the five landmarks lie in a 48x48 face of FER+, x and y from its upper left corner: MTCNN's on training faces,
made symmetric; within 1.2 pixels of the medians in `results/constants/`. `results/face/crop.md` has other margins."""


def crop_faces(image: np.ndarray, landmarks: np.ndarray, margin: float = 1.0) -> np.ndarray:
    """Cut faces out of a frame.

    Each face is turned, scaled and shifted (a similarity, no skew) so that its landmarks fall on `TEMPLATE` with the
    least squared distance. Beyond the frame, its edge pixels are repeated.

    Args:
        image: RGB uint8 `(height, width, 3)`.
        landmarks: `(n, 5, 2)` x, y in pixels: left eye, right eye, nose, left and right corner of the mouth.
        margin: how much more than the template's surroundings is shown; 1 as in FER+, above 1 looser.

    Returns:
        Grey uint8 `(n, 48, 48)`.
    """
    if not len(landmarks):
        return np.empty((0, SIDE, SIDE), np.uint8)
    return np.stack([_crop(image, similarity(points, margin)) for points in np.asarray(landmarks, np.float64)])


def similarity(points: np.ndarray, margin: float = 1.0) -> np.ndarray:
    """The similarity `(2, 3)` that maps landmarks `(5, 2)` of a frame closest to `TEMPLATE`.

    As complex numbers, it is `z -> a z + b` with the least-squares `a` and `b`. Landmarks that all coincide give a
    transform that keeps their size.
    """
    centre = SIDE / 2
    source = points[:, 0] + 1j * points[:, 1]
    wanted = (TEMPLATE - centre) / margin + centre
    target = wanted[:, 0] + 1j * wanted[:, 1]
    moved = source - source.mean()
    spread = (abs(moved) ** 2).sum()
    a = (moved.conj() * (target - target.mean())).sum() / spread if spread > 1e-6 else 1.0 + 0j
    b = target.mean() - a * source.mean()
    return np.array([[a.real, -a.imag, b.real], [a.imag, a.real, b.imag]])


def _crop(image: np.ndarray, transform: np.ndarray) -> np.ndarray:
    region, transform = _around(image, transform)
    grey = cv2.cvtColor(region, cv2.COLOR_RGB2GRAY)
    scale = float(np.hypot(transform[0, 0], transform[1, 0]))
    if scale < 0.7:  # average before sampling, or the small picture would be rough
        height, width = grey.shape
        small = (max(1, round(width * scale)), max(1, round(height * scale)))
        grey = cv2.resize(grey, small, interpolation=cv2.INTER_AREA)
        transform = transform @ np.diag([width / small[0], height / small[1], 1.0])
    # OpenCV counts from the middle of the first pixel, landmarks from its edge.
    shift = transform.copy()
    shift[:, 2] += 0.5 * (transform[:, 0] + transform[:, 1]) - 0.5
    crop: np.ndarray = cv2.warpAffine(
        grey, shift, (SIDE, SIDE), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )
    return crop


def _around(image: np.ndarray, transform: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The part of the frame that the crop needs, and the transform from it: a crop of a large frame stays cheap."""
    inverse = cv2.invertAffineTransform(transform)
    corners = np.array([(0, 0, 1), (SIDE, 0, 1), (0, SIDE, 1), (SIDE, SIDE, 1)]) @ inverse.T
    height, width = image.shape[:2]
    left, top = np.floor(corners.min(0)).astype(int) - 2
    right, bottom = np.ceil(corners.max(0)).astype(int) + 2
    left, right = (int(np.clip(v, 0, width)) for v in (left, right))
    top, bottom = (int(np.clip(v, 0, height)) for v in (top, bottom))
    left, top = min(left, width - 1), min(top, height - 1)  # a face beyond the frame: its nearest edge
    region = image[top : max(bottom, top + 1), left : max(right, left + 1)]
    moved = transform.copy()
    moved[:, 2] += transform[:, :2] @ (left, top)
    return region, moved
