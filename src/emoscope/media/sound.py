"""Decoded sound on one clock: one rate, one layout, gaps kept."""

from collections.abc import Iterator
from dataclasses import dataclass

import av
import numpy as np
from av.audio.frame import AudioFrame
from av.audio.resampler import AudioResampler

from .decode import Track
from .types import SAMPLE_RATE

TOLERANCE = 0.02
"""Seconds by which a time stamp may differ from the count of samples before it is believed: containers round to 1 ms,
and the shortest packet of the usual codecs lasts 20 ms."""

OPPOSED = 20.0
"""Power of the difference of left and right by that of their sum above which they are of opposite sign."""

MIXER_S = 0.5
"""Seconds over which that is judged."""

SANE_RATES = range(2000, 768_001)
"""Samples a second that are believed: resampling a frame of the lowest takes 2 MB, one of 1 Hz would take 4 GB."""


@dataclass
class Segment:
    """Sound without a gap: its times follow from counting samples.

    Attributes:
        start: seconds, the time of the first sample.
        source: sample format, channel layout and samples a second of what is fed.
        resampler: makes what is given.
        heard: samples fed so far.
        given: samples given so far, at the resampler's rate.
    """

    start: float
    source: tuple[str, str, int]
    resampler: AudioResampler
    heard: int = 0
    given: int = 0

    @property
    def end(self) -> float:
        """Seconds: the time after the last sample fed."""
        return self.start + self.heard / self.source[2]

    def feed(self, frame: AudioFrame | None) -> list[tuple[float, np.ndarray]]:
        """Resample a frame, or what is left (`None`).

        Returns:
            Runs of samples, each the time of its first one in seconds and float32 `(channels, n)` in [-1, 1].
        """
        if frame:
            frame.pts = None
            self.heard += frame.samples
        parts = []
        for part in self.resampler.resample(frame):
            if part.samples:
                parts.append((self.start + self.given / part.sample_rate, _sane(part.to_ndarray())))
                self.given += part.samples
        return parts


def sound_parts(track: Track, rate: int, layout: str) -> Iterator[tuple[float, np.ndarray]]:
    """Decode a stream of sound, resampled and mixed.

    Args:
        track: of kind `audio`.
        rate: samples a second.
        layout: ffmpeg's name of a channel layout, such as `mono`.

    Yields:
        The time of the first sample in seconds on the file's own clock, and the samples, float32 `(channels, n)` in
        [-1, 1]. Times never go back: where stamps do, the sound goes on; a jump ahead is a gap in the file.
    """
    segment: Segment | None = None
    mixer: Mixer | None = None
    for frame in track.frames():
        if not isinstance(frame, AudioFrame) or not frame.samples:
            continue
        clock = segment.end if segment else track.start or 0.0
        stamp = track.time(frame)
        time = clock if stamp is None else stamp
        track.misplaced += segment is not None and time < clock - TOLERANCE
        if frame.sample_rate not in SANE_RATES:
            track.undecoded += 1
            continue
        source = (frame.format.name, frame.layout.name, frame.sample_rate)
        gap = segment is None or time > clock + TOLERANCE
        if segment is None or gap or source != segment.source:
            if segment:
                yield from _mixed(_counted(track, segment, None), mixer)
            mixer = Mixer(track) if layout == "mono" and frame.layout.nb_channels == 2 else None
            segment = Segment(time if gap else clock, source, resampler(rate, "stereo" if mixer else layout))
        yield from _mixed(_counted(track, segment, frame), mixer)
    if segment:
        yield from _mixed(_counted(track, segment, None), mixer)


class Mixer:
    """Mixes left and right: their mean, but half their difference where they are of opposite sign.

    A microphone wired the wrong way round, or a balanced line taken for two channels, gives such sound: the mean of it
    is silence.
    """

    def __init__(self, track: Track) -> None:
        self._track = track
        self._sum = self._difference = 0.0
        self._opposed = False

    def mix(self, samples: np.ndarray) -> np.ndarray:
        """Mix `(2, n)` to `(1, n)`."""
        left, right = samples
        kept = MIXER_S / (MIXER_S + samples.shape[1] / SAMPLE_RATE)
        self._sum = kept * self._sum + float(np.square(left + right).sum())
        self._difference = kept * self._difference + float(np.square(left - right).sum())
        if self._difference > OPPOSED * self._sum + 1e-9:
            self._opposed = self._track.opposed = True
        elif self._sum > self._difference:
            self._opposed = False
        mixed: np.ndarray = ((left - right if self._opposed else left + right) / 2)[None]
        return mixed


def _mixed(parts: list[tuple[float, np.ndarray]], mixer: Mixer | None) -> list[tuple[float, np.ndarray]]:
    return [(time, mixer.mix(samples)) for time, samples in parts] if mixer else parts


def _counted(track: Track, segment: Segment, frame: AudioFrame | None) -> list[tuple[float, np.ndarray]]:
    try:
        return segment.feed(frame)
    except (av.FFmpegError, ValueError):  # a damaged header can ask for a mix that does not exist
        track.undecoded += 1
        segment.resampler = resampler(segment.resampler.rate, segment.resampler.layout.name)
        return []


def resampler(rate: int, layout: str) -> AudioResampler:
    """A resampler to float planes at `rate` samples a second, mixed to an ffmpeg channel layout such as `mono`."""
    # Without this limit, mixing stereo to mono in floats makes it louder by 3 dB.
    return AudioResampler("fltp", layout, rate, options={"rematrix_maxval": "1"})


def _sane(samples: np.ndarray) -> np.ndarray:
    return np.clip(np.nan_to_num(samples), -1, 1)
