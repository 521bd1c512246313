"""Decoded sound on one clock: one rate, one layout, damaged time stamps passed over, gaps kept."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from av.audio.frame import AudioFrame
from av.audio.resampler import AudioResampler

from .decode import Track

TOLERANCE = 0.02
"""Seconds by which a time stamp may differ from the count of samples before it is believed: containers round to 1 ms,
and the shortest packet of the usual codecs lasts 20 ms."""

SAMPLE_FORMAT = "fltp"


@dataclass
class _Segment:
    """Sound without a gap: the times follow from counting samples."""

    start: float
    source: tuple[str, str, int]
    resampler: AudioResampler
    heard: int = 0
    given: int = 0

    @property
    def end(self) -> float:
        return self.start + self.heard / self.source[2]

    def feed(self, frame: AudioFrame | None) -> Iterator[tuple[float, np.ndarray]]:
        if frame is not None:
            self.heard += frame.samples
            frame.pts = None
        for part in self.resampler.resample(frame):
            if part is not None and part.samples:
                time = self.start + self.given / part.sample_rate
                self.given += part.samples
                yield time, np.clip(np.nan_to_num(part.to_ndarray()), -1, 1)


def sound_parts(track: Track, rate: int | None = None, layout: str | None = None) -> Iterator[tuple[float, np.ndarray]]:
    """Decode a stream of sound, resampled and mixed.

    Args:
        track: of kind `audio`.
        rate: samples a second, or `None` to keep those of the first frame.
        layout: ffmpeg's name, such as `mono`, or `None` to keep that of the first frame.

    Yields:
        The time of the first sample in seconds on the file's own clock, and the samples, float32 `(channels, n)` in
        [-1, 1]. Times never go back; a jump ahead is a gap in the file.
    """
    segment: _Segment | None = None
    for frame in track.frames():
        if not isinstance(frame, AudioFrame) or not frame.samples:
            continue
        rate, layout = rate or frame.sample_rate, layout or frame.layout.name
        source = (frame.format.name, frame.layout.name, frame.sample_rate)
        clock = segment.end if segment else (track.start or 0.0)
        stamp = track.time(frame)
        time = clock if stamp is None else stamp
        if not track.plausible(time, clock) or (segment and time < clock - TOLERANCE):
            track.skipped += 1
            continue
        gap = time > clock + TOLERANCE
        if segment is None or gap or source != segment.source:
            if segment:
                yield from segment.feed(None)
                time = time if gap else clock
            segment = _Segment(time, source, _resampler(rate, layout))
        yield from segment.feed(frame)
    if segment:
        yield from segment.feed(None)


def _resampler(rate: int, layout: str) -> AudioResampler:
    # Without a limit, mixing stereo to mono in floats makes it louder by 3 dB.
    return AudioResampler(SAMPLE_FORMAT, layout, rate, options={"rematrix_maxval": "1"})
