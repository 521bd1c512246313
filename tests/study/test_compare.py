"""From `recordings.csv` to differences, a figure and words."""

import csv
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

from emoscope.cli import main
from emoscope.errors import EmoscopeError
from emoscope.study import contrast
from emoscope.study.compare import compare, write

LABELS = ("neutral", "happiness")


@pytest.fixture(autouse=True)
def few_resamples(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(contrast, "RESAMPLES", 300)


def row(person: str, condition: str, happiness: float, seconds: float = 10.0, **changes: Any) -> dict[str, Any]:
    scores = {"neutral": 1 - happiness, "happiness": happiness}
    measures = {f"{label}{end}": value for label, value in scores.items() for end in ("", "_share")}
    onsets = {f"{label}_onsets_per_min": 6.0 * happiness for label in LABELS}
    facts = {"recording": f"{person}-{condition}", "person": person, "condition": condition, "status": "done"}
    return {**facts, "who": "Person 1", "source": "fused", "seconds": seconds, **measures, **onsets, **changes}


def study(folder: Path, rows: list[dict[str, Any]]) -> Path:
    names = list(dict.fromkeys(name for each in rows for name in each))
    with (folder / "recordings.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, names, restval="")
        writer.writeheader()
        writer.writerows(rows)
    return folder


@pytest.fixture
def within(tmp_path: Path) -> Path:
    """Twelve persons, each happier in A than in B by 0.2 give or take; and one who has A alone."""
    rng = np.random.default_rng(0)
    rows = [row("alone", "A", 0.9)]
    for person in range(12):
        rest = float(rng.uniform(0.2, 0.5))
        rows += [row(f"p{person}", "A", rest + 0.2 + float(rng.normal(0, 0.02))), row(f"p{person}", "B", rest)]
    return study(tmp_path, rows)


def test_persons_with_both_conditions_are_compared_with_themselves(within: Path) -> None:
    found = compare(within, "condition").differences
    happy = found[(found["measure"] == "mean_score") & (found["emotion"] == "happiness")].iloc[0]
    assert (happy["condition"], happy["other"], happy["design"], happy["n"]) == ("A", "B", "within", 12)
    assert happy["difference"] == pytest.approx(0.2, abs=0.02)
    assert happy["low"] < 0.2 < happy["high"]
    assert happy["p_holm"] < 0.05
    assert (found["p_holm"].dropna() >= found["p"].dropna() - 1e-12).all()
    assert set(found["measure"]) == {"mean_score", "share_of_time", "onsets_per_min"}


def test_other_persons_are_compared_between(tmp_path: Path) -> None:
    rows = [row(f"{c}{i}", c, level + i / 50) for c, level in (("A", 0.4), ("B", 0.2)) for i in range(6)]
    found = compare(study(tmp_path, rows), "condition").differences
    assert set(found["design"]) == {"between"}
    assert {(a, b) for a, b in zip(found["n"], found["n_other"], strict=True)} == {(6, 6)}


def test_a_person_counts_once_however_many_recordings_they_have(tmp_path: Path) -> None:
    rows = [
        row("p1", "A", 0.2, 30),
        row("p1", "A", 0.6, 10),
        row("p2", "A", 0.5),
        row("p3", "B", 0.1),
        row("p4", "B", 0.2),
    ]
    means = compare(study(tmp_path, rows), "condition").means
    happy = means[(means["measure"] == "mean_score") & (means["emotion"] == "happiness")].set_index("condition")
    assert happy.loc["A", "n"] == 2
    assert happy.loc["A", "mean"] == pytest.approx((0.3 + 0.5) / 2)  # 0.3: weighted by seconds


def test_rows_of_other_sources_of_nobody_and_of_failures_are_left_out(tmp_path: Path) -> None:
    rows = [row(f"{c}{i}", c, 0.3) for c in "AB" for i in range(3)]
    rows += [row("v", "A", 0.9, source="voice"), row("", "A", 0.9), row("f", "B", 0.9, status="failed")]
    means = compare(study(tmp_path, rows), "condition").means
    assert set(means["n"]) == {3}
    assert means[means["emotion"] == "happiness"]["mean"].max() < 2


def test_the_words_say_n_and_what_is_not_shown(within: Path) -> None:
    words = compare(within, "condition").words
    assert "A (n = 13), B (n = 12)" in words
    assert "12 persons, each with themselves" in words
    assert "happiness +0.2" in words
    assert "intervals are somewhat too narrow" in words
    assert "not what people feel" in words
    assert "\n" not in words


def test_tables_figure_and_words_are_written(within: Path) -> None:
    files = write(compare(within, "condition"), within)
    assert [file.name for file in files] == [
        "compare-condition.csv",
        "compare-condition-means.csv",
        "compare-condition.svg",
        "compare-condition.md",
    ]
    assert "95 % interval" in files[2].read_text()
    result = CliRunner().invoke(main, ["compare", str(within), "--by", "condition"])
    assert result.exit_code == 0, result.output
    assert "Holm" in result.stdout


@pytest.mark.parametrize(("by", "said"), [("mood", "there are: condition"), ("person", "one of your columns")])
def test_a_column_that_is_not_there_is_refused(by: str, said: str, within: Path) -> None:
    with pytest.raises(EmoscopeError, match=said):
        compare(within, by)


def test_one_condition_is_nothing_to_compare(tmp_path: Path) -> None:
    with pytest.raises(EmoscopeError, match="at least two values of condition"):
        compare(study(tmp_path, [row("p1", "A", 0.2), row("p2", "A", 0.3)]), "condition")
    with pytest.raises(EmoscopeError, match="emoscope study"):
        compare(tmp_path / "nowhere", "condition")
