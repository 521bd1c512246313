"""Reading pictures: still ones, animations and pages."""

import warnings
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import BinaryIO

import numpy as np
from PIL import Image, WebPImagePlugin

from ..errors import MediaError
from .decode import MAX_PIXELS, check_size, shown
from .types import Frame

# Pillow loads its other formats by itself, but all forty of them if one is missing.
FORMATS: tuple[str, ...] = ("AVIF", "BMP", "GIF", "JPEG", "PNG", "TIFF", WebPImagePlugin.WebPImageFile.format)
HEIF_BRANDS = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1")
PAGE_S = 1.0
"""Seconds that a page of a TIFF takes."""
SHORTEST_S, UNSTATED_S = 0.011, 0.1
"""Seconds below which the length of a picture in an animation is not believed, as browsers do, and what is then."""
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


class Pictures:
    """The pictures of an open file, upright.

    Attributes:
        moving: whether there are several: an animation, or pages, which last `PAGE_S` seconds each.
        undecoded: pictures of an animation that are damaged, so far.
    """

    def __init__(self, file: BinaryIO, picture: Image.Image, path: Path) -> None:
        self.moving = getattr(picture, "is_animated", False)
        self.undecoded = 0
        self._file, self._picture, self._path = file, picture, path

    def __iter__(self) -> Iterator[Frame]:
        """The pictures and their times; a single one has no length.

        Raises:
            MediaError: the first one is damaged.
        """
        picture, time = self._picture, 0.0
        for place in count():
            try:
                picture.seek(place)
                check_size(*picture.size, self._path)
                image = _pixels(picture)
            except EOFError:
                return
            except Exception as error:  # Pillow raises many kinds on damaged files
                if place == 0:
                    raise _damaged(self._path, picture, error) from error
                self.undecoded += 1
                return
            length = self._length() if self.moving else 0.0
            yield Frame(time, length, image)
            time += length
            if not self.moving:
                return

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def _length(self) -> float:
        if self._picture.format == "TIFF":
            return PAGE_S
        stated = float(self._picture.info.get("duration") or 0) / 1000
        return stated if stated >= SHORTEST_S else UNSTATED_S


def open_pictures(path: Path) -> Pictures | None:
    """Open a picture, an animation or pages.

    Returns:
        `None` if the file is none (an animated GIF is read as a video).

    Raises:
        MediaError: it is larger than `MAX_PIXELS` (said by its header, before it is decoded), or HEIC and the package
            that reads it is missing.
    """
    file = path.open("rb")
    picture = None
    try:
        picture = _header(file, path)
        if picture is not None:
            check_size(*picture.size, path)
            if picture.format != "GIF" or not getattr(picture, "is_animated", False):
                return Pictures(file, picture, path)
    except MediaError:
        file.close()
        raise
    except Exception as error:
        file.close()
        raise _damaged(path, picture, error) from error
    file.close()
    return None


def _damaged(path: Path, picture: Image.Image | None, error: Exception) -> MediaError:
    if isinstance(error, MediaError):
        return error
    kind = picture.format if picture else "picture"
    return MediaError(f"{shown(path)}: the picture is damaged, expected a whole {kind} file")


def _header(file: BinaryIO, path: Path) -> Image.Image | None:
    head = file.read(12)
    file.seek(0)
    formats = FORMATS
    if head[4:8] == b"ftyp" and head[8:12] in HEIF_BRANDS:
        formats = (*FORMATS, *_heif(path))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", Image.DecompressionBombWarning)
        try:
            return Image.open(file, formats=formats)
        except Image.DecompressionBombError as error:
            limit = MAX_PIXELS // 1_000_000
            raise MediaError(f"{shown(path)}: the picture is too large, expected at most {limit} megapixels") from error
        except (OSError, ValueError):  # no picture, or a header too damaged to tell
            return None


def _heif(path: Path) -> tuple[str, ...]:
    """The format HEIF, once what reads it is loaded."""
    try:
        from pillow_heif import register_heif_opener
    except ModuleNotFoundError:
        raise MediaError(
            f"{shown(path)}: is a HEIC picture; to read those: pip install 'emoscope[heic]', or save it as JPEG"
        ) from None
    register_heif_opener()
    return ("HEIF",)


def _pixels(picture: Image.Image) -> np.ndarray:
    orientation = _orientation(picture)
    if picture.mode.startswith("I"):  # more than 8 bits of grey, of which a camera may use 10 or 12
        values = np.asarray(picture).astype(np.int64)
        bits = next((bits for bits in (8, 10, 12, 14, 16) if int(values.max()) < 1 << bits), 16)
        picture = Image.fromarray((values >> bits - 8).clip(0, 255).astype(np.uint8))
    rgb = picture.convert("RGB")
    turn = _UPRIGHT.get(orientation)
    return np.array(rgb if turn is None else rgb.transpose(turn))


def _orientation(picture: Image.Image) -> int:
    try:
        return int(picture.getexif().get(_ORIENTATION_TAG, 1))
    except Exception:  # damaged metadata; the pixels may be whole
        return 1
