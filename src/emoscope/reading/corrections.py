"""What people say of who is who, kept in `persons.json`: names, persons who are one, or two, or nobody."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal, Self, get_args

import numpy as np

from ..errors import EmoscopeError
from ..evidence import Pieces
from ..timeline import NOBODY
from .offsets import seconds
from .persons import Grouping

NAME = "persons.json"
DROPPED = -1
"""The person of pieces that are left out."""
LONGEST_NAME = 100
MOST = 10_000
"""Corrections in a file."""

Do = Literal["name", "merge", "split", "drop"]


@dataclass(frozen=True)
class Correction:
    """One correction.

    Attributes:
        do: what: `name` a person, `merge` others into them, `split` them at a time, or `drop` them.
        person: their number.
        name: theirs, for `name`.
        others: persons who are the same, for `merge`.
        at: seconds from which on it is somebody else, for `split`.
    """

    do: Do
    person: int
    name: str | None = None
    others: tuple[int, ...] = ()
    at: float | None = None

    @classmethod
    def parse(cls, words: Sequence[str]) -> Self:
        """As on the command line: `name 1 Anna`, `merge 2 5`, `split 3 at 0:41`, `drop 4`.

        Raises:
            EmoscopeError: it is something else.
        """
        match list(words):
            case ["name", person, *name] if name:
                return cls("name", _number(person), name=_clean(" ".join(name)))
            case ["merge", person, *others] if others:
                return cls("merge", _number(person), others=tuple(map(_number, others)))
            case ["split", person, "at", time]:
                return cls("split", _number(person), at=_time(time))
            case ["drop", person]:
                return cls("drop", _number(person))
        raise EmoscopeError(
            f"{' '.join(words)}: expected name 1 Anna, merge 2 5, split 3 at 0:41, drop 4, same-as 3 OTHER@1 or undo"
        )

    def to_json(self) -> dict[str, Any]:
        """Without what is not said."""
        facts = {"do": self.do, "person": self.person, "name": self.name, "others": list(self.others), "at": self.at}
        return {key: value for key, value in facts.items() if value not in (None, [])}

    @classmethod
    def from_json(cls, facts: dict[str, Any]) -> Self:
        """As `to_json` wrote it.

        Raises:
            ValueError: it is none.
        """
        do, name, at = facts["do"], facts.get("name"), facts.get("at")
        if do not in get_args(Do) or (do == "name") != (name is not None) or (do == "split") != (at is not None):
            raise ValueError(f"no correction: {do}")
        others = tuple(int(one) for one in facts.get("others", ()))
        return cls(do, int(facts["person"]), None if name is None else _clean(str(name)), others,
                   None if at is None else float(at))  # fmt: skip


@dataclass(frozen=True)
class Corrections:
    """The corrections of a recording, in the order in which they were made.

    Attributes:
        made: of them.
        of: what the grouping was that they are of, see `fingerprint`.
    """

    made: tuple[Correction, ...] = ()
    of: str = ""

    @classmethod
    def load(cls, folder: str | Path) -> Self:
        """Those in a folder of results; none where there is no file.

        Raises:
            EmoscopeError: the file cannot be read.
        """
        path = Path(folder) / NAME
        if not path.is_file():
            return cls()
        try:
            facts = json.loads(path.read_text(encoding="utf-8"))
            made = tuple(Correction.from_json(one) for one in facts["corrections"][:MOST])
            return cls(made, str(facts["of"]))
        except OSError as error:
            raise EmoscopeError(f"{path}: {error.strerror or error}") from None
        except (ValueError, KeyError, TypeError, AttributeError):
            raise EmoscopeError(f"{path}: holds no corrections of persons; mend it, or remove it") from None

    def write(self, folder: str | Path) -> None:
        """Keep them in a folder of results."""
        facts = {"of": self.of, "corrections": [one.to_json() for one in self.made]}
        path = Path(folder) / NAME
        fresh = path.with_suffix(".new")
        fresh.write_text(json.dumps(facts, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
        fresh.replace(path)

    def apply(self, grouping: Grouping) -> tuple[Grouping, list[str]]:
        """The grouping as people say it is, and notes on corrections that are of another one."""
        if not self.made:
            return grouping, []
        if self.of != fingerprint(grouping.pieces):
            return grouping, [
                f"{NAME} is of another grouping of persons and was not applied; make the corrections anew"
            ]
        for one in self.made:
            grouping = applied(grouping, one)
        return grouping, []


def fingerprint(pieces: Pieces) -> str:
    """Tells a grouping from others."""
    rows = np.column_stack([pieces.person, pieces.track, np.rint(pieces.start * 1000), np.rint(pieces.end * 1000)])
    return hashlib.sha256(rows.astype("<i8").tobytes()).hexdigest()[:16]


def applied(grouping: Grouping, correction: Correction) -> Grouping:
    """A grouping with one correction made.

    Raises:
        EmoscopeError: there is no such person, nothing of them after the time of a split, or the name is taken.
    """
    pieces, who = grouping.pieces, correction.person
    there = {int(one) for one in np.unique(pieces.person) if one > NOBODY}
    for one in (who, *correction.others):
        if one not in there:
            raise EmoscopeError(
                f"there is no person {one}; there are: {', '.join(map(str, sorted(there))) or 'nobody'}"
            )
    names, pictures = dict(grouping.names), list(grouping.pictures)
    if correction.do == "name":
        for one, name in names.items():
            if name == correction.name and one != who:
                raise EmoscopeError(f"person {one} is called {name} already; if they are one, say: merge {one} {who}")
        names[who] = correction.name or ""
    elif correction.do == "merge":
        person = np.where(np.isin(pieces.person, correction.others), who, pieces.person).astype(np.int32)
        pieces = replace(pieces, person=person)
        given = [names.pop(one) for one in correction.others if one in names and one != who]
        mine = [names.pop(who)] if who in names else []
        chosen = [name for name in (*mine, *given) if not name.startswith("Voice ")]
        seen = bool(((pieces.person == who) & (pieces.track > 0)).any())
        if chosen or (mine and not seen):
            names[who] = (chosen or mine)[0]
    elif correction.do == "split":
        assert correction.at is not None
        pieces = _split(pieces, who, correction.at, _next(grouping))
    else:
        person = np.where(pieces.person == who, DROPPED, pieces.person).astype(np.int32)
        pieces = replace(pieces, person=person)
        names.pop(who, None)
    gone = set(correction.others) - {who} | ({who} if correction.do == "drop" else set())
    doubts = [(a, b, alike) for a, b, alike in grouping.doubts if not {a, b} & gone]
    return replace(
        grouping, pieces=pieces, names=names, doubts=doubts, pictures=[one for one in pictures if one not in gone]
    )


def _next(grouping: Grouping) -> int:
    """A number that nobody has or had."""
    return 1 + max(int(grouping.pieces.person.max(initial=0)), *grouping.names, *grouping.pictures, 0)


def _split(pieces: Pieces, who: int, at: float, number: int) -> Pieces:
    own = pieces.person == who
    across = own & (pieces.start < at) & (pieces.end >= at)
    later = pieces.take(across)
    pieces = replace(pieces, end=np.where(across, np.nextafter(at, -np.inf), pieces.end))
    after = own & (pieces.start >= at)
    if not (after.any() or across.any()) or not (own & (pieces.start < at)).any():
        raise EmoscopeError(f"person {who} is not there both before and after {at:g} s")
    pieces = replace(pieces, person=np.where(after, number, pieces.person).astype(np.int32))
    later = replace(later, person=np.full(len(later), number, np.int32), start=np.full(len(later), at))
    return Pieces.join([pieces, later])


def _number(text: str) -> int:
    if not text.isdecimal() or not 0 < int(text) < 1 << 31:
        raise EmoscopeError(f"{text}: expected the number of a person, from 1")
    return int(text)


def _time(text: str) -> float:
    try:
        return seconds(text)
    except ValueError:
        raise EmoscopeError(f"{text}: expected seconds or minutes:seconds, as 41 or 0:41") from None


def _clean(name: str) -> str:
    """A name in one line of what can be shown."""
    shown = " ".join("".join(c if c.isprintable() else " " for c in name).split())[:LONGEST_NAME]
    if not shown:
        raise EmoscopeError("expected a name, got none")
    return shown
