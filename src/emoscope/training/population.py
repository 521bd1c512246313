"""The population statistics of a model, from labelled recordings of many people: what baselines stand on.

Needs no torch.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from ..data import cremad, ferplus
from ..data.clips import Source as Clip
from ..data.clips import labelled_sources
from ..errors import DataError, EmoscopeError
from ..media import Frame, open_media
from ..models import Model, load
from ..observer import Observer
from ..reading.baseline import Baseline, Population, measure, scores
from .evaluate import logits as logits_of

MOMENT_S = 2.5
"""Seconds between independent moments: about a sentence. Frames differ after 0.4 s, but a whole clip is more alike than
they say: by log-likelihood on CREMA-D's clips (folds over actors) 0.4 s and 1.2 s did worse."""
WIDER = {"face": 1.0, "sequence": 1.0, "voice": 2.0}
"""How many times as much offsets vary elsewhere as in the recordings of one studio, which share a microphone. What a
camera changes is in the statistics already: the known means are of pictures from elsewhere."""
DENSITIES = (0.0, 0.5, 1.0)
"""The shares of the emotions' densities that are tried, see `reading.baseline`."""
FOLDS = 5

Progress = Callable[[float, float | None], None]
Moments = tuple[np.ndarray, np.ndarray, np.ndarray]
"""Logits `(n, k)`, columns of the labels `(n,)`, and whose each is `(n,)`."""


def population(
    name: str | Path, data: Path, labels: Path | None = None, progress: Progress = lambda done, total: None
) -> Population:
    """Measure how a model's logits vary over emotions, moments and people, and write it into its card.

    Args:
        name: a model's name or path.
        data: a folder of labelled clips; or for a voice model without `labels` the folder that holds `cremad/`, of
            whose log-mels the validation actors are used.
        labels: a csv with the columns path, label, person; by default the clips' names say it, as CREMA-D's and
            RAVDESS's do. If the folder that holds `data` holds `ferplus/` too, a face model's means of emotions that no
            clip shows are those of its validation faces.
        progress: told the clips done and in all.

    Raises:
        ModelError: there is no such model.
        DataError: the data is not there.
        EmoscopeError: the recordings do not show what the statistics need.
    """
    model = load(name)
    if model.card.modality == "voice" and labels is None and (data / "cremad").is_dir():
        found, known = _cremad_voices(model, data), None
    else:
        found, known = _moments(model, labelled_sources(data, labels), progress), _stills(model, data)
    command = f"emoscope population {model.card.name} --data DATA"
    made_by = f"{command}: {len(np.unique(found[2]))} persons, {len(found[0])} moments"
    try:
        made = fitted(model, found, known, made_by)
    except ValueError as error:
        raise EmoscopeError(f"{data}: {error}") from None
    replace(model.card, population=made.to_json()).write(model.path.with_suffix(".json"))
    return made


def fitted(model: Model, found: Moments, known: np.ndarray | None, made_by: str = "") -> Population:
    """The statistics of moments, with the share of densities that is likeliest in folds over persons.

    Each person of a fold is read against the mean of all of their moments, by the statistics of the other folds.

    Raises:
        ValueError: see `measure`.
    """
    card = model.card
    logits, labels, persons = found

    def measured(rows: np.ndarray, density: float, words: str = "") -> Population:
        return measure(
            logits[rows],
            labels[rows],
            persons[rows],
            card.labels,
            MOMENT_S,
            density,
            words,
            known,
            WIDER[card.modality],
        )

    people = np.unique(persons)
    likely = np.zeros(len(DENSITIES))
    for fold in range(min(FOLDS, len(people)) if len(people) > 2 else 0):
        held = people[fold::FOLDS]
        try:
            others = measured(~np.isin(persons, held), 0.0)
        except ValueError:  # an emotion that only these persons show
            continue
        for person in held:
            own = persons == person
            baseline = Baseline(others)
            baseline.add(logits[own], np.full(own.sum(), MOMENT_S))
            for place, density in enumerate(DENSITIES):
                reading = replace(others, density=density)
                said = scores(logits[own], baseline.offset, reading, reading.mix(), card.temperature)
                likely[place] += np.log(np.maximum(said[np.arange(len(said)), labels[own]], 1e-6)).sum()
    return measured(np.full(len(labels), True), DENSITIES[int(likely.argmax())], made_by)


def _moments(model: Model, clips: Sequence[Clip], progress: Progress) -> Moments:
    """The logits of independent moments of labelled clips, through the whole pipeline."""
    rows: list[np.ndarray] = []
    labels: list[int] = []
    persons: list[str] = []
    for place, clip in enumerate(clips):
        if clip.label not in model.card.labels:
            raise DataError(f"{clip.path}: {model.card.name} cannot say {clip.label}")
        times, logits = _observed(model, clip.path)
        for moment in independent(times, logits):
            rows.append(moment)
            labels.append(model.card.labels.index(clip.label))
            persons.append(clip.person)
        progress(place + 1, len(clips))
    if not rows:
        raise DataError("no face and no voice was found in the recordings")
    return np.array(rows), np.array(labels), np.array(persons)


def independent(times: np.ndarray, logits: np.ndarray) -> list[np.ndarray]:
    """The mean logits of each independent moment of a clip, `(k,)`: parts of about `MOMENT_S`, alike in length."""
    if not len(times):
        return []
    count = max(1, round(float(times[-1] - times[0]) / MOMENT_S))
    part = np.minimum((times - times[0]) / max(float(times[-1] - times[0]), 1e-9) * count, count - 1).astype(int)
    return [logits[part == one].astype(np.float64).mean(0) for one in np.unique(part)]


def _observed(model: Model, path: Path) -> tuple[np.ndarray, np.ndarray]:
    """The times `(n,)` and logits `(n, k)` of one recording."""
    voice = model.card.modality == "voice"
    observer = Observer(None if voice else model, model if voice else None)
    found: list[tuple[np.ndarray, np.ndarray]] = [(np.zeros(0), np.zeros((0, len(model.card.labels))))]
    with open_media(path) as media:
        for item in media:
            if isinstance(item, Frame):
                if not voice:
                    faces = observer.add_frame(item.image, item.time, item.duration)
                    found.append((faces.time, faces.logits))
            elif voice:
                heard = observer.add_sound(item.samples, item.time)
                found.append((heard.start, heard.logits))
        rest = observer.finish()
        if voice:
            found.append((rest.start, rest.logits))
    return np.concatenate([times for times, _ in found]), np.concatenate([logits for _, logits in found])


def _cremad_voices(model: Model, data: Path) -> Moments:
    """CREMA-D's validation actors, whom the shipped voice models have not learned from."""
    part = cremad.load_logmels(data, "validation")
    names = [clip.emotion for clip in part.clips]
    labels = np.array([model.card.labels.index(name) for name in names])
    return logits_of(model, part.logmel), labels, np.array([clip.actor for clip in part.clips])


def _stills(model: Model, data: Path) -> np.ndarray | None:
    """A face model's mean logits of each emotion on FER+'s validation faces, if they are there."""
    folder = data if (data / "ferplus").is_dir() else data.parent
    if model.card.modality != "face" or not (folder / "ferplus").is_dir():
        return None
    faces = ferplus.load(folder, "validation")
    labels = ferplus.majority(faces.votes)
    logits = logits_of(model, faces.images)
    return np.array([logits[labels == column].mean(0) for column in range(len(model.card.labels))])
