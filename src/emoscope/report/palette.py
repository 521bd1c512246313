"""One colour for each label, the same in the plots, the page and the overlay."""

from collections.abc import Sequence
from itertools import cycle

COLOURS: dict[str, str] = {
    "neutral": "#7c8197",
    "happiness": "#fcd619",
    "surprise": "#e07a3e",
    "sadness": "#1f56d6",
    "anger": "#a21729",
    "disgust": "#11bf8a",
    "fear": "#973eac",
    "contempt": "#9be8ea",
}
"""sRGB colours in the order of `EMOTIONS`. Any two stay at least 20 apart in CIELAB (1976 distance) for normal sight,
protanopia, deuteranopia and tritanopia; they were found by a search over hue ranges, and a test measures them."""

OTHERS = (
    "#4c78a8", "#f58518", "#54a24b", "#b279a2", "#9d755d", "#72b7b2", "#e45756", "#eeca3b", "#79706e", "#d67195",
    "#5b8c2a", "#2f4b7c",
)  # fmt: skip
"""For labels that are none of `EMOTIONS`."""


def colours(labels: Sequence[str]) -> dict[str, str]:
    """The colour of each label: its own if it is one of `EMOTIONS`, else the next of `OTHERS`."""
    others = cycle(OTHERS)
    return {label: COLOURS.get(label) or next(others) for label in labels}


def rgb(colour: str) -> tuple[int, int, int]:
    """A colour `#rrggbb` as red, green and blue, 0 to 255 each."""
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)


def luminance(colour: tuple[int, int, int]) -> float:
    """The relative luminance of an sRGB colour, 0 (black) to 1 (white), as WCAG 2.2 defines it."""
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in (v / 255 for v in colour)]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def ink(colour: str) -> tuple[int, int, int]:
    """Black or white: whichever reads better on a colour."""
    # at a luminance of 0.179 black and white have the same contrast
    return (0, 0, 0) if luminance(rgb(colour)) > 0.179 else (255, 255, 255)
