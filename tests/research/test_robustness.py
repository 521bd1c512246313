"""What is done to the faces, and that clips are scored as the pipeline scores them."""

from pathlib import Path

import numpy as np
import pytest
from training_samples import face

import emoscope
from emoscope.emotions import EMOTIONS
from emoscope.models import load
from research.faces import robustness

EXAMPLE = Path(__file__).parents[2] / "examples" / "synthetic.mp4"


def dot(x: int, y: int) -> np.ndarray:
    image = np.zeros((48, 48), np.uint8)
    image[y, x] = 255
    return image


def brightest(image: np.ndarray) -> tuple[int, int]:
    y, x = np.unravel_index(image.argmax(), image.shape)
    return int(x), int(y)


@pytest.mark.parametrize("name", robustness.CONDITIONS)
def test_a_condition_gives_a_face_that_differs(name: str) -> None:
    before = face(1, 3)
    after = robustness.CONDITIONS[name](before.copy())
    assert after.shape == before.shape
    assert after.dtype == np.uint8
    assert (after == before).all() == (name == "as they are")


def test_tighter_moves_things_outward_and_looser_inward() -> None:
    off_centre = dot(34, 24)
    assert brightest(robustness.cut_to(0.8)(off_centre))[0] == 37  # (34 - 23.5) / 0.8 + 23.5
    assert brightest(robustness.cut_to(1.4)(off_centre))[0] == 31


def test_looser_repeats_the_edge() -> None:
    image = np.zeros((48, 48), np.uint8)
    image[:, -1] = 200
    looser = robustness.cut_to(1.4)(image)
    assert (looser[:, 42:] == 200).all()
    assert (looser[:, :38] == 0).all()


def test_turned_to_the_left_lifts_the_right_side() -> None:
    x, y = brightest(robustness.turned(15)(dot(44, 24)))
    assert y < 20
    assert x < 44


def test_dimming_is_exact() -> None:
    image = np.array([[0, 100, 255]], np.uint8)
    assert robustness.dimmed(0.4)(image).tolist() == [[0, 40, 102]]
    assert robustness.dimmed(gamma=2)(image).tolist() == [[0, 39, 255]]


def test_clips_are_scored_as_the_pipeline_does() -> None:
    pipeline = emoscope.analyze(EXAMPLE, baseline="none").select("face").mean_scores()
    scores = robustness.clip_scores(load("face"), robustness.faces_of(EXAMPLE))
    assert dict(zip(EMOTIONS, scores, strict=True)) == pytest.approx(
        pipeline, abs=1e-3
    )  # the pipeline begins anew after the cut


def test_a_clip_without_faces_has_no_scores() -> None:
    nobody = robustness.Seen(np.empty((0, 48, 48), np.uint8), np.empty(0), np.empty(0), np.empty(0))
    assert np.isnan(robustness.clip_scores(load("face"), nobody)).all()


def test_the_table_has_a_row_for_each_condition() -> None:
    model = load("face")
    images, labels = np.array([face(i, i % 8) for i in range(24)]), np.arange(24) % 8
    rows = robustness.pictures(model, images, labels)
    assert [row["condition"] for row in rows] == list(robustness.CONDITIONS)
    assert rows[0]["change"] == 0
    assert all(row["change"] == pytest.approx(row["accuracy"] - rows[0]["accuracy"]) for row in rows)
    found = list(robustness.rows("one", rows))
    accuracy = {row.condition: row.value for row in found if row.metric == "accuracy"}
    assert accuracy == {row["condition"]: row["accuracy"] for row in rows}
    changed = [row.condition for row in found if row.metric == "change"]
    assert changed == list(robustness.CONDITIONS)[1:]  # the faces as they are have not changed
