"""The bands: what they are made of, and that they stay small."""

import re
import xml.etree.ElementTree as ET

import numpy as np
import pytest
from report_samples import conversation, long_recording, observe

from emoscope.report.bands import BINS, bands, bin_means
from emoscope.report.palette import COLOURS
from emoscope.timeline import Timeline


def texts(svg: str) -> list[str]:
    return [element.text or "" for element in ET.fromstring(svg).iter("{http://www.w3.org/2000/svg}text")]


def points(svg: str) -> int:
    """Points of all the outlines in the picture."""
    return sum(len(re.findall("[ML]", d)) for d in re.findall(r' d="([^"]*)"', svg))


def test_a_row_for_each_person_and_source() -> None:
    headings = [text for text in texts(bands(conversation())) if "·" in text]
    assert headings == [
        "Person 2 · face",
        "Person 2 · voice",
        "Person 2 · face and voice together",
        "Person 1 · face",
        "Scene · voice",
    ]


def test_bands_have_the_colours_of_the_emotions_that_occur() -> None:
    svg = bands(Timeline.of([observe(0, 1, happiness=0.4)]))
    assert {name for name, colour in COLOURS.items() if colour in svg} == {"neutral", "happiness"}


def test_wide_bands_are_named() -> None:
    assert "anger" in texts(bands(Timeline.of([observe(0, 10, anger=0.9)])))


def test_two_hundred_thousand_observations_are_drawn_with_few_points() -> None:
    svg = bands(long_recording(persons=2, observations_each=100_000))
    # eight outlines a row, each of one point a bin and a few to close it, and the axis
    assert BINS * 8 < points(svg) < 2 * 8 * (BINS + 10) + 200
    assert len(svg) < 200_000


def test_a_crowd_is_drawn_in_bounded_height() -> None:
    svg = bands(Timeline.of([observe(0, 1 + p / 100, person=p) for p in range(1, 201)]))
    headings = [text for text in texts(svg) if "·" in text]
    assert len(headings) == 20
    assert headings[0] == "Person 200 · face"


def test_the_picture_is_one_element_without_other_hosts() -> None:
    svg = bands(conversation())
    assert svg.startswith("<svg")
    assert not re.search(r"(href|src)=\"(?!#)", svg)
    assert "metadata" not in svg


def test_text_and_ground_are_those_of_the_page() -> None:
    svg = bands(Timeline.of([observe(0, 1)]))
    assert "currentColor" in svg
    assert "#ffffff" not in svg


def test_times_of_a_long_recording_are_minutes() -> None:
    assert "50:00" in texts(bands(Timeline.of([observe(0, 3599)])))
    assert "1:00:00" in texts(bands(Timeline.of([observe(0, 7200)])))


def test_an_empty_timeline_is_an_empty_axis() -> None:
    assert not any(colour in bands(Timeline.empty()) for colour in COLOURS.values())


def test_names_cannot_break_out_of_the_picture() -> None:
    timeline = Timeline.of([observe(0, 1)], names={1: "<script>alert('$x$')</script>"})
    assert "<script" not in bands(timeline)
    assert "<script>alert('$x$')</script> · face" in texts(bands(timeline))


def test_bin_means_weigh_by_overlap() -> None:
    timeline = Timeline.of([observe(0, 1.5, happiness=1.0), observe(1.5, 2, anger=1.0)])
    means = bin_means(timeline, np.array([0.0, 1.0, 2.0, 3.0]))
    assert means[0] == pytest.approx([0, 1, 0, 0, 0, 0, 0, 0])
    assert means[1] == pytest.approx([0, 0.5, 0, 0, 0.5, 0, 0, 0])
    assert np.isnan(means[2]).all()


def test_bin_means_average_overlapping_observations() -> None:
    timeline = Timeline.of([observe(0, 2, "voice", happiness=1.0), observe(1, 3, "voice", anger=1.0)])
    means = bin_means(timeline, np.arange(4.0))
    assert means[:, [1, 4]].tolist() == [[1, 0], [0.5, 0.5], [0, 1]]


def test_bin_means_agree_with_the_plain_sum() -> None:
    rng = np.random.default_rng(3)
    starts = np.sort(rng.uniform(0, 90, 300))
    timeline = Timeline.of([observe(s, s + rng.uniform(0.2, 3), happiness=rng.uniform()) for s in starts])
    edges = np.linspace(0, 100, 41)
    expected = np.full((40, 8), np.nan)
    for k in range(40):
        overlap = [max(0, min(o.end, edges[k + 1]) - max(o.start, edges[k])) for o in timeline]
        if sum(overlap) > 1e-6:
            expected[k] = np.average([o.scores for o in timeline], axis=0, weights=overlap)
    np.testing.assert_allclose(bin_means(timeline, edges), expected, atol=1e-9)
