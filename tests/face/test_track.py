from collections.abc import Callable

import cv2
import numpy as np
import pytest

from emoscope.face.detect import Detector, Faces
from emoscope.face.track import SEEN_TO_COUNT, Tracker

SIZE = 60
WIDTH, HEIGHT = 480, 200
LANDMARKS = np.array([[0.3, 0.35], [0.7, 0.35], [0.5, 0.55], [0.35, 0.75], [0.65, 0.75]], np.float32)
RATE = 25.0

Place = Callable[[float], tuple[float, float] | None]


def texture(seed: int) -> np.ndarray:
    """What somebody looks like: smooth noise, another for each."""
    noise = np.random.default_rng(seed).uniform(0, 255, (SIZE, SIZE, 3)).astype(np.float32)
    smooth = cv2.GaussianBlur(noise, (0, 0), 6)
    return np.clip((smooth - smooth.mean()) * 8 + 128, 0, 255).astype(np.uint8)


class Scene:
    """Faces that move over a plain picture, and a detector that knows where they are.

    Later ones are in front. `hidden` says when which faces are missed; twins look the same.
    """

    def __init__(
        self, *places: Place, hidden: Callable[[float, int], bool] = lambda time, index: False, twins: bool = False
    ) -> None:
        self.places = places
        self.hidden = hidden
        self.looks = [texture(0 if twins else index) for index in range(len(places))]
        self.time = 0.0
        self.detections: list[float] = []
        self.false_alarms: list[float] = []

    def frame(self, time: float) -> np.ndarray:
        self.time = time
        image = np.full((HEIGHT, WIDTH, 3), 90, np.uint8)
        for index, place in enumerate(self.places):
            if (at := place(time)) is not None:
                x, y = (round(each) for each in at)
                image[y : y + SIZE, x : x + SIZE] = self.looks[index]
        return image

    def visible(self) -> list[tuple[float, float]]:
        shown = []
        for index, place in enumerate(self.places):
            at = place(self.time)
            if at is None or self.hidden(self.time, index):
                continue
            over = [other(self.time) for other in self.places[index + 1 :]]
            if not any(each and abs(each[0] - at[0]) < SIZE / 2 and abs(each[1] - at[1]) < SIZE / 2 for each in over):
                shown.append(at)
        return shown

    def detect(self, image: np.ndarray) -> Faces:
        self.detections.append(self.time)
        extra = [(400.0, 130.0)] if self.time in self.false_alarms else []
        return faces(self.visible() + extra)

    def refine(self, image: np.ndarray, boxes: np.ndarray) -> tuple[Faces, np.ndarray]:
        shown = self.visible()
        found: dict[int, int] = {}
        for row, box in enumerate(boxes):
            for index, at in enumerate(shown):
                if np.abs(box[:2] - at).max() < SIZE / 3:
                    found.setdefault(index, row)
        return faces([shown[index] for index in found]), np.array(list(found.values()), int)


def faces(corners: list[tuple[float, float]]) -> Faces:
    if not corners:
        return Faces.empty()
    start = np.array(corners, np.float32)
    boxes = np.concatenate([start, np.full_like(start, SIZE)], 1)
    return Faces(boxes, np.full(len(boxes), 0.99, np.float32), start[:, None] + LANDMARKS * SIZE)


def play(scene: Scene, times: np.ndarray, **settings: float) -> list[dict[int, tuple[float, float]]]:
    """Where each person is at each time."""
    tracker = Tracker(scene, **settings)
    return [{t.person: t.box[:2] for t in tracker.update(scene.frame(time), time)} for time in times.tolist()]


def times(seconds: float) -> np.ndarray:
    return np.arange(round(seconds * RATE)) / RATE


def at(x: float, y: float) -> Place:
    return lambda time: (x, y)


def moving(x: float, y: float, speed: float) -> Place:
    return lambda time: (x + speed * time, y)


def between(start: float, end: float, place: Place) -> Place:
    return lambda time: place(time) if start <= time < end else None


def test_a_still_picture_reports_its_faces_at_once() -> None:
    assert set(play(Scene(at(30, 40), at(200, 60)), np.zeros(1))[0]) == {1, 2}


def test_tracks_carry_what_was_found() -> None:
    scene = Scene(at(30, 40))
    (track,) = Tracker(scene).update(scene.frame(0.0), 0.0)
    assert track.person == 1
    assert track.box == (30, 40, SIZE, SIZE)
    assert track.score == pytest.approx(0.99)
    np.testing.assert_allclose(track.landmarks, (30, 40) + LANDMARKS * SIZE, rtol=1e-6)
    assert track.crop.shape == (48, 48)


def test_nobody_is_nobody() -> None:
    assert play(Scene(), times(1)) == [{}] * 25


