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
from ..reading.baseline import Population, measure
from .evaluate import logits as logits_of

MOMENT_S = {"face": 0.4, "sequence": 1.5, "voice": 2.5}
"""Seconds between independent moments. Faces: the correlation of the logits over time, each clip's mean taken away,
has fallen to 0.12 after 0.4 s (216 CREMA-D clips). A sequence model looks back 1.5 s; a sentence lasts about 2.5 s."""
CAUTION = {"face": 1.0, "sequence": 1.0, "voice": 6.0}
"""See `reading.baseline.Population`. Voices differ less between emotions than faces do, so that one emotion and one
person are told apart less well: what a recording shows on the whole is trusted less. Of nine settings of this and of
`WIDER` for voices, these lose least on CREMA-D's validation actors where a recording holds one emotion only, and still
gain on RAVDESS (`results/baseline/`)."""
WIDER = {"face": 1.0, "sequence": 1.0, "voice": 3.0}
"""How many times as much offsets vary elsewhere as in the recordings of one studio, which share a microphone."""

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
    kind = model.card.modality
    if kind == "voice" and labels is None and (data / "cremad").is_dir():
        found, known = _cremad_voices(model, data), None
    else:
        found, known = _moments(model, labelled_sources(data, labels), progress), _stills(model, data)
    command = f"emoscope population {model.card.name} --data DATA"
    made_by = f"{command}: {len(np.unique(found[2]))} persons, {len(found[0])} moments"
    try:
        made = measure(
            *found, model.card.labels, MOMENT_S[kind], CAUTION[kind], made_by, known=known, wider=WIDER[kind]
        )
    except ValueError as error:
        raise EmoscopeError(f"{data}: {error}") from None
    replace(model.card, population=made.to_json()).write(model.path.with_suffix(".json"))
    return made


def _moments(model: Model, clips: Sequence[Clip], progress: Progress) -> Moments:
    """The logits of independent moments of labelled clips, through the whole pipeline."""
    rows: list[np.ndarray] = []
    labels: list[int] = []
    persons: list[str] = []
    for place, clip in enumerate(clips):
        if clip.label not in model.card.labels:
            raise DataError(f"{clip.path}: {model.card.name} cannot say {clip.label}")
        times, logits = _observed(model, clip.path)
        step = MOMENT_S[model.card.modality]
        for moment in np.unique(times // step):
            rows.append(logits[times // step == moment].astype(np.float64).mean(0))
            labels.append(model.card.labels.index(clip.label))
            persons.append(clip.person)
        progress(place + 1, len(clips))
    if not rows:
        raise DataError("no face and no voice was found in the recordings")
    return np.array(rows), np.array(labels), np.array(persons)


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
