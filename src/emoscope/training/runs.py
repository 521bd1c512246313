"""`emoscope runs`: the trainings in a folder beside each other, as a table and as curves."""

import csv
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..errors import EmoscopeError
from ..report.plots import run_curves

COLUMNS = ("run", "recipe", "epochs", "of", "accuracy", "best", "best_epoch", "uar", "loss", "settings")


@dataclass(frozen=True)
class Run:
    """One training: its folder's name, and what it left in `configuration.json` and `history.json`."""

    name: str
    configuration: dict[str, Any]
    history: list[dict[str, Any]]

    @property
    def settings(self) -> dict[str, Any]:
        return dict(self.configuration.get("settings", {}))


def find(folder: Path) -> list[Run]:
    """All trainings in a folder and below it, by name.

    Raises:
        EmoscopeError: there are none, or one cannot be read.
    """
    runs = []
    for path in sorted(folder.rglob("history.json")):
        beside = path.with_name("configuration.json")
        try:
            history = json.loads(path.read_text(encoding="utf-8"))
            configuration = json.loads(beside.read_text(encoding="utf-8")) if beside.is_file() else {}
            runs.append(Run(path.parent.relative_to(folder).as_posix(), dict(configuration), _checked(history)))
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise EmoscopeError(f"{path}: expected what `emoscope train` writes, got something else") from error
    if not runs:
        raise EmoscopeError(f"{folder}: no training in it (a folder with history.json); make one with: emoscope train")
    return runs


def _checked(history: list[dict[str, Any]]) -> list[dict[str, Any]]:
    wanted = ("epoch", "validation_accuracy", "validation_loss", "validation_uar", "train_loss")
    if not history:
        raise ValueError("no epoch")
    return [{key: float(entry[key]) for key in wanted} for entry in history]


def table(runs: Sequence[Run]) -> list[dict[str, Any]]:
    """One row a run, with the columns `COLUMNS`: validation metrics of the last epoch, which is what is exported, the
    highest accuracy and its epoch, which is partly luck, and those settings in which the runs differ."""
    names = dict.fromkeys(key for run in runs for key in run.settings)
    differing = [key for key in names if len({str(run.settings.get(key)) for run in runs}) > 1]
    rows = []
    for run in runs:
        last, best = run.history[-1], max(run.history, key=lambda entry: float(entry["validation_accuracy"]))
        settings = run.settings
        rows.append(
            {
                "run": run.name,
                "recipe": run.configuration.get("recipe", ""),
                "epochs": int(last["epoch"]),
                "of": settings["epochs"] + settings.get("finish", 0) if "epochs" in settings else "",
                "accuracy": round(last["validation_accuracy"], 4),
                "best": round(best["validation_accuracy"], 4),
                "best_epoch": int(best["epoch"]),
                "uar": round(last["validation_uar"], 4),
                "loss": round(last["validation_loss"], 4),
                "settings": " ".join(f"{key}={settings[key]}" for key in differing if key in settings),
            }
        )
    return rows


def write(runs: Sequence[Run], folder: Path) -> list[Path]:
    """Write `runs.csv` and `runs.svg` into the folder."""
    paths = [folder / "runs.csv", folder / "runs.svg"]
    with paths[0].open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, COLUMNS)
        writer.writeheader()
        writer.writerows(table(runs))
    paths[1].write_text(run_curves({run.name: run.history for run in runs}), encoding="utf-8")
    return paths
