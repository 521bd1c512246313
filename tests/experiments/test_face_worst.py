"""The errors that a model is surest of, and that no picture of a person gets into the repository."""

import json
import sys
from pathlib import Path

import face_worst as worst
import numpy as np
import pytest
from training_samples import faces, write_ferplus

from emoscope.data.ferplus import Faces


def some_faces(votes: list[list[int]]) -> Faces:
    names = tuple(f"{i}.png" for i in range(len(votes)))
    return Faces(names, np.zeros((len(votes), 48, 48), np.uint8), np.array(votes))


def test_what_is_ambiguous() -> None:
    clear, voted_for, divided = [10, 0, 0], [8, 2, 0], [6, 1, 3]
    found = some_faces([votes + [0] * 7 for votes in (clear, voted_for, divided)])
    says_happiness = np.tile(np.eye(8)[1] * 0.9, (3, 1))
    rows = worst.judged(found, says_happiness)
    assert [(row["voted for"], row["divided"]) for row in rows] == [(False, False), (True, False), (False, True)]
    assert worst.counts(rows) == {"n": 3, "voted for": 1, "divided": 1, "ambiguous": 2}
    assert rows[2]["votes"] == {"neutral": 6, "surprise": 3, "happiness": 1}


def test_a_right_answer_is_not_ambiguous_by_its_own_votes() -> None:
    (row,) = worst.judged(some_faces([[10] + [0] * 9]), np.eye(8)[:1])
    assert not row["voted for"]
    assert row["said"] == row["label"] == "neutral"


def run(monkeypatch: pytest.MonkeyPatch, *words: object) -> None:
    monkeypatch.setattr(sys, "argv", ["face_worst.py", *map(str, words)])
    worst.main()


def test_the_table_is_written_and_the_sheet_lies_elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_ferplus(tmp_path, faces(48, "validation"))
    run(monkeypatch, "--data", tmp_path, "--out", tmp_path / "out", "--sheet", tmp_path / "sheet")
    results = json.loads((tmp_path / "out" / "worst.json").read_text())
    assert {path.name for path in (tmp_path / "out").iterdir()} == {"worst.json", "worst.md"}
    assert (tmp_path / "sheet" / "worst.png").stat().st_size > 10_000
    sure = [row["probability"] for row in results["worst"]]
    assert sure == sorted(sure, reverse=True)
    assert all(row["said"] != row["label"] for row in results["worst"])
    assert results["counts"]["all"]["n"] == 48


def test_no_sheet_in_the_repository(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    inside = Path(worst.__file__).parents[1] / "results" / "face" / "sheet"
    with pytest.raises(SystemExit):
        run(monkeypatch, "--data", tmp_path, "--out", tmp_path, "--sheet", inside)
    assert "pictures of people must not enter" in capsys.readouterr().err
    assert not inside.exists()
