"""The reading of evidence as it comes: logits in, observations out; the same for a whole file and frame by frame."""

from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np

from ..calibration import probabilities
from ..emotions import columns, expand, joined
from ..evidence import Faces, Voices
from ..timeline import NOBODY, Timeline, column_names
from .baseline import NEUTRAL, Baseline, Offset, scores
from .fusion import FACE, MAX_WAIT_S, VOICE, Fuser
from .offsets import Key
from .smooth import FORGET_S, SMOOTHERS, Smoother
from .source import Source
from .speaker import MEMORY_S, Mouths

QUALITY: tuple[str, ...] = ("face_score", "sharpness", "turn")
"""The extra columns of faces: the detector's probability that it is one, and how good the view was (see `evidence`)."""


LEARN_S = 1.0
"""Seconds after which what was learned of a person is used: what came within the same second is not."""
LEAST_S = 0.03
"""Seconds that a face counts for that has no length: live, the first picture's is not known."""
NEUTRAL_S = 2.0
"""Seconds before somebody says "this is my neutral face" that are taken for it."""
VOICE_FORGET_S = 600.0
"""Seconds of silence after which a voice is forgotten."""


class _Learning:
    """The baseline of one person and source, learned from what came before."""

    def __init__(self, baseline: Baseline) -> None:
        self.baseline = baseline
        self.time = -np.inf
        self._step = -np.inf
        self._offset = baseline.population.nothing
        self._waiting: list[tuple[np.ndarray, np.ndarray]] = []
        self._recent: deque[tuple[np.ndarray, np.ndarray, float]] = deque()

    def before(self, step: float) -> Offset:
        """What was known before a step of time, however what came since was cut."""
        if step > self._step:
            for logits, seconds in self._waiting:
                self.baseline.add(logits, seconds)
            if self._waiting:
                self._offset = self.baseline.offset
            self._waiting, self._step = [], step
        return self._offset

    def add(self, logits: np.ndarray, seconds: np.ndarray, time: float) -> None:
        """Take moments of the step under way."""
        self._waiting.append((logits, seconds))
        self._recent.append((logits, seconds, time))
        self.time = time
        while self._recent[0][2] < time - NEUTRAL_S:
            self._recent.popleft()

    def neutral(self) -> None:
        """The last `NEUTRAL_S` were neutral: they are counted as that instead, and used at once."""
        self.before(np.nextafter(self._step, np.inf))
        for logits, seconds, _ in self._recent:
            self.baseline.add(logits, -seconds)
            self.baseline.add(logits, seconds, neutral=True)
        self._recent.clear()
        self._offset = self.baseline.offset


@dataclass(eq=False)
class _Steady:
    smoother: Smoother
    time: float = field(default=-np.inf)


