"""Which of several sound tracks is read: the one that was asked for, or one with a voice."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..errors import MediaError
from .decode import Source, Track, shown
from .sound import sound_parts
from .types import SAMPLE_RATE

LISTENED_S = 60
"""Seconds of each track that are listened to."""
MOST_TRACKS = 16
"""Tracks that are listened to."""


@dataclass(frozen=True, slots=True)
class Choice:
    """A sound track of a file.

    Attributes:
        number: from 1, in the order of the file.
        note: what to tell of the choice.
    """

    number: int
    note: str


def choose(path: Path, wanted: int | str | None, voiced_s: Callable[[np.ndarray], float]) -> Choice:
    """Choose a sound track.

    Args:
        path: the file, which has sound.
        wanted: a number from 1, or a language as the file names it, such as `eng`; `None` for one with a voice: the
            file's default, unless another has more than twice as much voice at its start.
        voiced_s: the seconds of speech in mono sound `(n,)` at `SAMPLE_RATE`.

    Raises:
        MediaError: there is no such track.
    """
    source = Source(path)
    try:
        streams = list(source.container.streams.audio)
        best = source.container.streams.best("audio")
    finally:
        source.close()
    names = [str(stream.language or "") for stream in streams]
    if wanted is not None:
        for number, name in enumerate(names, 1):
            if str(wanted) in (str(number), name):
                return Choice(number, f"sound track {number} of {len(streams)} is read, as asked for")
        there = ", ".join(f"{number} ({name or 'no language'})" for number, name in enumerate(names, 1)) or "none"
        raise MediaError(f"{shown(path)}: has no sound track {wanted}; there are: {there}")
    default = next((n for n, stream in enumerate(streams, 1) if best and stream.index == best.index), 1)
    heard = {number: voiced_s(_start_of(path, number)) for number in range(1, min(len(streams), MOST_TRACKS) + 1)}
    most = max(heard, key=lambda number: heard[number])
    chosen = most if heard[most] > 2 * heard.get(default, 0.0) else default
    why = "it has a voice" if heard.get(chosen) else "no voice is in the first minute of any"
    return Choice(
        chosen, f"sound track {chosen} of {len(streams)} is read: {why}; --audio-track NUMBER or LANGUAGE reads another"
    )


def _start_of(path: Path, number: int) -> np.ndarray:
    """The first sound of a track, without its gaps."""
    source = Source(path)
    try:
        parts, wanted = [np.zeros(0, np.float32)], LISTENED_S * SAMPLE_RATE
        for _, samples in sound_parts(Track(source, "audio", number), SAMPLE_RATE, "mono"):
            parts.append(samples[0])
            wanted -= len(samples[0])
            if wanted <= 0:
                break
        return np.concatenate(parts)
    except LookupError:
        return np.zeros(0, np.float32)
    finally:
        source.close()
