"""Pictures on their side and upside down."""

import numpy as np
import pytest

from emoscope.face.crop import crop_faces
from emoscope.face.detect import Detector, Faces
from emoscope.face.upright import SELDOM, SURE, UprightDetector, faces_back, turned

QUARTERS = pytest.mark.parametrize("turns", (1, 2, 3))


@QUARTERS
def test_a_turned_portrait_is_found_and_cut_out_as_if_upright(portrait: np.ndarray, turns: int) -> None:
    upright = Detector().detect(portrait)
    picture = turned(portrait, turns)
    found = UprightDetector(Detector()).detect(picture)
    assert len(found) == len(upright) == 1
    crop, wanted = crop_faces(picture, found.landmarks)[0], crop_faces(portrait, upright.landmarks)[0]
    assert np.corrcoef(crop.ravel(), wanted.ravel())[0, 1] > 0.98


@QUARTERS
def test_what_was_found_is_followed_in_its_turn(portrait: np.ndarray, turns: int) -> None:
    picture = turned(portrait, turns)
    detector = UprightDetector(Detector())
    found = detector.detect(picture)
    followed, rows = detector.refine(picture, found.boxes)
    assert rows.tolist() == [0]
    assert np.abs(followed.landmarks - found.landmarks).max() < 0.1 * found.boxes[0, 2]


@QUARTERS
def test_points_come_back_to_where_they_were(turns: int) -> None:
    picture = np.zeros((40, 60, 3), np.uint8)
    picture[5:15, 30:50] = 255
    rows, columns = np.nonzero(turned(picture, turns)[..., 0])
    left, top, right, bottom = columns.min(), rows.min(), columns.max() + 1, rows.max() + 1
    box = np.array([[left, top, right - left, bottom - top]], np.float32)
    points = np.repeat(np.array([[[left, top], [right, bottom]]], np.float32), 5, 1)[:, :5]
    back = faces_back(Faces(box, np.ones(1, np.float32), points), picture, turns)
    assert back.boxes.tolist() == [[30, 5, 20, 10]]
    assert set(back.landmarks[..., 0].ravel()) <= {30.0, 50.0} and set(back.landmarks[..., 1].ravel()) <= {5.0, 15.0}


class Counting:
    """Finds a face of a given certainty, or none, and counts its searches by the pictures' size, and its looks."""

    min_face = 20

    def __init__(self, certainty: float | None) -> None:
        self.certainty = certainty
        self.small = self.whole = self.looks = 0

    def refine(self, image: np.ndarray, boxes: np.ndarray) -> tuple[Faces, np.ndarray]:
        self.looks += 1
        return Faces.empty(), np.zeros(0, int)

    def detect(self, image: np.ndarray) -> Faces:
        small = min(image.shape[:2]) < 200
        self.small, self.whole = self.small + small, self.whole + (not small)
        if self.certainty is None:
            return Faces.empty()
        box = np.array([[10, 10, 40, 40]], np.float32)
        return Faces(box, np.array([self.certainty], np.float32), np.zeros((1, 5, 2), np.float32))


def test_nothing_else_is_tried_where_a_face_is_sure() -> None:
    counting = Counting((1 + SURE) / 2)
    detector = UprightDetector(counting)  # type: ignore[arg-type]
    for _ in range(50):
        detector.detect(np.zeros((400, 600, 3), np.uint8))
    assert (counting.whole, counting.small, counting.looks) == (50, 0, 0)


@pytest.mark.parametrize("certainty", (None, 0.9))
def test_in_lasting_doubt_turns_are_tried_seldom(certainty: float | None) -> None:
    counting = Counting(certainty)
    detector = UprightDetector(counting)  # type: ignore[arg-type]
    tries = []
    for search in range(1, 10 * SELDOM + 1):
        before = counting.small + counting.looks
        detector.detect(np.zeros((400, 600, 3), np.uint8))
        if counting.small + counting.looks > before:
            tries.append(search)
    assert tries[:3] == [1, 4, 16] and set(np.diff(tries[3:])) == {SELDOM}
    assert counting.whole == 10 * SELDOM
    assert (counting.small, counting.looks) == ((3 * len(tries), 0) if certainty is None else (0, 3 * len(tries)))


def test_a_stream_goes_on_in_its_turn(portrait: np.ndarray) -> None:
    before, after = UprightDetector(Detector()), UprightDetector(Detector())
    picture = turned(portrait, 2)
    before.detect(picture)
    after.restore(before.state())
    assert after.state() == before.state() and after.state()["turns"] == 2
    np.testing.assert_array_equal(after.detect(picture).boxes, before.detect(picture).boxes)
