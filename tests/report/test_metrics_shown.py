"""What `emoscope models` and `emoscope evaluate` print."""

import numpy as np
import pytest

from emoscope.emotions import EMOTIONS
from emoscope.report.metrics import show_evaluation, show_models
from emoscope.training.metrics import score


def metrics() -> dict[str, object]:
    labels = np.array([0, 0, 1, 1, 2])
    logits = np.eye(8)[[0, 1, 1, 1, 2]]
    return {
        "model": "m",
        "protocol": "majority",
        "split": "validation",
        "labels": list(EMOTIONS),
        **score(logits, labels),
    }


def test_models_are_listed_with_their_intervals(capsys: pytest.CaptureFixture[str]) -> None:
    row = {"name": "face-x", "labels": EMOTIONS, "parameters": 1234, "bytes": 2_500_000, "metrics": [metrics()]}
    show_models([row])
    printed = capsys.readouterr().out
    assert "face-x" in printed and "1,234" in printed and "2.5" in printed
    assert "majority 80.0% (37.6 to 96.4)" in printed


def test_an_evaluation_shows_every_class_and_where_it_went(capsys: pytest.CaptureFixture[str]) -> None:
    show_evaluation(metrics())
    lines = capsys.readouterr().out.splitlines()
    assert "80.0%" in lines[1] and "n = 5" in lines[1]
    (neutral,) = [line.split() for line in lines if line.strip().startswith("neutral")]
    assert neutral[1:4] == ["0.500", "1", "1"]
    (fear,) = [line.split() for line in lines if line.strip().startswith("fear")]
    assert fear[1] == "-", "a class that does not occur has no recall"
