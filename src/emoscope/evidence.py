"""`Evidence`: what the networks said of a recording, before anybody interprets it, and the file that keeps it.

The file, `evidence.sqlite`, is written while the evidence is made. Every transaction holds new rows and a checkpoint
from which observing goes on: whoever is killed at any moment loses what came after the last transaction.
"""

import json
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, Self

import cv2
import numpy as np

from .columns import Columns
from .errors import EmoscopeError
from .packing import pack, unpack

FORMAT = 2
"""Of the file's tables; a file of another format is made anew."""


@dataclass(frozen=True, eq=False)
class Faces(Columns):
    """The faces of frames, in order of time.

    Attributes:
        time: `(n,)` float64, seconds from the start of the stream at which the frame is shown.
        duration: `(n,)` float64, seconds until the next frame.
        track: `(n,)` int32, from 1: faces that were followed from frame to frame.
        box: `(n, 4)` float64 x, y, width, height in pixels of the frame that was scored.
        score: `(n,)` float32, the detector's probability that it is a face.
        sharpness: `(n,)` float32, see `face.view.sharpness`.
        turn: `(n,)` float32, degrees by which the head is turned to the side, 0 frontal; see `face.view.turn`.
        mouth: `(n,)` float32, how much the mouth moved since a moment ago; not a number where that is not known.
        rest: `(n,)` float32, the same of eyes and forehead.
        logits: `(n, k)` float16, as the face model gave them.
    """

    time: np.ndarray
    duration: np.ndarray
    track: np.ndarray
    box: np.ndarray
    score: np.ndarray
    sharpness: np.ndarray
    turn: np.ndarray
    mouth: np.ndarray
    rest: np.ndarray
    logits: np.ndarray

    @classmethod
    def empty(cls, labels: int) -> Self:
        """No faces, for a model of so many labels."""
        none = np.zeros(0, np.float32)
        time = np.zeros(0)
        return cls(time, time, np.zeros(0, np.int32), np.zeros((0, 4)), none, none, none, none, none,
                   np.zeros((0, labels), np.float16))  # fmt: skip


@dataclass(frozen=True, eq=False)
class Voices(Columns):
    """The windows of speech, in order of time; they do not overlap.

    Attributes:
        start: `(n,)` float64, seconds from the start of the stream.
        end: `(n,)` float64, seconds, after `start`.
        utterance: `(n,)` int32, from 1: the stretch of speech without a pause that the window belongs to.
        logits: `(n, k)` float16, as the voice model gave them.
    """

    start: np.ndarray
    end: np.ndarray
    utterance: np.ndarray
    logits: np.ndarray

    @classmethod
    def empty(cls, labels: int) -> Self:
        """No voices, for a model of so many labels."""
        return cls(np.zeros(0), np.zeros(0), np.zeros(0, np.int32), np.zeros((0, labels), np.float16))


@dataclass(frozen=True, eq=False)
class Looks(Columns):
    """Who a face looks like, from a few of the best views of each track.

    Attributes:
        track: `(n,)` int32.
        time: `(n,)` float64, seconds.
        quality: `(n,)` float32, 0 to 1, how good the view was.
        embedding: `(n, d)` float16 of unit length: near for one person, far for two.
    """

    track: np.ndarray
    time: np.ndarray
    quality: np.ndarray
    embedding: np.ndarray

    @classmethod
    def empty(cls, values: int = 0) -> Self:
        """None, of so many values each."""
        none = np.zeros(0)
        return cls(none.astype(np.int32), none, none.astype(np.float32), np.zeros((0, values), np.float16))


@dataclass(frozen=True, eq=False)
class Speakers(Columns):
    """Who a voice sounds like, for stretches of speech.

    Attributes:
        utterance: `(n,)` int32.
        start: `(n,)` float64, seconds.
        end: `(n,)` float64, seconds.
        embedding: `(n, d)` float16 of unit length.
    """

    utterance: np.ndarray
    start: np.ndarray
    end: np.ndarray
    embedding: np.ndarray

    @classmethod
    def empty(cls, values: int = 0) -> Self:
        """None, of so many values each."""
        none = np.zeros(0)
        return cls(none.astype(np.int32), none, none, np.zeros((0, values), np.float16))


