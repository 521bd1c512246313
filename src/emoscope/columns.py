"""Tables as columns: data classes whose fields are NumPy arrays of one length."""

from collections.abc import Iterable
from dataclasses import dataclass, fields
from typing import Self

import numpy as np


@dataclass(frozen=True, eq=False)
class Columns:
    """A table: every field is an array whose first axis is the row.

    Raises:
        ValueError: the columns have different lengths.
    """

    def __post_init__(self) -> None:
        lengths = {f.name: len(getattr(self, f.name)) for f in fields(self)}
        if len(set(lengths.values())) > 1:
            raise ValueError(f"expected columns of one length, got {lengths}")

    def __len__(self) -> int:
        return len(getattr(self, fields(self)[0].name))

    def take(self, rows: np.ndarray | slice) -> Self:
        """The rows that a mask, an array of indices or a slice selects."""
        return type(self)(**{f.name: getattr(self, f.name)[rows] for f in fields(self)})

    @classmethod
    def join(cls, tables: Iterable[Self]) -> Self:
        """The rows of several tables, at least one, one after the other; the widths of empty ones do not matter."""
        every = list(tables)
        parts = [table for table in every if len(table)] or every[:1]
        return cls(**{f.name: np.concatenate([getattr(part, f.name) for part in parts]) for f in fields(cls)})