class Reader:
    """Reads evidence in order of time.

    Faces come out at once. A voice comes once the frames up to its end have been seen, since then it is known whose
    mouth moved, and a fused observation once neither face nor voice can change it; neither waits longer than
    `MAX_WAIT_S`. How the evidence is cut makes no difference to what comes out, and the state is bounded.

    Args:
        face: the model of the faces, or `None` where there are none.
        voice: the model of the voices, or `None` where there are none.
        smoothing: of each person's face: `mean`, `vote` or `none`; by default `mean`, but `none` for a sequence model,
            which looks back by itself.
        offsets: what is known of the offsets of persons; of others, and of models without population statistics,
            the logits are read as they are. `None`: everybody's is learned from what came before.
        mix: how often each emotion is expected; even by default.
        whose: whose the voice from start to end seconds is; by default, the person's whose mouth moves.

    Attributes:
        labels: of the timeline.
        columns: of its tables.
        smoothing: the one in use.

    Raises:
        ValueError: no smoothing has that name.
    """

    def __init__(
        self,
        face: Source | None,
        voice: Source | None,
        smoothing: str | None = None,
        offsets: Mapping[Key, Offset] | None = None,
        mix: Mapping[str, float] | None = None,
        whose: Callable[[float, float], int | None] | None = None,
    ) -> None:
        self.smoothing = smoothing or ("none" if face and face.modality == "sequence" else "mean")
        if self.smoothing not in SMOOTHERS:
            raise ValueError(f"no smoothing is named {smoothing!r}; there are {', '.join(SMOOTHERS)}")
        self.face, self.voice = face, voice
        self.labels = joined(*(source.labels for source in (face, voice) if source))
        self.columns = column_names(self.labels, QUALITY if face else ())
        both = [label for label in (voice.labels if voice else ()) if face and label in face.labels]
        weights = _weight(face, offsets), _weight(voice, offsets)
        self._fuser = Fuser(self.labels, columns(both, self.labels), *weights)
        self._offsets, self._mix = offsets, mix
        self._learning: dict[Key, _Learning] = {}
        self._nothing = Timeline.empty(self.labels)
        self._mouths = Mouths()
        self._whose = whose or self._mouths.speaker
        self._steady: dict[int, _Steady] = {}
        self._waiting = Voices.empty(len(voice.labels) if voice else 0)

    def add(self, faces: Faces | None, voices: Voices | None, seen: float, heard: float) -> Timeline:
        """Take the next evidence.

        Args:
            faces: of the next frames, or none.
            voices: the next windows of speech, or none.
            seen: seconds up to which all frames have been given; infinite where none will come.
            heard: seconds before which no further window can start; infinite where none will come.

        Returns:
            the faces, then the voices and fused observations that became certain.
        """
        parts = [self._nothing]
        if faces is not None and len(faces):
            parts.append(self._read_faces(faces))
            self._fuser.add(parts[-1], self._nothing)
        if voices is not None and len(voices):
            self._waiting = Voices.join([self._waiting, voices])
        waited = max((time for time in (seen, heard) if time != np.inf), default=np.inf) - MAX_WAIT_S
        parts.append(self._read_voices(max(seen, waited)))
        first = self._waiting.start.min(initial=np.inf)
        parts.append(self._fuser.settle(min(max(min(seen, heard), waited), first)))
        self._mouths.forget(min(seen, first) - MEMORY_S)
        return Timeline.join(parts)

    def close(self) -> Timeline:
        """The stream has ended: return what was still waiting."""
        return self.add(None, None, np.inf, np.inf)

    def _read_faces(self, faces: Faces) -> Timeline:
        assert self.face
        person = faces.track
        self._mouths.add(faces.time, person, faces.mouth, faces.rest)
        scored = np.empty(faces.logits.shape)
        for one in np.unique(person).tolist():
            own = person == one
            time, lasting = faces.time[own], faces.duration[own]
            smoother, logits = self._smoother(one, time), faces.logits[own]
            if self._plain("face", self.face, one) or self.smoothing != "mean":
                scored[own] = smoother.update(time, self._scores("face", self.face, one, time, lasting, logits))
            else:  # the statistics are of moments, not of frames: the logits are steadied, not the scores
                steady = smoother.update(time, logits.astype(np.float64))
                scored[own] = self._scores("face", self.face, one, time, lasting, steady)
        ago = float(faces.time[-1]) - FORGET_S
        self._steady = {one: steady for one, steady in self._steady.items() if steady.time > ago}
        self._learning = {k: v for k, v in self._learning.items() if k[0] == "voice" or v.time > ago}
        quality = zip(QUALITY, (faces.score, faces.sharpness, faces.turn), strict=True)
        return Timeline(
            faces.time,
            faces.time + faces.duration,
            np.full(len(faces), FACE, np.int8),
            person,
            faces.box,
            expand(scored, self.face.labels, self.labels),
            self.labels,
            {name: column.astype(np.float64) for name, column in quality},
        )

    def _scores(
        self,
        name: str,
        source: Source,
        person: int,
        time: np.ndarray,
        seconds: np.ndarray,
        logits: np.ndarray,
    ) -> np.ndarray:
        """The scores `(n, k)` of moments of one person in order of time, given what is known of the person."""
        key = name, person
        if source.population is None or self._plain(name, source, person):
            return _unit(probabilities(logits, source.temperature))
        mix = source.population.mix(self._mix)
        if self._offsets is not None:
            return scores(logits, self._offsets[key], source.population, mix, source.temperature)
        learning = self._learning.setdefault(key, _Learning(Baseline(source.population, mix)))
        scored = np.empty(logits.shape)
        for step in np.unique(time // LEARN_S):
            own = time // LEARN_S == step
            offset = learning.before(float(step))
            scored[own] = scores(logits[own], offset, source.population, mix, source.temperature)
            learning.add(logits[own], np.maximum(seconds[own], LEAST_S), float(time[own][-1]))
        return scored

    def _plain(self, name: str, source: Source, person: int) -> bool:
        """Whether a person is read without a baseline."""
        return source.population is None or (self._offsets is not None and (name, person) not in self._offsets)

    def known(self, person: int) -> dict[str, Offset]:
        """What has been learned of a person so far, by source."""
        return {name: one.baseline.offset for (name, who), one in self._learning.items() if who == person}

    def neutral(self, person: int) -> bool:
        """Take a person's face of the last `NEUTRAL_S` for their neutral one; returns whether there was any.

        Only where baselines are learned from what came before.
        """
        learning = self._learning.get(("face", person))
        if learning is None or NEUTRAL not in learning.baseline.population.labels:
            return False
        learning.neutral()
        return True

    def _smoother(self, person: int, times: np.ndarray) -> Smoother:
        steady = self._steady.setdefault(person, _Steady(SMOOTHERS[self.smoothing]()))
        steady.time = float(times[-1])
        return steady.smoother

    def _read_voices(self, seen: float) -> Timeline:
        """The voices that end by `seen` seconds: it is known whose mouth moved."""
        known = self._waiting.end <= seen
        if not known.any():
            return self._nothing
        assert self.voice
        voices, self._waiting = self._waiting.take(known), self._waiting.take(~known)
        spans = zip(voices.start.tolist(), voices.end.tolist(), strict=True)
        person = np.array([self._whose(start, end) or NOBODY for start, end in spans], np.int32)
        scored = np.empty(voices.logits.shape)
        for one in np.unique(person).tolist():
            own = person == one
            start, lasting = voices.start[own], (voices.end - voices.start)[own]
            logits = voices.logits[own]
            scored[own] = self._scores("voice", self.voice, one, start, lasting, logits)
        ago = float(voices.start[-1]) - VOICE_FORGET_S
        self._learning = {k: v for k, v in self._learning.items() if k[0] == "face" or v.time > ago}
        read = Timeline(
            voices.start,
            voices.end,
            np.full(len(voices), VOICE, np.int8),
            person,
            np.full((len(voices), 4), np.nan),
            expand(scored, self.voice.labels, self.labels),
            self.labels,
        )
        self._fuser.add(self._nothing, read)
        return read


def _weight(source: Source | None, offsets: Mapping[Key, Offset] | None) -> float:
    """The exponent of a source's scores in fusion.

    Read against baselines, scores are as sure as they are right, and count in full: of the weights 0.15 to 1 this one
    is the likeliest on the validation actors' clips (log-likelihood -0.39, against -0.66 at 0.35; n = 27).
    """
    if source is None:
        return 0.0
    return 1.0 if source.population is not None and offsets != {} else source.fusion_weight


def _unit(single: np.ndarray) -> np.ndarray:
    """Probabilities as float64 whose rows sum to 1 within its rounding."""
    exact = single.astype(np.float64)
    return exact / exact.sum(1, keepdims=True)
