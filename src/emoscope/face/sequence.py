"""The emotion of a face over time: each face is looked at once, and its features are remembered for a window."""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ..models import Model, SequenceInput
from .classify import check_crops, planes
from .windows import FaceWindows


@dataclass(slots=True)
class _Memory:
    """What is remembered of a person: as many faces as a window can need."""

    times: deque[float] = field(default_factory=deque)
    features: deque[np.ndarray] = field(default_factory=deque)


class SequenceClassifier:
    """Runs a sequence model on the faces of a stream, frame by frame.

    The state is bounded: it holds the features of the last `plan.span` seconds of those who were seen in that time.

    Args:
        model: of modality `sequence`: it takes a face, as its card says, and the features of the faces before it,
            `(n, faces - 1, features)`, oldest first and 0 where there is none, and gives logits and features.

    Attributes:
        input: how its windows are made.
        plan: of the windows.

    Raises:
        ModelError: its card does not say which window it wants.
    """

    def __init__(self, model: Model) -> None:
        self.model = model
        self.input = SequenceInput.from_card(model.card.name, model.card.input)
        self.plan = FaceWindows(self.input.faces, self.input.dilation_s, self.input.stride_s)
        self._people: dict[int, _Memory] = {}

    def logits(self, persons: Sequence[int], time: float, crops: np.ndarray) -> np.ndarray:
        """The logits of the persons of the next frame.

        Args:
            persons: the number of each.
            time: seconds; not before the last frame's.
            crops: uint8, steady (see `face.steady`), as `FaceClassifier.logits` takes them.

        Returns:
            `(n, labels)` float32, over the window that ends now.

        Raises:
            ValueError: the crops have another shape.
        """
        check_crops(crops, self.input.face, len(persons))
        self._forget(time)
        if not len(persons):
            return np.empty((0, len(self.model.card.labels)), np.float32)
        past = np.array([self._past(person, time) for person in persons])
        logits, features = self.model.run(planes(crops, self.input.face), past)
        for person, feature in zip(persons, features, strict=True):
            self._remember(person, time, feature)
        return logits

    def state(self) -> dict[str, Any]:
        """What `restore` needs to go on from here, as numbers and arrays."""
        kept = [[person, list(memory.times), list(memory.features)] for person, memory in self._people.items()]
        return {"people": kept}

    def restore(self, state: dict[str, Any]) -> None:
        """Go on from a state."""
        self._people = {person: _Memory(deque(times), deque(kept)) for person, times, kept in state["people"]}

    def _past(self, person: int, time: float) -> np.ndarray:
        """The features of the slots before the newest, `(faces - 1, features)`."""
        memory = self._people.get(person, _Memory())
        index, known = self.plan.window(np.array([*memory.times, time]), time)
        past = np.zeros((self.plan.faces - 1, self.input.features), np.float32)
        for slot in np.flatnonzero(known[:-1]):
            past[slot] = memory.features[index[slot]]
        return past

    def _remember(self, person: int, time: float, feature: np.ndarray) -> None:
        memory = self._people.setdefault(person, _Memory())
        if not memory.times or self.plan.far_enough(memory.times[-1], time):
            memory.times.append(time)
            memory.features.append(feature)

    def _forget(self, time: float) -> None:
        oldest = time - self.plan.span - self.plan.dilation
        for memory in self._people.values():
            while memory.times and memory.times[0] < oldest:
                memory.times.popleft()
                memory.features.popleft()
        self._people = {person: memory for person, memory in self._people.items() if memory.times}
