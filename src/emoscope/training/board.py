"""Curves for TensorBoard, where it is installed."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any


class Board:
    """Writes each epoch's numbers to `out/tensorboard`; does nothing without the package `tensorboard`."""

    def __init__(self, out: Path) -> None:
        self._folder = out / "tensorboard"
        self._writer: Any = None

    def add(self, entry: Mapping[str, float]) -> None:
        """One entry of a history. A run that goes on replaces what an interrupted one wrote of later epochs."""
        epoch = int(entry["epoch"])
        if self._writer is None:
            try:
                from torch.utils.tensorboard import SummaryWriter
            except ModuleNotFoundError:
                return
            self._writer = SummaryWriter(str(self._folder), purge_step=epoch)
        for name, value in entry.items():
            if name != "epoch":
                self._writer.add_scalar(name.replace("_", "/", 1), value, epoch)
        self._writer.flush()
