"""The pages in `cards/` say what the models' own cards say."""

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

from emoscope import models

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
    expected = {name: make.render(models.card(name)) for name in models.names()}
    assert pages == expected, "run: python cards/make.py"


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
        metrics=(
            {
                "protocol": "majority",
                "split": "validation",
                "n": 3199,
                "accuracy": 0.8714,
                "interval": [0.8594, 0.8826],
                "recall": [0.91, None],
                "uar": 0.705,
                "macro_f1": 0.7,
                "ece": 0.0123,
                "command": "emoscope evaluate face-test",
            },
        ),
        licence="Apache-2.0",
        limits=("It is weak.",),
        not_for=("Work.",),
        recipe="face-test",
    )
    page = make.render(card)
    for text in (
        "# face-test",
        "n, 1, 48, 48",
        "1,234,567",
        "| set | Some / faces |",
        "| chosen on | PublicTest |",
        "| 3,199 | 87.1 % | 85.9 % to 88.3 % | 70.5 % | 0.700 | 0.012 |",
        "| 91.0 % | none in the data |",
        "`emoscope evaluate face-test`",
        "- It is weak.",
        "- Work.",
    ):
        assert text in page
