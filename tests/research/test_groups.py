"""Groups of people and of pictures."""

import cv2
import numpy as np
from training_samples import face

from emoscope.emotions import EMOTIONS
from emoscope.models import load
from research.faces import groups


def test_everybody_is_in_one_group_of_each_kind() -> None:
    people = [groups.Person("Male", 22, "Asian", "Hispanic"), groups.Person("Female", 50, "Asian", "Not Hispanic"),
              groups.Person("Male", 49, "Caucasian", "Hispanic")]  # fmt: skip
    found = groups.groups_of(people)
    assert found.pop("everybody").tolist() == [True, True, True]
    for kind in ("sex", "age", "race", "ethnicity"):
        assert sum(mask.astype(int) for name, mask in found.items() if name.startswith(kind)).tolist() == [1, 1, 1]
    assert found["age: 50 and older"].tolist() == [False, True, False]


def test_an_even_prior_names_rare_emotions_oftener() -> None:
    counts = np.ones(len(EMOTIONS))
    counts[EMOTIONS.index("neutral")] = 50
    logits = np.zeros((1, len(EMOTIONS)))
    logits[0, EMOTIONS.index("neutral")], logits[0, EMOTIONS.index("fear")] = 2.0, 1.0
    model = load("face")
    trained = groups.said(model, logits, np.zeros(len(EMOTIONS)))
    even = groups.said(model, logits, groups.prior_shift(counts, 1.0))
    assert EMOTIONS[trained[0].argmax()] == "neutral"
    assert EMOTIONS[even[0].argmax()] == "fear"
    before = trained[0] / counts
    np.testing.assert_allclose(even[0], before / before.sum(), rtol=1e-5)


def test_pictures_without_a_face_have_no_tilt() -> None:
    images = np.stack([cv2.resize(face(i, 1), (48, 48)) for i in range(3)])
    found = groups.pictures_by(images)
    assert found["all"].all()
    tilted = sum(mask.astype(int) for name, mask in found.items() if name.startswith("tilt"))
    assert (tilted + found["no landmarks found"] == 1).all()
    assert (found["brightness: lowest third"] & found["brightness: highest third"]).sum() == 0
