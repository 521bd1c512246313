"""A stream of frames and sound in, observations out as they become certain: an observer and a reader."""

from pathlib import Path
from typing import Literal

import numpy as np

from .evidence import Faces, Voices
from .models import Device, Model, load
from .observer import Observer
from .reading.baseline import Population
from .reading.meeting import Meeting
from .reading.reader import Reader
from .reading.source import Source
from .timeline import Observation


class Session:
    """One stream of frames and sound, whoever feeds it: a camera, a microphone, a program of yours.

    Frames and sound are fed in order of time, each for itself; what comes out is in order of time for each source and
    person. Who comes back has the same number, by their looks. A voice comes once the frames up to its end have been
    seen, and a fused observation once neither face nor voice can change it any more; neither waits longer than
    `reading.fusion.MAX_WAIT_S`. So it makes no difference how the sound is cut. The state is bounded, however long the
    stream.

    Args:
        faces: whether frames will be fed.
        voice: whether sound will be fed.
        face_model: a model, the path of one, or a name: `face` for the default, `sequence` for the default of those
            that look at each person's last moments rather than at single frames.
        voice_model: a model, the path of one, or a name: `voice` for the default.
        smoothing: of each face's scores: `mean` (exponential mean over time), `vote` (majority of each batch of 10
            faces) or `none`. By default `mean`, but `none` for a sequence model, which looks back by itself.
        baseline: `causal`: each person is read against what was seen and heard of them before; or `none`.
        device: `cpu`, `cuda`, or `auto` for what there is.
        threads: threads of each network.

    Attributes:
        models: the models in use, by `face` and `voice`.
        labels: what the scores of its observations stand for.
        columns: of the table of its observations.

    Raises:
        ModelError: a model is unknown, damaged, or of the other kind.
        ValueError: no smoothing has that name.
    """

    def __init__(
        self,
        faces: bool = True,
        voice: bool = True,
        face_model: str | Path | Model = "face",
        voice_model: str | Path | Model = "voice",
        smoothing: str | None = None,
        baseline: Literal["causal", "none"] = "causal",
        device: Device = "auto",
        threads: int = 1,
    ) -> None:
        self.models: dict[str, Model] = {}
        if faces:
            self.models["face"] = load(face_model, ("face", "sequence"), device=device, threads=threads)
        if voice:
            self.models["voice"] = load(voice_model, "voice", device=device, threads=threads)
        self._observer = Observer(self.models.get("face"), self.models.get("voice"), threads)
        sources = {name: source(model) for name, model in self.models.items()}
        self._reader = Reader(sources.get("face"), sources.get("voice"), smoothing, {} if baseline == "none" else None)
        self._meeting = Meeting()
        self.labels, self.columns = self._reader.labels, self._reader.columns

    def add_frame(self, image: np.ndarray, time: float, duration: float = 0.0) -> list[Observation]:
        """Feed one frame.

        Args:
            image: RGB uint8 `(height, width, 3)`; not to be changed before the next one is fed.
            time: seconds from the start of the stream at which it is shown; not before the last one's.
            duration: seconds until the next one.

        Returns:
            the faces seen in this frame, then the voices and fused observations that became certain.

        Raises:
            ValueError: the image has another shape or type, or the session was made without faces.
        """
        return self._read(self._observer.add_frame(image, time, duration), None)

    def search(self) -> None:
        """Search the last frame for newcomers now, rather than when the next one comes.

        For a driver that has time between frames; it makes no difference to the observations.
        """
        self._observer.search()

    def add_sound(self, samples: np.ndarray, time: float) -> list[Observation]:
        """Feed a run of sound.

        Args:
            samples: mono `(n,)` at 16 kHz in [-1, 1], of a floating type.
            time: seconds from the start of the stream of the first sample.

        Returns:
            the voices and fused observations that became certain.

        Raises:
            ValueError: the samples have another shape or type or are not numbers, or the session was made without
                voice.
        """
        return self._read(None, self._observer.add_sound(samples, time))

    def known_s(self, person: int) -> float:
        """Seconds of a person's face that their baseline was learned from; 0 for nobody known."""
        offset = self._reader.known(person).get("face")
        return offset.seconds if offset else 0.0

    def neutral(self, person: int) -> bool:
        """The person's face of the last two seconds was neutral: from now on they are read against it.

        Returns:
            whether anything of that face is known.
        """
        return self._reader.neutral(person)

    def close(self) -> list[Observation]:
        """End the stream and return what was still waiting."""
        rest = self._observer.finish()
        return [*self._read(None, rest), *self._reader.close()]

    def _read(self, faces: Faces | None, voices: Voices | None) -> list[Observation]:
        looks = self._observer.identities().looks
        numbered = self._meeting.number(Faces.empty(0) if faces is None else faces, looks)
        if faces is not None:
            faces = numbered
        return list(self._reader.add(faces, voices, self._observer.seen, self._observer.heard))


def source(model: Model) -> Source:
    """What a reading needs to know of a model."""
    card = model.card
    population = Population.from_json(card.population, card.labels) if card.population else None
    return Source(card.name, card.modality, card.labels, card.temperature, card.fusion_weight, population)
