"""Evidence by person: what `reading.persons` found and people corrected, as the reader takes it."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ..evidence import Evidence, Pieces
from ..timeline import NOBODY
from .corrections import DROPPED, Corrections
from .persons import Grouping, grouping, person_of_faces, person_of_voices


@dataclass(frozen=True, eq=False)
class Who:
    """A recording by person.

    Attributes:
        evidence: with the person of each face as its track; without faces that are nobody's, and what was dropped.
        spoken: `(n,)` whose each of its windows of speech is.
        grouping: who is who, corrected.
        notes: what to know of it.
    """

    evidence: Evidence
    spoken: np.ndarray
    grouping: Grouping
    notes: list[str]

    def whose(self) -> Callable[[float, float], int | None]:
        """Whose voice it is from start to end seconds, of windows of the evidence."""
        voices = self.evidence.voices
        spans = zip(voices.start.tolist(), voices.end.tolist(), strict=True)
        person = dict(zip(spans, self.spoken.tolist(), strict=True))
        return lambda start, end: person.get((start, end))

    def persons(self) -> list[dict[str, Any]]:
        """A row a person: `person`, `name`, `seen_s`, `heard_s`, `start_s`, `end_s`, `picture`, `maybe`.

        `name` is `None` where nobody gave one, `picture` whether it is a picture of a face, and `maybe` lists the
        persons that may be the same, each with how alike they are.
        """
        faces, voices = self.evidence.faces, self.evidence.voices
        numbers = sorted({*faces.track.tolist(), *self.spoken.tolist()} - {NOBODY})
        rows = []
        for one in numbers:
            seen, heard = faces.track == one, self.spoken == one
            times = [*faces.time[seen].tolist(), *voices.start[heard].tolist()]
            ends = [*(faces.time[seen] + faces.duration[seen]).tolist(), *voices.end[heard].tolist()]
            maybe = [(b if a == one else a, alike) for a, b, alike in self.grouping.doubts if one in (a, b)]
            rows.append({
                "person": one,
                "name": self.grouping.names.get(one),
                "seen_s": round(float(faces.duration[seen].sum()), 2),
                "heard_s": round(float((voices.end - voices.start)[heard].sum()), 2),
                "start_s": round(min(times), 3),
                "end_s": round(max(ends), 3),
                "picture": one in self.grouping.pictures,
                "maybe": [{"person": other, "alike": round(alike, 2)} for other, alike in maybe],
            })  # fmt: skip
        return rows

    def identity(self, person: int) -> dict[str, np.ndarray]:
        """What a person looks and sounds like, by source `face` and `voice`; nothing where embeddings were not kept."""
        looks, speakers = self.evidence.looks, self.evidence.speakers
        pieces = self.grouping.pieces.take(self.grouping.pieces.person == person)
        seen, heard = np.zeros(len(looks), bool), np.zeros(len(speakers), bool)
        for track, start, end in zip(pieces.track.tolist(), pieces.start.tolist(), pieces.end.tolist(), strict=True):
            if track:
                seen |= (looks.track == track) & (looks.time >= start - 1e-9) & (looks.time <= end + 1e-9)
            else:
                heard |= (speakers.start < end) & (speakers.end > start)
        rows = {"face": looks.embedding[seen], "voice": speakers.embedding[heard]}
        total = {name: own.astype(np.float64).sum(0) for name, own in rows.items() if len(own)}
        return {name: row / max(float(np.linalg.norm(row)), 1e-9) for name, row in total.items()}


def automatic(evidence: Evidence) -> Grouping:
    """Who is who as it was worked out when the recording was observed, or else from what the evidence holds."""
    facts = evidence.info.get("grouping")
    return Grouping.from_json(evidence.pieces, facts) if facts else grouping(evidence, 0.0)


def who(evidence: Evidence, corrections: Corrections | None = None) -> Who:
    """The evidence by person.

    Args:
        evidence: of a recording.
        corrections: what people say.
    """
    found, notes = (corrections or Corrections()).apply(automatic(evidence))
    faces, voices = evidence.faces, evidence.voices
    seen = person_of_faces(faces, found.pieces)
    spoken = person_of_voices(voices.start, voices.end, found.pieces)
    kept = seen > NOBODY
    heard = spoken != DROPPED
    numbered = replace(
        evidence,
        faces=replace(faces.take(kept), track=seen[kept]),
        voices=voices.take(heard),
    )
    return Who(numbered, spoken[heard], found, [*notes, *_notes(found)])


def view_rows(evidence: Evidence, pieces: Pieces) -> dict[int, int]:
    """For each person the row of `evidence.views` that shows them best."""
    views = evidence.views
    best: dict[int, int] = {}
    for row in range(len(views)):
        own = (pieces.track == views.track[row]) & (pieces.start <= views.time[row] + 1e-9)
        own &= pieces.end >= views.time[row] - 1e-9
        for one in np.unique(pieces.person[own]).tolist():
            if one > NOBODY and (one not in best or views.quality[row] > views.quality[best[one]]):
                best[one] = row
    return best


def _notes(found: Grouping) -> list[str]:
    notes = []
    most, seconds = found.crowd
    if most:
        faces = f"up to {most} faces at once" if most > 1 else "a face"
        notes.append(f"{faces}, in {seconds:.1f} s of it, too small to tell who it is: counted, not numbered")
    return notes
