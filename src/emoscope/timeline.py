"""`Timeline` and `Observation`: what was read, as columns, and one row of it."""

import csv
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, overload

import numpy as np

from .emotions import EMOTIONS
from .errors import missing_extra

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

Source = Literal["face", "voice", "fused"]
Box = tuple[float, float, float, float]

SOURCES: tuple[Source, ...] = ("face", "voice", "fused")
BOX: tuple[str, ...] = ("x", "y", "width", "height")
BEFORE: tuple[str, ...] = ("start_s", "end_s", "source", "person", *BOX)
AFTER: tuple[str, ...] = ("emotion", "confidence")
NAME = "name"
"""The column after these, where people have names."""
NOBODY = 0
"""The person's number of what belongs to nobody in particular: the scene."""

SECONDS_DIGITS, SCORE_DIGITS = 3, 4
"""Digits after the point in tables: milliseconds, and hundredths of a percent. Boxes are in whole pixels."""
EXTRA_DIGITS = 3
"""Digits of a further column that count, wherever its point is."""


def column_names(labels: Sequence[str] = EMOTIONS, extra: Iterable[str] = ()) -> tuple[str, ...]:
    """The columns of a table with these labels and extra columns, in order."""
    return (*BEFORE, *labels, *AFTER, *extra)


@dataclass(frozen=True, slots=True)
class Observation:
    """One row of a timeline: what one source says of one person over one stretch of time.

    Attributes:
        start: seconds from the start of the stream.
        end: seconds; not before `start`. A still picture has `end == start`.
        source: `face`, `voice` or `fused`.
        person: number, from 1; `None` where it belongs to nobody in particular (the scene).
        box: `(x, y, width, height)` in pixels of the frame that was scored, or `None`.
        scores: calibrated probabilities of the labels, summing to 1; 0 for what the model cannot say.
        labels: what the scores stand for.
        extra: values of the timeline's further columns, in the digits of the tables; missing ones are left out.

    Raises:
        ValueError: there is not one score a label, or the end is before the start.
    """

    start: float
    end: float
    source: Source
    person: int | None
    box: Box | None
    scores: tuple[float, ...]
    labels: tuple[str, ...] = EMOTIONS
    extra: Mapping[str, Any] = field(default_factory=dict, hash=False)

    def __post_init__(self) -> None:
        if len(self.scores) != len(self.labels):
            raise ValueError(f"expected {len(self.labels)} scores, got {len(self.scores)}")
        if self.end < self.start:
            raise ValueError(f"expected end >= start, got start {self.start} and end {self.end}")

    @property
    def emotion(self) -> str:
        """The label with the highest score."""
        return self.labels[self.scores.index(max(self.scores))]

    @property
    def confidence(self) -> float:
        """The highest score: the calibrated probability of `emotion`."""
        return max(self.scores)

    def as_json(self) -> dict[str, Any]:
        """The observation as JSON takes it, in the digits of the tables; extra columns under their names."""
        return {
            "start": round(self.start, SECONDS_DIGITS),
            "end": round(self.end, SECONDS_DIGITS),
            "source": self.source,
            "person": self.person,
            "box": self.box and [round(side) for side in self.box],
            "scores": [round(score, SCORE_DIGITS) for score in self.scores],
            "emotion": self.emotion,
            "confidence": round(self.confidence, SCORE_DIGITS),
            **self.extra,
        }


