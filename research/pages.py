"""All pages and pictures of `results/`, and the figures in the README, from the studies' tables."""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

import yaml

from . import plan
from .metrics import interval, written
from .plan import Study
from .plots import Picture, draw
from .rows import Point, Row, read, select
from .tables import Layout, tables

QUOTING = ("README.md", "docs/baseline.md")
"""Pages that quote figures."""
MARK = re.compile(r"<!-- figure: (?P<name>[\w-]+)(?: (?P<show>\w+))? -->.*?<!-- -->", re.DOTALL)
"""A figure in a page: its name in `figures.yaml`, and what of it is shown."""


def write() -> list[Path]:
    """Write all pages and pictures; what is left of earlier ones is deleted. Returns what is there."""
    made = {place: text for name in plan.studies() for place, text in of(plan.load(name)).items()}
    made |= {path: quoted(path.read_text(encoding="utf-8")) for path in (plan.ROOT / name for name in QUOTING)}
    for name in plan.studies():
        for old in plan.load(name).folder.glob("*"):
            if old not in made:
                old.unlink()
    for path, text in made.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return list(made)


def of(study: Study) -> dict[Path, str]:
    """The page of a study and its pictures: where each goes, and what is in it; nothing for a study without rows."""
    rows, points = read(study.table, Row), read(study.curves, Point)
    if not rows:
        return {}
    made: dict[Path, str] = {}
    parts = [f"# {study.title}", _filled(study.text)]
    for run in study.runs:
        own, curves = select(rows, run=run.name), select(points, run=run.name)
        if not own:
            continue
        parts += [f"## {run.title}", provenance(own), _filled(run.text)]
        for layout in run.tables:
            parts += tables(own, Layout(**layout))
        for one in run.plots:
            picture = Picture(**one)
            if drawn := draw(picture, own, curves):
                made[study.folder / f"{picture.name}.svg"] = drawn
                parts.append(f"![{picture.title}]({picture.name}.svg)")
    parts.append(f"*This page is made from [{study.table.name}](../{study.table.name}) by `python -m research pages`.*")
    made[study.folder / "README.md"] = "\n\n".join(part for part in parts if part) + "\n"
    return made


def provenance(rows: Sequence[Row]) -> str:
    """The command, the models and the states of the repository of a run's rows."""
    lines = ["Command: " + ", ".join(f"`{command}`" for command in dict.fromkeys(row.command for row in rows))]
    if models := list(_models(rows)):
        lines.append(f"Models: {', '.join(models)}")
    lines.append("Measured at " + ", ".join(f"`{commit}`" for commit in dict.fromkeys(row.commit for row in rows)))
    return "  \n".join(lines)


def _models(rows: Sequence[Row]) -> Iterator[str]:
    """Each model with the digest of its weights, and a word where they are no longer the shipped ones."""
    for name, weights in dict.fromkeys((row.model, row.weights) for row in rows if row.weights):
        now = plan.weights(name)
        yield f"{name} ({weights}{'' if weights == now else ', weights that are no longer shipped'})"


def _filled(text: str) -> str:
    """Words of a plan, with the figures in the place of their marks."""
    return MARK.sub(lambda mark: figure(mark["name"], mark["show"] or "value"), text).strip()


def quoted(text: str) -> str:
    """A page with the figures in it as they stand in the tables.

    Raises:
        LookupError: a mark does not name a figure.
    """

    def filled(mark: re.Match[str]) -> str:
        name, show = mark["name"], mark["show"] or "value"
        return f"<!-- figure: {name}{f' {show}' if mark['show'] else ''} -->{figure(name, show)}<!-- -->"

    return MARK.sub(filled, text)


def figure(name: str, show: str = "value") -> str:
    """What a mark shows.

    Args:
        name: in `figures.yaml`.
        show: `value`, `n`, `interval`, or `row`: the three as cells of a table, n first.

    Raises:
        LookupError: there is no figure of that name, or not exactly one row is as it says.
    """
    figures = yaml.safe_load((Path(__file__).parent / "figures.yaml").read_text(encoding="utf-8"))
    if name not in figures:
        raise LookupError(f"{name}: there is no such figure in figures.yaml")
    return shown({"metric": "accuracy", **figures[name]}, show)


def shown(where: dict[str, str], show: str) -> str:
    """`figure`, of the one row that is so.

    Raises:
        LookupError: not exactly one is.
    """
    study = plan.load(where["study"])
    found = select(read(study.table, Row), **{key: value for key, value in where.items() if key != "study"})
    if len(found) != 1 or found[0].value is None:
        raise LookupError(f"{where}: {len(found)} rows are so; expected one with a value")
    (row,) = found
    value = written(row.metric, row.value or 0.0)
    ends = interval(row.metric, row.low, row.high) if row.low is not None and row.high is not None else ""
    parts = {"value": value, "n": f"{row.n or 0:,}", "interval": ends}
    return f"{parts['n']} | {value} | {ends}" if show == "row" else parts[show]
