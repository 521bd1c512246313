"""A csv that a user writes: with or without a byte order mark, with cells missing or too many."""

import csv
from pathlib import Path


def read_rows(path: Path) -> tuple[list[str], list[dict[str, str]]]:
    """The names of the columns, and the rows by column; a cell that is missing is empty, one too many is left out.

    Raises:
        OSError: the file cannot be read.
        ValueError: it is no csv.
    """
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            table = csv.DictReader(file)
            rows = [{name: value or "" for name, value in row.items() if name is not None} for row in table]
    except csv.Error as error:
        raise ValueError(str(error)) from None
    return list(table.fieldnames or ()), rows
