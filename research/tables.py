"""The one table maker: rows of a study as a Markdown table."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from .metrics import heading, interval, written
from .rows import Row, select

KEYS = ("model", "protocol", "split", "condition", "group", "seed")
"""The columns that tell rows apart."""


@dataclass(frozen=True)
class Layout:
    """What a table shows.

    Attributes:
        title: its heading.
        text: above it.
        where: only rows whose columns are so.
        metrics: only these, in this order; all of them for none.
        rows: the columns of `KEYS` that tell its rows apart; by default those that do and are not used otherwise.
        columns: what tells its columns apart: `metric`, or columns of `KEYS` where it has one metric.
        each: a table for each value of this column.
        names: headings instead of the columns' names and values.
    """

    title: str = ""
    text: str = ""
    where: dict[str, Any] = field(default_factory=dict)
    metrics: tuple[str, ...] = ()
    rows: tuple[str, ...] | None = None
    columns: str = "metric"
    each: str = ""
    names: dict[str, str] = field(default_factory=dict)


def tables(rows: Sequence[Row], layout: Layout) -> Iterator[str]:
    """The tables of a layout, with their headings; none where it selects no rows."""
    chosen = select(rows, **layout.where)
    if layout.metrics:
        chosen = select(chosen, metric=layout.metrics)
    if not chosen:
        return
    if layout.title:
        yield f"### {layout.title}"
    if layout.text:
        yield layout.text.strip()
    for value in dict.fromkeys(getattr(row, layout.each) for row in chosen) if layout.each else (None,):
        part = select(chosen, **{layout.each: value}) if layout.each else chosen
        if layout.each:
            yield f"#### {value or 'all'}"
        yield table(part, layout)


def table(rows: Sequence[Row], layout: Layout) -> str:
    """One table. A cell is a value with its 95 % interval, and its n where that is not the row's."""
    keys = tuple(layout.rows) if layout.rows is not None else _varying(rows, {layout.columns, layout.each})
    lines: dict[tuple[Any, ...], list[Row]] = {}
    for row in rows:
        lines.setdefault(tuple(getattr(row, key) for key in keys), []).append(row)
    columns = list(layout.metrics) if layout.columns == "metric" else []
    columns = columns or list(dict.fromkeys(getattr(row, layout.columns) for row in rows))
    counted = any(_n(line) for line in lines.values())
    heads = [layout.names.get(key, "" if key in ("condition", "group") else key) for key in keys] + ["n"] * counted
    heads += [layout.names.get(c, heading(str(c)) if layout.columns == "metric" else str(c)) for c in columns]
    made = [heads, ["---"] * len(heads)]
    for key, line in lines.items():
        n = _n(line)
        cells = [_word(part) for part in key] + [f"{n:,}" if n else ""] * counted
        for column in columns:
            cells.append("; ".join(_cell(row, n) for row in line if getattr(row, layout.columns) == column))
        made.append(cells)
    return "\n".join(f"| {' | '.join(cell.replace('|', '/') for cell in line)} |" for line in made)


def _varying(rows: Sequence[Row], used: set[str]) -> tuple[str, ...]:
    keys = [key for key in KEYS if key not in used]
    return tuple(key for key in keys if len({getattr(row, key) for row in rows}) > 1)


def _n(line: Sequence[Row]) -> int | None:
    """The row's: that of its first figure that has one."""
    return next((row.n for row in line if row.n is not None), None)


def _cell(row: Row, n: int | None) -> str:
    if row.value is None:
        return row.note
    beside = []
    if row.low is not None and row.high is not None:
        beside.append(interval(row.metric, row.low, row.high))
    if row.n is not None and row.n != n:
        beside.append(f"n {row.n:,}")
    text = written(row.metric, row.value) + (f" ({'; '.join(beside)})" if beside else "")
    return f"{text}, {row.note}" if row.note else text


def _word(value: Any) -> str:
    return "" if value is None else str(value)