@dataclass(eq=False)
class Timeline:
    """Columns of observations, and where they come from.

    Attributes:
        start: `(n,)` float64, seconds from the start of the stream.
        end: `(n,)` float64, seconds.
        source: `(n,)` int8, an index in `SOURCES`.
        person: `(n,)` int32, from 1; `NOBODY` for the scene.
        box: `(n, 4)` float64 x, y, width, height in pixels; not a number where there is none.
        scores: `(n, k)` float64, calibrated probabilities, each row summing to 1.
        labels: what the `k` columns of the scores stand for.
        extra: further columns by name, `(n,)` each: float, in which not-a-number is a missing value, or text.
        names: what people are called; a person without a name is "Person 3".
        info: facts about the input and the run (file name, duration, frames, models), as written to `summary.json`.

    Raises:
        ValueError: the columns do not fit together.
    """

    start: np.ndarray
    end: np.ndarray
    source: np.ndarray
    person: np.ndarray
    box: np.ndarray
    scores: np.ndarray
    labels: tuple[str, ...] = EMOTIONS
    extra: dict[str, np.ndarray] = field(default_factory=dict)
    names: dict[int, str] = field(default_factory=dict)
    info: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        n = len(self.start)
        wanted = {"end": (n,), "source": (n,), "person": (n,), "box": (n, 4), "scores": (n, len(self.labels))}
        for name, shape in wanted.items():
            if getattr(self, name).shape != shape:
                raise ValueError(f"expected {name} of shape {shape}, got {getattr(self, name).shape}")
        for name, column in self.extra.items():
            if column.shape != (n,):
                raise ValueError(f"expected the column {name} of shape {(n,)}, got {column.shape}")

    @classmethod
    def empty(cls, labels: Sequence[str] = EMOTIONS, info: dict[str, Any] | None = None) -> "Timeline":
        """A timeline without observations."""
        none = np.zeros(0)
        whole = none.astype(np.int8), none.astype(np.int32)
        return cls(none, none, *whole, np.zeros((0, 4)), np.zeros((0, len(labels))), tuple(labels), info=info or {})

    @classmethod
    def of(
        cls,
        observations: Iterable[Observation],
        info: dict[str, Any] | None = None,
        labels: Sequence[str] | None = None,
        names: dict[int, str] | None = None,
    ) -> "Timeline":
        """A timeline of observations that share their labels, in the order in which they come.

        Args:
            observations: the rows.
            info: facts about the run.
            labels: by default those of the observations, or `EMOTIONS` where there is none.
            names: what people are called.

        Raises:
            ValueError: the labels differ.
        """
        rows = list(observations)
        found = {o.labels for o in rows}
        if len(found | ({tuple(labels)} if labels else set())) > 1:
            raise ValueError(f"expected observations with the same labels, got {sorted(found)}")
        said = tuple(labels) if labels else next(iter(found), EMOTIONS)
        extra = dict.fromkeys(name for o in rows for name in o.extra)
        return cls(
            np.array([o.start for o in rows], np.float64),
            np.array([o.end for o in rows], np.float64),
            np.array([SOURCES.index(o.source) for o in rows], np.int8),
            np.array([o.person or NOBODY for o in rows], np.int32),
            np.array([o.box or (math.nan,) * 4 for o in rows], np.float64).reshape(-1, 4),
            np.array([o.scores for o in rows], np.float64).reshape(-1, len(said)),
            said,
            {name: _column([o.extra.get(name) for o in rows]) for name in extra},
            names or {},
            info or {},
        )

    @classmethod
    def join(cls, timelines: Sequence["Timeline"]) -> "Timeline":
        """The rows of timelines with the same labels, at least one, one after the other; `info` is the first's."""
        first = timelines[0]
        extra = dict.fromkeys(name for t in timelines for name in t.extra)
        return cls(
            np.concatenate([t.start for t in timelines]),
            np.concatenate([t.end for t in timelines]),
            np.concatenate([t.source for t in timelines]),
            np.concatenate([t.person for t in timelines]),
            np.concatenate([t.box for t in timelines]),
            np.concatenate([t.scores for t in timelines]),
            first.labels,
            {name: np.concatenate([_extra(t, name, timelines) for t in timelines]) for name in extra},
            {number: name for t in timelines for number, name in t.names.items()},
            first.info,
        )

    def __len__(self) -> int:
        return len(self.start)

    def __repr__(self) -> str:
        who = f"{len(self.persons)} person{'s' if len(self.persons) != 1 else ''}"
        until = f"{self.end.max():.1f} s" if len(self) else "0 s"
        return f"<Timeline: {len(self):,} observations of {who} in {until}; {', '.join(self.labels)}>"

    def __iter__(self) -> Iterator[Observation]:
        return (self[row] for row in range(len(self)))

    @overload
    def __getitem__(self, rows: int) -> Observation: ...
    @overload
    def __getitem__(self, rows: slice | np.ndarray) -> "Timeline": ...
    def __getitem__(self, rows: int | slice | np.ndarray) -> "Observation | Timeline":
        """One observation, or the part that a slice, a mask or an array of indices selects."""
        if isinstance(rows, int | np.integer):
            return self._row(int(rows))
        return Timeline(
            self.start[rows],
            self.end[rows],
            self.source[rows],
            self.person[rows],
            self.box[rows],
            self.scores[rows],
            self.labels,
            {name: column[rows] for name, column in self.extra.items()},
            self.names,
            self.info,
        )

    def _row(self, row: int) -> Observation:
        person, box = int(self.person[row]), self.box[row].tolist()
        return Observation(
            float(self.start[row]),
            float(self.end[row]),
            SOURCES[self.source[row]],
            person if person != NOBODY else None,
            None if math.isnan(box[0]) else (box[0], box[1], box[2], box[3]),
            tuple(self.scores[row].tolist()),
            self.labels,
            {name: value for name, column in self.extra.items() if (value := _plain(column[row])) is not None},
        )

    @property
    def persons(self) -> list[int]:
        """The persons' numbers that occur, ascending."""
        return [int(person) for person in np.unique(self.person) if person != NOBODY]

    @property
    def emotions(self) -> list[str]:
        """The label with the highest score of each row."""
        return [self.labels[column] for column in self.scores.argmax(1).tolist()] if len(self) else []

    def who(self, person: int | None) -> str:
        """What a person is called: their name, else `Person 3`; `Scene` for nobody in particular."""
        return "Scene" if not person else self.names.get(person, f"Person {person}")

    def select(self, source: Source | None = None, person: int | None = None) -> "Timeline":
        """The part from one source, of one person, or both."""
        kept = np.ones(len(self), bool)
        if source is not None:
            kept &= self.source == SOURCES.index(source)
        if person is not None:
            kept &= self.person == person
        return self[kept]

    def scene(self) -> "Timeline":
        """The part that belongs to nobody in particular: voices that could not be given to a face."""
        return self[self.person == NOBODY]

    def sorted(self) -> "Timeline":
        """The rows by start, then source (face, voice, fused), then person (the scene last)."""
        last = np.where(self.person == NOBODY, np.iinfo(np.int32).max, self.person)
        return self[np.lexsort((last, self.source, self.start))]

    def mean_scores(self) -> dict[str, float]:
        """The mean of the scores, each observation weighted by its length; zeros where there is none.

        If no observation has a length (still pictures), they weigh the same.
        """
        weights = self.end - self.start
        if not weights.any():
            weights = np.ones(len(self))
        mean = weights @ self.scores / (weights.sum() or 1.0)
        return dict(zip(self.labels, mean.tolist(), strict=True))

    @property
    def column_names(self) -> tuple[str, ...]:
        """The columns of its tables, in order."""
        return column_names(self.labels, (*([NAME] if self.names else []), *self.extra))

    def columns(self) -> dict[str, list[Any]]:
        """The table as lists by column, in the digits that the values deserve; `None` is a missing value."""
        scores = np.round(self.scores, SCORE_DIGITS)
        values: list[list[Any]] = [
            np.round(self.start, SECONDS_DIGITS).tolist(),
            np.round(self.end, SECONDS_DIGITS).tolist(),
            [SOURCES[source] for source in self.source.tolist()],
            [person or None for person in self.person.tolist()],
            *(_or_none(side) for side in np.round(self.box).T),
            *scores.T.tolist(),
            self.emotions,
            scores.max(1).tolist() if len(self) else [],
            *([[self.names.get(person) for person in self.person.tolist()]] if self.names else []),
            *(_digits(column) for column in self.extra.values()),
        ]
        return dict(zip(self.column_names, values, strict=True))

    def table(self) -> "pa.Table":
        """The timeline as an Arrow table.

        Raises:
            EmoscopeError: pyarrow is not installed.
        """
        try:
            import pyarrow as pa
        except ModuleNotFoundError:
            raise missing_extra("Arrow tables", "pyarrow", "parquet") from None
        types = {"source": pa.string(), "person": pa.int32(), "emotion": pa.string()}
        texts = {name: pa.string() for name in (NAME, *(n for n, c in self.extra.items() if c.dtype == object))}
        schema = pa.schema([(name, (types | texts).get(name, pa.float64())) for name in self.column_names])
        return pa.table(self.columns(), schema=schema)

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        """The Arrow PyCapsule interface: `polars.DataFrame(timeline)`, `duckdb.from_arrow(timeline)` and others."""
        return self.table().__arrow_c_stream__(requested_schema)

    def __dataframe__(self, nan_as_null: bool = False, allow_copy: bool = True) -> object:
        """The dataframe interchange protocol: `polars.from_dataframe(timeline)` and others."""
        return self.table().__dataframe__(nan_as_null, allow_copy)

    def to_pandas(self) -> "pd.DataFrame":
        """The table as a pandas data frame.

        Raises:
            EmoscopeError: pandas is not installed.
        """
        try:
            import pandas as pd
        except ModuleNotFoundError:
            raise missing_extra("a pandas data frame", "pandas") from None
        return pd.DataFrame(self.columns()).astype({"person": "Int32"})

    def to_csv(self, path: str | Path) -> None:
        """Write the table as comma-separated values; an empty cell is a missing value."""
        with Path(path).open("w", newline="", encoding="utf-8", errors="replace") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(self.column_names)
            writer.writerows(zip(*(_texts(column) for column in self.columns().values()), strict=True))

    def to_parquet(self, path: str | Path) -> None:
        """Write the table as Apache Parquet.

        Raises:
            EmoscopeError: pyarrow is not installed.
        """
        table = self.table()
        from pyarrow import parquet

        parquet.write_table(table, str(path))

    @classmethod
    def read(cls, path: str | Path) -> "Timeline":
        """Read a timeline that `to_csv` or `to_parquet` wrote; its labels are the columns before `emotion`.

        Raises:
            ValueError: a column is missing, or a value is none that a timeline can have.
        """
        columns = _read_parquet(Path(path)) if Path(path).suffix == ".parquet" else _read_csv(Path(path))
        names = list(columns)
        if missing := [name for name in (*BEFORE, *AFTER) if name not in columns]:
            raise ValueError(f"{path}: expected the columns of a timeline, missing {', '.join(missing)}")
        labels = tuple(names[len(BEFORE) : names.index(AFTER[0])])
        numbers = {name: np.array([_number(v) for v in columns[name]], np.float64)
                   for name in ("start_s", "end_s", "person", *BOX, *labels)}  # fmt: skip
        persons = np.nan_to_num(numbers["person"], nan=NOBODY).astype(np.int32)
        called = zip(persons.tolist(), columns.get(NAME, ()), strict=False)
        return cls(
            numbers["start_s"],
            numbers["end_s"],
            np.array([SOURCES.index(source) for source in columns["source"]], np.int8),
            persons,
            np.stack([numbers[side] for side in BOX], 1),
            np.stack([numbers[label] for label in labels], 1) if labels else np.zeros((len(numbers["start_s"]), 0)),
            labels,
            {name: _column(columns[name]) for name in names[names.index(AFTER[-1]) + 1 :] if name != NAME},
            {person: name for person, name in called if name},
        )


