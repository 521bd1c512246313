"""The pages in `cards/` say what the models' own cards and the tables of results say, which agree."""

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

from emoscope import models
from research import pages
from research.rows import Row

CARDS = Path(__file__).parent.parent / "cards"


@pytest.fixture(scope="module")
def make() -> ModuleType:
    spec = importlib.util.spec_from_file_location("make_cards", CARDS / "make.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_every_page_is_what_the_card_says(make: ModuleType) -> None:
    pages = {path.stem: path.read_text(encoding="utf-8") for path in CARDS.glob("*.md")}
    expected = {name: make.render(models.card(name), make.measured(name)) for name in models.names()}
    assert pages == expected, "run: python cards/make.py"


@pytest.mark.parametrize("name", models.names())
def test_a_card_says_what_was_measured_of_the_shipped_weights(make: ModuleType, name: str) -> None:
    rows = make.measured(name)
    found = {(row.protocol, row.metric): row for row in rows if not row.group}
    assert {protocol for protocol, _ in found} == {metrics["protocol"] for metrics in models.card(name).metrics}
    for metrics in models.card(name).metrics:
        row = found[metrics["protocol"], "accuracy"]
        assert row.n == metrics["n"]
        assert row.value == pytest.approx(metrics["accuracy"], abs=1e-6)
        assert (row.low, row.high) == pytest.approx(metrics["interval"], abs=1e-6)
        assert found[metrics["protocol"], "ece"].value == pytest.approx(metrics["ece"], abs=1e-4)


@pytest.mark.parametrize(
    ("name", "figures"),
    [("voice-cremad", ("voice-ravdess", "voice-ased", "voice-nemo")), ("voice-research", ("voice-others",))],
)
def test_figures_in_the_limits_are_what_was_measured(name: str, figures: tuple[str, ...]) -> None:
    words = " ".join(models.card(name).limits)
    for figure in figures:
        for show in ("value", "n", "interval"):
            assert pages.figure(figure, show) in words, (figure, show)


def test_a_page_shows_every_mark_and_every_sentence(make: ModuleType) -> None:
    card = models.Card(
        name="face-test",
        modality="face",
        description="A network",
        labels=("neutral", "anger"),
        input={"shape": ["n", 1, 48, 48], "kind": "grey face"},
        parameters=1234567,
        temperature=1.25,
        data={"set": "Some | faces", "chosen_on": "PublicTest"},
        metrics=(),
        licence="Apache-2.0",
        limits=("It is weak.",),
        not_for=("Work.",),
        recipe="face-test",
    )
    where = {"protocol": "majority", "split": "FER+ validation", "command": "python -m research run faces"}
    rows = [
        Row(metric="accuracy", value=0.8714, low=0.8594, high=0.8826, n=3199, **where),
        *(Row(metric=m, value=v, n=3199, **where) for m, v in (("uar", 0.705), ("macro_f1", 0.7), ("ece", 0.0123))),
        Row(metric="recall", value=0.91, group="neutral", **where),
    ]
    page = make.render(card, rows)
    for text in (
        "# face-test",
        "n, 1, 48, 48",
        "1,234,567",
        "| set | Some / faces |",
        "| chosen on | PublicTest |",
        "| 3,199 | 87.1 % (85.9 to 88.3) | 0.705 | 0.700 | 0.012 |",
        "| neutral |",
        "| 91.0 % |",
        "`python -m research run faces`",
        "- It is weak.",
        "- Work.",
    ):
        assert text in page
