"""What the recipes for voices learn from: CREMA-D under each protocol, other corpora, recordings of one's own."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from rich.progress import Progress, TaskID

from ..data import ased, cremad, nemo, ravdess, recordings, splits, votes
from ..emotions import CREMAD_EMOTIONS, one_hot
from ..errors import DataError
from .loop import Samples
from .recipe import Splits

UNHEARD_SENTENCES = frozenset({"IWL", "MTI", "TAI", "WSI"})
"""The sentences that validate under the protocol `sentences`; the other eight train."""


def load_tfds(data: Path) -> Splits:
    """CREMA-D's training and validation actors, with the emotion that was acted."""
    train, validation = _pair(data)
    return _acted(train), _acted(validation)


def load_random(data: Path) -> Splits:
    """The same clips, shuffled: the same actors on both sides, in sets of the same sizes. Inflated."""
    train, validation = _pair(data)
    clips = [*train.clips, *validation.clips]
    logmel, frames, labels = (np.concatenate(parts) for parts in zip(train[1:], validation[1:], strict=True))
    both = cremad.LogMels(clips, logmel, frames, labels)
    validates = splits.random(len(clips), len(validation.clips) / len(clips))
    return _acted(both, ~validates), _acted(both, validates)


def load_sentences(data: Path) -> Splits:
    """Neither an actor nor a sentence is on both sides: `tfds` without the clips that share one."""
    train, validation = _pair(data)
    unheard = [np.array([clip.sentence in UNHEARD_SENTENCES for clip in part.clips]) for part in (train, validation)]
    return _acted(train, ~unheard[0]), _acted(validation, unheard[1])


def load_perceived(data: Path) -> Splits:
    """What raters heard: their distribution to learn, the emotion that most of them named to validate."""
    made = []
    for part in _pair(data):
        counts = votes.votes(data, part.clips)
        targets = votes.distribution(counts, part.labels, share=1.0)
        made.append(Samples(part.logmel, targets, votes.perceived(counts)))
    return made[0], made[1]


CORPORA = {"ravdess": ravdess.recordings, "ased": ased.recordings, "nemo": nemo.recordings}
"""What `voice-research` learns from beside CREMA-D."""


def load_corpora(data: Path) -> Splits:
    """CREMA-D's training actors and all that there is of `CORPORA`; CREMA-D's validation actors validate."""
    train, validation = load_tfds(data)
    return together([train, *(listened(data, name) for name in CORPORA)]), validation


def together(corpora: Sequence[Samples]) -> Samples:
    """Corpora as one, each drawn by the root of its size, so that none drowns the rest."""
    shares = np.concatenate([np.full(len(part.labels), len(part.labels) ** -0.5) for part in corpora])
    inputs, targets, labels = (
        np.concatenate([getattr(part, name) for part in corpora]) for name in ("inputs", "targets", "labels")
    )
    return Samples(inputs, targets, labels, shares / shares.sum())


def listened(data: Path, name: str) -> Samples:
    """The recordings of one of `CORPORA` that show one of CREMA-D's emotions, with the emotion that was acted."""
    listed = [recording for recording in CORPORA[name](data) if recording.emotion in CREMAD_EMOTIONS]
    labels = np.array([CREMAD_EMOTIONS.index(recording.emotion) for recording in listed], np.int64)
    with Progress(transient=True) as progress:
        task = progress.add_task(f"listening to {name}", total=len(listed))
        pictures = recordings.log_mels(listed, lambda done, _: progress.update(task, completed=done))
    return Samples(pictures, one_hot(labels, len(CREMAD_EMOTIONS)), labels)


def table_labels(data: Path) -> tuple[str, ...]:
    """The labels that occur in `recordings.csv`, in order of name."""
    return tuple(sorted({recording.emotion for recording in recordings.read_table(data / "recordings.csv")}))


def load_table(data: Path) -> Splits:
    """The recordings that `recordings.csv` lists: four fifths of the persons train, the others validate.

    Raises:
        DataError: the table or a file is not what it should be, or there is only one person.
        MediaError: a file cannot be read.
    """
    listed = recordings.read_table(data / "recordings.csv")
    persons = [recording.person for recording in listed]
    if len(set(persons)) < 2:
        raise DataError(f"{data / 'recordings.csv'} has one person: expected two or more, to keep some for validation")
    with Progress(transient=True) as progress:
        task = progress.add_task("listening", total=len(listed))
        pictures = recordings.log_mels(listed, lambda done, _: progress.update(task, completed=done))
    names = table_labels(data)
    labels = np.array([names.index(recording.emotion) for recording in listed])
    return apart(pictures, labels, persons, len(names))


def apart(inputs: np.ndarray, labels: np.ndarray, persons: list[str], classes: int) -> Splits:
    """Samples of one's own: a fifth of the persons validates."""
    validates = splits.by_speaker(persons, OWN_SHARE)
    train, validation = (
        Samples(inputs[chosen], one_hot(labels[chosen], classes), labels[chosen]) for chosen in (~validates, validates)
    )
    return train, validation


OWN_SHARE = 0.2
"""Of the persons of one's own data, that validate."""


def _pair(data: Path) -> tuple[cremad.LogMels, cremad.LogMels]:
    found = []
    for split in ("train", "validation"):
        with Progress(transient=True) as progress:
            task = progress.add_task(f"reading {split} clips", total=None, visible=False)

            def advance(done: int, total: int, progress: Progress = progress, task: TaskID = task) -> None:
                progress.update(task, completed=done, total=total, visible=True)

            found.append(cremad.load_logmels(data, split, advance))
    return found[0], found[1]


def _acted(part: cremad.LogMels, chosen: np.ndarray | slice = slice(None)) -> Samples:
    """Some of the clips, with the emotion that was acted as target."""
    labels = part.labels[chosen]
    return Samples(part.logmel[chosen], one_hot(labels, len(CREMAD_EMOTIONS)), labels)