@dataclass(frozen=True, eq=False)
class Views(Columns):
    """What the page shows of a track: its best views.

    Attributes:
        track: `(n,)` int32.
        time: `(n,)` float64, seconds.
        quality: `(n,)` float32, 0 to 1, how good the view was.
        jpeg: `(n,)` objects, the bytes of an upright face as JPEG.
    """

    track: np.ndarray
    time: np.ndarray
    quality: np.ndarray
    jpeg: np.ndarray

    @classmethod
    def empty(cls, values: int = 0) -> Self:
        """None."""
        none = np.zeros(0)
        return cls(none.astype(np.int32), none, none.astype(np.float32), none.astype(object))

    @classmethod
    def of(cls, looks: Looks, faces: Sequence[np.ndarray]) -> Self:
        """The views of looks, whose faces are RGB uint8 `(height, width, 3)`."""
        jpeg = np.empty(len(looks), object)
        jpeg[:] = [
            cv2.imencode(".jpg", face[:, :, ::-1], [cv2.IMWRITE_JPEG_QUALITY, 85])[1].tobytes() for face in faces
        ]
        return cls(looks.track, looks.time, looks.quality, jpeg)


@dataclass(frozen=True, eq=False)
class Pieces(Columns):
    """Which stretches of tracks and of speech are one person's, as `reading.persons` found.

    Attributes:
        person: `(n,)` int32, from 1; 0 where it is nobody's in particular.
        track: `(n,)` int32, of faces; 0 for speech.
        start: `(n,)` float64, seconds.
        end: `(n,)` float64, seconds; of faces, the last one's time.
        sure: `(n,)` float32, how alike it is to the rest of the person, a cosine; not a number where that is not known.
    """

    person: np.ndarray
    track: np.ndarray
    start: np.ndarray
    end: np.ndarray
    sure: np.ndarray

    @classmethod
    def empty(cls, values: int = 0) -> Self:
        """None."""
        none, whole = np.zeros(0), np.zeros(0, np.int32)
        return cls(whole, whole, none, none, none.astype(np.float32))


@dataclass(eq=False)
class Evidence:
    """What was observed.

    Attributes:
        faces: of all frames.
        voices: of all speech.
        looks: who the faces look like.
        speakers: who the voices sound like.
        shots: `(n,)` float64, seconds at which the picture was cut to another shot.
        views: pictures of the faces.
        pieces: who is who; none where that has not been worked out.
        info: facts of the recording and the run; `models` has name, labels and temperature of each.
    """

    faces: Faces
    voices: Voices
    looks: Looks = field(default_factory=Looks.empty)
    speakers: Speakers = field(default_factory=Speakers.empty)
    shots: np.ndarray = field(default_factory=lambda: np.zeros(0))
    views: Views = field(default_factory=Views.empty)
    pieces: Pieces = field(default_factory=Pieces.empty)
    info: dict[str, Any] = field(default_factory=dict)

    def __repr__(self) -> str:
        tracks = len(np.unique(self.faces.track))
        return f"<Evidence: {len(self.faces):,} faces in {tracks} tracks, {len(self.voices):,} windows of speech>"

    @classmethod
    def join(cls, parts: "list[Evidence]") -> "Evidence":
        """The rows of several pieces, at least one, in their order; `info` is the last one's."""
        return cls(
            Faces.join(part.faces for part in parts),
            Voices.join(part.voices for part in parts),
            Looks.join(part.looks for part in parts),
            Speakers.join(part.speakers for part in parts),
            np.concatenate([part.shots for part in parts]),
            Views.join(part.views for part in parts),
            Pieces.join(part.pieces for part in parts),
            parts[-1].info,
        )

    @classmethod
    def load(cls, path: str | Path) -> "Evidence":
        """Read an `evidence.sqlite`, or the one in a folder of results.

        Raises:
            EmoscopeError: there is none, or it is none.
        """
        with EvidenceFile.open(path) as file:
            return file.read()


_TABLES: dict[str, type[Columns]] = {
    "faces": Faces, "voices": Voices, "looks": Looks, "speakers": Speakers, "views": Views, "pieces": Pieces,
}  # fmt: skip
_VECTORS: dict[str, np.dtype[Any]] = {"logits": np.dtype("<f2"), "embedding": np.dtype("<f2"), "box": np.dtype("<f4")}
"""Columns that are kept as bytes, little-endian; all others are numbers, or bytes already."""
_WHOLE = ("track", "utterance", "person")
_BYTES = "jpeg"


