"""Baselines: the closed form against brute force, and what it does to people who look or sound unlike others."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from emoscope.errors import ModelError
from emoscope.evidence import Evidence, Faces, Voices
from emoscope.reading.baseline import NEUTRAL, STRENGTHS, Baseline, Population, measure, resting, scores
from emoscope.reading.offsets import Span, describe, recording_offsets
from emoscope.reading.reader import Reader
from emoscope.reading.source import Source

LABELS = ("neutral", "happiness", "sadness", "anger")
K = len(LABELS)


def population(density: float = 0.0, offsets: float = 4.0) -> Population:
    centre = np.eye(K) - 1 / K
    return Population(LABELS, 4 * centre, centre, offsets * centre, 0 * centre, 0.5, density, "made up")


def read(logits: np.ndarray, baseline: Baseline, mix: np.ndarray | None = None) -> np.ndarray:
    pop = baseline.population
    return scores(logits, baseline.offset, pop, pop.mix() if mix is None else mix, 1.0)


def person(offset: np.ndarray, labels: np.ndarray, seed: int = 0) -> np.ndarray:
    """Moments of somebody with an offset: logits as `population` says that they vary."""
    noise = np.random.default_rng(seed).normal(0, 1, (len(labels), K))
    return population().means[labels] + offset + noise


def learned(logits: np.ndarray, pop: Population, neutral: bool = False, seconds: float = 0.5) -> Baseline:
    baseline = Baseline(pop)
    baseline.add(logits, np.full(len(logits), seconds), neutral)
    return baseline


def test_a_neutral_reference_is_what_conditioning_on_its_mean_gives() -> None:
    pop, n = population(), 6
    logits = person(np.array([2.0, -1, 0, -1]), np.zeros(n, int))
    means, noise = pop.inner
    prior = pop.nothing.covariance
    found, weights = [], []
    for strength in STRENGTHS:
        spread = prior + strength**2 * noise / n
        gain = prior @ np.linalg.inv(spread)
        away = logits.mean(0) @ pop.basis - strength * means[0]
        found.append(gain @ away)
        weights.append(np.exp(-0.5 * away @ np.linalg.solve(spread, away)) / np.sqrt(np.linalg.det(spread)))
    offset = learned(logits, pop, neutral=True).offset
    np.testing.assert_allclose(offset.mean, np.average(found, 0, weights), atol=1e-6)
    assert (offset.how, offset.seconds) == ("a neutral reference", 3.0)


@pytest.mark.parametrize("density", [0.0, 1.0])
def test_scores_integrate_over_what_is_not_known(density: float) -> None:
    pop = population(density, offsets=1.0)
    offset = learned(person(np.zeros(K), np.zeros(2, int)), pop).offset
    logits = np.array([[1.0, 3.0, 0.0, -2.0]])
    means, noise = pop.inner
    draws = np.random.default_rng(1).multivariate_normal(offset.mean, offset.covariance, 200_000)
    left = (logits @ pop.basis)[0] - draws
    if density:
        away = left - means[:, None]
        each = np.exp(-0.5 * np.einsum("zni,ij,znj->zn", away, np.linalg.inv(noise), away))
        expected = each.mean(1) / each.mean(1).sum()
    else:
        raised = np.exp(left @ pop.basis.T)
        expected = (raised / raised.sum(1, keepdims=True)).mean(0)
    np.testing.assert_allclose(scores(logits, offset, pop, pop.mix(), 1.0)[0], expected, atol=0.02)


@given(st.integers(1, 12), st.integers(0, 100))
def test_neither_order_nor_cutting_makes_a_difference(n: int, seed: int) -> None:
    pop, random = population(), np.random.default_rng(seed)
    logits, seconds, neutral = random.normal(0, 3, (n, K)), random.uniform(0.1, 2, n), random.random(n) < 0.3
    whole, pieces = Baseline(pop), Baseline(pop)
    for kind in (True, False):
        whole.add(logits[neutral == kind], seconds[neutral == kind], kind)
    for row in random.permutation(n):
        pieces.add(logits[row : row + 1], seconds[row : row + 1], bool(neutral[row]))
    np.testing.assert_allclose(whole.offset.mean, pieces.offset.mean, atol=1e-8)
    np.testing.assert_allclose(whole.offset.covariance, pieces.offset.covariance, atol=1e-8)


@given(st.integers(0, 100), st.floats(-50, 50))
def test_a_constant_added_to_all_logits_says_nothing(seed: int, constant: float) -> None:
    pop = population()
    logits = np.random.default_rng(seed).normal(0, 3, (3, K))
    offset, moved = learned(logits, pop).offset, learned(logits + constant, pop).offset
    np.testing.assert_allclose(offset.mean, moved.mean, atol=1e-6)
    np.testing.assert_allclose(
        scores(logits, offset, pop, pop.mix(), 1.0), scores(logits + constant, offset, pop, pop.mix(), 1.0), atol=1e-6
    )


def test_who_knows_more_is_surer() -> None:
    pop = population()
    labels = np.arange(40) % K
    logits = person(np.zeros(K), labels)
    spread = [np.trace(pop.nothing.covariance)]
    spread += [np.trace(learned(logits[:n], pop).offset.covariance) for n in (1, 40)]
    assert spread == sorted(spread, reverse=True)
    calm = [np.trace(learned(logits[labels == 0][:n], pop, neutral=True).offset.covariance) for n in (1, 10)]
    assert spread[0] > calm[0] > calm[1]
    sure = [read(logits, learned(logits[:n], pop)).max(1).mean() for n in (1, 40)]
    assert sure[0] < sure[1]


@pytest.mark.parametrize("neutral", [True, False])
def test_a_face_that_looks_angry_at_rest_is_read_right_once_it_is_known(neutral: bool) -> None:
    pop = population(offsets=9.0)
    labels = np.arange(80) % K
    logits = person(np.array([-3.0, -3, 0, 6]), labels)
    plain = (logits.argmax(1) == labels).mean()
    baseline = learned(logits[labels == 0] if neutral else logits, pop, neutral)
    right = (read(logits, baseline).argmax(1) == labels).mean()
    assert plain < 0.5 < 0.85 < right
    rest = resting(baseline.offset, pop, 1.0)
    assert max(rest, key=lambda label: rest[label]) == "anger"


@pytest.mark.parametrize("emotions", [[3], [0, 3], [0, 1, 2, 3]])
def test_a_recording_of_few_emotions_is_not_taken_for_the_person(emotions: list[int]) -> None:
    pop = population(offsets=1.0)
    labels = np.resize(emotions, 40)
    said = read(person(np.array([0.5, 0, -1, 0.5]), labels), learned(person(np.zeros(K), labels), pop)).argmax(1)
    assert (said == labels).mean() > 0.9


def test_weaker_emotions_than_those_of_the_population_are_not_offsets() -> None:
    labels = np.arange(60) % K
    weak = person(np.zeros(K), labels) / 2 + np.array([2.0, -2, 2, -2])
    offset = learned(weak, population()).offset
    np.testing.assert_allclose(offset.mean @ population().basis.T, [2, -2, 2, -2], atol=0.6)


def test_more_labels_than_sets_can_be_counted_of() -> None:
    names = (NEUTRAL, *(f"e{i}" for i in range(15)))
    centre = np.eye(16) - 1 / 16
    pop = Population(names, 4 * centre, centre, centre, 0 * centre, 0.5, 0.0, "made up")
    logits = pop.means[np.arange(64) % 16] - centre[3] * 3
    offset = learned(logits, pop).offset
    assert (offset.mean @ pop.basis.T).argmin() == 3


def test_a_model_that_cannot_say_neutral_has_no_neutral_reference() -> None:
    pop = population()
    other = Population(("calm", *LABELS[1:]), pop.means, pop.noise, pop.persons, pop.recordings, 0.5, 0.0, "")
    with pytest.raises(ValueError, match="can say neutral"):
        learned(np.zeros((1, K)), other, neutral=True)
    assert learned(np.zeros((3, K)), other).offset.how == "the recording"


def test_a_mix_that_is_expected_is_believed() -> None:
    pop = population()
    calm = pop.mix({"neutral": 0.9, "happiness": 0.1})
    np.testing.assert_allclose(calm.sum(), 1)
    assert calm.min() > 0
    logits = np.array([[1.0, 1.2, 0, 0]])
    assert read(logits, Baseline(pop))[0].argmax() == 1
    assert read(logits, Baseline(pop), calm)[0].argmax() == 0
    for wrong in ({"joy": 1.0}, {"neutral": -1.0, "anger": 2.0}):
        with pytest.raises(ValueError, match="expected shares of neutral"):
            pop.mix(wrong)


def test_a_profile_is_what_was_known_before() -> None:
    pop = population()
    first = learned(person(np.array([2.0, -2, 1, -1]), np.arange(40) % K), pop).offset
    again = Baseline(pop, before=first)
    np.testing.assert_allclose(again.offset.mean, first.mean, atol=1e-4)
    again.add(person(np.array([2.0, -2, 1, -1]), np.arange(40) % K, 1), np.full(40, 0.5))
    assert np.trace(again.offset.covariance) < np.trace(first.covariance)
    assert again.offset.how == "the recording and the recording"


def test_statistics_are_measured_from_people() -> None:
    random = np.random.default_rng(0)
    people, n = 60, 40
    offsets = random.normal(0, 2, (people, K))
    labels = np.tile(np.arange(n) % K, people)
    persons = np.repeat(np.arange(people), n)
    logits = population().means[labels] + offsets[persons] + random.normal(0, 1, (people * n, K))
    found = measure(logits, labels, persons, LABELS, 0.5, 0.0, "made up", wider=1.5)
    np.testing.assert_allclose(found.means - found.means.mean(0), population().means, atol=0.25)
    np.testing.assert_allclose(found.noise, np.eye(K) - 1 / K, atol=0.15)
    np.testing.assert_allclose(found.persons, 4 * (np.eye(K) - 1 / K), atol=1.5)
    np.testing.assert_allclose(found.recordings, found.persons / 2, atol=0.1)
    again = Population.from_json(found.to_json(), LABELS)
    np.testing.assert_allclose(again.means, found.means, atol=1e-4)


def test_emotions_that_nobody_shows_have_known_means() -> None:
    known = population().means
    logits = person(np.zeros(K), np.arange(40) % 2)
    persons = np.repeat([0, 1], 20)
    found = measure(logits, np.arange(40) % 2, persons, LABELS, 0.5, 0.0, "", known=known)
    np.testing.assert_allclose(found.means[2:], known[2:], atol=1e-9)
    with pytest.raises(ValueError, match="expected moments of every label, none of sadness, anger"):
        measure(logits, np.arange(40) % 2, persons, LABELS, 0.5, 0.0, "")
    with pytest.raises(ValueError, match="two persons or more, got 1"):
        measure(logits, np.arange(40) % 2, persons * 0, LABELS, 0.5, 0.0, "", known=known)


@pytest.mark.parametrize(
    "changed",
    [
        {"means": None},
        {"means": [[1.0]]},
        {"noise": "much"},
        {"moment_s": 0},
        {"density": 2},
        {"persons": [[np.nan] * K] * K},
    ],
)
def test_statistics_that_cannot_be_are_refused(changed: dict[str, Any]) -> None:
    with pytest.raises(ModelError, match="population statistics"):
        Population.from_json(population().to_json() | changed, LABELS)


def faces(logits: np.ndarray, rate: float = 10.0, track: int = 1) -> Faces:
    n = len(logits)
    plain = np.full(n, 0.5, np.float32)
    return Faces(
        np.arange(n) / rate, np.full(n, 1 / rate), np.full(n, track, np.int32), np.ones((n, 4)),
        plain, plain, plain, plain * np.nan, plain * np.nan, logits.astype(np.float16),
    )  # fmt: skip


def source(with_statistics: bool = True) -> Source:
    return Source("made-up", "face", LABELS, 1.0, 1.0, population(offsets=9.0) if with_statistics else None)


GRIM = person(np.array([-3.0, -3, 0, 6]), np.arange(200) // 10 % K)


@given(st.lists(st.integers(0, 200), max_size=6))
def test_what_is_learned_does_not_depend_on_how_the_stream_is_cut(cuts: list[int]) -> None:
    every = faces(GRIM)
    whole = Reader(source(), None).add(every, None, np.inf, np.inf)
    reader, parts = Reader(source(), None), []
    for start, end in zip([0, *sorted(cuts)], [*sorted(cuts), 200], strict=True):
        parts.append(reader.add(every.take(slice(start, end)), None, end / 10, np.inf))
    parts.append(reader.close())
    rows = [o for part in parts for o in part.select("face")]
    assert [o.start for o in rows] == whole.select("face").start.tolist()
    np.testing.assert_allclose([o.scores for o in rows], whole.select("face").scores, atol=1e-9)


def test_live_a_person_is_read_better_as_they_become_known() -> None:
    reader = Reader(source(), None, "none")
    read = reader.add(faces(GRIM), None, np.inf, np.inf).select("face")
    right = np.array([said == LABELS[i // 10 % K] for i, said in enumerate(read.emotions)])
    assert right[100:].mean() > max(0.75, right[:10].mean())
    assert reader.known(1)["face"].how == "the recording"
    assert reader.known(2) == {}


def test_live_a_face_that_is_said_to_be_neutral_is_known_at_once() -> None:
    grim = person(np.array([-3.0, -3, 0, 6]), np.zeros(30, int))
    reader = Reader(source(), None, "none")
    assert not reader.neutral(1)
    reader.add(faces(grim).take(slice(0, 20)), None, 2.0, np.inf)
    learned_only = reader.known(1)["face"]
    assert reader.neutral(1)
    told = reader.known(1)["face"]
    assert told.how == "a neutral reference" and told.seconds == pytest.approx(2.0)
    truth = np.array([-3.0, -3, 0, 6]) @ population().basis
    assert np.linalg.norm(told.mean - truth) < np.linalg.norm(learned_only.mean - truth)
    after = reader.add(faces(grim).take(slice(20, 30)), None, np.inf, np.inf).select("face")
    assert set(after.emotions) == {"neutral"}


def test_without_statistics_or_on_request_logits_are_read_as_they_are() -> None:
    plain = Reader(source(False), None, "none").add(faces(GRIM), None, np.inf, np.inf)
    asked = Reader(source(), None, "none", {}).add(faces(GRIM), None, np.inf, np.inf)
    np.testing.assert_array_equal(plain.scores, asked.scores)


def evidence(**info: Any) -> Evidence:
    return Evidence(faces(GRIM), Voices.empty(0), info={"kind": "video"} | info)


def test_a_whole_recording_says_where_its_baselines_are_from() -> None:
    offsets = recording_offsets(evidence(), {"face": source()}, neutral=[Span(0.0, 1.0), Span(4.0, 5.0, 2)])
    ((key, offset),) = offsets.items()
    assert (key, offset.how) == (("face", 1), "a neutral reference and the recording")
    (row,) = describe(evidence(), {"face": source()}, offsets, None)
    assert row["person"] == 1 and row["seconds"] == pytest.approx(20, abs=0.1)
    assert 0.5 < row["known"] <= 1
    assert list(row["resting"]) == ["anger"]
    assert row["changed"] > 0.2


def test_still_pictures_have_no_baseline() -> None:
    assert recording_offsets(evidence(kind="picture"), {"face": source()}) == {}
    parts = [{"kind": "picture", "start_s": 0.0, "end_s": 10.0}, {"kind": "video", "start_s": 10.0, "end_s": 20.0}]
    (offset,) = recording_offsets(evidence(kind="folder", parts=parts), {"face": source()}).values()
    assert offset.seconds == pytest.approx(10, abs=0.1)
