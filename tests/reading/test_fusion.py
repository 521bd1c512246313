import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rows import as_fused, in_order

from emoscope.emotions import CREMAD_EMOTIONS, EMOTIONS, columns, expand
from emoscope.reading.fusion import SHORTEST_S, Fuser, fuse
from emoscope.timeline import Observation, Source, Timeline

SPOKEN = columns(CREMAD_EMOTIONS)
UNSPOKEN = columns(("surprise", "contempt"))
FRAME = 1 / 25

weights = st.lists(st.floats(0.001, 1), min_size=8, max_size=8).map(np.array)
faces = weights.map(lambda w: w / w.sum())
voices = weights.map(lambda w: expand(w[:6] / w[:6].sum(), CREMAD_EMOTIONS).astype(np.float64))


def scores(**given_: float) -> tuple[float, ...]:
    rest = (1 - sum(given_.values())) / (8 - len(given_))
    return tuple(given_.get(name, rest) for name in EMOTIONS)


HAPPY, ANGRY = scores(happiness=0.7), scores(anger=0.7)


def face(start: float, end: float | None = None, person: int = 1, of: tuple[float, ...] = HAPPY) -> Observation:
    return Observation(start, start + FRAME if end is None else end, "face", person, (0.0, 0.0, 9.0, 9.0), of)


def voice(start: float, end: float, person: int | None = 1, of: tuple[float, ...] = ANGRY) -> Observation:
    return Observation(start, end, "voice", person, None, of)


def run(observations: list[Observation], cuts: tuple[float, ...] = ()) -> list[Observation]:
    """What comes out if the stream is settled at these times, each observation being added as late as is allowed."""
    fuser, coming, out = new(), in_order(observations), []
    for cut in (*sorted(cuts), float("inf")):
        due = [o for o in coming if o.start < cut]
        coming = coming[len(due) :]
        add(fuser, due)
        out += list(fuser.settle(cut))
    return out


def new() -> Fuser:
    return Fuser(EMOTIONS, SPOKEN, 0.35, 1.0)


def add(fuser: Fuser, rows: list[Observation]) -> None:
    faces, voices = ([o for o in rows if o.source == source] for source in ("face", "voice"))
    fuser.add(Timeline.of(faces), Timeline.of(voices))


def both(face: np.ndarray, voice: np.ndarray, face_weight: float = 0.35) -> np.ndarray:
    return fuse(face, voice, SPOKEN, face_weight, 1.0)


def spans(rows: list[Observation], person: int | None = 1) -> list[tuple[float, float]]:
    return [(o.start, o.end) for o in rows if o.person == person]


@given(faces, voices)
def test_a_fused_distribution_sums_to_1(seen: np.ndarray, heard: np.ndarray) -> None:
    fused = both(seen, heard)
    assert fused.sum() == pytest.approx(1, abs=1e-9)
    assert (fused >= 0).all()


@given(faces, voices)
def test_what_the_voice_cannot_say_keeps_its_probability(seen: np.ndarray, heard: np.ndarray) -> None:
    np.testing.assert_allclose(both(seen, heard)[UNSPOKEN], seen[UNSPOKEN], rtol=1e-12)


@given(faces)
def test_at_full_weight_a_voice_that_knows_nothing_changes_nothing(seen: np.ndarray) -> None:
    even = expand(np.full(6, 1 / 6), CREMAD_EMOTIONS)
    np.testing.assert_allclose(both(seen, even, 1.0), seen, atol=1e-6)


@given(voices)
def test_a_face_that_knows_nothing_leaves_the_voice_its_proportions(heard: np.ndarray) -> None:
    fused = both(np.full(8, 1 / 8), heard)
    np.testing.assert_allclose(fused[SPOKEN], 6 / 8 * heard[SPOKEN], atol=1e-5)


@given(faces, voices)
def test_at_full_weight_agreement_makes_surer_than_the_face(seen: np.ndarray, heard: np.ndarray) -> None:
    top = columns(CREMAD_EMOTIONS)[int(np.argmax(heard[SPOKEN]))]
    fused = both(seen, heard, 1.0)
    assert fused[top] >= seen[top] - 1e-12


