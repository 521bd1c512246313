"""How far the best model's logits are shifted towards the rare emotions."""

from typing import Any

import pytest

pytest.importorskip("torch")

from research.faces import best


def metrics(accuracy: float, recall: float) -> dict[str, Any]:
    """Of seven emotions with the same recall, and of contempt, which does not count, with none."""
    return {"accuracy": accuracy, "recall": [recall] * 7 + [0.0]}


def test_the_most_accurate_share_with_enough_recall_is_taken() -> None:
    assert best.choose({0.0: metrics(0.90, 0.79), 0.1: metrics(0.89, 0.81), 0.2: metrics(0.88, 0.85)}) == 0.1


def test_without_enough_recall_anywhere_the_highest_is_taken() -> None:
    assert best.choose({0.0: metrics(0.90, 0.60), 0.1: metrics(0.89, 0.70), 0.2: metrics(0.88, 0.65)}) == 0.1


@pytest.mark.parametrize("member", best.MEMBERS)
def test_a_second_training_is_of_the_same_recipe_as_the_first(member: str) -> None:
    assert best.recipe_of(member) == best.recipe_of(member.split("-")[0])
