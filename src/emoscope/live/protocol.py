"""What travels over the WebSocket: `docs/live-protocol.md` is its page for people.

The client's first message is the text `{"type": "start", ...}`. After it come binary messages, each a header of 16
bytes and its content:

    bytes 0-3    PICT or SOUN
    bytes 4-7    0
    bytes 8-15   float64, little-endian: seconds from the start of the stream of the picture or of the first sample
    bytes 16-    a JPEG, PNG or WebP picture; or float32 samples, little-endian, mono, at the rate named at the start

The text `{"type": "neutral", "person": 1}` says that a person's face of the last two seconds was neutral, and
`{"type": "stop"}` ends the stream. What the server sends is text.
"""

import json
import struct
from dataclasses import dataclass
from typing import Any

import numpy as np

HEADER = struct.Struct("<4s4xd")
LARGEST_MESSAGE = 8 << 20
"""Bytes of one message: a sharp picture of 1920x1080 as PNG still fits."""
LONGEST_SOUND_S = 2.0
"""Seconds of sound in one message."""
LAST_TIME_S = 1e6
"""Seconds after the start, 11 days, up to which times are believed."""
RATES = range(8_000, 192_001)
"""Samples a second that a client may send."""


class ProtocolError(Exception):
    """What a client sent is not of the protocol: the message is one line that says what was expected."""


@dataclass(frozen=True, slots=True)
class Start:
    """What a client will send.

    Attributes:
        camera: whether pictures.
        microphone: whether sound.
        rate: samples a second of the sound.
    """

    camera: bool
    microphone: bool
    rate: int


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture as it came.

    Attributes:
        time: seconds from the start of the stream.
        data: JPEG, PNG or WebP.
    """

    time: float
    data: bytes


@dataclass(frozen=True, slots=True)
class Chunk:
    """Sound as it came.

    Attributes:
        time: seconds from the start of the stream of the first sample.
        samples: float32 mono `(n,)` at the client's rate.
    """

    time: float
    samples: np.ndarray


def read_text(text: str) -> dict[str, Any]:
    """A text message: an object with a `type`.

    Raises:
        ProtocolError: it is something else.
    """
    try:
        message = json.loads(text)
    except (ValueError, RecursionError):
        raise ProtocolError("a text message must be JSON") from None
    if not isinstance(message, dict) or message.get("type") not in ("start", "neutral", "stop"):
        raise ProtocolError('a text message must have the type "start", "neutral" or "stop"')
    if message["type"] == "neutral" and type(message.get("person")) is not int:
        raise ProtocolError("neutral must name a person by their number")
    return message


def read_start(text: str) -> Start:
    """The first message.

    Raises:
        ProtocolError: it is not a start, or names what cannot be.
    """
    message = read_text(text)
    if message["type"] != "start":
        raise ProtocolError('the first message must have the type "start"')
    camera, microphone, rate = message.get("camera", True), message.get("microphone", True), message.get("rate", 16_000)
    if not isinstance(camera, bool) or not isinstance(microphone, bool) or not (camera or microphone):
        raise ProtocolError("camera and microphone must be true or false, and one of them true")
    if type(rate) is not int or rate not in RATES:
        raise ProtocolError(f"rate must be a whole number from {RATES.start} to {RATES.stop - 1} samples a second")
    return Start(camera, microphone, rate)


def read_binary(data: bytes, rate: int) -> Picture | Chunk:
    """A picture, which is not decoded here, or sound.

    Raises:
        ProtocolError: the header, the time or the length of the sound is not of the protocol.
    """
    if len(data) <= HEADER.size:
        raise ProtocolError(f"a binary message must have a header of {HEADER.size} bytes and a content")
    kind, time = HEADER.unpack_from(data)
    if not 0 <= time <= LAST_TIME_S:  # also refuses nan
        raise ProtocolError(f"a time must be from 0 to {LAST_TIME_S:.0f} seconds")
    if kind == b"PICT":
        return Picture(time, data[HEADER.size :])
    if kind != b"SOUN":
        raise ProtocolError("a binary message must begin with PICT or SOUN")
    size = len(data) - HEADER.size
    if size % 4 or size // 4 > rate * LONGEST_SOUND_S:
        raise ProtocolError(f"sound must be whole float32 samples, {LONGEST_SOUND_S:.0f} seconds of them at most")
    samples = np.frombuffer(data, "<f4", offset=HEADER.size)
    return Chunk(time, np.clip(np.nan_to_num(samples), -1, 1).astype(np.float32))


def pack(item: Picture | Chunk) -> bytes:
    """The binary message of a picture or of sound: what `read_binary` reads."""
    if isinstance(item, Picture):
        return HEADER.pack(b"PICT", item.time) + item.data
    return HEADER.pack(b"SOUN", item.time) + item.samples.astype("<f4").tobytes()


def milliseconds(seconds: float) -> float:
    """Seconds as milliseconds, to a hundredth."""
    return round(seconds * 1000, 2)