def test_a_certain_zero_does_not_break_the_product() -> None:
    sure, other = np.eye(8)[1], np.eye(8)[4]
    fused = both(sure, other)
    assert np.isfinite(fused).all()
    assert fused.sum() == pytest.approx(1)


def test_many_rows_at_once_are_the_same_as_each_alone() -> None:
    random = np.random.default_rng(0)
    seen, heard = random.dirichlet(np.ones(8), 5), expand(random.dirichlet(np.ones(6), 5), CREMAD_EMOTIONS)
    together = both(seen, heard)
    alone = [both(s, h) for s, h in zip(seen, heard, strict=True)]
    np.testing.assert_allclose(together, alone)


@pytest.mark.parametrize("rows", [[face(0), face(FRAME)], [voice(0, 2), voice(3, 4, None)]])
def test_one_source_alone_is_passed_on_as_it_is(rows: list[Observation]) -> None:
    assert run(rows) == as_fused(rows)


def test_a_face_is_fused_with_its_persons_voice_only() -> None:
    rows = run([face(0.5), face(0.5, person=2), voice(0, 1)])
    said = {o.person: o.scores for o in rows if o.box}
    assert said[2] == HAPPY
    expected = both(np.array(HAPPY), np.array(ANGRY))
    assert said[1] == pytest.approx(tuple(expected))


def test_a_face_is_fused_with_the_voice_that_it_overlaps_longest() -> None:
    rows = run([face(0.9, 1.3), voice(0, 1), voice(1, 2, of=scores(fear=0.7))])
    (fused,) = [o for o in rows if o.box]
    assert fused.scores[EMOTIONS.index("fear")] > fused.scores[EMOTIONS.index("anger")]


def test_a_picture_that_stays_for_long_hears_the_voice_that_begins_during_it() -> None:
    (fused,) = run([face(0.0, 5.0), voice(1.0, 2.0)])
    assert fused.scores != HAPPY


def test_a_face_without_a_length_is_fused_too() -> None:
    rows = run([face(t, t) for t in (0.0, 0.1, 0.2, 0.3)] + [voice(0.1, 0.3)])
    assert [o.scores == HAPPY for o in rows] == [True, False, False, True]


def test_the_scenes_voice_goes_with_no_face() -> None:
    rows = run([face(0.5), voice(0, 1, None)])
    assert {o.person: o.scores for o in rows} == {1: HAPPY, None: ANGRY}


def test_a_voice_is_passed_on_where_its_face_is_out_of_sight() -> None:
    rows = run([face(1.0), face(1.0 + FRAME), face(2.0), voice(0.0, 3.0)])
    last = 1 + 2 * FRAME
    expected = [(0, 1), (1, 1 + FRAME), (1 + FRAME, last), (last, 2), (2, 2 + FRAME), (2 + FRAME, 3)]
    np.testing.assert_allclose(spans(rows), expected)
    assert [o.box is None for o in rows] == [True, False, False, True, False, True]
    assert all(o.scores == ANGRY for o in rows if o.box is None)


def test_a_stretch_as_short_as_a_few_frames_is_not_reported() -> None:
    gap = SHORTEST_S - 0.01
    assert len(run([face(gap), face(gap + FRAME + gap, 1.0), voice(0.0, 1.0 + gap)])) == 2


def test_faces_that_come_unordered_or_overlap_leave_no_false_gap() -> None:
    fuser = new()
    add(fuser, [voice(0, 3), face(2.0, 3.0), face(0.0, 2.0), face(0.5, 0.7), face(1.0, 1.2)])
    assert spans(list(fuser.settle(4.0))) == [(0.0, 2.0), (0.5, 0.7), (1.0, 1.2), (2.0, 3.0)]


def test_a_face_seen_after_the_voice_does_not_cover_it() -> None:
    assert spans(run([voice(0, 2), face(3.0)])) == [(0, 2), (3.0, 3.0 + FRAME)]


def test_nothing_comes_before_it_is_settled() -> None:
    fuser = new()
    add(fuser, [face(1.0, 1.5), voice(1.2, 3.0)])
    assert len(fuser.settle(1.0)) == len(fuser.settle(1.4)) == 0
    assert spans(list(fuser.settle(1.5))) == [(1.0, 1.5)]
    assert len(fuser.settle(2.9)) == 0
    assert spans(list(fuser.settle(3.0))) == [(1.5, 3.0)]


