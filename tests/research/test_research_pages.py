"""Tables, pictures and pages from rows; the pages and the figures in the repository are those of the tables."""

import re
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
from places import ROOT

from research import pages, plan
from research.plots import Picture, draw
from research.rows import Point, Row
from research.tables import Layout, table, tables

ROWS = [
    Row(metric=metric, value=value, low=low, high=high, n=n, model="m", condition=condition)
    for condition, n, figures in (
        ("plain", 1200, {"accuracy": (0.741, 0.667, 0.8519), "uar": (0.7, None, None)}),
        ("a | b", 27, {"accuracy": (0.5, 0.25, 1.0), "change": (0.0412, -0.009, 0.0714)}),
    )
    for metric, (value, low, high) in figures.items()
]


def cells(text: str) -> list[list[str]]:
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in text.splitlines()]


def test_a_table_has_a_row_for_what_varies_and_a_column_for_each_metric() -> None:
    found = cells(table(ROWS, Layout()))
    assert found[0] == ["", "n", "accuracy", "unweighted recall", "change, points"]
    assert found[2] == ["plain", "1,200", "74.1 % (66.7 to 85.2)", "0.700", ""]
    assert found[3] == ["a / b", "27", "50.0 % (25.0 to 100.0)", "", "+4.1 (-0.9 to +7.1)"]


def test_a_table_shows_what_it_is_told() -> None:
    layout = Layout(where={"condition": "plain"}, metrics=("uar", "accuracy"), rows=("model",), names={"model": "who"})
    found = cells(next(tables(ROWS, layout)))
    assert found[0] == ["who", "n", "unweighted recall", "accuracy"]
    assert found[2][0] == "m"
    assert len(found) == 3
    assert list(tables(ROWS, Layout(where={"model": "other"}))) == []


def test_columns_can_be_groups_and_tables_can_be_many() -> None:
    rows = [Row(metric="recall", value=v, group=g, model=m) for g, m, v in
            (("anger", "x", 0.1), ("fear", "x", 0.2), ("anger", "y", 0.3))]  # fmt: skip
    assert cells(table(rows, Layout(columns="group"))) == [
        ["model", "anger", "fear"], ["---"] * 3, ["x", "10.0 %", "20.0 %"], ["y", "30.0 %", ""],
    ]  # fmt: skip
    assert [part for part in tables(rows, Layout(each="model")) if part.startswith("#")] == ["#### x", "#### y"]


def test_a_cell_says_another_n_and_words() -> None:
    rows = [Row(metric="accuracy", value=0.5, n=10), Row(metric="uar", value=0.25, n=9, note="chosen"),
            Row(metric="found", note="two persons")]  # fmt: skip
    assert cells(table(rows, Layout()))[2] == ["10", "50.0 %", "0.250 (n 9), chosen", "two persons"]


def texts(svg: str) -> set[str]:
    return {element.text or "" for element in ET.fromstring(svg).iter("{http://www.w3.org/2000/svg}text")}


def test_bars_and_curves_are_drawn_with_their_names() -> None:
    bars = draw(Picture("p", "How good", kind="bars"), ROWS, [])
    assert bars and {"How good", "plain", "a | b"} <= texts(bars)
    points = [Point(curve=curve, metric="validation accuracy", at=at, value=0.1 * at, seed=seed)
              for curve in ("one", "two") for at in (1, 2) for seed in (0, 1)]  # fmt: skip
    curves = draw(Picture("p", "Training", metric="validation accuracy"), [], points)
    assert curves and {"Training", "one", "two", "epoch"} <= texts(curves)
    assert draw(Picture("p", "Nothing"), ROWS, []) is None


def test_weights_that_are_no_longer_shipped_are_named() -> None:
    rows = [Row(metric="m", value=1.0, model="face-compact", weights=weights, commit="abc", command="c")
            for weights in (plan.weights("face-compact"), "000000000000")]  # fmt: skip
    assert re.search(r"face-compact \(0{12}, weights that are no longer shipped\)", pages.provenance(rows))
    assert pages.provenance(rows).count("no longer shipped") == 1


def test_a_mark_shows_a_figure_and_must_name_one_row() -> None:
    assert pages.figure("face-majority") == "85.8 %"
    assert pages.figure("face-majority", "row") == "3,199 | 85.8 % | 84.6 to 87.0"
    assert pages.quoted("so <!-- figure: face-majority n -->1<!-- --> it is") == (
        "so <!-- figure: face-majority n -->3,199<!-- --> it is"
    )
    with pytest.raises(LookupError, match="nobody: there is no such figure"):
        pages.figure("nobody")
    with pytest.raises(LookupError, match="16 rows are so"):
        pages.shown({"study": "faces", "run": "validation", "metric": "accuracy"}, "value")


@pytest.mark.parametrize("name", plan.studies())
def test_every_page_and_picture_is_what_the_table_says(name: str) -> None:
    study = plan.load(name)
    made = pages.of(study)
    assert set(study.folder.iterdir()) == set(made)
    for path, text in made.items():
        if path.suffix == ".md":  # how a picture is drawn depends on matplotlib's version
            assert path.read_text(encoding="utf-8") == text, "run: python -m research pages"
        else:
            assert texts(path.read_text(encoding="utf-8")) == texts(text), "run: python -m research pages"


@pytest.mark.parametrize("name", pages.QUOTING)
def test_every_figure_is_what_the_tables_say(name: str) -> None:
    text = (ROOT / name).read_text(encoding="utf-8")
    assert pages.MARK.search(text)
    assert pages.quoted(text) == text, "run: python -m research pages"


def headings(page: Path) -> set[str]:
    found = re.findall(r"^#+ (.*)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in found}


def test_links_to_results_lead_to_a_heading() -> None:
    for page in [ROOT / "README.md", *ROOT.glob("docs/*.md")]:
        for target, anchor in re.findall(r"\]\(([^)#\s]*results/[^)#\s]*)(?:#([^)\s]*))?\)", page.read_text()):
            there = (page.parent / target).resolve()
            assert there.exists(), f"{page.name}: {target}"
            assert not anchor or anchor in headings(there), f"{page.name}: {target}#{anchor}"


def test_the_results_are_few_and_small() -> None:
    files = [path for path in plan.RESULTS.rglob("*") if path.is_file()]
    assert len(files) < 60
    assert all(path.stat().st_size <= 60_000 for path in files if path.suffix in (".svg", ".png"))
