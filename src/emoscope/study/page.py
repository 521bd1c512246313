"""The page of a study: a row and a small picture a recording."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

from ..report.page import environment
from ..report.palette import colours
from .measures import SHARE
from .work import PICTURE

INDEX = "index.html"


def write_index(study: Path, rows: Sequence[dict[str, Any]]) -> Path:
    """Write the page of the rows of `recordings.csv`; returns its path."""
    labels = [
        name.removesuffix(SHARE) for name in dict.fromkeys(n for row in rows for n in row) if name.endswith(SHARE)
    ]
    groups: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        groups.setdefault(row["recording"], []).append(row)
    path = study / INDEX
    page = (
        environment()
        .get_template("study.html.jinja")
        .render(
            title=study.name,
            recordings=[_shown(study, name, own) for name, own in groups.items()],
            labels=labels,
            colours=list(colours(labels).values()),
            css={label: f"label-{place}" for place, label in enumerate(labels)},
        )
    )
    path.write_text(page, encoding="utf-8", errors="replace")
    return path


def _shown(study: Path, name: str, rows: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """A recording as the page has it: each person once, face and voice together."""
    first = rows[0]
    persons = [row for row in rows if row.get("source") == "fused"]
    own = {key: value for key, value in first.items() if key in _own(first) and value}
    folder = f"recordings/{quote(name)}"
    return {
        "name": name,
        "own": own,
        "persons": persons,
        "status": first["status"],
        "reason": first.get("reason"),
        "report": f"{folder}/report.html" if first["status"] == "done" else None,
        "picture": f"{folder}/{PICTURE}" if (study / "recordings" / name / PICTURE).is_file() else None,
    }


def _own(row: dict[str, Any]) -> list[str]:
    """The user's own columns: those between the recording's name and its status."""
    names = list(row)
    return names[1 : names.index("status")]
