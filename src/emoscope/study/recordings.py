"""Which recordings a study has, and what the user knows of each."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from glob import glob, has_magic
from pathlib import Path

from ..errors import EmoscopeError
from ..media import is_media
from ..usertable import read_rows

PATH = "path"
"""The column of a csv that names the file; all others are the user's own."""
PERSON = "person"
"""The column that says whose recording it is."""
TAKEN = ("recording", "status", "reason", "who", "source", "seconds", "observations", "emotion", "confidence")
"""Columns of `recordings.csv` that no csv of the user may have."""


@dataclass(frozen=True, slots=True)
class Recording:
    """One file of a study.

    Attributes:
        name: tells it from the others: its place under the folder that was given, with `_` for each `/`.
        path: the file.
        columns: what the user's csv says of it.
    """

    name: str
    path: Path
    columns: dict[str, str] = field(default_factory=dict)


def find_recordings(paths: Sequence[str | Path]) -> list[Recording]:
    """The recordings that files, folders (with all below them), globs and csv files name, in order of name.

    Args:
        paths: any number; a csv has the column `path` (from its own folder on), and any others: `person` says whose
            recording it is, and further ones, such as `condition`, can be compared.

    Raises:
        EmoscopeError: a path leads nowhere, a csv is not as expected, two recordings have one name, or there is none.
    """
    found: dict[str, Recording] = {}
    for recording in (each for path in paths for each in _under(str(path))):
        before = found.setdefault(recording.name, recording)
        if before.path.absolute() != recording.path.absolute():
            raise EmoscopeError(
                f"{recording.path}: has the name of {before.path}; give the folder that holds both, or rename one"
            )
        if before.columns != recording.columns:
            raise EmoscopeError(f"{recording.path}: is named twice, with different columns")
    if not found:
        raise EmoscopeError(f"{', '.join(map(str, paths))}: no videos, sound files or pictures")
    return [found[name] for name in sorted(found)]


def _under(text: str) -> Iterable[Recording]:
    path = Path(text)
    if path.is_dir():
        files = (p for p in sorted(path.rglob("*")) if p.is_file() and is_media(p))
        shown = (p for p in files if not any(part.startswith(".") for part in p.relative_to(path).parts))
        return [Recording(_name(p.relative_to(path)), p) for p in shown]
    if path.suffix.lower() == ".csv" and path.is_file():
        return _listed(path)
    if path.exists():
        return [Recording(path.name, path)]
    if has_magic(text):
        hits = sorted(glob(text, recursive=True))  # noqa: PTH207 - Path.glob takes no absolute pattern
        return [each for hit in hits for each in _globbed(Path(hit))]
    raise EmoscopeError(f"{text}: there is no such file or folder")


def _globbed(hit: Path) -> Iterable[Recording]:
    return _under(str(hit)) if hit.is_dir() or is_media(hit) else ()


def _name(path: Path) -> str:
    return "_".join(part for part in path.parts if part not in ("..", path.anchor))


def _listed(table: Path) -> list[Recording]:
    try:
        header, rows = read_rows(table)
    except (OSError, ValueError) as error:
        raise EmoscopeError(f"{table}: cannot be read as a csv: {error}") from None
    if PATH not in header:
        raise EmoscopeError(f"{table}: expected a column named path, got {', '.join(header) or 'none'}")
    if taken := [name for name in header if name in TAKEN]:
        raise EmoscopeError(f"{table}: the column {taken[0]} has a name that the results use; give it another")
    made = []
    for row in rows:
        given = row.pop(PATH)
        if not given:
            raise EmoscopeError(f"{table}: a row has no path")
        made.append(Recording(_name(Path(given)), table.parent / given, row))
    return made