def _read_csv(path: Path) -> dict[str, list[Any]]:
    with path.open(newline="", encoding="utf-8") as file:
        header, *rows = list(csv.reader(file)) or [[]]
    columns = list(zip(*rows, strict=True)) or [()] * len(header)
    return {name: [value or None for value in column] for name, column in zip(header, columns, strict=True)}


def _read_parquet(path: Path) -> dict[str, list[Any]]:
    try:
        from pyarrow import parquet
    except ModuleNotFoundError:
        raise missing_extra("Parquet", "pyarrow", "parquet") from None
    columns: dict[str, list[Any]] = parquet.read_table(str(path)).to_pydict()
    return columns


def _number(value: Any) -> float:
    return math.nan if value is None else float(value)


def _column(values: Sequence[Any]) -> np.ndarray:
    """An extra column: numbers, with not-a-number where a value is missing, or text."""
    try:
        return np.array([_number(value) for value in values], np.float64)
    except ValueError:
        return np.array(values, object)


def _extra(timeline: Timeline, name: str, among: Sequence[Timeline]) -> np.ndarray:
    """An extra column of one of several timelines, of which some lack it."""
    if name in timeline.extra:
        return timeline.extra[name]
    text = any(t.extra[name].dtype == object for t in among if name in t.extra)
    return np.full(len(timeline), None, object) if text else np.full(len(timeline), math.nan)


def _or_none(column: np.ndarray) -> list[Any]:
    """The values of a column; `None` for not-a-number."""
    values = column.astype(object)
    values[np.isnan(column)] = None
    return values.tolist()


def _digits(column: np.ndarray) -> list[Any]:
    """An extra column in the digits that count; `None` for not-a-number."""
    if column.dtype.kind != "f":
        return [_plain(value) for value in column.tolist()]
    return [None if math.isnan(value) else float(f"{value:.{EXTRA_DIGITS}g}") for value in column.tolist()]


def _plain(value: Any) -> Any:
    """A value of an extra column as tables and JSON take it."""
    if isinstance(value, float | np.floating):
        return None if math.isnan(value) else float(f"{value:.{EXTRA_DIGITS}g}")
    return value.item() if isinstance(value, np.generic) else value


def _texts(column: list[Any]) -> list[str]:
    """A column as csv has it; each value is written out once: a table of ten minutes has a million of them."""
    texts = {value: _text(value) for value in set(column)}
    return [texts[value] for value in column]


def _text(value: Any) -> str:
    """A number without a fraction of 0, or text; nothing where a value is missing."""
    if value is None:
        return ""
    return str(int(value) if type(value) is float and value.is_integer() else value)
