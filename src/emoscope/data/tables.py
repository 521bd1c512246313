"""Tables that a user writes: a csv with a row for each file, its label and whose it is."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from ..errors import DataError
from ..usertable import read_rows

Row = tuple[int, dict[str, str]]
"""The line of a file and its cells by column."""


def rows(path: Path, columns: Sequence[str]) -> Iterator[Row]:
    """The rows of a csv, with the columns that must be there and filled in.

    Raises:
        DataError: it is missing, no csv, empty, or lacks a column or a cell.
    """
    try:
        there, found = read_rows(path)
    except (OSError, ValueError) as error:
        raise DataError(f"{path} is not a csv that can be read: {error}") from None
    wanted = ", ".join(columns)
    if not set(columns) <= set(there):
        raise DataError(f"{path}: expected the columns {wanted}, got {', '.join(there) or 'none'}")
    if not found:
        raise DataError(f"{path}: expected a row for each file, got none")
    for line, row in enumerate(found, 2):
        if empty := [column for column in columns if not row[column]]:
            raise DataError(f"{path}, line {line}: expected the columns {wanted}, all filled in; {empty[0]} is empty")
        yield line, {column: row[column] for column in columns}


def labels_as_columns(where: Path, found: Sequence[str], labels: Sequence[str], model: str) -> list[int]:
    """The column of each label among those that a model can say.

    Raises:
        DataError: it cannot say one.
    """
    if unknown := next((label for label in found if label not in labels), None):
        raise DataError(f"{where}: {model} cannot say {unknown!r}; it can say {', '.join(labels)}")
    return [list(labels).index(label) for label in found]