def test_detection_is_only_now_and_then() -> None:
    scene = Scene(moving(30, 40, 50))
    seen = play(scene, times(4), detect_every=0.5)
    assert all(set(persons) == {1} for persons in seen)
    assert 7 <= len(scene.detections) <= 9
    assert min(np.diff(scene.detections)) >= 0.5


def test_boxes_follow_the_face_between_detections() -> None:
    for time, persons in zip(times(3), play(Scene(moving(30, 40, 80)), times(3), detect_every=10), strict=True):
        assert persons[1] == pytest.approx((30 + 80 * time, 40), abs=1e-3)


def test_a_varying_frame_rate_does_not_matter() -> None:
    rng = np.random.default_rng(0)
    steps = np.cumsum(rng.choice([0.01, 0.04, 0.1, 0.25], 60))
    steps = steps[steps < 5]
    seen = play(Scene(moving(10, 20, 60), moving(400, 130, -60)), steps)
    for time, persons in zip(steps, seen, strict=True):
        assert persons == {
            1: pytest.approx((10 + 60 * time, 20), abs=1e-3),
            2: pytest.approx((400 - 60 * time, 130), abs=1e-3),
        }


def test_a_face_missed_for_a_second_keeps_its_number() -> None:
    hidden = Scene(at(30, 40), moving(200, 60, 20), hidden=lambda time, index: index == 1 and 1 <= time < 2)
    seen = play(hidden, times(4))
    assert [set(persons) for persons in seen[:25]] == [{1, 2}] * 25
    assert [set(persons) for persons in seen[25:50]] == [{1}] * 25
    assert [set(persons) for persons in seen[65:]] == [{1, 2}] * 35
    assert all(persons.get(2, (200 + 20 * t, 60))[0] == pytest.approx(200 + 20 * t, abs=1e-3)
               for t, persons in zip(times(4), seen, strict=True))  # fmt: skip


def test_crossing_faces_keep_their_numbers() -> None:
    # The first is behind the second while they cross.
    scene = Scene(moving(20, 60, 90), moving(400, 70, -90))
    seen = play(scene, times(4))
    for time, persons in zip(times(4), seen, strict=True):
        if 1 in persons:
            assert persons[1][0] == pytest.approx(20 + 90 * time, abs=1e-3)
        assert persons[2][0] == pytest.approx(400 - 90 * time, abs=1e-3)
    assert any(1 not in persons for persons in seen)
    assert 1 in seen[-1]
    assert set().union(*seen) == {1, 2}


def test_faces_that_look_the_same_are_told_apart_by_how_they_move() -> None:
    scene = Scene(moving(20, 60, 90), moving(400, 70, -90), twins=True)
    seen = play(scene, times(4))
    assert any(1 not in persons for persons in seen)
    assert seen[-1] == {
        1: pytest.approx((20 + 90 * times(4)[-1], 60), abs=1e-3),
        2: pytest.approx((400 - 90 * times(4)[-1], 70), abs=1e-3),
    }


def test_a_fast_face_is_looked_for_where_it_should_be() -> None:
    # It moves on by more than what `refine` bridges here: only its speed tells where to look.
    scene = Scene(moving(10, 60, 250))
    steps = np.arange(16) / 10
    assert all(set(persons) == {1} for persons in play(scene, steps, detect_every=100.0))
    assert len(scene.detections) < 8


def test_a_face_that_turns_back_behind_another_keeps_its_number() -> None:
    def bounce(time: float) -> tuple[float, float]:
        return (20 + 90 * min(time, 2) - 90 * max(time - 2, 0), 60.0)

    seen = play(Scene(bounce, at(200, 70)), times(4))
    assert any(1 not in persons for persons in seen)
    assert set().union(*seen) == {1, 2}
    assert seen[-1][1] == pytest.approx(bounce(times(4)[-1]), abs=1e-3)


def test_numbers_are_not_used_twice() -> None:
    first, second = between(0, 1, at(30, 40)), between(8, 10, at(300, 100))
    seen = play(Scene(first, second), times(10), max_gap=2.0)
    assert set().union(*seen[:25]) == {1}
    assert set().union(*seen[25:200]) == set()
    assert set().union(*seen[200:]) == {2}


def test_somebody_gone_for_longer_than_the_gap_gets_a_new_number() -> None:
    def comes_back(time: float) -> tuple[float, float] | None:
        return (30.0, 40.0) if time < 1 or time >= 5 else None

    assert set().union(*play(Scene(comes_back), times(7), max_gap=2.0)[125:]) == {2}
    assert set().union(*play(Scene(comes_back), times(7), max_gap=10.0)[125:]) == {1}


def test_somebody_else_in_the_same_place_gets_a_new_number() -> None:
    seen = play(Scene(between(0, 1, at(30, 40)), between(3, 6, at(30, 40))), times(6), max_gap=10.0)
    assert set().union(*seen[:25]) == {1}
    assert set().union(*seen[75:]) == {2}


