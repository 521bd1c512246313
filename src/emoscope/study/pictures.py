"""Many pictures: the models are loaded once a process, and each picture is one row."""

import csv
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ..analysis import analyze
from ..errors import EmoscopeError
from ..timeline import BOX, SCORE_DIGITS, Timeline
from .recordings import Recording
from .work import Settings

PICTURES = "pictures.csv"
"""The table, in a study's folder."""
PORTION = 50
"""Pictures that a process does at a time: what an interruption loses at most, in each."""


def portions(study: Path, pictures: Sequence[Recording]) -> list[list[Recording]]:
    """The pictures that have no row yet, in portions."""
    done = {row["recording"] for row in read_pictures(study)}
    left = [each for each in pictures if each.name not in done]
    return [left[first : first + PORTION] for first in range(0, len(left), PORTION)]


def read_pictures(study: Path) -> list[dict[str, str]]:
    """The rows of `pictures.csv`; none where it is not there."""
    try:
        with (study / PICTURES).open(newline="", encoding="utf-8") as file:
            return [row for row in csv.DictReader(file) if None not in row.values()]  # the last may be cut off
    except FileNotFoundError:
        return []


def score(pictures: Sequence[Recording], settings: Settings) -> list[dict[str, Any]]:
    """A row for each picture: of its largest face, or of none, or why it cannot be read."""
    return [_row(each, settings) for each in pictures]


def lost(pictures: Sequence[Recording]) -> list[dict[str, Any]]:
    """The rows of pictures whose process was killed."""
    return [{**_facts(each), "reason": "the process that read it was killed"} for each in pictures]


def append(study: Path, rows: Sequence[dict[str, Any]], labels: Sequence[str], own: Sequence[str]) -> None:
    """Add rows to `pictures.csv`."""
    names = ["recording", "path", *own, "faces", *BOX, *labels, "emotion", "confidence", "reason"]
    path = study / PICTURES
    new = not path.exists()
    with path.open("a", newline="", encoding="utf-8", errors="replace") as file:
        writer = csv.DictWriter(file, names, restval="", lineterminator="\n")
        if new:
            writer.writeheader()
        writer.writerows(rows)


def _facts(recording: Recording) -> dict[str, Any]:
    return {"recording": recording.name, "path": str(recording.path), **recording.columns}


def _row(recording: Recording, settings: Settings) -> dict[str, Any]:
    facts = _facts(recording)
    try:
        timeline = analyze(recording.path, options=settings.options, **settings.analysis)
    except (EmoscopeError, ValueError, OSError, MemoryError) as error:
        return {**facts, "reason": str(error)}
    return {**facts, **_largest(timeline.select("face"))}


def _largest(faces: Timeline) -> dict[str, Any]:
    """The values of the largest of a picture's faces."""
    if not len(faces):
        return {"faces": 0}
    face = faces[int((faces.box[:, 2] * faces.box[:, 3]).argmax())]
    assert face.box
    scores = {label: round(score, SCORE_DIGITS) for label, score in zip(face.labels, face.scores, strict=True)}
    box = dict(zip(BOX, map(round, face.box), strict=True))
    return {"faces": len(faces), **box, **scores, "emotion": face.emotion, "confidence": max(scores.values())}
