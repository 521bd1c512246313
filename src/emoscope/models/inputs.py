"""How the input of a network is made, as its card says it: the one place where that is read."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from ..errors import ModelError


@dataclass(frozen=True)
class FaceInput:
    """What a face model is given: `(n, channels, side, side)`.

    Attributes:
        side: pixels a side.
        channels: 1 for grey, 3 for RGB.
        low: what black becomes.
        high: what white becomes.
        template: where left eye, right eye, nose, left and right corner of the mouth lie in a crop, x and y in pixels
            from its upper left corner; `None` for where they lie in FER+'s faces.
        margin: how much more than the template's surroundings is shown; above 1 looser.
    """

    side: int = 48
    channels: Literal[1, 3] = 1
    low: float = 0.0
    high: float = 1.0
    template: tuple[tuple[float, float], ...] | None = None
    margin: float = 1.0

    @classmethod
    def from_card(cls, name: str, given: Mapping[str, Any]) -> "FaceInput":
        """From a card's `input`: `shape` (n, channels, side, side), `range`, and if it has them `template`, `margin`.

        Raises:
            ModelError: it says what no face can be.
        """
        try:
            _, channels, side, other = given["shape"]
            low, high = map(float, given["range"])
            template = given.get("template")
            points = None if template is None else tuple((float(x), float(y)) for x, y in template)
            margin = float(given.get("margin", 1.0))
            sane = channels in (1, 3) and side == other and 8 <= side <= 1024 and low < high and margin > 0
            if not sane or (points is not None and len(points) != 5):
                raise ValueError("the shape, the range, the template or the margin")
        except (KeyError, TypeError, ValueError) as error:
            raise ModelError(f"the card of {name} does not say how its faces are made: {error}") from None
        return cls(int(side), channels, low, high, points, margin)


@dataclass(frozen=True)
class VoiceInput:
    """What a voice model is given.

    Attributes:
        features: `log-mel`: `(n, frames, 128)` in 0..1, see `voice.features`; `samples`: `(n, samples)` in [-1, 1].
        rate: samples a second of what the features are made of.
        window_s: seconds that it sees at once.
    """

    features: Literal["log-mel", "samples"] = "log-mel"
    rate: int = 16_000
    window_s: float = 3.0

    @classmethod
    def from_card(cls, name: str, given: Mapping[str, Any]) -> "VoiceInput":
        """From a card's `input`: if it has them `features`, `sample_rate` and `window_s`.

        Raises:
            ModelError: it says what no voice can be.
        """
        try:
            features = given.get("features", "log-mel")
            rate, window_s = int(given.get("sample_rate", 16_000)), float(given.get("window_s", 3.0))
            if features not in ("log-mel", "samples") or not 4000 <= rate <= 192_000 or not 0.5 <= window_s <= 60:
                raise ValueError("features, sample_rate or window_s")
            if features == "log-mel" and rate != 16_000:
                raise ValueError("log-mels are made of 16,000 samples a second")
        except (TypeError, ValueError) as error:
            raise ModelError(f"the card of {name} does not say how its windows are made: {error}") from None
        return cls(features, rate, window_s)
