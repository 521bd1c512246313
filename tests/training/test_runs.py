"""Trainings beside each other."""

import csv
import json
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("matplotlib")

from click.testing import CliRunner

from emoscope.cli import main


def run(folder: Path, accuracies: list[float], **settings: Any) -> None:
    folder.mkdir(parents=True)
    (folder / "configuration.json").write_text(json.dumps({"recipe": "face-ferplus", "settings": settings}))
    history = [
        {"epoch": i + 1, "train_loss": 1.0, "validation_loss": 0.9, "validation_accuracy": a, "validation_uar": a / 2}
        for i, a in enumerate(accuracies)
    ]
    (folder / "history.json").write_text(json.dumps(history))


def test_a_row_and_a_curve_each(tmp_path: Path) -> None:
    run(tmp_path / "a", [0.5, 0.8, 0.7], epochs=3, finish=1, batch=128, rate=0.003)
    run(tmp_path / "deeper" / "b", [0.6], epochs=3, finish=1, batch=64, rate=0.003)
    result = CliRunner().invoke(main, ["runs", str(tmp_path)])
    assert result.exit_code == 0, result.output
    with (tmp_path / "runs.csv").open() as file:
        first, second = csv.DictReader(file)
    assert (first["run"], first["epochs"], first["of"], first["accuracy"]) == ("a", "3", "4", "0.7")
    assert (first["best"], first["best_epoch"], first["settings"]) == ("0.8", "2", "batch=128")
    assert (second["run"], second["settings"], second["uar"]) == ("deeper/b", "batch=64", "0.3")
    assert "70.0%" in result.stdout and "deeper/b" in result.stdout
    assert "deeper/b" in (tmp_path / "runs.svg").read_text()


@pytest.mark.parametrize("text", ["", "[]", "{}", '[{"epoch": 1}]', '["a"]', "3"])
def test_what_is_no_history_is_named(tmp_path: Path, text: str) -> None:
    (tmp_path / "history.json").write_text(text)
    result = CliRunner().invoke(main, ["runs", str(tmp_path)])
    assert result.exit_code == 2
    assert "history.json: expected what `emoscope train` writes" in result.stderr


def test_a_folder_without_any_is_refused_in_one_line(tmp_path: Path) -> None:
    result = CliRunner().invoke(main, ["runs", str(tmp_path)])
    assert result.exit_code == 2
    assert result.stderr.count("\n") == 1 and "no training in it" in result.stderr


def test_each_epoch_is_on_tensorboards_curves_once(tmp_path: Path) -> None:
    pytest.importorskip("torch")
    pytest.importorskip("tensorboard", reason="curves for TensorBoard need it")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    from emoscope.training.board import Board

    board = Board(tmp_path)
    for epoch in (1, 2, 3):
        board.add({"epoch": epoch, "train_loss": 1 / epoch, "validation_accuracy": 0.5})
    Board(tmp_path).add({"epoch": 3, "train_loss": 0.25, "validation_accuracy": 0.6})  # the third again, resumed
    found = EventAccumulator(str(tmp_path / "tensorboard")).Reload()
    assert set(found.Tags()["scalars"]) == {"train/loss", "validation/accuracy"}
    losses = found.Scalars("train/loss")
    assert [event.step for event in losses] == [1, 2, 3]
    assert losses[-1].value == 0.25