@st.composite
def streams(draw: st.DrawFn) -> list[Observation]:
    """Two persons' faces that come and go, and voices of one of them or of the scene that follow each other."""
    rows: list[Observation] = []

    def follow(source: Source, persons: st.SearchStrategy[int | None], lengths: list[float]) -> None:
        time = draw(st.sampled_from([0.0, 0.13, 1.0]))
        for _ in range(draw(st.integers(0, 8))):
            length = draw(st.sampled_from(lengths))
            rows.append(Observation(time, time + length, source, draw(persons), None, draw(st.sampled_from(SOME))))
            time += length + draw(st.sampled_from([0.0, 0.05, 0.6]))
            time += 0.01 if not length else 0.0

    follow("face", st.just(1), [0.0, FRAME, 0.5, 2.0])
    follow("face", st.just(2), [0.0, FRAME, 0.5, 2.0])
    follow("voice", st.sampled_from([None, 1, 2]), [0.2, 1.0, 3.0])
    return rows


SOME = [HAPPY, ANGRY, scores(sadness=0.4)]


def test_a_voice_is_heard_out_though_another_s_face_waits() -> None:
    rows = [face(0.0, 0.04), face(0.65, 0.69), face(0.05, 2.05, 2), voice(0.0, 0.3)]
    assert in_order(run(rows, (1.0,))) == in_order(run(rows))


@given(streams(), st.lists(st.floats(0, 12), max_size=8))
def test_how_often_it_is_settled_makes_no_difference(rows: list[Observation], cuts: list[float]) -> None:
    assert in_order(run(rows, tuple(cuts))) == in_order(run(rows))


@given(streams(), st.lists(st.floats(0, 12), max_size=8))
def test_each_persons_rows_come_in_order_of_time(rows: list[Observation], cuts: list[float]) -> None:
    fused = run(rows, tuple(cuts))
    for person in (None, 1, 2):
        starts = [start for start, _ in spans(fused, person)]
        assert starts == sorted(starts)


@given(streams())
def test_every_face_comes_out_once_and_every_row_is_a_distribution(rows: list[Observation]) -> None:
    fused = run(rows)
    seen = [(o.start, o.end, o.person) for o in rows if o.source == "face"]
    out = [(o.start, o.end, o.person) for o in fused]
    assert all(out.count(row) >= 1 for row in seen)
    assert len(out) <= len(seen) + sum(1 + len(seen) for o in rows if o.source == "voice")
    assert all(o.source == "fused" and sum(o.scores) == pytest.approx(1) for o in fused)


def test_memory_is_bounded() -> None:
    fuser = new()
    kept = []
    for i in range(2000):
        add(fuser, [face(i * FRAME, person=1 + i // 10), face(i * FRAME, person=100_000)])
        if i % 50 == 0:
            add(fuser, [voice(i * FRAME, i * FRAME + 1.5, person=1 + i // 10)])
        fuser.settle(i * FRAME - 0.5)
        kept.append(len(fuser._faces) + len(fuser._voices) + len(fuser._seen))
    assert max(kept[1000:]) < 1.2 * max(kept[:1000])


def test_labels_that_only_one_source_can_say_keep_the_faces_scores() -> None:
    seen, heard = np.array([0.7, 0.3, 0, 0]), np.array([0, 0, 0.9, 0.1])
    np.testing.assert_array_equal(fuse(seen, heard, [], 0.35, 1.0), seen)


def test_what_neither_says_first_is_not_said() -> None:
    seen, heard = np.full(8, 0.01), np.zeros(8)
    seen[[0, 3]] = 0.5, 0.44  # neutral, then sadness
    heard[[4, 3, 0]] = 0.55, 0.44, 0.01  # anger, then sadness
    fused = fuse(seen, heard, columns(CREMAD_EMOTIONS), 1.0, 1.0)
    assert fused.argmax() in (0, 4)
    assert fused[3] == pytest.approx(fused.max(), rel=1e-4)
