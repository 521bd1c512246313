"""Reading still pictures."""

import warnings
from pathlib import Path
from typing import BinaryIO

import numpy as np
from PIL import Image, UnidentifiedImageError, WebPImagePlugin

from ..errors import MediaError
from .decode import MAX_PIXELS, check_size, shown

# Pillow loads its other formats by itself, but all forty of them if one is missing.
FORMATS = ("BMP", "GIF", "JPEG", "PNG", WebPImagePlugin.WebPImageFile.format)
_ORIENTATION_TAG = 0x0112
_UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


def read_picture(path: Path) -> np.ndarray | None:
    """Read a still picture, upright.

    Returns:
        RGB uint8 `(height, width, 3)`; `None` if the file is no still picture (an animated GIF is a video).

    Raises:
        MediaError: it is larger than `MAX_PIXELS` (said by its header, before it is decoded), or damaged.
    """
    with path.open("rb") as file:
        picture = _header(file, path)
        if picture is None:
            return None
        check_size(*picture.size, path)
        try:
            return None if getattr(picture, "is_animated", False) and picture.format == "GIF" else _pixels(picture)
        except Exception as error:  # Pillow raises many kinds on damaged files
            raise MediaError(
                f"{shown(path)}: the picture is damaged, expected a whole {picture.format} file"
            ) from error


def _header(file: BinaryIO, path: Path) -> Image.Image | None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", Image.DecompressionBombWarning)
        try:
            return Image.open(file, formats=FORMATS)
        except Image.DecompressionBombError as error:
            limit = MAX_PIXELS // 1_000_000
            raise MediaError(f"{shown(path)}: the picture is too large, expected at most {limit} megapixels") from error
        except (UnidentifiedImageError, ValueError):  # no picture, or a header too damaged to tell
            return None


def _pixels(picture: Image.Image) -> np.ndarray:
    orientation = _orientation(picture)
    if picture.mode.startswith("I"):  # 16 bits of grey
        picture = Image.fromarray((np.asarray(picture).astype(np.int64) >> 8).clip(0, 255).astype(np.uint8))
    rgb = picture.convert("RGB")
    turn = _UPRIGHT.get(orientation)
    return np.array(rgb if turn is None else rgb.transpose(turn))


def _orientation(picture: Image.Image) -> int:
    try:
        return int(picture.getexif().get(_ORIENTATION_TAG, 1))
    except Exception:  # damaged metadata; the pixels may be whole
        return 1