def test_a_false_alarm_in_one_frame_is_no_person() -> None:
    scene = Scene(at(30, 40))
    play(scene, times(3))
    alarms = scene.detections[2:3]
    again = Scene(at(30, 40))
    again.false_alarms = alarms
    seen = play(again, times(3))
    assert set(alarms) <= set(again.detections)
    assert set().union(*seen) == {1}


def test_a_newcomer_is_a_person_soon() -> None:
    seen = play(Scene(at(30, 40), between(1, 4, at(200, 60))), times(4), detect_every=0.2)
    waited = next(index for index, persons in enumerate(seen) if 2 in persons) - 25
    assert waited <= 0.2 * RATE + SEEN_TO_COUNT
    assert all(2 in persons for persons in seen[25 + waited :])


def test_a_lost_face_brings_the_detection_forward() -> None:
    def jump(time: float) -> tuple[float, float]:
        return (30.0, 40.0) if time < 1 else (75.0, 40.0)

    scene = Scene(jump)
    seen = play(scene, times(2), detect_every=100.0)
    assert 1.0 in scene.detections
    assert all(set(persons) == {1} for persons in seen)


def test_memory_does_not_grow_with_the_people_who_come_and_go() -> None:
    def passes(index: int) -> Place:
        return between(index, index + 0.6, at(40 * (index % 10), 100))

    scene = Scene(*(passes(index) for index in range(40)))
    tracker = Tracker(scene, max_gap=1.0)
    remembered = []
    for time in times(40).tolist():
        tracker.update(scene.frame(time), time)
        remembered.append(len(tracker._people))
    assert max(remembered) <= 4
    assert tracker._count > 20


def test_other_pictures_are_refused() -> None:
    with pytest.raises(ValueError, match="expected RGB uint8"):
        Tracker(Detector()).update(np.zeros((40, 40), np.uint8), 0.0)


def test_two_real_faces_that_cross_keep_their_numbers(portrait: np.ndarray) -> None:
    """The same portrait twice, one mirrored and darker, over a plain picture."""
    front = cv2.resize(portrait, (128, 150), interpolation=cv2.INTER_AREA)
    behind = (front[:, ::-1] * 0.6).astype(np.uint8)
    tracker = Tracker(Detector(min_face=40))
    seen = []
    for time in np.arange(0, 3, 0.08).tolist():
        image = np.full((200, 480, 3), 128, np.uint8)
        positions = {1: round(10 + 110 * time), 2: round(340 - 110 * time)}
        image[20:170, positions[1] : positions[1] + 128] = behind
        image[30:180, positions[2] : positions[2] + 128] = front
        tracks = {track.person: track.box for track in tracker.update(image, time)}
        seen.append(set(tracks))
        if time == 0:
            order = sorted(tracks, key=lambda person: tracks[person][0])
        for person, box in tracks.items():
            expected = positions[order.index(person) + 1]
            assert expected - 10 < box[0] + box[2] / 2 < expected + 138
    assert seen[0] == seen[-1] == {1, 2}
    assert set().union(*seen) == {1, 2}
    assert {1} in seen or {2} in seen


def test_a_search_between_frames_finds_what_one_before_the_next_frame_finds(portrait: np.ndarray) -> None:
    def frame(index: int) -> np.ndarray:
        image = np.full((300, 560, 3), 90, np.uint8)
        image[:, index : index + 256] = portrait
        if index >= 8:  # the newcomer
            image[:, 300:556] = portrait[:, ::-1]
        return image

    between, before = Tracker(Detector(min_face=40)), Tracker(Detector(min_face=40))
    shown = []
    for index in range(25):
        early, late = (tracker.update(frame(index), index / 10) for tracker in (between, before))
        between.search()
        assert [(t.person, t.box, t.score) for t in early] == [(t.person, t.box, t.score) for t in late]
        shown.append([t.person for t in early])
    assert shown[0] == [1] and shown[-1] == [1, 2]


def test_nobody_in_sight_waits_for_the_search_for_newcomers(portrait: np.ndarray) -> None:
    detector = Detector(min_face=40)
    detected = 0

    class Counting:
        def detect(self, image: np.ndarray) -> Faces:
            nonlocal detected
            detected += 1
            return detector.detect(image)

        def refine(self, image: np.ndarray, boxes: np.ndarray) -> tuple[Faces, np.ndarray]:
            return detector.refine(image, boxes)

    tracker = Tracker(Counting())  # type: ignore[arg-type]
    for index in range(20):
        before = detected
        tracker.update(portrait, index / 10)
        assert detected == before + (index == 0)  # no search within an update once somebody is followed
        tracker.search()
    assert detected == 4  # every half second
