"""Crops that look like FER+'s: a face turned upright and scaled so that eyes, nose and mouth lie where FER+'s lie."""

import cv2
import numpy as np

from ..models import FaceInput

SIDE = 48
"""Pixels a side of a face of FER+."""

TEMPLATE = np.array([(15.0, 19.4), (33.0, 19.4), (24.0, 29.8), (16.5, 38.6), (31.5, 38.6)])
"""Where the five landmarks lie in a 48x48 face of FER+, x and y from its upper left corner: MTCNN's on training faces,
made symmetric; within 1.2 pixels of the medians in `results/faces/`. `results/faces/` has other margins."""


FERPLUS = FaceInput()
"""How FER+'s faces are cut."""


def crop_faces(image: np.ndarray, landmarks: np.ndarray, wanted: FaceInput = FERPLUS) -> np.ndarray:
    """Cut faces out of a frame.

    Each face is turned, scaled and shifted (a similarity, no skew) so that its landmarks fall on the template with the
    least squared distance. Beyond the frame, its edge pixels are repeated.

    Args:
        image: RGB uint8 `(height, width, 3)`.
        landmarks: `(n, 5, 2)` x, y in pixels: left eye, right eye, nose, left and right corner of the mouth.
        wanted: how they are cut.

    Returns:
        uint8 `(n, side, side)` in grey, or `(n, side, side, 3)` in RGB.
    """
    if not len(landmarks):
        shape = (0, wanted.side, wanted.side) if wanted.channels == 1 else (0, wanted.side, wanted.side, 3)
        return np.empty(shape, np.uint8)
    points = np.asarray(landmarks, np.float64)
    return np.stack([_crop(image, similarity(face, wanted), wanted) for face in points])


def similarity(points: np.ndarray, wanted: FaceInput = FERPLUS) -> np.ndarray:
    """The similarity `(2, 3)` that maps landmarks `(5, 2)` of a frame closest to a template.

    As complex numbers, it is `z -> a z + b` with the least-squares `a` and `b`. Landmarks that all coincide give a
    transform that keeps their size.
    """
    centre = wanted.side / 2
    template = TEMPLATE * (wanted.side / SIDE) if wanted.template is None else np.array(wanted.template)
    source = points[:, 0] + 1j * points[:, 1]
    moved_template = (template - centre) / wanted.margin + centre
    target = moved_template[:, 0] + 1j * moved_template[:, 1]
    moved = source - source.mean()
    spread = (abs(moved) ** 2).sum()
    a = (moved.conj() * (target - target.mean())).sum() / spread if spread > 1e-6 else 1.0 + 0j
    b = target.mean() - a * source.mean()
    return np.array([[a.real, -a.imag, b.real], [a.imag, a.real, b.imag]])


def _crop(image: np.ndarray, transform: np.ndarray, wanted: FaceInput) -> np.ndarray:
    pixels, transform = _around(image, transform, wanted.side)
    if wanted.channels == 1:
        pixels = cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY)
    scale = float(np.hypot(transform[0, 0], transform[1, 0]))
    if scale < 0.7:  # average before sampling, or the small picture would be rough
        height, width = pixels.shape[:2]
        small = (max(1, round(width * scale)), max(1, round(height * scale)))
        pixels = cv2.resize(pixels, small, interpolation=cv2.INTER_AREA)
        transform = transform @ np.diag([width / small[0], height / small[1], 1.0])
    # OpenCV counts from the middle of the first pixel, landmarks from its edge.
    shift = transform.copy()
    shift[:, 2] += 0.5 * (transform[:, 0] + transform[:, 1]) - 0.5
    size = (wanted.side, wanted.side)
    crop: np.ndarray = cv2.warpAffine(pixels, shift, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return crop


def _around(image: np.ndarray, transform: np.ndarray, side: int) -> tuple[np.ndarray, np.ndarray]:
    """The part of the frame that the crop needs, and the transform from it: a crop of a large frame stays cheap."""
    inverse = cv2.invertAffineTransform(transform)
    corners = np.array([(0, 0, 1), (side, 0, 1), (0, side, 1), (side, side, 1)]) @ inverse.T
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
