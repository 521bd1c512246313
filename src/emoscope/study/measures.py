"""What a recording comes to: a row for each person in it and each source."""

from typing import Any

import numpy as np

from ..export.stretches import stretches
from ..report.totals import total, totals
from ..timeline import NOBODY, SCORE_DIGITS, SECONDS_DIGITS, SOURCES, Timeline

SHARE, ONSETS = "_share", "_onsets_per_min"
"""After a label: the share of the time for which it is the highest, and how often a minute it becomes the highest."""
MAIN = "main"
"""Who of a recording is its person, where the user says whose it is: the one who is observed longest."""


def measures(timeline: Timeline) -> list[dict[str, Any]]:
    """The rows of one recording, those observed longest first; the first person is the main one.

    Each has `who`, `source`, `observations`, `seconds` (overlapping ones count once), for each label its mean score
    (each observation weighted by its length), its share of the time and its onsets a minute, then `emotion` (the
    highest mean), `confidence` (how sure: the mean of each moment's highest score) and `main`.
    """
    order = list(dict.fromkeys(row.person for row in totals(timeline)))
    rows = []
    for place, person in enumerate(order):
        own = timeline[timeline.person == (person or NOBODY)]
        for source in SOURCES:
            part = own.select(source)
            if len(part):
                rows.append({**_row(part, total(person, source, part).seconds), MAIN: int(place == 0)})
    return rows


def _row(part: Timeline, seconds: float) -> dict[str, Any]:
    """The row of one person and one source, at least one observation."""
    source, person = SOURCES[part.source[0]], int(part.person[0])
    lengths = part.end - part.start
    weights = lengths if lengths.any() else np.ones(len(part))
    weights = weights / weights.sum()
    said, means = part.scores.argmax(1), part.mean_scores()
    begun = [s.emotion for own in stretches(part, source).values() for s in own]
    row: dict[str, Any] = {
        "who": part.who(person),
        "source": source,
        "observations": len(part),
        "seconds": round(seconds, SECONDS_DIGITS),
    }
    for place, label in enumerate(part.labels):
        row[label] = round(means[label], SCORE_DIGITS)
        row[label + SHARE] = round(float(weights[said == place].sum()), SCORE_DIGITS)
        row[label + ONSETS] = round(60 * begun.count(label) / seconds, 3) if seconds else None
    row["emotion"] = max(means, key=lambda label: means[label])
    row["confidence"] = round(float(weights @ part.scores.max(1)), SCORE_DIGITS)
    return row
