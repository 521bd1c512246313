"""The page's timeline in step with the recording, in headless Chromium; and the same page without its script."""

import base64
import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from places import EXAMPLE
from playwright.sync_api import Browser, Page, expect, sync_playwright
from report_samples import observe

import emoscope
from emoscope.outputs import write_pictures, write_report
from emoscope.report.page import write_page
from emoscope.report.player import FULL, UNSEEN, series
from emoscope.timeline import Timeline

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
browsers = pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium: apt-get install chromium")


def scores_of(timeline: Timeline) -> tuple[dict[str, object], np.ndarray]:
    found = json.loads(series(timeline))
    rows = [np.frombuffer(base64.b64decode(row["scores"]), np.uint8) for row in found["rows"]]
    return found, np.stack(rows).reshape(len(rows), found["bins"], len(found["labels"]))


def test_scores_stand_in_bins_of_a_tenth_of_a_second() -> None:
    timeline = Timeline.of([observe(0, 1, happiness=0.8), observe(2, 3, fear=0.6)], {"duration_s": 4.0})
    found, scores = scores_of(timeline)
    assert (found["length_s"], found["bins"]) == (4.0, 40)
    labels = [name for name, _ in found["labels"]]  # type: ignore[attr-defined]
    assert scores[0, 5, labels.index("happiness")] == round(0.8 * FULL)
    assert scores[0, 25, labels.index("fear")] == round(0.6 * FULL)
    assert (scores[0, 10:20] == UNSEEN).all()


def test_many_hours_stay_under_a_few_megabytes() -> None:
    hours = Timeline.of([observe(t, t + 30.0, person=p) for p in (1, 2) for t in range(0, 6 * 3600, 30)])
    assert len(series(hours)) < 3_000_000


def test_names_cannot_end_the_script() -> None:
    evil = Timeline.of([observe(0, 1)], {"names": {"1": "</script><b>"}})
    assert "<" not in series(evil)


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    arguments = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=arguments)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The example's page beside its annotated video."""
    out = tmp_path_factory.mktemp("page")
    timeline = emoscope.analyze(EXAMPLE, out=out)
    write_pictures(timeline, EXAMPLE, out, lambda done, total: None)
    return out


@pytest.fixture
def page(chromium: Browser, folder: Path) -> Iterator[Page]:
    page = chromium.new_page(viewport={"width": 900, "height": 900})
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto((folder / "report.html").as_uri())
    page.wait_for_function("document.querySelector('video').readyState > 0")
    yield page
    page.close()
    assert errors == []


def time_of(page: Page) -> float:
    return float(page.evaluate("document.querySelector('video').currentTime"))


@browsers
def test_a_click_goes_to_the_moment(page: Page) -> None:
    canvas = page.locator("#player canvas")
    box = canvas.bounding_box()
    assert box and box["width"] > 600  # all of the column
    canvas.click(position={"x": box["width"] / 3, "y": 50})
    page.wait_for_function("document.querySelector('video').currentTime > 0")
    assert time_of(page) == pytest.approx(3.0, abs=0.2)  # of nine seconds
    expect(page.locator("#player output")).to_contain_text("Person 1, face: happiness")


@browsers
def test_keys_move_and_zoom(page: Page) -> None:
    page.locator("#player .stage").focus()
    for key in ("ArrowRight", "ArrowRight", "ArrowRight", "ArrowLeft"):
        page.keyboard.press(key)
    expect(page.locator("#player .where")).to_have_text("2.0 s of 9.0 s")
    page.wait_for_function("Math.abs(document.querySelector('video').currentTime - 2) < 0.1")
    page.keyboard.press("End")
    expect(page.locator("#player .where")).to_have_text("9.0 s of 9.0 s")
    before = page.locator("#player canvas").screenshot()
    page.keyboard.press("+")
    page.wait_for_timeout(200)
    zoomed = page.locator("#player canvas").screenshot()
    assert zoomed != before
    page.keyboard.press("0")
    page.wait_for_timeout(200)
    assert page.locator("#player canvas").screenshot() == before


