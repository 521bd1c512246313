"""One client's `Session`: pictures are decoded and sound is resampled on the way in."""

import io
import warnings
from collections import deque
from pathlib import Path

import numpy as np
from av.audio.frame import AudioFrame
from PIL import Image, WebPImagePlugin

from ..media import Sound
from ..media.sound import Segment, resampler
from ..media.types import SAMPLE_RATE
from ..models import Device, Model
from ..session import Session
from ..timeline import Observation
from .protocol import Chunk, Picture, ProtocolError, Start

FORMATS = ("JPEG", "PNG", WebPImagePlugin.WebPImageFile.format)
MOST_PIXELS = 1920 * 1200
"""Pixels of a picture: what cameras give, and what can be scored in time."""
LONGEST_GAP_S = 0.25
"""Seconds that a picture stands for at most."""
JITTER_S = 0.1
"""Seconds by which the time of a chunk may differ from the count of samples before it is believed."""


class Stream:
    """Feeds one `Session` from a client's messages. For one thread at a time; blocks while it scores.

    Args:
        start: what the client will send.
        face_model: see `Session`.
        voice_model: see `Session`.
        device: where the models run.

    Raises:
        ModelError: a model is unknown or damaged.
    """

    def __init__(
        self,
        start: Start,
        face_model: str | Path | Model = "face",
        voice_model: str | Path | Model = "voice",
        device: Device = "auto",
    ) -> None:
        self.start = start
        self.session = Session(
            faces=start.camera, voice=start.microphone, face_model=face_model, voice_model=voice_model, device=device
        )
        self._gaps: deque[float] = deque(maxlen=3)
        self._last: float | None = None
        self._neutral: deque[int] = deque()
        self._segment: Segment | None = None

    def score(self, item: Picture | Chunk) -> list[Observation]:
        """What the session makes of a picture or of sound.

        Raises:
            ProtocolError: the item was not announced, the picture is damaged or too large, or its time goes back.
        """
        while self._neutral:
            self.session.neutral(self._neutral.popleft())
        if isinstance(item, Picture):
            return self._see(item)
        return self._hear(item)

    def neutral(self, person: int) -> None:
        """The person's face of late is neutral; from any thread, it counts when the next item is scored."""
        self._neutral.append(person)

    def close(self) -> list[Observation]:
        """End the stream and return what was still waiting."""
        rest = [o for sound in self._feed(None) for o in self.session.add_sound(sound.samples, sound.time)]
        return rest + self.session.close()

    def _see(self, picture: Picture) -> list[Observation]:
        if not self.start.camera:
            raise ProtocolError("a picture came, but the start said that there is no camera")
        if self._last is not None and picture.time < self._last:
            raise ProtocolError("the time of a picture must not be before the last one's")
        image = decode(picture.data)
        if self._last is not None:
            self._gaps.append(picture.time - self._last)
        self._last = picture.time
        # How long a picture lasts is known when the next one comes. The shortest gap of late is what it lasts at least.
        duration = min([LONGEST_GAP_S, *self._gaps]) if self._gaps else 0.0
        return self.session.add_frame(image, picture.time, duration)

    def _hear(self, chunk: Chunk) -> list[Observation]:
        if not self.start.microphone:
            raise ProtocolError("sound came, but the start said that there is no microphone")
        return [o for sound in self._feed(chunk) for o in self.session.add_sound(sound.samples, sound.time)]

    def _feed(self, chunk: Chunk | None) -> list[Sound]:
        """The chunk, or what is left, at `SAMPLE_RATE`. A jump of its time ends what came before it."""
        segment, parts = self._segment, []
        if segment and (chunk is None or abs(chunk.time - segment.end) > JITTER_S):
            parts += segment.feed(None)
            segment = None
        if chunk is not None:
            rate = self.start.rate
            segment = segment or Segment(chunk.time, ("fltp", "mono", rate), resampler(SAMPLE_RATE, "mono"))
            parts += segment.feed(_frame(chunk.samples, rate))
        self._segment = segment
        return [Sound(time, samples[0]) for time, samples in parts]


def decode(data: bytes) -> np.ndarray:
    """A picture as RGB uint8 `(height, width, 3)`.

    Args:
        data: JPEG, PNG or WebP of at most `MOST_PIXELS`, which its header must say before it is decoded.

    Raises:
        ProtocolError: it is something else, or damaged.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        try:
            picture = Image.open(io.BytesIO(data), formats=FORMATS)
        except Exception:  # Pillow raises many kinds on damaged files
            raise ProtocolError("a picture must be JPEG, PNG or WebP") from None
    if picture.width * picture.height > MOST_PIXELS:
        raise ProtocolError(f"a picture must have at most {MOST_PIXELS} pixels, got {picture.width}x{picture.height}")
    try:
        return np.array(picture.convert("RGB"))
    except Exception:
        raise ProtocolError("a picture is damaged") from None


def _frame(samples: np.ndarray, rate: int) -> AudioFrame:
    frame = AudioFrame.from_ndarray(samples[None], "fltp", "mono")
    frame.sample_rate = rate
    return frame
