from collections import Counter

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from emoscope.data.sampler import Windows, balanced_order, covering_windows, random_windows
from emoscope.face.windows import FaceWindows

CLIP = st.lists(st.floats(0.01, 0.4), min_size=0, max_size=40).map(lambda gaps: np.cumsum([0.0, *gaps]))
CLIPS = st.lists(CLIP, min_size=1, max_size=6)
PLAN = FaceWindows(6, 0.1, 0.3)


def faces(times: list[np.ndarray]) -> list[np.ndarray]:
    """Of each face a number that tells its clip and its place: never 0."""
    return [1000.0 * (clip + 1) + np.arange(len(one))[:, None] for clip, one in enumerate(times)]


def check(windows: Windows, times: list[np.ndarray]) -> None:
    gathered = windows.gather(faces(times))
    assert gathered.shape == (len(windows.clip), PLAN.faces, 1)
    for row, clip in enumerate(windows.clip):
        known = windows.known[row]
        assert known[-1], "a window ends with a face"
        assert (gathered[row][known] // 1000 == clip + 1).all(), "no window is of two clips"
        assert (np.diff(gathered[row][known].ravel()) > 0).all(), "in order, none twice"
        assert (gathered[row][~known] == 0).all(), "empty slots are 0"


@given(CLIPS)
def test_covering_windows_are_of_one_clip_each_and_leave_none_out(times: list[np.ndarray]) -> None:
    windows = covering_windows(times, PLAN)
    check(windows, times)
    assert set(windows.clip) == set(range(len(times)))
    assert np.array_equal(windows.clip, np.sort(windows.clip))


@given(CLIPS, st.integers(1, 60), st.integers(0, 5))
def test_random_windows_are_of_one_clip_each_and_balanced(times: list[np.ndarray], count: int, seed: int) -> None:
    labels = [["anger", "sadness", "fear"][i % 3] for i in range(len(times))]
    windows = random_windows(times, labels, count, PLAN, np.random.default_rng(seed))
    check(windows, times)
    assert len(windows.clip) == count
    drawn = Counter(labels[clip] for clip in windows.clip)
    assert max(drawn.values()) - min(drawn.get(label, 0) for label in labels) <= 1
    again = random_windows(times, labels, count, PLAN, np.random.default_rng(seed))
    for one, other in zip(windows, again, strict=True):
        np.testing.assert_array_equal(one, other)


def test_random_windows_differ_and_some_are_not_full() -> None:
    times = [np.arange(90) / 30] * 2
    windows = random_windows(times, ["anger", "fear"], 200, PLAN, np.random.default_rng(0))
    assert len({tuple(slots) for slots in windows.slots}) > 100
    assert 0 < (~windows.known).any(1).mean() < 0.3


@given(st.lists(st.integers(0, 3), min_size=1, max_size=50), st.integers(1, 120), st.integers(0, 3))
def test_every_batch_is_balanced_and_every_sample_has_its_turn(labels: list[int], count: int, seed: int) -> None:
    order = balanced_order(labels, count, np.random.default_rng(seed))
    classes = len(set(labels))
    assert len(order) == count
    for at in range(0, count - classes + 1, classes):
        assert {labels[i] for i in order[at : at + classes]} == set(labels)
    for label in set(labels):
        uses = Counter(int(i) for i in order if labels[i] == label)
        members = labels.count(label)
        if sum(uses.values()) >= members:
            assert len(uses) == members
        assert (
            max(uses.values(), default=1) - min(uses.get(i, 0) for i in range(len(labels)) if labels[i] == label) <= 1
        )


def test_a_faster_video_gives_the_same_moments() -> None:
    slow, fast = np.arange(0, 2, 0.05), np.arange(0, 2, 0.005)
    one, other = (covering_windows([times], PLAN) for times in (slow, fast))
    assert len(one.clip) == len(other.clip)
    np.testing.assert_allclose(slow[one.slots], fast[other.slots], atol=0.03)
