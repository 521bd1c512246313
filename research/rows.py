"""One tidy table a study: a row a run and metric, and its curves."""

import csv
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any, Self, TypeVar


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One figure.

    What a function that measures says:

    Attributes:
        metric: its name, as in `metrics.METRICS`.
        value: a share lies in 0 to 1; none where `note` says it in words.
        n: of what it is the mean or the count.
        low: lower end of the 95 % interval.
        high: upper end.
        model: what was measured, by its name.
        protocol: what a figure may be compared with; see docs/protocols.md.
        split: of which data.
        condition: what was varied.
        group: the class, or the group of people, that it is of.
        seed: of the training; empty for a mean of several.
        note: words that belong to it.

    What the runner adds:

    Attributes:
        run: the plan's name for the run.
        weights: first 12 digits of the SHA-256 of the model's file; empty for what is no registered model.
        data: first 12 digits of the hash of the data (`plan.data_hash`); empty where it was not kept.
        commit: the state of the repository.
        command: that made it.
        key: of what the run depends on (`plan.Run.key`).
    """

    metric: str
    value: float | None = None
    n: int | None = None
    low: float | None = None
    high: float | None = None
    model: str = ""
    protocol: str = ""
    split: str = ""
    condition: str = ""
    group: str = ""
    seed: int | None = None
    note: str = ""
    run: str = ""
    weights: str = ""
    data: str = ""
    commit: str = ""
    command: str = ""
    key: str = ""

    def of(self, **changes: Any) -> Self:
        """The same figure, with more said of it."""
        return replace(self, **changes)


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """One point of a curve.

    Attributes:
        curve: its name within the run.
        metric: what is drawn.
        at: the epoch, or whatever the curve runs over.
        value: there.
        seed: of the training.
        run: the plan's name for the run; the runner adds it.
    """

    curve: str
    metric: str
    at: float
    value: float
    seed: int | None = None
    run: str = ""

    def of(self, **changes: Any) -> Self:
        """The same point, with more said of it."""
        return replace(self, **changes)


COLUMNS = ("run", "model", "weights", "data", "protocol", "split", "condition", "group", "metric", "n", "value", "low",
           "high", "seed", "note", "commit", "command", "key")  # fmt: skip
"""Of a study's table, in this order."""
CURVE_COLUMNS = ("run", "curve", "seed", "metric", "at", "value")
NUMBERS: dict[str, type[int] | type[float]] = {
    "value": float, "low": float, "high": float, "at": float, "n": int, "seed": int,
}  # fmt: skip
DIGITS = 8
"""Significant ones that are kept: more than any page shows."""

Kept = TypeVar("Kept", Row, Point)
Where = dict[str, Any]
"""Columns and their values."""


def read(path: Path, kind: type[Kept]) -> list[Kept]:
    """The rows of a table; none where there is no file.

    Raises:
        ValueError: its columns are not those of the kind.
    """
    if not path.exists():
        return []
    wanted = COLUMNS if kind is Row else CURVE_COLUMNS
    with path.open(newline="", encoding="utf-8") as file:
        reader = csv.DictReader(file)
        if tuple(reader.fieldnames or ()) != wanted:
            raise ValueError(f"{path}: has the columns {reader.fieldnames}; expected {', '.join(wanted)}")
        return [kind(**{name: _value(name, text) for name, text in row.items()}) for row in reader]


def write(path: Path, rows: Sequence[Row] | Sequence[Point], kind: type[Row] | type[Point]) -> None:
    """Write a table; one without rows is not kept."""
    if not rows:
        path.unlink(missing_ok=True)
        return
    wanted = COLUMNS if kind is Row else CURVE_COLUMNS
    assert {field.name for field in fields(kind)} == set(wanted)
    new = path.with_suffix(".new")
    with new.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(wanted)
        writer.writerows([_text(getattr(row, name)) for name in wanted] for row in rows)
    new.replace(path)


def select(rows: Iterable[Kept], **where: Any) -> list[Kept]:
    """The rows whose columns are as asked for: a value, or any of a list."""
    return [row for row in rows if all(_fits(getattr(row, name), wanted) for name, wanted in where.items())]


def _fits(value: Any, wanted: Any) -> bool:
    return value in wanted if isinstance(wanted, list | tuple | set) else value == wanted


def _value(name: str, text: str | None) -> Any:
    if name not in NUMBERS:
        return text or ""
    return NUMBERS[name](text) if text else None


def _text(value: Any) -> str:
    if value is None:
        return ""
    return f"{value:.{DIGITS}g}" if isinstance(value, float) else str(value)
