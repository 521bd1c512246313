"""The overlay of the annotated video: boxes, labels, the voice, and the mark that says it is a guess."""

from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import TYPE_CHECKING

import cv2
import numpy as np

from ..timeline import Observation
from .palette import colours, ink, rgb

if TYPE_CHECKING:
    from PIL import ImageFont

MARK = "model's guess"
"""Written on every frame: a picture taken out of the video must still say what it is."""

Colour = tuple[int, int, int]
DARK: Colour = (24, 26, 31)
LIGHT: Colour = (240, 240, 240)


def draw(
    image: np.ndarray,
    observations: Iterable[Observation],
    voice: Observation | None = None,
    notice: str | None = None,
    names: Mapping[int, str] | None = None,
) -> np.ndarray:
    """Draw what was observed at one moment on a copy of the frame.

    Args:
        image: RGB uint8 `(height, width, 3)`; it is not changed.
        observations: faces and fused ones with boxes; of a person with both, the fused one is drawn. Those without a
            box, or with a box wholly outside the frame, are left out.
        voice: what the voice says at this moment: a strip along the bottom.
        notice: a word to add to the mark in the corner, such as `synthetic`.
        names: what people are called.

    Returns:
        RGB uint8 `(height, width, 3)`.

    Raises:
        ValueError: the image is not RGB uint8.
    """
    if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3:
        raise ValueError(f"expected an image of uint8 (height, width, 3), got {image.dtype} {image.shape}")
    canvas = np.array(image, order="C")
    height, width = canvas.shape[:2]
    size = text_size(width, height)
    faces = [o for o in _one_a_person(observations) if _visible(o, width, height)]
    for face in faces:
        _draw_box(canvas, face, max(1, size // 7))
    mark = _label(f"{notice} · {MARK}" if notice else MARK, max(8, size * 3 // 4), DARK, LIGHT)
    _paste(canvas, mark, width - mark.shape[1], 0)
    floor = _draw_voice(canvas, voice, _who(voice, names), size) if voice else height
    for face in faces:
        _draw_label(canvas, face, _who(face, names), size, mark.shape[0], floor)
    return canvas


def text_size(width: int, height: int) -> int:
    """The height of the letters in pixels that reads well on a frame of this size."""
    return max(10, round(0.022 * min(width, height * 4 / 3)))


def _one_a_person(observations: Iterable[Observation]) -> list[Observation]:
    chosen: dict[object, Observation] = {}
    for o in observations:
        key = o.box if o.person is None else o.person
        if o.box is not None and (key not in chosen or o.source == "fused"):
            chosen[key] = o
    return list(chosen.values())


def _visible(o: Observation, width: int, height: int) -> bool:
    x, y, w, h = o.box or (0, 0, 0, 0)
    return x < width and y < height and x + w > 0 and y + h > 0


def _corners(o: Observation) -> tuple[tuple[int, int], tuple[int, int]]:
    x, y, w, h = o.box or (0, 0, 0, 0)
    return (round(x), round(y)), (round(x + w), round(y + h))


def _draw_box(canvas: np.ndarray, face: Observation, thickness: int) -> None:
    first, second = _corners(face)
    # a dark line beneath, because the colour alone may be that of the background
    cv2.rectangle(canvas, first, second, DARK, thickness + 2)
    cv2.rectangle(canvas, first, second, rgb(_colour(face)), thickness)


def _draw_label(canvas: np.ndarray, face: Observation, who: str, size: int, ceiling: int, floor: int) -> None:
    """Write above the box, or below where there is no room above, or else inside; between the mark and the voice.

    On a face that fills a small picture, the shortest words at the smallest size hide the least of it.
    """
    width = canvas.shape[1]
    emotion, paint = face.emotion, _colour(face)
    words = f"{who} · {emotion} {face.confidence:.0%}".replace("%", " %") if who else f"{emotion} {face.confidence:.0%}"
    label = _label(words, size, rgb(paint), ink(paint))
    if label.shape[1] > width / 2:
        label = _label(emotion, size, rgb(paint), ink(paint))
    (left, top), (_, bottom) = _corners(face)
    above = top - label.shape[0]
    if above >= ceiling:
        y = above
    elif bottom + label.shape[0] <= floor:
        y = bottom
    else:
        y = floor - label.shape[0]
    _paste(canvas, label, max(0, min(left, width - label.shape[1])), max(0, min(y, floor - label.shape[0])))


def _draw_voice(canvas: np.ndarray, voice: Observation, who: str, size: int) -> int:
    """Draw the strip: the emotion in words, then all the scores as one bar. Returns its upper edge in pixels."""
    height, width = canvas.shape[:2]
    paint = _colour(voice)
    whose = f"voice of {who}" if who else "voice"
    words = f"{whose} · {voice.emotion} {voice.confidence:.0%}".replace("%", " %")
    label = _label(words, size, rgb(paint), ink(paint))
    top: int = max(0, height - label.shape[0])
    left = min(label.shape[1], width)
    ends = left + np.round(np.cumsum(voice.scores) * (width - left)).astype(int)
    canvas[top:, left:] = DARK
    for colour, start, end in zip(_colours(voice.labels).values(), [left, *ends], ends, strict=False):
        canvas[top + 1 :, start:end] = rgb(colour)
    _paste(canvas, label, 0, top)
    return top


def _who(o: Observation, names: Mapping[int, str] | None) -> str:
    """What a person is called; nothing for the scene."""
    return "" if o.person is None else (names or {}).get(o.person, f"person {o.person}")


def _colour(o: Observation) -> str:
    return _colours(o.labels)[o.emotion]


@lru_cache(maxsize=16)
def _colours(labels: tuple[str, ...]) -> dict[str, str]:
    return colours(labels)


def _paste(canvas: np.ndarray, label: np.ndarray, x: int, y: int) -> None:
    """Copy a label into the canvas; what does not fit is cut off at the right and at the bottom."""
    x = max(x, 0)
    region = canvas[y : y + label.shape[0], x : x + label.shape[1]]
    region[:] = label[: region.shape[0], : region.shape[1]]


@lru_cache(maxsize=1024)
def _label(text: str, size: int, ground: Colour, letters: Colour) -> np.ndarray:
    """Text on a ground as RGB uint8. Kept, because it lasts for many frames and drawing letters is the slow part."""
    from PIL import Image, ImageDraw

    font = _font(size)
    pad = max(2, size // 3)
    width = round(font.getlength(text)) + 2 * pad
    label = Image.new("RGB", (width, round(size * 1.25) + pad), ground)
    # from the middle, so that letters with and without descenders stand on the same line
    ImageDraw.Draw(label).text((pad, label.height / 2), text, fill=letters, font=font, anchor="lm")
    return np.asarray(label)


@lru_cache(maxsize=8)
def _font(size: int) -> "ImageFont.FreeTypeFont":
    from PIL import ImageFont

    font = ImageFont.load_default(size)
    assert isinstance(font, ImageFont.FreeTypeFont)
    return font
