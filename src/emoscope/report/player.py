"""What the page's script needs to show the timeline in step with the recording: the scores in bins, as text."""

import base64
import hashlib
import json
from functools import cache
from importlib.resources import files
from typing import Any

import numpy as np

from ..timeline import Timeline
from .bands import bin_means
from .palette import colours
from .totals import SOURCE_WORDS, shown, totals

STEP_S = 0.1
"""Seconds a bin, where the timeline is short enough."""
MOST = 2_000_000
"""Scores on a page at most, a byte each: longer timelines get longer bins."""
UNSEEN = 255
"""Stands where nothing was observed; scores are 0 to 250."""
FULL = 250


def series(timeline: Timeline) -> str:
    """The scores of each row of the bands, for the page's script.

    Returns:
        JSON that may stand in a page: `length_s`, `bins` in that length, `labels` with their colours, and for each row
        who, source and `scores`, base64 of bytes `(bins, labels)`, 0 to `FULL`, or `UNSEEN` where nothing was observed.
    """
    rows, _ = shown(totals(timeline))
    length = float(timeline.end.max(initial=float(timeline.info.get("duration_s") or 0))) or 1.0
    most = MOST // max(1, len(rows) * len(timeline.labels))
    edges = np.linspace(0, length, int(min(most, max(1, np.ceil(length / STEP_S)))) + 1)
    found: dict[str, Any] = {
        "length_s": round(length, 3),
        "bins": len(edges) - 1,
        "labels": list(colours(timeline.labels).items()),
        "rows": [
            {"who": row.who, "source": SOURCE_WORDS[row.source], "scores": _bytes(bin_means(row.timeline, edges))}
            for row in rows
        ],
    }
    return json.dumps(found, ensure_ascii=True).replace("<", "\\u003c")


def _bytes(means: np.ndarray) -> str:
    values = np.where(np.isnan(means), UNSEEN, np.round(np.nan_to_num(means) * FULL)).astype(np.uint8)
    return base64.b64encode(values.tobytes()).decode()


@cache
def script() -> tuple[str, str]:
    """The page's script, and its hash as a Content-Security-Policy names it: the browser runs nothing else."""
    text = files("emoscope.report").joinpath("player.js").read_text(encoding="utf-8")
    return text, "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
