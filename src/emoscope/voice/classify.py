"""The voice's way through emoscope: sound in, windows of speech with their logits out, as soon as they are certain."""

from collections.abc import Callable, Iterable
from typing import Any, NamedTuple, Protocol

import numpy as np

from ..media.types import SAMPLE_RATE, Sound
from ..models import VoiceInput
from .activity import Detector, Silero, Stretch, VoiceActivity
from .features import LOG_MEL, window_input
from .identity import SpeakerRow, embed, stretches
from .windows import Window, WindowPlan

GAP_S = 0.1  # seconds by which a time may be off before sound counts as missing or as given twice
_STEP = SAMPLE_RATE  # samples worked on at a time: bounds the memory, whatever is given at once


class Network(Protocol):
    """What `VoiceReader` needs of a `models.Model`."""

    def logits(self, inputs: np.ndarray, /) -> np.ndarray:
        """`(n, labels)` for `n` windows as `features.window_input` makes them."""
        ...


class VoiceRow(NamedTuple):
    """What the network says over one stretch of speech, or over half a second of a long one.

    Attributes:
        start: seconds of the stream.
        end: seconds, after `start`.
        utterance: number of the stretch of speech, from 1.
        logits: `(labels,)` float32.
    """

    start: float
    end: float
    utterance: int
    logits: np.ndarray


class VoiceReader:
    """Reads the voice of whoever speaks in a stream of sound.

    The rows are in order of time and do not overlap; how the sound is cut into items makes no difference to them. Of
    the sound only the last few seconds are kept, however long somebody speaks.

    Args:
        model: the voice model, `models.load("voice")`.
        detector: makes a fresh voice detector for each run of sound without a gap.
        wanted: how the model's input is made.
    """

    def __init__(self, model: Network, detector: Callable[[], Detector] = Silero, wanted: VoiceInput = LOG_MEL) -> None:
        self._model = model
        self._wanted = wanted
        self._detector = detector
        self._run: _Run | None = None
        self._until = 0.0  # the stream's time when there is no run
        self._utterances = 0
        self._speakers: list[SpeakerRow] = []

    def add(self, sound: Sound) -> list[VoiceRow]:
        """Take the next sound; return the rows that are certain by now.

        Sound that starts more than `GAP_S` after the end of what was given before ends the utterance. Sound from before
        that end is left out, so that nothing is heard twice.

        Args:
            sound: with no samples it says that there is no sound up to its time.
        """
        rows: list[VoiceRow] = []
        expected = self._until if self._run is None else self._run.end
        ahead = sound.time - expected
        if ahead > GAP_S or (self._run is None and ahead > 0):
            rows = self.finish()
            self._until = sound.time
        heard = round(-ahead * SAMPLE_RATE) if ahead < -GAP_S else 0
        samples = sound.samples[heard:]
        if not len(samples):
            return rows
        run = self._run = self._run or self._begun(self._until)
        for start in range(0, len(samples), _STEP):
            rows += run.add(samples[start : start + _STEP])
        return rows

    def finish(self) -> list[VoiceRow]:
        """The sound has ended: return the rows that were waiting for its end."""
        if self._run is None:
            return []
        run, self._run = self._run, None
        self._until = run.end
        rows = run.finish()
        self._utterances = run.utterances
        return rows

    def speakers(self) -> list[SpeakerRow]:
        """Who it sounds like, for the stretches of speech that became certain since this was asked last."""
        found = list(self._speakers)
        self._speakers.clear()
        return found

    @property
    def settled(self) -> float:
        """The time in seconds before which no further row can start.

        With nobody speaking, it is some 0.5 s before the end of the sound given so far; with somebody speaking, it is
        the end of the last row of that utterance, or its start.
        """
        return self._until if self._run is None else self._run.settled

    def state(self) -> dict[str, Any]:
        """What `restore` needs to go on from here, as numbers and arrays."""
        run = self._run and self._run.state()
        return {"until": self._until, "utterances": self._utterances, "run": run}

    def restore(self, state: dict[str, Any]) -> None:
        """Go on from a state."""
        self._until, self._utterances, self._run = state["until"], state["utterances"], None
        if state["run"]:
            self._run = self._begun(state["run"]["time"])
            self._run.restore(state["run"])

    def _begun(self, time: float) -> "_Run":
        activity = VoiceActivity(self._detector())
        return _Run(time, self._model, activity, self._utterances, self._wanted, self._speakers.append)


