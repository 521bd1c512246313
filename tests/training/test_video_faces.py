"""Faces of clips as a still-face network learns them."""

import csv
from pathlib import Path

import numpy as np
import pytest

from emoscope.data.clips import FaceClip
from emoscope.emotions import EMOTIONS
from emoscope.training.distil import AS_THEY_ARE, views
from emoscope.training.video_faces import FACES, ONSET_FACES, ONSET_S, load_clip_faces

ANGER, NEUTRAL, SADNESS = (EMOTIONS.index(name) for name in ("anger", "neutral", "sadness"))


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A clip of each of two actors: 60 faces whose grey says which frame they are; half the raters see sadness."""
    folder = tmp_path / "cremad" / "sequences"
    folder.mkdir(parents=True)
    (tmp_path / "cremad" / "AudioWAV").mkdir()
    faces = np.repeat(np.arange(60, dtype=np.uint8), 48 * 48).reshape(60, 48, 48)
    for actor in (1001, 1002):
        name = f"{actor}_IEO_ANG_HI"
        clip = FaceClip(name, "anger", str(actor), faces, np.arange(60) / 30, np.zeros((60, 5, 2), np.float32),
                        np.zeros((0, 128), np.uint8), 0, 0)  # fmt: skip
        clip.write(folder / f"{name}.npz")
    with (tmp_path / "cremad" / "tabulatedVotes.csv").open("w", newline="") as file:
        table = csv.writer(file)
        table.writerow(["", "A", "D", "F", "H", "N", "S", "fileName"])
        for row, channel in enumerate((200001, 300001)):
            table.writerow([channel + row, 5, 0, 0, 0, 0, 5, "1001_IEO_ANG_HI"])
    return tmp_path


def test_first_faces_are_the_teachers_and_later_ones_what_was_acted_and_seen(data: Path) -> None:
    samples = load_clip_faces(data, frozenset({1001}))
    assert samples.taught is not None
    frames = samples.inputs[:, 0, 0]
    early = samples.taught == 1
    assert early.sum() == ONSET_FACES and (~early).sum() == FACES
    assert (frames[early] < ONSET_S * 30).all() and (frames[~early] >= 2 * ONSET_S * 30).all()
    assert (samples.taught[~early] == 0).all()
    assert (samples.targets[early].argmax(1) == NEUTRAL).all()
    np.testing.assert_allclose(samples.targets[~early][:, [ANGER, SADNESS]], [[0.75, 0.25]] * FACES, atol=1e-6)
    np.testing.assert_allclose(samples.targets.sum(1), 1, atol=1e-6)


def test_only_the_actors_that_were_asked_for(data: Path) -> None:
    both = load_clip_faces(data, frozenset({1001, 1002}))
    one = load_clip_faces(data, frozenset({1002}))
    assert len(both.inputs) == 2 * len(one.inputs)
    late = one.taught == 0
    np.testing.assert_allclose(one.targets[late][:, ANGER], 1)  # nobody judged this clip


def test_views_of_a_face_keep_its_target_and_share_of_the_draws(data: Path) -> None:
    samples = load_clip_faces(data, frozenset({1001}))
    n = len(samples.inputs)
    seen = views(samples, lambda faces, targets: (1 - faces, targets), 2)
    np.testing.assert_array_equal(seen.inputs[:n], samples.inputs)
    np.testing.assert_array_equal(seen.inputs[2 * n :], 255 - samples.inputs)
    np.testing.assert_array_equal(seen.targets, np.concatenate([samples.targets] * 3))
    assert seen.drawn is not None and seen.taught is not None
    assert len(seen.taught) == len(seen.labels) == 3 * n
    assert seen.drawn.sum() == pytest.approx(1)
    assert seen.drawn[:n].sum() == pytest.approx(AS_THEY_ARE)
