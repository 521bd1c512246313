from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from places import DATA
from training_samples import face, faces, votes, write_ferplus

from emoscope.data.ferplus import (
    FIVE,
    SEVEN,
    VOTES,
    Faces,
    Split,
    balanced,
    distribution,
    load,
    majority,
    plurality,
    without_single_votes,
)
from emoscope.errors import DataError

real = pytest.mark.skipif(not (DATA / "ferplus" / "fer2013new.csv").exists(), reason=f"no FER+ in {DATA}")

UNKNOWN, NOBODY = VOTES.index("unknown"), VOTES.index("NF")


def counted(**given_: int) -> np.ndarray:
    return np.array([[given_.get(name, 0) for name in VOTES]])


BY_HAND = [
    # votes, class under majority, class under plurality
    ({"happiness": 10}, 1, 1),
    ({"happiness": 6, "neutral": 4}, 1, 1),
    ({"happiness": 5, "neutral": 5}, -1, 0),  # not more than half; the first on ties
    ({"happiness": 5, "neutral": 4, "fear": 1}, 1, 1),  # 5 of 9, once the single vote is dropped
    ({"happiness": 4, "neutral": 3, "fear": 3}, -1, 1),
    ({"happiness": 4, "neutral": 2, "fear": 1, "anger": 1, "disgust": 1, "contempt": 1}, 1, 1),  # 4 of 6
    ({"unknown": 6, "happiness": 4}, -1, -1),
    ({"NF": 10}, -1, -1),
    ({"happiness": 5, "unknown": 5}, -1, 1),  # tied with a later column
    ({"happiness": 6, "NF": 4}, 1, 1),
    ({"neutral": 1, "anger": 1, "fear": 1}, -1, 0),  # single votes only
    ({"contempt": 8, "unknown": 2}, 7, 7),
    ({}, -1, 0),
]


@pytest.mark.parametrize(("given_", "by_majority", "by_plurality"), BY_HAND)
def test_the_protocols_as_worked_out_by_hand(given_: dict[str, int], by_majority: int, by_plurality: int) -> None:
    assert majority(counted(**given_)).tolist() == [by_majority]
    assert plurality(counted(**given_)).tolist() == [by_plurality]


def test_many_faces_at_once() -> None:
    table = np.concatenate([counted(**given_) for given_, _, _ in BY_HAND])
    assert majority(table).tolist() == [m for _, m, _ in BY_HAND]
    assert plurality(table).tolist() == [p for _, _, p in BY_HAND]


def test_single_votes_are_dropped() -> None:
    assert without_single_votes(np.array([[3, 1, 0, 2, 1, 0, 0, 0, 1, 2]])).tolist() == [[3, 0, 0, 2, 0, 0, 0, 0, 0, 2]]


def test_a_distribution_is_of_the_emotions_votes() -> None:
    np.testing.assert_allclose(distribution(counted(happiness=6, neutral=2, fear=1, NF=1))[0, :2], [0.25, 0.75])
    only = distribution(counted(happiness=1, fear=1, unknown=8))[0]
    assert (only[1], only[6], only.sum()) == (0.5, 0.5, 1)


@given(st.lists(st.lists(st.integers(0, 10), min_size=10, max_size=10), min_size=1, max_size=5))
def test_targets_are_distributions_and_majority_agrees_with_them(rows: list[list[int]]) -> None:
    table = np.array(rows)
    table = table[table[:, :8].sum(1) > 0]
    targets, classes = distribution(table), majority(table)
    assert targets.dtype == np.float32
    np.testing.assert_allclose(targets.sum(1), 1, rtol=1e-5)
    kept = classes >= 0
    assert (targets.argmax(1)[kept] == classes[kept]).all()
    assert (plurality(table)[kept] == classes[kept]).all()


@pytest.mark.parametrize("kaggle", [False, True])
@pytest.mark.parametrize("split", ["train", "validation", "test"])
@pytest.mark.parametrize("inside", [False, True])
def test_reads_a_split_of_either_layout(kaggle: bool, split: Split, inside: bool, tmp_path: Path) -> None:
    rows = [row for name in ("train", "validation", "test") for row in faces(5, name)]
    root = write_ferplus(tmp_path, rows, kaggle)
    found = load(root if inside else tmp_path, split)
    expected = faces(5, split)
    assert found.names == tuple(name for _, name, _, _ in expected)
    assert found.images.dtype == np.uint8
    np.testing.assert_array_equal(found.images, [image for _, _, image, _ in expected])
    np.testing.assert_array_equal(found.votes, [votes(i) for i in range(5)])


@pytest.mark.parametrize("kaggle", [False, True])
def test_rows_without_a_name_are_left_out_and_repeated_ones_stay(kaggle: bool, tmp_path: Path) -> None:
    first, second, third = faces(3, "train")
    unnamed = ("Training", "", face(9, 0), [0] * 9 + [10])
    write_ferplus(tmp_path, [first, unnamed, second, second, third], kaggle)
    found = load(tmp_path, "train")
    assert found.names == (first[1], second[1], second[1], third[1])
    np.testing.assert_array_equal(found.images[3], third[2])


def test_takes_faces_by_mask_or_position(tmp_path: Path) -> None:
    write_ferplus(tmp_path, faces(4, "train"))
    found = load(tmp_path, "train")
    for index in (np.array([False, True, False, True]), np.array([1, 3])):
        part = found.take(index)
        assert isinstance(part, Faces)
        assert part.names == (found.names[1], found.names[3])
        np.testing.assert_array_equal(part.votes, found.votes[[1, 3]])
    assert len(found.take(np.zeros(4, bool))) == 0


