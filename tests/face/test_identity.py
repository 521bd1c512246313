"""Which views of a track are looked at: few, good ones, and at least one."""

import numpy as np
import pytest

from emoscope.evidence import Looks
from emoscope.face.detect import Detector, Faces
from emoscope.face.identity import AGES_S, BestViews, quality
from emoscope.face.track import Track
from emoscope.packing import pack, unpack

RATE = 25


@pytest.fixture(scope="module")
def found(portrait: np.ndarray) -> Faces:
    return Detector().detect(portrait)


def tracked(found: Faces, person: int = 1) -> Track:
    return Track(person, (0.0, 0.0, 90.0, 90.0), found.landmarks[0], 1.0, np.zeros((48, 48), np.uint8))


def watch(views: BestViews, image: np.ndarray, track: Track, qualities: list[float], start: int = 0) -> Looks:
    for place, good in enumerate(qualities, start):
        views.add(image, place / RATE, [track], [good])
        views.embed()
    return views.take()[0]


def test_a_few_views_are_looked_at(portrait: np.ndarray, found: Faces) -> None:
    looks = watch(BestViews(), portrait, tracked(found), [0.5] * (30 * RATE))
    assert len(looks) == len(AGES_S) + 1  # and one for every 15 seconds
    np.testing.assert_allclose(np.linalg.norm(looks.embedding.astype(float), axis=1), 1, atol=2e-3)


def test_the_best_view_is_taken(portrait: np.ndarray, found: Faces) -> None:
    qualities = [0.2] * 5 + [0.9] + [0.2] * RATE * 2
    looks = watch(BestViews(), portrait, tracked(found), qualities)
    assert looks.quality.tolist() == pytest.approx([0.9, 0.2])
    assert looks.time[0] == pytest.approx(5 / RATE)


def test_whoever_is_seen_in_one_frame_is_looked_at_when_the_shot_ends(portrait: np.ndarray, found: Faces) -> None:
    views = BestViews()
    assert len(watch(views, portrait, tracked(found), [0.5])) == 0
    views.cut(1 / RATE, gradual=False)
    views.embed()
    looks, faces = views.take()
    assert looks.track.tolist() == [1]
    assert faces[0].shape == (112, 112, 3)


def test_nobody_is_looked_at_in_a_dissolve(portrait: np.ndarray, found: Faces) -> None:
    views = BestViews()
    views.cut(0.0, gradual=True)
    looks = watch(views, portrait, tracked(found), [0.5] * RATE)
    assert looks.time.min() >= 0.5


def test_it_goes_on_from_a_state(portrait: np.ndarray, found: Faces) -> None:
    qualities = np.random.default_rng(0).random(10 * RATE).tolist()
    whole = watch(BestViews(), portrait, tracked(found), qualities)
    first, again = BestViews(), BestViews()
    before = watch(first, portrait, tracked(found), qualities[:60])
    again.restore(unpack(pack(first.state())))
    after = watch(again, portrait, tracked(found), qualities[60:], 60)
    assert [*before.time, *after.time] == whole.time.tolist()
    np.testing.assert_array_equal(np.concatenate([before.embedding, after.embedding]), whole.embedding)


def test_quality_falls_with_size_sharpness_and_turn() -> None:
    best = quality((0, 0, 120, 120), 1.0, 0.4, 0.0)
    worse = [
        quality((0, 0, 40, 40), 1.0, 0.4, 0.0),
        quality((0, 0, 120, 120), 1.0, 0.05, 0.0),
        quality((0, 0, 120, 120), 1.0, 0.4, 60.0),
        quality((0, 0, 120, 120), 0.7, 0.4, 0.0),
    ]
    assert best == 1.0
    assert max(worse) < 0.75
    assert quality((0, 0, 120, 120), 1.0, 0.4, 90.0) > 0
