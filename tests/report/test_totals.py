"""What a timeline comes to."""

import pytest
from report_samples import conversation, observe

from emoscope.report.totals import clock, is_still, key_moments, leading, shown, together, totals
from emoscope.timeline import Timeline


def test_longest_seen_person_first_then_the_scene() -> None:
    rows = totals(conversation())
    assert [(row.who, row.source) for row in rows] == [
        ("Person 2", "face"),
        ("Person 2", "voice"),
        ("Person 2", "fused"),
        ("Person 1", "face"),
        ("Scene", "voice"),
    ]


def test_scores_are_the_means_of_the_timeline() -> None:
    timeline = conversation()
    for row in totals(timeline):
        expected = Timeline.of([o for o in timeline if (o.person, o.source) == (row.person, row.source)]).mean_scores()
        assert row.scores == pytest.approx(expected)


def test_overlapping_observations_count_once() -> None:
    voice = next(row for row in totals(conversation()) if (row.person, row.source) == (2, "voice"))
    assert voice.seconds == pytest.approx(3.0)


def test_gaps_do_not_count() -> None:
    assert totals(Timeline.of([observe(0, 1), observe(5, 7)]))[0].seconds == pytest.approx(3.0)


def test_the_emotion_goes_by_time_not_by_number() -> None:
    short = [observe(t / 10, t / 10 + 0.1, fear=0.9) for t in range(10)]
    assert totals(Timeline.of([*short, observe(1, 5, anger=0.9)]))[0].emotion == "anger"


def test_pictures_count_one_by_one() -> None:
    row = totals(Timeline.of([observe(0, 0, fear=0.9), observe(0, 0, anger=0.9), observe(0, 0, anger=0.9)]))[0]
    assert row.emotion == "anger"
    assert row.scores["anger"] == pytest.approx(0.6)


@pytest.mark.parametrize(("source", "person"), [("voice", None), ("voice", 1), ("face", 1)])
def test_who_has_one_source_alone_is_shown_once(source: str, person: int | None) -> None:
    rows = [observe(0, 1, source, person), observe(0, 1, "fused", person)]  # type: ignore[arg-type]
    assert [row.source for row in totals(Timeline.of(rows))] == [source]


def test_leading_takes_the_source_that_saw_most() -> None:
    rows = {row.person: row.source for row in leading(totals(conversation()))}
    assert rows == {2: "face", 1: "face", None: "voice"}


def test_leading_prefers_fused_where_equal() -> None:
    rows = totals(Timeline.of([observe(0, 1), observe(0, 1, "fused"), observe(0, 1, "voice")]))
    assert [row.source for row in leading(rows)] == ["fused"]


def test_many_persons_are_cut_but_the_scene_stays() -> None:
    crowd = Timeline.of([observe(0, p, person=p) for p in range(1, 31)] + [observe(0, 1, "voice", None)])
    rows, hidden = shown(totals(crowd))
    assert [row.person for row in rows] == [*range(30, 10, -1), None]
    assert hidden == 10


def test_key_moments_give_everybody_one_before_anybody_two() -> None:
    moments = key_moments(conversation(), limit=2)
    assert {o.person for o in moments} == {1, 2}
    assert max(o.confidence for o in moments) == pytest.approx(0.8)


def test_key_moments_are_each_emotions_best_in_order_of_time() -> None:
    timeline = Timeline.of([observe(0, 1, fear=0.9), observe(1, 2, anger=0.8), observe(2, 3, fear=0.95)])
    assert [(o.start, o.emotion) for o in key_moments(timeline)] == [(1, "anger"), (2, "fear")]


def test_key_moments_need_a_box() -> None:
    assert key_moments(Timeline.of([observe(0, 1, box=None, fear=0.9)])) == []


PARTS = [{"file": "a.jpg", "start_s": 0.0, "end_s": 1.0}, {"file": "b.jpg", "start_s": 1.0, "end_s": 2.0}]


@pytest.mark.parametrize(
    ("timeline", "still"),
    [
        (Timeline.of([observe(0, 0)]), True),
        (Timeline.of([], {"kind": "picture"}), True),
        (Timeline.of([observe(0, 1), observe(1, 2)], {"kind": "folder", "parts": PARTS}), True),
        (Timeline.of([observe(0, 1), observe(1, 1.1)], {"kind": "folder", "parts": PARTS}), False),
        (Timeline.of([observe(0, 1, "voice", None)], {"kind": "folder", "parts": PARTS}), False),
        (Timeline.of([observe(0, 1)], {"kind": "video"}), False),
        (Timeline.empty(), False),
    ],
)
def test_is_still(timeline: Timeline, still: bool) -> None:
    assert is_still(timeline) is still


def test_together_is_over_everybody() -> None:
    rows = together(Timeline.of([observe(0, 1, person=1, fear=1.0), observe(1, 2, person=2, anger=1.0)]))
    assert [(row.source, row.scores["fear"], row.scores["anger"]) for row in rows] == [("face", 0.5, 0.5)]


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(2.44, "2.4\u00a0s"), (119.9, "119.9\u00a0s"), (119.97, "2:00"), (205, "3:25"), (3805.4, "1:03:25")],
)
def test_clock(seconds: float, words: str) -> None:
    assert clock(seconds) == words