class EvidenceFile:
    """An `evidence.sqlite` that is open: `with EvidenceFile.create(path) as file`.

    Two processes may not write one file: the second is refused.
    """

    NAME = "evidence.sqlite"

    def __init__(self, connection: sqlite3.Connection, path: Path) -> None:
        self._connection = connection
        self.path = path

    @classmethod
    def create(cls, path: str | Path) -> "EvidenceFile":
        """Open a file to write in, made if it is not there.

        Raises:
            EmoscopeError: it cannot be written, another process writes it, or it is no evidence.
        """
        path = Path(path)
        try:
            connection = sqlite3.connect(path, timeout=0.5, isolation_level=None, check_same_thread=False)
            connection.execute("PRAGMA locking_mode=EXCLUSIVE")
            connection.execute("PRAGMA journal_mode=WAL")
            connection.execute("PRAGMA synchronous=NORMAL")  # a killed process loses nothing, a power cut a second
            connection.execute("BEGIN IMMEDIATE")
            for statement in _schema():
                connection.execute(statement)
            connection.execute("INSERT OR IGNORE INTO about VALUES ('format', ?)", (json.dumps(FORMAT),))
            connection.execute("COMMIT")
        except sqlite3.DatabaseError as error:
            raise EmoscopeError(_refusal(path, error)) from None
        return cls(connection, path)

    @classmethod
    def open(cls, path: str | Path) -> "EvidenceFile":
        """Open a file to read, by its own path or that of the folder that it lies in.

        Raises:
            EmoscopeError: there is none.
        """
        path = Path(path)
        path = path / cls.NAME if path.is_dir() else path
        if not path.is_file():
            raise EmoscopeError(f"{path}: there is no evidence; make it with: emoscope analyze RECORDING --out FOLDER")
        try:
            connection = sqlite3.connect(path, isolation_level=None)
            connection.execute("SELECT value FROM about LIMIT 1")
        except sqlite3.DatabaseError as error:
            raise EmoscopeError(_refusal(path, error)) from None
        return cls(connection, path)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the file; what was appended stays."""
        self._connection.close()

    def about(self, name: str) -> Any:
        """A fact that `tell` wrote, or `None`."""
        row = self._connection.execute("SELECT value FROM about WHERE name = ?", (name,)).fetchone()
        return None if row is None else json.loads(row[0])

    def tell(self, **facts: Any) -> None:
        """Write facts, each as JSON."""
        rows = [(name, json.dumps(value)) for name, value in facts.items()]
        self._connection.executemany("INSERT OR REPLACE INTO about VALUES (?, ?)", rows)

    def clear(self) -> None:
        """Remove everything."""
        with self._transaction():
            for table in (*_TABLES, "shots", "frames", "about", "checkpoint"):
                self._connection.execute(f"DELETE FROM {table}")
            self.tell(format=FORMAT)

    def append(self, evidence: Evidence, checkpoint: dict[str, Any] | None = None, **facts: Any) -> None:
        """Add rows, and say from where observing goes on and what is known: all of it or nothing."""
        with self._transaction():
            for name in _TABLES:
                self._insert(name, getattr(evidence, name))
            self._connection.executemany("INSERT INTO shots VALUES (?)", [(t,) for t in evidence.shots.tolist()])
            if checkpoint is not None:
                self._connection.execute("DELETE FROM checkpoint")
                self._connection.execute("INSERT INTO checkpoint VALUES (?)", (pack(checkpoint),))
            self.tell(**facts)

    def checkpoint(self) -> dict[str, Any] | None:
        """Where observing goes on, as `append` was told last."""
        row = self._connection.execute("SELECT state FROM checkpoint").fetchone()
        return None if row is None else unpack(row[0])

    def keep_frames(self, frames: list[tuple[float, float, bytes]]) -> None:
        """Keep the pictures of the page instead of those before: seconds, scale and JPEG of each."""
        with self._transaction():
            self._connection.execute("DELETE FROM frames")
            self._connection.executemany("INSERT INTO frames VALUES (?, ?, ?)", frames)

    def frames(self) -> list[tuple[float, float, bytes]]:
        """The pictures that `keep_frames` kept."""
        return self._connection.execute("SELECT time, scale, jpeg FROM frames ORDER BY time").fetchall()

    def highest(self, table: str, column: str) -> int:
        """The highest number in a column; 0 where there is none."""
        row = self._connection.execute(f"SELECT MAX({column}) FROM {table}").fetchone()
        return int(row[0] or 0)

    def end(self, pieces: Pieces | None = None, keep_identity: bool = True, **facts: Any) -> None:
        """Say that observing is over: there is nothing to go on from.

        Args:
            pieces: who is who.
            keep_identity: whether the embeddings stay; without them, nothing biometric is left in the file.
            facts: to write.
        """
        with self._transaction():
            self._connection.execute("DELETE FROM checkpoint")
            if pieces is not None:
                self._insert("pieces", pieces)
            self._connection.execute(_BEST_VIEWS)
            if not keep_identity:
                self._connection.execute("DELETE FROM looks")
                self._connection.execute("DELETE FROM speakers")
            self.tell(**facts)
        if not keep_identity:
            self._connection.execute("VACUUM")  # or the bytes would stay in the file
        self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def read(self) -> Evidence:
        """Everything in it.

        Raises:
            EmoscopeError: it is damaged, or was made by another version.
        """
        if (made := self.about("format")) != FORMAT:
            raise EmoscopeError(
                f"{self.path}: evidence of format {made}, expected {FORMAT}; analyze the recording anew"
            )
        try:
            tables: dict[str, Any] = {name: self._table(name, kind) for name, kind in _TABLES.items()}
            shots = np.array([row[0] for row in self._connection.execute("SELECT time FROM shots")], np.float64)
            return Evidence(**tables, shots=shots, info=self.about("info") or {})
        except (sqlite3.DatabaseError, ValueError) as error:
            raise EmoscopeError(f"{self.path}: the evidence is damaged ({error}); analyze the recording anew") from None

    def _table(self, name: str, kind: type[Columns]) -> Columns:
        names = [f.name for f in fields(kind)]
        rows = self._connection.execute(f"SELECT {', '.join(names)} FROM {name} ORDER BY rowid").fetchall()
        if not rows:
            return kind.empty((self.about("widths") or {}).get(name, 0))  # type: ignore[attr-defined]
        return kind(
            **{column: _loaded(column, values) for column, values in zip(names, zip(*rows, strict=True), strict=True)}
        )

    def _insert(self, name: str, table: Columns) -> None:
        names = [f.name for f in fields(table)]
        marks = ", ".join("?" * len(names))
        columns = [_stored(column, getattr(table, column)) for column in names]
        self._connection.executemany(f"INSERT INTO {name} VALUES ({marks})", zip(*columns, strict=True))

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._connection.execute("ROLLBACK")
            raise
        self._connection.execute("COMMIT")


_BEST_VIEWS = """DELETE FROM views WHERE rowid NOT IN
    (SELECT rowid FROM (SELECT rowid, MAX(quality) FROM views GROUP BY track))"""


def _schema() -> Iterator[str]:
    for name, kind in _TABLES.items():
        columns = ", ".join(
            f"{f.name} {'BLOB' if f.name in (*_VECTORS, _BYTES) else 'INTEGER' if f.name in _WHOLE else 'REAL'}"
            for f in fields(kind)
        )
        yield f"CREATE TABLE IF NOT EXISTS {name} ({columns})"
    yield "CREATE TABLE IF NOT EXISTS shots (time REAL)"
    yield "CREATE TABLE IF NOT EXISTS frames (time REAL, scale REAL, jpeg BLOB)"
    yield "CREATE TABLE IF NOT EXISTS about (name TEXT PRIMARY KEY, value TEXT)"
    yield "CREATE TABLE IF NOT EXISTS checkpoint (state BLOB)"


def _refusal(path: Path, error: sqlite3.DatabaseError) -> str:
    if "locked" in str(error):
        return f"{path}: another emoscope writes it; wait until it is done, or name another folder with --out"
    if "unable to open" in str(error) or "readonly" in str(error):
        return f"{path}: cannot be opened; name another folder with --out"
    return f"{path}: not an evidence file of emoscope; name another folder with --out"


def _stored(column: str, values: np.ndarray) -> list[Any]:
    if column in _VECTORS:
        return [row.tobytes() for row in values.astype(_VECTORS[column])]
    return [None if value != value else value for value in values.tolist()]


def _loaded(column: str, values: tuple[Any, ...]) -> np.ndarray:
    if column in _VECTORS:
        kind = _VECTORS[column]
        rows = np.frombuffer(b"".join(values), kind).reshape(len(values), -1)
        return rows.astype(np.float64) if column == "box" else rows.copy()
    if column == _BYTES:
        pictures = np.empty(len(values), object)
        pictures[:] = values
        return pictures
    kind = np.dtype(
        np.int32 if column in _WHOLE else np.float64 if column in ("time", "duration", "start", "end") else np.float32
    )
    return np.array([np.nan if value is None else value for value in values]).astype(kind)