def test_says_what_is_missing(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"no FER\+ labels at .*fer2013new\.csv; expected"):
        load(tmp_path, "train")
    root = write_ferplus(tmp_path, faces(2, "train"))
    with pytest.raises(DataError, match=r"the validation split: expected .*FER2013Valid or .*fer2013\.csv"):
        load(tmp_path, "validation")
    (root / "FER2013Valid").mkdir()
    with pytest.raises(DataError, match=r"the validation split of .* holds no faces"):
        load(tmp_path, "validation")


def test_a_table_that_is_not_one_is_refused(tmp_path: Path) -> None:
    root = write_ferplus(tmp_path, faces(2, "train"))
    labels = root / "fer2013new.csv"
    whole = labels.read_text()
    labels.write_text("version https://git-lfs.github.com/spec/v1\n")
    with pytest.raises(DataError, match=r"fer2013new\.csv has no column Usage, Image name, neutral"):
        load(tmp_path, "train")
    labels.write_text(whole.replace(",8,", ",many,"))
    with pytest.raises(DataError, match=r"a vote is not a number: .*'many'"):
        load(tmp_path, "train")
    labels.write_text(whole[:-6] + "\n")
    with pytest.raises(DataError, match=r"a vote is not a number: .*''"):
        load(tmp_path, "train")


@pytest.mark.parametrize("damage", ["missing", "text", "small", "one pixel"])
def test_a_picture_that_is_not_one_is_named(damage: str, tmp_path: Path) -> None:
    root = write_ferplus(tmp_path, faces(2, "train"))
    path = root / "FER2013Train" / "fer0000001.png"
    if damage == "missing":
        path.unlink()
    elif damage == "text":
        path.write_text("not a picture")
    else:
        Image.new("L", (40, 40) if damage == "small" else (1, 1)).save(path)
    with pytest.raises(DataError, match=r"fer0000001\.png is not a 48x48 picture"):
        load(tmp_path, "train")


@pytest.mark.parametrize(
    ("pattern", "replacement", "message"),
    [
        (" 17", " 256", r"fer2013\.csv, line \d+: expected 2304 pixels from 0 to 255"),
        (" 17", " x", r"fer2013\.csv, line \d+: expected 2304 pixels"),
        (" 17", "", r"fer2013\.csv, line \d+: expected 2304 pixels"),
        ("Training", "PublicTest", r"fer2013\.csv, line 2: expected the same faces in the same order as fer2013new"),
        ("emotion,pixels", "emotion,values", r"fer2013\.csv has no column pixels"),
    ],
)
def test_a_kaggle_table_that_does_not_fit_is_refused(
    pattern: str, replacement: str, message: str, tmp_path: Path
) -> None:
    table = write_ferplus(tmp_path, faces(2, "train"), kaggle=True) / "fer2013.csv"
    text = table.read_text()
    assert pattern in text
    table.write_text(text.replace(pattern, replacement, 1))
    with pytest.raises(DataError, match=message):
        load(tmp_path, "train")


def test_a_kaggle_table_that_ends_early_is_refused(tmp_path: Path) -> None:
    table = write_ferplus(tmp_path, faces(3, "train"), kaggle=True) / "fer2013.csv"
    table.write_text("".join(table.read_text().splitlines(keepends=True)[:-1]))
    with pytest.raises(DataError, match=r"line 4: expected the same faces"):
        load(tmp_path, "train")


@real
@pytest.mark.parametrize(("split", "kept"), [("train", (25_060, 28_389)), ("validation", (3_199, 3_553))])
def test_the_protocols_keep_as_many_faces_as_the_contract_says(split: Split, kept: tuple[int, int]) -> None:
    from emoscope.data.ferplus import _rows, _votes

    table = _votes(_rows(DATA / "ferplus" / "fer2013new.csv", split))
    assert ((majority(table) >= 0).sum(), (plurality(table) >= 0).sum()) == kept


@real
def test_the_validation_split_is_whole() -> None:
    found = load(DATA, "validation")
    assert found.images.shape == (3579, 48, 48)
    assert (found.votes.sum(1) >= 10).mean() > 0.99


def test_the_balanced_sets_keep_so_many_of_each_class_and_no_others() -> None:
    votes = np.zeros((1200, 10), np.int64)
    for row, column in enumerate([0] * 400 + [4] * 325 + [5] * 20 + [7] * 100 + [8] * 355):
        votes[row, column] = 10
    five, seven = (balanced(votes, classes, "validation") for classes in (FIVE, SEVEN))
    assert np.bincount(five[five >= 0], minlength=8).tolist() == [325, 0, 0, 0, 325, 0, 0, 0]
    assert np.bincount(seven[seven >= 0], minlength=8).tolist() == [325, 0, 0, 0, 325, 20, 0, 0]
    assert np.array_equal(five, balanced(votes, FIVE, "validation"))
    assert not np.array_equal(five, balanced(votes, FIVE, "validation", seed=1))


@real
@pytest.mark.parametrize(
    ("split", "counts"),
    [
        ("train", [2466, 2466, 2466, 2466, 2466, 191, 652, 0]),
        ("validation", [325, 325, 325, 325, 319, 34, 74, 0]),
    ],
)
def test_the_reference_systems_sets_are_as_large_as_they_were(split: Split, counts: list[int]) -> None:
    from emoscope.data.ferplus import _rows, _votes

    votes = _votes(_rows(DATA / "ferplus" / "fer2013new.csv", split))
    labels = balanced(votes, SEVEN, split)
    assert np.bincount(labels[labels >= 0], minlength=8).tolist() == counts
    if split == "train":
        natural = plurality(votes)
        assert np.bincount(natural[natural >= 0]).tolist() == [10309, 7528, 3562, 3515, 2467, 191, 652, 165]