@browsers
def test_rows_and_emotions_can_be_chosen(page: Page) -> None:
    height = page.locator("#player canvas").bounding_box()
    page.get_by_label("Person 1 · voice").uncheck()
    page.wait_for_timeout(200)
    lower = page.locator("#player canvas").bounding_box()
    assert height and lower and lower["height"] < height["height"]
    page.locator("#player .emotions").get_by_label("happiness").uncheck()
    expect(page.locator("#player output")).not_to_contain_text("happiness")


@browsers
def test_without_scripts_and_on_paper_the_bands_are_a_picture(chromium: Browser, folder: Path) -> None:
    plain = chromium.new_context(java_script_enabled=False).new_page()
    plain.goto((folder / "report.html").as_uri())
    expect(plain.locator("figure svg").first).to_be_visible()
    expect(plain.locator("#player")).to_be_hidden()
    plain.context.close()
    paper = chromium.new_page()
    paper.goto((folder / "report.html").as_uri())
    expect(paper.locator("#player")).to_be_visible()
    expect(paper.locator("figure svg").first).to_be_hidden()
    paper.emulate_media(media="print")
    expect(paper.locator("figure svg").first).to_be_visible()
    expect(paper.locator("#player")).to_be_hidden()
    paper.close()


@browsers
def test_a_phone_cuts_nothing_off(chromium: Browser, folder: Path) -> None:
    phone = chromium.new_page(viewport={"width": 360, "height": 740})
    phone.goto((folder / "report.html").as_uri())
    expect(phone.locator("#player")).to_be_visible()
    assert phone.evaluate("document.documentElement.scrollWidth") <= 360
    phone.close()


@browsers
def test_three_hours_are_shown_and_can_be_zoomed_to_a_second(chromium: Browser, tmp_path: Path) -> None:
    length = 3 * 3600
    seen = [observe(t, t + 1.0, person=p, happiness=(t % 100) / 100) for p in (1, 2) for t in range(length)]
    write_page(tmp_path / "report.html", Timeline.of(seen, {"kind": "video", "duration_s": float(length)}))
    page = chromium.new_page()
    page.goto((tmp_path / "report.html").as_uri())
    expect(page.locator("#player .where")).to_have_text("0.0 s of 3:00:00")
    page.locator("#player .stage").focus()
    for _ in range(14):
        page.keyboard.press("+")
    page.keyboard.press("Shift+ArrowRight")
    expect(page.locator("#player .where")).to_have_text("10.0 s of 3:00:00")
    expect(page.locator("#player output")).to_contain_text("happiness 10 %")
    page.close()


@browsers
def test_a_recording_that_is_gone_is_said(chromium: Browser, tmp_path: Path) -> None:
    timeline = Timeline.of([observe(0, 2.0)], {"kind": "video", "duration_s": 2.0})
    write_page(tmp_path / "report.html", timeline, recording="gone.mp4")
    page = chromium.new_page()
    page.goto((tmp_path / "report.html").as_uri())
    expect(page.locator("#gone")).to_be_visible()
    expect(page.locator("video.recording")).to_be_hidden()
    expect(page.locator("#player canvas")).to_be_visible()
    page.close()


def test_the_recording_is_played_where_there_is_no_annotated_video(tmp_path: Path) -> None:
    (tmp_path / "a talk.mp4").write_bytes(b"")
    timeline = Timeline.of([observe(0, 1)], {"kind": "video", "input": "a talk.mp4", "width": 9, "height": 9})
    out = tmp_path / "out"
    out.mkdir()
    page = write_report(timeline, out, [], [])
    assert 'src="../a%20talk.mp4"' in page.read_text()
    elsewhere = tmp_path / "upload" / "tmp123.mp4"
    elsewhere.parent.mkdir()
    elsewhere.write_bytes(b"")
    (tmp_path / "a talk.mp4").unlink()
    page = write_report(timeline, out, [], [], elsewhere)
    assert "<video" not in page.read_text()
