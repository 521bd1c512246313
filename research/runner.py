"""Runs what a plan says and is not yet in the study's table."""

import subprocess
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console

from emoscope import models

from .plan import ROOT, Run, Study, data_hash, function, weights
from .rows import Point, Row, read, select, write


@dataclass(frozen=True)
class Context:
    """What a function that measures is given.

    Attributes:
        run: its part of the plan.
        data: the folder that holds the data sets.
        cache: a folder for what takes long and can be kept: trainings, what was observed.
        command: by which it is run.
    """

    run: Run
    data: Path
    cache: Path
    command: str

    @property
    def runs(self) -> Path:
        """The folder of this run's trainings, a folder each; it is there."""
        folder = self.cache / "trainings" / self.run.name
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    @property
    def models(self) -> list[models.Model]:
        """The run's models, loaded."""
        return [models.load(name) for name in self.run.models]

    def option(self, name: str, otherwise: Any = None) -> Any:
        """What the plan says of an option."""
        return self.run.options.get(name, otherwise)

    def trained(
        self,
        folder: str,
        recipe: str = "",
        *,
        seed: int | None = None,
        teachers: Sequence[Path] = (),
        start: Path | None = None,
    ) -> Path:
        """A folder of `emoscope train`, `CACHE/trainings/FOLDER`; it is trained if it is not there.

        One that was interrupted goes on.

        Args:
            folder: its name.
            recipe: by default of the same name.
            seed: instead of the recipe's.
            teachers: models whose scores become part of the target.
            start: an earlier training from whose weights this one goes on.
        """
        recipe = recipe or folder
        out = self.cache / "trainings" / folder
        if not (out / f"{recipe}.onnx").exists():
            from emoscope.training.run import train

            train(recipe, self.data, out, resume=True, seed=seed, teachers=teachers, start=start,
                  changes=self.run.overrides)  # fmt: skip
        return out


def run(study: Study, names: tuple[str, ...], data: Path, cache: Path, console: Console | None = None) -> None:
    """Run the runs of a study that are not done, one after the other; each is kept as soon as it is measured.

    Args:
        study: the plan.
        names: of runs; none for all.
        data: the folder that holds the data sets.
        cache: see `Context`.
        console: that says what is done; by default the terminal.

    Raises:
        EmoscopeError: there is no such run, or its data is not there.
    """
    console = console or Console()
    for one in study.find(names):
        hashed = data_hash(data, one.data)
        if done(one, read(study.table, Row), hashed):
            console.print(f"{study.name} {one.name}: done before")
            continue
        console.print(f"{study.name} {one.name}")
        command = command_of(study.name, one)
        found = list(function(one)(Context(one, data, cache, command)))
        common = {"run": one.name, "data": hashed, "commit": commit(), "command": command, "key": one.key()}
        new = [_complete(row, one, common) for row in found if isinstance(row, Row)]
        points = [point.of(run=one.name) for point in found if isinstance(point, Point)]
        study.table.parent.mkdir(parents=True, exist_ok=True)
        others = [row for row in read(study.table, Row) if row.run != one.name]
        write(study.table, list(_ordered(study, others + new)), Row)
        old = [point for point in read(study.curves, Point) if point.run != one.name]
        write(study.curves, list(_ordered(study, old + points)), Point)


def done(run: Run, rows: Iterable[Row], hashed: str) -> bool:
    """Whether the table has the run's rows, of the same models and plan, and of the same data where both are known."""
    own = select(rows, run=run.name)
    return bool(own) and all(row.key == run.key() and row.data in ("", hashed) for row in own)


def command_of(study: str, run: Run) -> str:
    """The command that makes a run's figures."""
    return f"python -m research run {study} --only {run.name}" + (" --data DATA" if run.data else "")


def commit() -> str:
    """The state of the repository; empty outside of one."""
    asked = ["git", "-C", str(ROOT), "rev-parse", "--short=9", "HEAD"]
    return subprocess.run(asked, capture_output=True, text=True).stdout.strip()


def _complete(row: Row, run: Run, common: dict[str, str]) -> Row:
    return row.of(**common, protocol=row.protocol or run.protocol, weights=weights(row.model))


def _ordered(study: Study, rows: list[Any]) -> Iterator[Any]:
    """In the plan's order; what the plan no longer knows is gone."""
    for one in study.runs:
        yield from (row for row in rows if row.run == one.name)
