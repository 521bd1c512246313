"""Made-up crowds: faces are where they are said to be, and boxes are judged by them."""

import numpy as np
import pytest

from research.peers import crowds


def spot() -> crowds.Face:
    """A bright square in the middle of a dark picture."""
    image = np.full((200, 200, 3), 20, np.uint8)
    image[60:140, 60:140] = 230
    return crowds.Face(image, np.array([60.0, 60.0, 80.0, 80.0]))


@pytest.mark.parametrize("size", (24, 100, 160))
def test_a_face_is_pasted_where_it_is_said_to_be(size: int) -> None:
    picture = np.full((crowds.HEIGHT, crowds.WIDTH, 3), 20, np.uint8)
    crowds.paste(picture, spot(), (400.0, 300.0), size, 0, 1.0)
    rows, columns = np.nonzero(picture[..., 0] > 125)
    found = np.array([columns.min(), rows.min(), np.ptp(columns) + 1, np.ptp(rows) + 1], float)
    assert crowds.overlap(found, np.array([400 - size / 2, 300 - size / 2, size, size])) > 0.85


def test_faces_of_a_crowd_are_apart_and_inside() -> None:
    for _, placed in crowds.crowds([spot()], np.random.default_rng(3)):
        for i, one in enumerate(placed):
            assert one.box[0] >= 0 and one.box[0] + one.box[2] <= crowds.WIDTH
            assert all(crowds.overlap(one.box, other.box) == 0 for other in placed[:i])
        if placed[0].size == 24:
            break


def test_boxes_are_judged_by_their_overlap() -> None:
    placed = [
        crowds.Placed(np.array([0.0, 0, 10, 10]), 10, -15, 1.0),
        crowds.Placed(np.array([50.0, 0, 10, 10]), 10, 0, 0.3),
    ]
    boxes = np.array([[1.0, 0, 10, 10], [80, 80, 10, 10]])
    rows, alarms = crowds.judged(boxes, placed)
    assert [row["found"] for row in rows] == [True, False]
    assert rows[0]["tilt"] == 15
    assert alarms == 1
    assert crowds.judged(np.zeros((0, 4)), placed) == ([{**row, "found": False} for row in rows], 0)
