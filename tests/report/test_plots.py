"""The pictures: what they are made of, and that they stay small."""

import subprocess
import sys
import xml.etree.ElementTree as ET

import numpy as np
import pytest

from emoscope.report.plots import confusion_matrix, training_curves


def texts(svg: str) -> list[str]:
    return [element.text or "" for element in ET.fromstring(svg).iter("{http://www.w3.org/2000/svg}text")]


def test_confusion_matrix_writes_counts_and_recall() -> None:
    svg = confusion_matrix(np.array([[1200, 300], [0, 50]]), ["calm", "cross"], "a title")
    words = texts(svg)
    assert {"1,200", "80%", "300", "50", "100%", "calm", "cross", "a title"} <= set(words)


def test_confusion_matrix_stands_a_class_without_examples() -> None:
    assert "0%" in texts(confusion_matrix(np.array([[0, 0], [1, 3]]), ["a", "b"], ""))


def test_confusion_matrix_must_fit_its_labels() -> None:
    with pytest.raises(ValueError, match=r"expected counts of shape \(3, 3\), got \(2, 2\)"):
        confusion_matrix(np.eye(2), ["a", "b", "c"], "")


def test_training_curves_name_the_best_epoch() -> None:
    history = [
        {"epoch": 1, "train_loss": 2.0, "validation_loss": 1.9, "validation_accuracy": 0.4},
        {"epoch": 2, "train_loss": 1.0, "validation_loss": 1.2, "validation_accuracy": 0.71},
        {"epoch": 3, "train_loss": 0.5, "validation_loss": None, "validation_accuracy": None},
    ]
    assert "validation accuracy: best 71.0%, epoch 2" in texts(training_curves(history))


def test_training_curves_need_an_epoch() -> None:
    with pytest.raises(ValueError, match="at least one epoch"):
        training_curves([])


def test_matplotlib_waits_until_something_is_drawn() -> None:
    code = "import sys, emoscope.report.plots, emoscope.report.page; print('matplotlib' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout.strip() == "False"
