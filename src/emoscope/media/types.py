"""What a reader yields: frames and sound, each with its time."""

from dataclasses import dataclass

import numpy as np

SAMPLE_RATE = 16_000
"""Samples a second of all sound inside emoscope: float32 mono in [-1, 1]."""


@dataclass(frozen=True, slots=True)
class Frame:
    """One picture of a video.

    Attributes:
        time: seconds from the start of the stream at which it is shown.
        duration: seconds until the next one; 0 for a still picture.
        image: RGB uint8 `(height, width, 3)`, upright (rotation metadata applied).
    """

    time: float
    duration: float
    image: np.ndarray


@dataclass(frozen=True, slots=True)
class Sound:
    """A run of samples.

    Attributes:
        time: seconds from the start of the stream of the first sample.
        samples: float32 mono `(n,)` at `SAMPLE_RATE`, in [-1, 1]; as the file has it `(channels, n)` at its own rate.
    """

    time: float
    samples: np.ndarray

    @property
    def seconds(self) -> float:
        """How long mono sound at `SAMPLE_RATE` lasts."""
        return len(self.samples) / SAMPLE_RATE


@dataclass(frozen=True, slots=True)
class SoundFormat:
    """How sound is stored.

    Attributes:
        rate: samples a second.
        layout: ffmpeg's name of the channels, such as `mono` or `stereo`.
    """

    rate: int
    layout: str
