import numpy as np
import pytest

from emoscope.data import moving
from emoscope.data.moving import SLOT_S, loudness, moving_faces


def stills(count: int = 4) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(1)
    small = random.integers(40, 215, (count, 6, 6)).astype(np.uint8)
    return small.repeat(8, 1).repeat(8, 2), np.eye(8, dtype=np.float32)[:count]


def make(
    seed: int = 0, speech: list[np.ndarray] | None = None, neutral: list[int] | None = None
) -> tuple[np.ndarray, np.ndarray]:
    faces, targets = stills()
    chosen = np.tile([1, 2, 3], 20)
    return moving_faces(
        faces, targets, chosen, np.array(neutral or [], int), 16, speech or [], np.random.default_rng(seed)
    )


def test_sequences_move_smoothly_and_keep_their_labels() -> None:
    faces, targets = make()
    assert faces.shape == (60, 16, 48, 48)
    assert faces.dtype == np.uint8
    np.testing.assert_array_equal(targets, np.eye(8)[np.tile([1, 2, 3], 20)])
    full = faces[(faces.max((2, 3)) > 0).all(1)].astype(float)
    step = abs(np.diff(full, axis=1)).mean((1, 2, 3))
    away = abs(full[:, -1] - full[:, 0]).mean((1, 2))
    assert (step > 0).all()
    assert (step < away + 1).all(), "from one face to the next less changes than over all"


def test_empty_slots_are_dark_and_at_the_start_and_others_never() -> None:
    faces, _ = make()
    seen = faces.max((2, 3)) > 0
    assert seen[:, -1].all()
    assert (np.diff(seen.astype(int), axis=1) >= 0).all()
    assert 0 < (~seen).any(1).mean() < 0.5
    assert faces[seen].min() >= 1


def test_a_morph_starts_neutral_and_its_target_says_so() -> None:
    _, targets = make(neutral=[0])
    np.testing.assert_allclose(targets.sum(1), 1, atol=1e-5)
    assert 0.2 < (targets[:, 0] > 0).mean() < 0.8
    assert (targets[:, 0] < 1).all()


def test_speech_moves_the_mouth_and_not_the_eyes(monkeypatch: pytest.MonkeyPatch) -> None:
    for motion in ("TURN", "DRIFT", "SHIFT", "WANDER", "SIZE", "LIGHT"):
        monkeypatch.setattr(moving, motion, 0.0)
    monkeypatch.setattr(moving, "SPEAKING", 1.0)
    spoken, _ = make(speech=[np.tile([0.0, 1.0], 8)])
    full = spoken[(spoken.max((2, 3)) > 0).all(1)].astype(float)
    change = abs(np.diff(full, axis=1)).mean((0, 1))
    assert change[38:46, 16:32].mean() > 10 * change[:34].mean()


def test_the_same_seed_gives_the_same_sequences() -> None:
    one, other, third = (make(seed)[0] for seed in (3, 3, 4))
    np.testing.assert_array_equal(one, other)
    assert not np.array_equal(one, third)


def test_loudness_follows_the_sound() -> None:
    logmel = np.zeros((188, 128), np.uint8)
    logmel[60:120] = 200
    level = loudness(logmel)
    assert len(level) == pytest.approx(188 * 0.016 / SLOT_S, abs=1.5)
    assert level.min() == 0
    assert level.max() == 1
    assert (level[11:19] == 1).all()
    assert len(loudness(logmel[:0])) == 0
