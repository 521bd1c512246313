"""One colour for each emotion, the same in the plots, the page and the overlay."""

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


def rgb(emotion: str) -> tuple[int, int, int]:
    """The colour of an emotion as red, green and blue, 0 to 255 each."""
    value = COLOURS[emotion]
    return int(value[1:3], 16), int(value[3:5], 16), int(value[5:7], 16)


def luminance(colour: tuple[int, int, int]) -> float:
    """The relative luminance of an sRGB colour, 0 (black) to 1 (white), as WCAG 2.2 defines it."""
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in (v / 255 for v in colour)]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def ink(emotion: str) -> tuple[int, int, int]:
    """Black or white: whichever reads better on the emotion's colour."""
    # at a luminance of 0.179 black and white have the same contrast
    return (0, 0, 0) if luminance(rgb(emotion)) > 0.179 else (255, 255, 255)
