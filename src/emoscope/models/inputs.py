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
        mean: what each channel is then less by; `None` for nothing.
        std: what each channel is then divided by; `None` for nothing.
        template: where left eye, right eye, nose, left and right corner of the mouth lie in a crop, x and y in pixels
            from its upper left corner; `None` for where they lie in FER+'s faces.
        margin: how much more than the template's surroundings is shown; above 1 looser.
    """

    side: int = 48
    channels: Literal[1, 3] = 1
    low: float = 0.0
    high: float = 1.0
    mean: tuple[float, ...] | None = None
    std: tuple[float, ...] | None = None
    template: tuple[tuple[float, float], ...] | None = None
    margin: float = 1.0

    def same_crop(self, other: "FaceInput") -> bool:
        """Whether both are made of the same pixels."""
        mine, others = ((i.side, i.channels, i.template, i.margin) for i in (self, other))
        return mine == others

    @classmethod
    def from_card(cls, name: str, given: Mapping[str, Any]) -> "FaceInput":
        """From a card's `input`: `shape` (n, channels, side, side), `range`, and if it has them `mean`, `std` (a number
        a channel), `template`, `margin`.

        Raises:
            ModelError: it says what no face can be.
        """
        try:
            _, channels, side, other = given["shape"]
            low, high = map(float, given["range"])
            template = given.get("template")
            points = None if template is None else tuple((float(x), float(y)) for x, y in template)
            mean, std = (_numbers(given.get(key), channels) for key in ("mean", "std"))
            margin = float(given.get("margin", 1.0))
            sane = channels in (1, 3) and side == other and 8 <= side <= 1024 and low < high and margin > 0
            if not sane or (points is not None and len(points) != 5) or (std is not None and min(std) <= 0):
                raise ValueError("the shape, the range, mean, std, the template or the margin")
        except (KeyError, TypeError, ValueError) as error:
            raise ModelError(f"the card of {name} does not say how its faces are made: {error}") from None
        return cls(int(side), channels, low, high, mean, std, points, margin)


@dataclass(frozen=True)
class SequenceInput:
    """What a sequence model is given: a face, and the features of those before it, `(n, faces - 1, features)`.

    Attributes:
        face: how each face is made.
        faces: of a window, the newest included.
        dilation_s: seconds from one face of a window to the next.
        stride_s: seconds from one window to the next that cover a clip.
        features: numbers that the network keeps of a face.
    """

    face: FaceInput
    faces: int
    dilation_s: float
    stride_s: float
    features: int

    @classmethod
    def from_card(cls, name: str, given: Mapping[str, Any]) -> "SequenceInput":
        """From a card's `input`: as a face's, and `faces`, `dilation_s`, `stride_s` and `features`.

        Raises:
            ModelError: it says what no sequence can be.
        """
        try:
            faces, features = int(given["faces"]), int(given["features"])
            dilation, stride = float(given["dilation_s"]), float(given["stride_s"])
            if faces < 2 or features < 1 or dilation <= 0 or stride <= 0:
                raise ValueError("faces, features, dilation_s or stride_s")
        except (KeyError, TypeError, ValueError) as error:
            raise ModelError(f"the card of {name} does not say which window it wants: {error}") from None
        return cls(FaceInput.from_card(name, given), faces, dilation, stride, features)


@dataclass(frozen=True)
class VoiceInput:
    """What a voice model is given.

    Attributes:
        features: `log-mel`: `(n, frames, mels)` in 0..1, see `voice.features`; `samples`: `(n, samples)` in [-1, 1].
        rate: samples a second of what the features are made of.
        window_s: seconds that it sees at once.
        n_fft: samples of one analysis frame, of log-mels.
        hop: samples from one frame to the next.
        mels: bands from 0 Hz to half the rate.
        floor_db: below the loudest point; nothing quieter is told apart.
    """

    features: Literal["log-mel", "samples"] = "log-mel"
    rate: int = 16_000
    window_s: float = 3.0
    n_fft: int = 1024
    hop: int = 256
    mels: int = 128
    floor_db: float = -80.0

    @property
    def samples(self) -> int:
        """Of a window, at its rate."""
        return round(self.window_s * self.rate)

    @property
    def frames(self) -> int:
        """Of a window, of log-mels: frame `i` is centred on sample `i * hop`."""
        return self.samples // self.hop + 1

    @classmethod
    def from_card(cls, name: str, given: Mapping[str, Any]) -> "VoiceInput":
        """From a card's `input`: if it has them `features`, `sample_rate`, `window_s`, `n_fft`, `hop`, `mels` and
        `floor_db`.

        Raises:
            ModelError: it says what no voice can be.
        """
        try:
            features = given.get("features", cls.features)
            rate, window_s = int(given.get("sample_rate", cls.rate)), float(given.get("window_s", cls.window_s))
            n_fft, hop, mels = (int(given.get(key, getattr(cls, key))) for key in ("n_fft", "hop", "mels"))
            floor_db = float(given.get("floor_db", cls.floor_db))
            if features not in ("log-mel", "samples") or not 4000 <= rate <= 192_000 or not 0.5 <= window_s <= 60:
                raise ValueError("features, sample_rate or window_s")
            if not 16 <= n_fft <= 65_536 or not 1 <= hop <= n_fft or not 8 <= mels <= n_fft // 2 or floor_db >= 0:
                raise ValueError("n_fft, hop, mels or floor_db")
        except (TypeError, ValueError) as error:
            raise ModelError(f"the card of {name} does not say how its windows are made: {error}") from None
        return cls(features, rate, window_s, n_fft, hop, mels, floor_db)


def _numbers(given: Any, count: int) -> tuple[float, ...] | None:
    """A number a channel."""
    if given is None:
        return None
    found = tuple(float(number) for number in given)
    if len(found) != count:
        raise ValueError(f"expected {count} numbers, got {len(found)}")
    return found
