"""The tables of a study: what each recording comes to, and all their rows."""

import csv
import json
from collections.abc import Iterable, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from ..timeline import BEFORE, Timeline
from .measures import MAIN
from .recordings import PERSON, Recording
from .work import finished, folder_of

RECORDINGS, TIMELINE = "recordings.csv", "timeline"
"""The tables' names."""


def recording_rows(study: Path, recordings: Sequence[Recording], failures: dict[str, str]) -> list[dict[str, Any]]:
    """The rows of `recordings.csv`: one for each person and source of a finished recording, one for any other.

    `person` is whose recording it is, where the user says so, and stands with the one who is observed longest; where
    the user does not, it is the recording's name and the person's.
    """
    named = any(recording.columns.get(PERSON) for recording in recordings)
    rows = []
    for recording in recordings:
        facts = {"recording": recording.name, **recording.columns}
        measured = finished(study, recording)
        if measured is None:
            reason = failures.get(recording.name)
            rows.append({**facts, "status": "failed" if reason else "waiting", "reason": reason})
            continue
        rows += [{**facts, PERSON: _person(recording, row, named), "status": "done", **row} for row in measured] or [
            {**facts, "status": "done", "reason": "nobody was seen or heard"}
        ]
    return rows


def _person(recording: Recording, row: dict[str, Any], named: bool) -> str | None:
    if named:
        return recording.columns.get(PERSON) if row[MAIN] else None
    return f"{recording.name} {row['who']}"


def write_csv(path: Path, rows: Sequence[dict[str, Any]], last: Sequence[str] = ("reason",)) -> None:
    """Write rows as csv: their columns in order of appearance, some of them last; an empty cell is a missing value."""
    names = [name for name in dict.fromkeys(name for row in rows for name in row) if name not in last]
    partial = path.with_name(f"{path.name}.part")
    with partial.open("w", newline="", encoding="utf-8", errors="replace") as file:
        writer = csv.DictWriter(file, [*names, *last], restval="", lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    partial.replace(path)


def write_timeline(study: Path, recordings: Iterable[Recording]) -> Path | None:
    """Write every row of every finished recording with its name; Parquet where the extra is there, else csv.

    One recording is in memory at a time.
    """
    tables = [
        (recording.name, folder_of(study, recording) / "timeline.csv")
        for recording in recordings
        if finished(study, recording) is not None
    ]
    columns: dict[str, None] = {"recording": None}
    for _, table in tables:
        with table.open(newline="", encoding="utf-8") as file:
            columns.update(dict.fromkeys(next(csv.reader(file), [])))
    write = _write_parquet if find_spec("pyarrow") else _write_csv
    for suffix in (".parquet", ".csv"):
        (study / f"{TIMELINE}{suffix}").unlink(missing_ok=True)
    return write(study / TIMELINE, tables, list(columns)) if tables else None


def _write_csv(stem: Path, tables: Sequence[tuple[str, Path]], columns: Sequence[str]) -> Path:
    path = stem.with_suffix(".csv")
    with path.open("w", newline="", encoding="utf-8") as out:
        writer = csv.DictWriter(out, columns, restval="", lineterminator="\n")
        writer.writeheader()
        for name, table in tables:
            with table.open(newline="", encoding="utf-8") as file:
                writer.writerows({"recording": name, **row} for row in csv.DictReader(file))
    return path


def _write_parquet(stem: Path, tables: Sequence[tuple[str, Path]], columns: Sequence[str]) -> Path:
    import pyarrow as pa
    from pyarrow import parquet

    path = stem.with_suffix(".parquet")
    texts, whole = {"recording", BEFORE[2], "emotion", "name"}, {BEFORE[3]}
    schema = pa.schema(
        [(c, pa.string() if c in texts else pa.int32() if c in whole else pa.float64()) for c in columns]
    )
    with parquet.ParquetWriter(str(path), schema) as writer:
        for name, table in tables:
            values = Timeline.read(table).columns()
            count = len(next(iter(values.values())))
            values["recording"] = [name] * count
            writer.write_table(pa.table({c: values.get(c, [None] * count) for c in columns}, schema=schema))
    return path


def read_recordings(study: Path) -> list[dict[str, str]]:
    """The rows of `recordings.csv`."""
    with (study / RECORDINGS).open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def write_json(path: Path, facts: dict[str, Any]) -> None:
    """Write facts for `read_json`."""
    path.write_text(json.dumps(facts, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
