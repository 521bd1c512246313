"""Bars beside each other."""

import xml.etree.ElementTree as ET

import pytest

from research.bars import bars

SVG = "{http://www.w3.org/2000/svg}"


def texts(svg: str) -> list[str]:
    return [element.text or "" for element in ET.fromstring(svg).iter(f"{SVG}text")]


def test_rows_and_series_are_named() -> None:
    svg = bars(["as it is", "blurred"], {"one": [(0.8, 0.7, 0.9), (0.5, 0.4, 0.6)], "two": [(0.9, 0.8, 1), None]}, "T")
    assert {"as it is", "blurred", "one", "two", "T"} <= set(texts(svg))


def test_a_bar_is_as_long_as_its_share() -> None:
    def length(share: float) -> float:
        svg = bars(["row"], {"one": [(share, share, share)]}, "")
        path = next(e for e in ET.fromstring(svg).iter(f"{SVG}path") if "#7c8197" in (e.get("style") or ""))
        words = [w for w in (path.get("d") or "").split() if w not in "MLz"]
        return max(map(float, words[::2])) - min(map(float, words[::2]))

    assert length(0.8) == pytest.approx(2 * length(0.4), rel=0.01)


def test_the_same_picture_every_time() -> None:
    one = {"one": [(0.8, 0.7, 0.9)]}
    assert bars(["row"], one, "T") == bars(["row"], one, "T")


@pytest.mark.parametrize("series", [{}, {"one": []}, {str(i): [None] for i in range(9)}])
def test_what_does_not_fit_is_refused(series: dict[str, list[None]]) -> None:
    with pytest.raises(ValueError, match="expected"):
        bars(["row"], series, "T")