class _Run:
    """Sound without a gap: `time` is that of its first sample."""

    def __init__(
        self,
        time: float,
        model: Network,
        activity: VoiceActivity,
        utterances: int,
        wanted: VoiceInput,
        tell: Callable[[SpeakerRow], None],
    ) -> None:
        self.utterances = utterances
        self._tell = tell
        self._told = 0  # the position in the run up to which it has been told who speaks
        self._wanted = wanted
        self._time = time
        self._model = model
        self._activity = activity
        self._plan: WindowPlan | None = None
        self._kept = np.zeros(0, np.float32)
        self._kept_from = 0  # the position in the run of the first sample kept

    @property
    def end(self) -> float:
        return self._seconds(self._activity.received)

    @property
    def settled(self) -> float:
        return self._seconds(self._plan.covered if self._plan else self._activity.settled)

    def add(self, samples: np.ndarray) -> list[VoiceRow]:
        self._kept = np.concatenate([self._kept, samples])
        rows = self._over(self._activity.add(samples))
        if speech := self._activity.open:
            plan = self._plan = self._plan or self._planned(speech)
            rows += self._rows(plan.reached(speech.end))
            self._identify(speech.end, False)
        self._forget(min(self._plan.needed, self._told) if self._plan else self._activity.settled)
        return rows

    def finish(self) -> list[VoiceRow]:
        return self._over(self._activity.finish())

    def state(self) -> dict[str, Any]:
        return {
            "time": self._time,
            "utterances": self.utterances,
            "activity": self._activity.state(),
            "plan": self._plan and self._plan.state(),
            "kept": self._kept,
            "kept_from": self._kept_from,
            "told": self._told,
        }

    def restore(self, state: dict[str, Any]) -> None:
        self.utterances, self._kept, self._kept_from = state["utterances"], state["kept"], state["kept_from"]
        self._told = state["told"]
        self._activity.restore(state["activity"])
        if state["plan"]:
            self._plan = self._new_plan(0)
            self._plan.restore(state["plan"])

    def _planned(self, stretch: Stretch) -> WindowPlan:
        self.utterances += 1
        self._told = stretch.start
        return self._new_plan(stretch.start)

    def _new_plan(self, start: int) -> WindowPlan:
        return WindowPlan(start, round(self._wanted.window_s * SAMPLE_RATE))

    def _over(self, stretches: list[Stretch]) -> list[VoiceRow]:
        rows: list[VoiceRow] = []
        for stretch in stretches:
            plan = self._plan or self._planned(stretch)
            self._plan = None
            rows += self._rows(plan.ended(stretch.end))
            self._identify(stretch.end, True)
        return rows

    def _identify(self, end: int, ended: bool) -> None:
        for start, until in stretches(self._told, end, ended):
            samples = self._kept[start - self._kept_from : until - self._kept_from]
            self._tell(SpeakerRow(self._seconds(start), self._seconds(until), self.utterances, embed(samples)))
            self._told = until

    def _rows(self, windows: Iterable[Window]) -> list[VoiceRow]:
        return [self._row(window) for window in windows]

    def _row(self, window: Window) -> VoiceRow:
        sound = self._kept[window.start - self._kept_from : window.end - self._kept_from]
        # one at a time: a network's rounding depends on the batch, and rows must not depend on the chunking
        logits = self._model.logits(window_input(sound, self._wanted)[None])[0]
        return VoiceRow(self._seconds(window.part_start), self._seconds(window.part_end), self.utterances, logits)

    def _forget(self, before: int) -> None:
        self._kept = self._kept[before - self._kept_from :].copy()
        self._kept_from = before

    def _seconds(self, sample: int) -> float:
        return self._time + sample / SAMPLE_RATE
