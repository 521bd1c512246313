"""The errors that a model is surest of, and that no picture of a person gets into the repository."""

from pathlib import Path

import numpy as np
from places import ROOT
from training_samples import faces, write_ferplus

from emoscope.data.ferplus import Faces
from research.faces import worst
from research.plan import load
from research.rows import Row
from research.runner import Context


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


def found_in(data: Path, cache: Path) -> list[Row]:
    (run,) = load("faces").find(("worst",))
    return list(worst.worst(Context(run, data, cache, "")))


def test_the_table_says_what_is_wrong_and_the_sheet_lies_elsewhere(tmp_path: Path) -> None:
    write_ferplus(tmp_path, faces(48, "validation"))
    rows = found_in(tmp_path, tmp_path / "cache")
    assert (tmp_path / "cache" / "worst.png").stat().st_size > 10_000
    sure = [row.value for row in rows if row.metric == "share of sureness"]
    assert sure == sorted(sure, key=lambda value: -(value or 0))
    assert [row.n for row in rows if row.metric == "share of ambiguous faces"][-1] == 48


def test_no_sheet_in_the_repository(tmp_path: Path) -> None:
    write_ferplus(tmp_path, faces(48, "validation"))
    inside = ROOT / "runs" / "sheet"
    assert found_in(tmp_path, inside)
    assert not inside.exists()
