"""The plan of a study, `research/STUDY/plan.yaml`: its runs, and how its page shows them."""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass, field, fields
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

import yaml

from emoscope.errors import DataError
from emoscope.models import registry

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "results"
DIGITS = 12
"""Of hashes, hexadecimal."""
DERIVED = "sequences"
"""A folder that `emoscope prepare` makes beside the data; it is no data of its own."""


@dataclass(frozen=True)
class Run:
    """One thing that is measured.

    Attributes:
        name: unique in the study.
        does: `module:function` within `research`: what maps a `runner.Context` to rows and points.
        title: of its section on the page.
        text: what a reader must know, Markdown.
        models: registered models that are measured, by name; the function gets them in this order.
        recipes: of `emoscope train`, that the function trains where they are not in the cache.
        overrides: of the recipes' settings.
        seeds: of the trainings.
        protocol: of rows that do not say theirs.
        data: the folders of `--data` that are read.
        options: more that the function is told.
        tables: layouts, see `tables.Layout`.
        plots: pictures, see `plots.Picture`.
    """

    name: str
    does: str
    title: str
    text: str = ""
    models: tuple[str, ...] = ()
    recipes: tuple[str, ...] = ()
    overrides: dict[str, Any] = field(default_factory=dict)
    seeds: tuple[int, ...] = ()
    protocol: str = ""
    data: tuple[str, ...] = ()
    options: dict[str, Any] = field(default_factory=dict)
    tables: tuple[dict[str, Any], ...] = ({},)
    plots: tuple[dict[str, Any], ...] = ()

    def key(self) -> str:
        """A hash of all that the figures depend on but the code and the data: equal keys need no second run."""
        return self.key_with({name: weights(name) for name in self.models})

    def key_with(self, digests: dict[str, str]) -> str:
        """`key`, had the models these weights."""
        depends = [self.does, digests, self.recipes, self.overrides, self.seeds, self.options]
        return hashlib.sha256(json.dumps(depends, sort_keys=True).encode()).hexdigest()[:DIGITS]


@dataclass(frozen=True)
class Study:
    """A folder of `research/`.

    Attributes:
        name: of the folder.
        title: of its page.
        text: the page's first words, Markdown.
        runs: in the page's order.
    """

    name: str
    title: str
    text: str
    runs: tuple[Run, ...]

    @property
    def table(self) -> Path:
        """Where its rows are kept."""
        return RESULTS / f"{self.name}.csv"

    @property
    def curves(self) -> Path:
        """Where its curves are kept."""
        return RESULTS / f"{self.name}-curves.csv"

    @property
    def folder(self) -> Path:
        """Where its page and its pictures are."""
        return RESULTS / self.name

    def find(self, names: tuple[str, ...]) -> list[Run]:
        """The runs of these names; all for none.

        Raises:
            DataError: there is none of a name.
        """
        known = {run.name: run for run in self.runs}
        if missing := [name for name in names if name not in known]:
            raise DataError(f"{self.name} has no run {missing[0]}; it has {', '.join(known)}")
        return [known[name] for name in names] if names else list(self.runs)


def studies() -> list[str]:
    """The names of all studies."""
    return sorted(path.parent.name for path in Path(__file__).parent.glob("*/plan.yaml"))


@cache
def load(name: str) -> Study:
    """Read the plan of a study.

    Raises:
        DataError: there is no such study, or its plan is not one.
    """
    path = Path(__file__).parent / name / "plan.yaml"
    if not path.is_file():
        raise DataError(f"there is no study {name}; there are {', '.join(studies())}")
    plan = yaml.safe_load(path.read_text(encoding="utf-8"))
    runs = tuple(_runs(plan["runs"], path))
    if len({run.name for run in runs}) < len(runs):
        raise DataError(f"{path}: two runs have one name")
    return Study(name, plan["title"], plan.get("text", ""), runs)


def _runs(given: list[dict[str, Any]], path: Path) -> Iterator[Run]:
    known = {one.name for one in fields(Run)}
    for one in given:
        if unknown := set(one) - known:
            raise DataError(f"{path}: {one.get('name')} says {min(unknown)}; known are {', '.join(sorted(known))}")
        said: dict[str, Any] = {key: tuple(value) if isinstance(value, list) else value for key, value in one.items()}
        yield Run(**said)


def function(run: Run) -> Any:
    """The function that measures."""
    module, _, name = run.does.partition(":")
    return getattr(import_module(f"research.{module}"), name)


@cache
def weights(name: str) -> str:
    """First digits of the SHA-256 of a registered model's file; empty where there is none of that name."""
    path = registry.paths().get(name)
    return hashlib.sha256(path.read_bytes()).hexdigest()[:DIGITS] if path else ""


def data_hash(data: Path, folders: tuple[str, ...]) -> str:
    """First digits of a SHA-256 over the names and sizes of all files in these folders of `data`; empty for none.

    Raises:
        DataError: a folder is not there.
    """
    if not folders:
        return ""
    digest = hashlib.sha256()
    for folder in folders:
        if not (data / folder).is_dir():
            raise DataError(f"{data / folder}: there is no such folder; --data is the folder that holds {folder}/")
        for path in sorted((data / folder).rglob("*")):
            place = path.relative_to(data)
            if path.is_file() and DERIVED not in place.parts:
                digest.update(f"{place.as_posix()} {path.stat().st_size}\n".encode())
    return digest.hexdigest()[:DIGITS]
