"""`Persons`: who is who in a folder of results, to look at and to correct."""

from dataclasses import replace
from pathlib import Path
from typing import Any

from .errors import EmoscopeError
from .evidence import Evidence
from .reading.corrections import Correction, Corrections, applied, fingerprint
from .reading.who import automatic, view_rows, who


class Persons:
    """Who is who in a folder that `analyze` wrote.

    Corrections are kept in `persons.json` there, and every later reading applies them.

    Args:
        folder: of the results.

    Raises:
        EmoscopeError: there is no evidence in it, or the corrections cannot be read.

    Example:
        >>> people = emoscope.Persons("interview")
        >>> people.name(1, "Anna")
        >>> people.merge(2, 5)
        >>> timeline = emoscope.read("interview")
    """

    def __init__(self, folder: str | Path) -> None:
        self.folder = Path(folder)
        self._evidence = Evidence.load(self.folder)
        self._automatic = automatic(self._evidence)
        self._corrections = Corrections.load(self.folder)

    def __repr__(self) -> str:
        return f"<Persons: {len(self.table())} in {self.folder}>"

    @property
    def corrections(self) -> tuple[Correction, ...]:
        """Those that were made, in their order."""
        return self._corrections.made

    def table(self) -> list[dict[str, Any]]:
        """A row a person, see `reading.who.Who.persons`."""
        return who(self._evidence, self._corrections).persons()

    def notes(self) -> list[str]:
        """What to know of them."""
        return who(self._evidence, self._corrections).notes

    def views(self) -> dict[int, bytes]:
        """For each person who was seen the best view of their face, as JPEG."""
        pieces = who(self._evidence, self._corrections).grouping.pieces
        rows = view_rows(self._evidence, pieces)
        return {person: self._evidence.views.jpeg[row] for person, row in rows.items()}

    def name(self, person: int, name: str) -> None:
        """Call a person by a name.

        Raises:
            EmoscopeError: there is no such person, or the name is empty.
        """
        self.correct(Correction.parse(["name", str(person), name]))

    def merge(self, person: int, *others: int) -> None:
        """The others are this person too.

        Raises:
            EmoscopeError: there is no such person.
        """
        self.correct(Correction.parse(["merge", str(person), *map(str, others)]))

    def split(self, person: int, at: float) -> None:
        """From `at` seconds on it is somebody else, who gets the next number.

        Raises:
            EmoscopeError: there is no such person, or they are not there both before and after it.
        """
        self.correct(Correction("split", person, at=at))

    def drop(self, person: int) -> None:
        """It is nobody: leave them out.

        Raises:
            EmoscopeError: there is no such person.
        """
        self.correct(Correction.parse(["drop", str(person)]))

    def same_as(self, person: int, folder: str | Path, other: int) -> None:
        """It is the person of another folder of results: call them the same.

        Raises:
            EmoscopeError: there is no such person here or there, or the one there has no name.
        """
        rows = {row["person"]: row["name"] for row in Persons(folder).table()}
        if other not in rows:
            raise EmoscopeError(f"{folder}: there is no person {other}")
        if not rows[other]:
            raise EmoscopeError(f"person {other} in {folder} has no name; give one with: "
                                f"emoscope persons {folder} name {other} NAME")  # fmt: skip
        self.name(person, rows[other])

    def undo(self) -> Correction:
        """Take back the last correction, and return it.

        Raises:
            EmoscopeError: there is none.
        """
        if not self._corrections.made:
            raise EmoscopeError(f"{self.folder}: there is no correction to undo")
        *kept, last = self._corrections.made
        self._keep(replace(self._corrections, made=tuple(kept)))
        return last

    def correct(self, correction: Correction) -> None:
        """Make a correction.

        Raises:
            EmoscopeError: there is no such person, or nothing to split.
        """
        now = fingerprint(self._automatic.pieces)
        before = self._corrections if self._corrections.of == now else Corrections(of=now)
        grouping, _ = before.apply(self._automatic)
        applied(grouping, correction)
        self._keep(Corrections((*before.made, correction), now))

    def _keep(self, corrections: Corrections) -> None:
        corrections.write(self.folder)
        self._corrections = corrections
