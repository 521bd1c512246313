"""`Observation` and `Timeline`: the one type that every stage hands on."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, overload

from .emotions import EMOTIONS

if TYPE_CHECKING:
    import pyarrow as pa

Source = Literal["face", "voice", "fused"]
Box = tuple[float, float, float, float]

SOURCES: tuple[Source, ...] = ("face", "voice", "fused")
COLUMNS: tuple[str, ...] = (
    "start_s", "end_s", "source", "person", "x", "y", "width", "height", *EMOTIONS, "emotion", "confidence",
)  # fmt: skip
"""The columns of `timeline.csv` and `timeline.parquet`."""


@dataclass(frozen=True, slots=True)
class Observation:
    """What one source says of one person over one stretch of time.

    Attributes:
        start: seconds from the start of the stream.
        end: seconds; not before `start`. A still picture has `end == start`.
        source: `face`, `voice` or `fused`.
        person: track number, from 1; `None` where the voice belongs to nobody in the picture (the scene).
        box: `(x, y, width, height)` in pixels of the frame that was scored, or `None`.
        scores: calibrated probabilities of the eight `EMOTIONS`, summing to 1; 0 for what the model cannot say.
    """

    start: float
    end: float
    source: Source
    person: int | None
    box: Box | None
    scores: tuple[float, ...]

    def __post_init__(self) -> None:
        if len(self.scores) != len(EMOTIONS):
            raise ValueError(f"expected {len(EMOTIONS)} scores, got {len(self.scores)}")
        if self.end < self.start:
            raise ValueError(f"expected end >= start, got start {self.start} and end {self.end}")

    @property
    def emotion(self) -> str:
        """The emotion with the highest score."""
        return EMOTIONS[self.scores.index(max(self.scores))]

    @property
    def confidence(self) -> float:
        """The highest score: the calibrated probability of `emotion`."""
        return max(self.scores)

    def row(self) -> tuple[Any, ...]:
        """The observation as one row of `COLUMNS`."""
        box = self.box or (None,) * 4
        return (self.start, self.end, self.source, self.person, *box, *self.scores, self.emotion, self.confidence)


@dataclass
class Timeline:
    """Observations in order of time, and where they come from.

    Attributes:
        observations: sorted by start, source and person when made by `analyze`.
        info: facts about the input and the run (file name, duration, frames, models), as written to `summary.json`.
    """

    observations: list[Observation] = field(default_factory=list)
    info: dict[str, Any] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.observations)

    def __iter__(self) -> Iterator[Observation]:
        return iter(self.observations)

    @overload
    def __getitem__(self, index: int) -> Observation: ...
    @overload
    def __getitem__(self, index: slice) -> "Timeline": ...
    def __getitem__(self, index: int | slice) -> "Observation | Timeline":
        if isinstance(index, slice):
            return Timeline(self.observations[index], self.info)
        return self.observations[index]

    @property
    def persons(self) -> list[int]:
        """The track numbers that occur, ascending."""
        return sorted({o.person for o in self.observations if o.person is not None})

    def select(self, source: Source | None = None, person: int | None = None) -> "Timeline":
        """The part from one source, of one person, or both."""
        kept = [
            o
            for o in self.observations
            if (source is None or o.source == source) and (person is None or o.person == person)
        ]
        return Timeline(kept, self.info)

    def scene(self) -> "Timeline":
        """The part that belongs to no person: voices that could not be given to a face, and their fusion."""
        return Timeline([o for o in self.observations if o.person is None], self.info)

    def mean_scores(self) -> dict[str, float]:
        """The mean of the scores, each observation weighted by its length; zeros where there is none.

        If no observation has a length (still pictures), they weigh the same.
        """
        weights = [o.end - o.start for o in self.observations]
        if not any(weights):
            weights = [1.0] * len(weights)
        total = sum(weights) or 1.0
        pairs = list(zip(weights, self.observations, strict=True))
        return {name: sum(w * o.scores[i] for w, o in pairs) / total for i, name in enumerate(EMOTIONS)}

    def table(self) -> "pa.Table":
        """The timeline as an Arrow table with `COLUMNS`."""
        import pyarrow as pa

        types = {"source": pa.string(), "person": pa.int32(), "emotion": pa.string()}
        schema = pa.schema([(name, types.get(name, pa.float64())) for name in COLUMNS])
        rows = [o.row() for o in self.observations]
        values = zip(*rows, strict=True) if rows else [()] * len(COLUMNS)
        arrays = [pa.array(column, field.type) for column, field in zip(values, schema, strict=True)]
        return pa.table(arrays, schema=schema)

    def to_csv(self, path: str | Path) -> None:
        """Write `COLUMNS` as comma-separated values; an empty cell is a missing value."""
        from pyarrow import csv

        with Path(path).open("wb") as file:
            file.write((",".join(COLUMNS) + "\n").encode())  # Arrow's own header is in quotes
            csv.write_csv(self.table(), file, csv.WriteOptions(include_header=False, quoting_style="none"))

    def to_parquet(self, path: str | Path) -> None:
        """Write `COLUMNS` as Apache Parquet."""
        from pyarrow import parquet

        parquet.write_table(self.table(), str(path))

    @classmethod
    def read(cls, path: str | Path) -> "Timeline":
        """Read a timeline that `to_csv` or `to_parquet` wrote.

        Raises:
            ValueError: a column is missing.
        """
        table = _read_table(Path(path))
        missing = [name for name in COLUMNS if name not in table.column_names]
        if missing:
            raise ValueError(f"{path}: expected the columns of a timeline, missing {', '.join(missing)}")
        return cls([_observation(row) for row in table.to_pylist()])


def _read_table(path: Path) -> "pa.Table":
    if path.suffix == ".parquet":
        from pyarrow import parquet

        return parquet.read_table(str(path))
    from pyarrow import csv

    return csv.read_csv(str(path))


def _observation(row: dict[str, Any]) -> Observation:
    x = row["x"]
    box = None if x is None else (float(x), float(row["y"]), float(row["width"]), float(row["height"]))
    person = None if row["person"] is None else int(row["person"])
    scores = tuple(float(row[name]) for name in EMOTIONS)
    return Observation(float(row["start_s"]), float(row["end_s"]), row["source"], person, box, scores)


def merge(timelines: Iterable[Timeline]) -> list[Observation]:
    """All observations of several timelines in the order of a `Timeline`."""
    return in_order(o for timeline in timelines for o in timeline)


def in_order(observations: Iterable[Observation]) -> list[Observation]:
    """Sort by start, then source (face, voice, fused), then person (the scene last)."""
    return sorted(observations, key=lambda o: (o.start, SOURCES.index(o.source), o.person is None, o.person or 0))
