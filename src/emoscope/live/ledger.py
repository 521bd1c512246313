"""The book of jobs: what a server that is started again must know of them."""

import sqlite3
from pathlib import Path
from typing import Literal, Self

from pydantic import BaseModel

from ..errors import EmoscopeError
from .order import Order

State = Literal["queued", "running", "done", "failed"]


class Record(BaseModel):
    """One job, as the book has it.

    Attributes:
        id: cannot be guessed.
        order: what it is told.
        owner: whose it is, where clients have tokens.
        state: `running` where the server ended meanwhile.
        created: seconds since 1970 at which it came.
        began: when it was begun last.
        ended: when it was done or failed.
        tries: how often it was begun.
        error: why it failed, in one line.
    """

    id: str
    order: Order
    owner: str | None = None
    state: State = "queued"
    created: float
    began: float | None = None
    ended: float | None = None
    tries: int = 0
    error: str | None = None


class Ledger:
    """An SQLite file that one server has: a second one is refused.

    Args:
        folder: where it lies; made if it is not there.

    Raises:
        EmoscopeError: another server has it, or it cannot be written.
    """

    NAME = "jobs.sqlite"

    def __init__(self, folder: Path) -> None:
        try:
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        except OSError as error:
            raise EmoscopeError(f"{folder}: cannot be made: {error.strerror}; name another folder") from None
        try:
            self._connection = sqlite3.connect(
                folder / self.NAME, timeout=0.5, isolation_level=None, check_same_thread=False
            )
            self._connection.execute("PRAGMA locking_mode=EXCLUSIVE")
            self._connection.execute("PRAGMA journal_mode=WAL")
            self._connection.execute("BEGIN IMMEDIATE")
            self._connection.execute("CREATE TABLE IF NOT EXISTS jobs (id TEXT PRIMARY KEY, record TEXT)")
            self._connection.execute("COMMIT")
        except sqlite3.DatabaseError as error:
            if "locked" in str(error):
                raise EmoscopeError(f"{folder}: another server has these jobs; name another folder") from None
            raise EmoscopeError(f"{folder}: its {self.NAME} cannot be used ({error}); name another folder") from None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()

    def put(self, record: Record) -> None:
        """Write a job, anew or as it is now."""
        row = (record.id, record.model_dump_json())
        self._connection.execute(
            "INSERT INTO jobs VALUES (?, ?) ON CONFLICT (id) DO UPDATE SET record = excluded.record", row
        )

    def remove(self, id: str) -> None:
        """Forget a job."""
        self._connection.execute("DELETE FROM jobs WHERE id = ?", (id,))

    def all(self) -> list[Record]:
        """Every job, in the order in which they came.

        Raises:
            EmoscopeError: it was written by another version.
        """
        try:
            rows = self._connection.execute("SELECT record FROM jobs ORDER BY rowid").fetchall()
            return [Record.model_validate_json(row[0]) for row in rows]
        except (sqlite3.DatabaseError, ValueError):
            raise EmoscopeError(
                f"the jobs in {self.NAME} were written by another version of emoscope; name another folder"
            ) from None
