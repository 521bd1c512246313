import numpy as np
import pytest

from emoscope.emotions import CREMAD, CREMAD_EMOTIONS, EMOTIONS, columns, expand, joined


def test_the_eight_are_in_the_order_of_ferplus() -> None:
    assert EMOTIONS == ("neutral", "happiness", "surprise", "sadness", "anger", "disgust", "fear", "contempt")


def test_cremad_has_six_in_alphabetical_order() -> None:
    assert CREMAD_EMOTIONS == ("anger", "disgust", "fear", "happiness", "neutral", "sadness")
    assert [CREMAD[code] for code in ("ANG", "DIS", "FEA", "HAP", "NEU", "SAD")] == list(CREMAD_EMOTIONS)


def test_columns_are_positions_among_the_eight() -> None:
    assert columns(("fear", "neutral")) == [6, 0]
    with pytest.raises(ValueError):
        columns(("joy",))


@pytest.mark.parametrize("shape", [(6,), (3, 6), (2, 3, 6), (0, 6)])
def test_expand_puts_each_score_at_its_emotion(shape: tuple[int, ...]) -> None:
    scores = np.random.default_rng(0).dirichlet(np.ones(6), shape[:-1]).reshape(shape).astype(np.float32)
    full = expand(scores, CREMAD_EMOTIONS)
    assert full.shape == (*shape[:-1], 8)
    assert full.dtype == np.float32
    for i, name in enumerate(CREMAD_EMOTIONS):
        np.testing.assert_array_equal(full[..., EMOTIONS.index(name)], scores[..., i])
    assert not full[..., columns(("surprise", "contempt"))].any()


def test_expand_refuses_another_number_of_scores() -> None:
    with pytest.raises(ValueError, match=r"expected 6 scores .* got shape \(2, 8\)"):
        expand(np.zeros((2, 8)), CREMAD_EMOTIONS)


def test_joined_labels_are_the_eight_and_then_ones_own() -> None:
    assert joined(CREMAD_EMOTIONS, ("sadness",)) == EMOTIONS
    assert joined(("calm", "bored"), ("bored", "delighted")) == ("calm", "bored", "delighted")
    assert joined(("calm",), ("anger",)) == (*EMOTIONS, "calm")
    assert joined() == ()


def test_expand_onto_labels_of_ones_own() -> None:
    np.testing.assert_array_equal(expand(np.array([0.3, 0.7]), ("b", "a"), ("a", "c", "b")), [0.7, 0, 0.3])
