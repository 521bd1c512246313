"""The tables in the repository, and the runner: what is done is not done again."""

import csv
import re
from collections.abc import Iterator
from io import StringIO
from pathlib import Path
from types import SimpleNamespace

import pytest
from click.testing import CliRunner
from rich.console import Console

from emoscope.errors import DataError
from research import plan, runner
from research.__main__ import main
from research.rows import COLUMNS, CURVE_COLUMNS, Point, Row, read, select, write
from research.tables import KEYS

STUDIES = plan.studies()


@pytest.fixture
def study(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[plan.Study, list[str]]:
    """A study of two runs, and the names of the runs that were measured."""
    called: list[str] = []

    def measure(context: runner.Context) -> Iterator[Row | Point]:
        called.append(context.run.name)
        yield Row(metric="accuracy", value=1 / 3, low=0.25, high=0.5, n=9, model="face-compact", condition="a, b")
        yield Point(curve="one", metric="validation accuracy", at=1, value=0.5)

    monkeypatch.setattr(plan, "RESULTS", tmp_path)
    monkeypatch.setattr(plan, "import_module", lambda name: SimpleNamespace(measure=measure))
    runs = tuple(
        plan.Run(name, "m:measure", name, models=("face-compact",), protocol="majority") for name in ("first", "second")
    )
    return plan.Study("some", "Some", "", runs), called


def run(study: plan.Study, *names: str, data: Path = Path("/nowhere")) -> None:
    runner.run(study, names, data, data, Console(file=StringIO()))


def test_a_run_that_is_done_is_passed_over(study: tuple[plan.Study, list[str]]) -> None:
    some, called = study
    run(some, "second")
    run(some)
    run(some)
    assert called == ["second", "first"]
    rows = read(some.table, Row)
    assert [row.run for row in rows] == ["first", "second"]  # in the plan's order
    assert rows[0].weights == plan.weights("face-compact") != ""
    assert (rows[0].protocol, rows[0].n, rows[0].condition) == ("majority", 9, "a, b")
    assert rows[0].value == pytest.approx(1 / 3, abs=1e-7)
    assert rows[0].command == "python -m research run some --only first"
    assert [point.run for point in read(some.curves, Point)] == ["first", "second"]


def test_other_weights_or_another_plan_are_measured_again(
    study: tuple[plan.Study, list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    some, called = study
    run(some, "first")
    monkeypatch.setattr(plan, "weights", lambda name: "0123456789ab")
    run(some, "first")
    changed = plan.Study("some", "Some", "", (plan.Run("first", "m:measure", "first", seeds=(1,)),))
    run(changed)
    assert called == ["first"] * 3
    assert len(read(some.table, Row)) == 1  # the new row took the place of the old


def test_other_data_is_measured_again(tmp_path: Path, study: tuple[plan.Study, list[str]]) -> None:
    _, called = study
    data = tmp_path / "data" / "set"
    data.mkdir(parents=True)
    (data / "one.txt").write_text("1")
    some = plan.Study("some", "Some", "", (plan.Run("first", "m:measure", "first", data=("set",)),))
    run(some, data=tmp_path / "data")
    run(some, data=tmp_path / "data")
    (data / "two.txt").write_text("2")
    run(some, data=tmp_path / "data")
    assert called == ["first"] * 2
    with pytest.raises(DataError, match="there is no such folder"):
        run(some, data=tmp_path)


def test_unknown_runs_and_words_are_refused(tmp_path: Path, study: tuple[plan.Study, list[str]]) -> None:
    with pytest.raises(DataError, match="some has no run third; it has first, second"):
        run(study[0], "third")
    with pytest.raises(DataError, match="says modells"):
        list(plan._runs([{"name": "one", "modells": []}], tmp_path))
    refused = CliRunner().invoke(main, ["run", "nothing"])
    assert refused.exit_code == 2


def test_rows_come_back_as_they_were(tmp_path: Path) -> None:
    rows = [Row(metric="m", value=0.5, note='a "word", or two'), Row(metric="m", n=3, seed=0)]
    write(tmp_path / "t.csv", rows, Row)
    assert read(tmp_path / "t.csv", Row) == rows
    assert select(rows, n=3) == select(rows, seed=[0, 1]) == rows[1:]
    write(tmp_path / "t.csv", [], Row)
    assert not (tmp_path / "t.csv").exists()
    (tmp_path / "t.csv").write_text("run,value\n")
    with pytest.raises(ValueError, match="expected run, model"):
        read(tmp_path / "t.csv", Row)


@pytest.mark.parametrize("name", STUDIES)
def test_every_table_is_of_its_plan(name: str) -> None:
    study = plan.load(name)
    for path, columns in ((study.table, COLUMNS), (study.curves, CURVE_COLUMNS)):
        if path.exists():
            with path.open(newline="", encoding="utf-8") as file:
                assert tuple(next(csv.reader(file))) == columns
    rows = read(study.table, Row)
    runs = {run.name: run for run in study.runs}
    assert {row.run for row in rows} <= set(runs)
    assert all(row.command == runner.command_of(name, runs[row.run]) and row.commit for row in rows)
    keys = [(row.run, row.metric, *(getattr(row, key) for key in KEYS)) for row in rows]
    assert len(set(keys)) == len(keys)
    assert all(row.value is not None or row.note for row in rows)
    for row in rows:
        if row.value is not None and row.low is not None and row.high is not None:
            assert row.low - 1e-9 <= row.value <= row.high + 1e-9, row


@pytest.mark.parametrize("name", STUDIES)
def test_every_run_names_a_function_and_models_that_are_there(name: str) -> None:
    for run in plan.load(name).runs:
        pytest.importorskip("torch")
        assert callable(plan.function(run))
        assert all(plan.weights(model) for model in run.models)


def test_the_package_does_not_know_research() -> None:
    modules = list((plan.ROOT / "src").rglob("*.py"))
    assert modules
    assert not [path for path in modules if re.search(r"^\s*(from|import) research\b", path.read_text("utf-8"), re.M)]
