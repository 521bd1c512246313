"""Confusions side by side, curves of several runs."""

import xml.etree.ElementTree as ET

import numpy as np
import pytest
from figures import accuracy_curves, confusion_pair


def texts(svg: str) -> list[str]:
    return [element.text or "" for element in ET.fromstring(svg).iter("{http://www.w3.org/2000/svg}text")]


def test_confusions_side_by_side() -> None:
    before, after = np.array([[8, 2], [5, 5]]), np.array([[7, 3], [1, 9]])
    said = texts(confusion_pair([("without", before), ("with", after)], ["anger", "fear"]))
    assert {"without", "with"} <= set(said)
    assert said.count("anger") == 4
    with pytest.raises(ValueError, match="expected counts of shape"):
        confusion_pair([("without", before[:1])], ["anger", "fear"])


def test_accuracy_curves_name_their_runs() -> None:
    said = texts(accuracy_curves({"from scratch": [0.2, 0.4], "fine-tuned": [0.5, 0.6]}))
    assert {"from scratch", "fine-tuned", "epoch"} <= set(said)
