"""Hiding parts of a face tells where a model looks."""

import numpy as np
import pytest
from training_samples import face

from emoscope.emotions import EMOTIONS
from research.faces import attention

MOUTH = attention.PARTS["mouth"]


def looks_at_the_mouth(crops: np.ndarray) -> np.ndarray:
    """Says happiness, the surer the brighter the mouth."""
    left, top, right, bottom = MOUTH
    bright = crops[:, top:bottom, left:right].mean((1, 2)) / 255
    scores = np.zeros((len(crops), len(EMOTIONS)), np.float32)
    scores[:, 1] = 0.3 + 0.7 * bright
    scores[:, 0] = 1 - scores[:, 1]
    return scores


def bright_mouth() -> np.ndarray:
    left, top, right, bottom = MOUTH
    image = np.zeros((48, 48), np.uint8)
    image[top:bottom, left:right] = 255
    return image


def test_each_place_is_hidden_once_in_the_mean_grey() -> None:
    before = face(1, 2)
    copies = attention.hidden(before)
    assert copies.shape == (121, 48, 48)
    changed = copies != before
    assert changed.any(0).sum() > 0.95 * 48 * 48  # all but what happens to be of that grey
    last = np.argwhere(changed[-1])
    assert last.min() >= 40
    assert set(copies[-1][changed[-1]].tolist()) == {round(float(before.mean()))}


def test_cells_are_means_of_the_places_that_cover_them() -> None:
    assert (attention.cells(np.full((11, 11), 0.5)) == 0.5).all()
    one = np.zeros((11, 11))
    one[5, 5] = 1.0
    cells = attention.cells(one)
    assert cells.shape == (12, 12)
    assert np.argwhere(cells).tolist() == [[5, 5], [5, 6], [6, 5], [6, 6]]
    assert cells.max() == 0.25


def test_what_the_model_looks_at_is_found() -> None:
    found = attention.attention(looks_at_the_mouth, np.stack([bright_mouth()] * 3), np.array([1, 1, 0]))
    assert found["happiness"]["n"] == 2
    assert found["neutral"] == {"n": 0}  # the third was read wrongly
    parts = found["happiness"]["parts"]
    assert max(parts, key=lambda name: parts[name]) == "mouth"
    assert parts["brows and eyes"] == pytest.approx(0)
    assert found["happiness"]["intervals"]["mouth"] == pytest.approx([parts["mouth"]] * 2)  # twice the same face


def test_every_emotion_has_a_row_for_each_part() -> None:
    found = attention.attention(looks_at_the_mouth, np.stack([bright_mouth()] * 2), np.array([1, 1]))
    rows = list(attention.rows("m", found))
    assert {row.group for row in rows} == {"happiness"}  # nothing else was read rightly
    assert [row.metric for row in rows] == [f"points, {part}" for part in (*attention.PARTS, "elsewhere", "most")]
    mouth = next(row for row in rows if row.metric == "points, mouth")
    assert mouth.value == pytest.approx(100 * found["happiness"]["parts"]["mouth"])
