"""The page in headless Chromium, with a camera and a microphone that play a recording."""

import io
import json
import re
import shutil
import time
import wave
from collections import Counter
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from itertools import pairwise
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import pytest
from PIL import Image
from places import DATA, EXAMPLE
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright
from websockets.sync.client import connect

import emoscope
from emoscope import Timeline
from emoscope.media import Sound, open_media

from .conftest import Server, serving

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium: apt-get install chromium")

ARGUMENTS = [
    "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-component-update",
    "--disable-sync", "--use-fake-device-for-media-stream",
]  # fmt: skip

FOCUSED = (
    "(() => { const e = document.activeElement;"
    " return {id: e.id, name: (e.labels?.[0]?.textContent ?? e.textContent).trim()}; })()"
)

SURELY_HAPPY = re.compile(r"happiness (9\d|100) %")
CLIPS = DATA / "cremad" / "VideoFlash"
HAPPY, ANGRY = CLIPS / "1011_IEO_HAP_HI.flv", CLIPS / "1011_IEO_ANG_HI.flv"


def recording(paths: list[Path], folder: Path) -> tuple[Path, Path, float]:
    """Clips one after the other as MJPEG and WAV, which Chromium's fake devices play, and the seconds they last."""
    video, sound = folder / "camera.mjpeg", folder / "microphone.wav"
    samples: list[np.ndarray] = []
    count = 0
    with video.open("wb") as file:
        for path in paths:
            with open_media(path) as media:
                for item in media:
                    if isinstance(item, Sound):
                        samples.append(item.samples)
                        continue
                    picture = io.BytesIO()
                    Image.fromarray(item.image).save(picture, "JPEG", quality=95)
                    file.write(picture.getvalue())
                    count += 1
    joined = np.concatenate(samples)
    with wave.open(str(sound), "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(16_000)
        out.writeframes((joined * 32767).astype("<i2").tobytes())
    return video, sound, count / 30


class Launch(Protocol):
    """Starts Chromium with a camera and a microphone that play files, looped; `allowed` answers requests with yes."""

    def __call__(self, video: Path, sound: Path, allowed: bool = True) -> AbstractContextManager[Browser]: ...


@pytest.fixture(scope="module")
def chromium() -> Iterator[Launch]:
    with sync_playwright() as playwright:

        @contextmanager
        def launch(video: Path, sound: Path, allowed: bool = True) -> Iterator[Browser]:
            files = [f"--use-file-for-fake-video-capture={video}", f"--use-file-for-fake-audio-capture={sound}"]
            yes = ["--use-fake-ui-for-media-stream"] if allowed else []
            browser = playwright.chromium.launch(executable_path=CHROMIUM, args=[*ARGUMENTS, *files, *yes])
            yield browser
            browser.close()

        yield launch


@pytest.fixture(scope="module")
def example(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    return recording([EXAMPLE], tmp_path_factory.mktemp("example"))[:2]


@pytest.fixture(scope="module")
def browser(chromium: Launch, example: tuple[Path, Path]) -> Iterator[Browser]:
    with chromium(*example) as browser:
        yield browser


@pytest.fixture
def page(browser: Browser, server: Server) -> Iterator[Page]:
    """The page, with every request and every error of a script recorded."""
    context = browser.new_context(viewport={"width": 1200, "height": 900})
    page = watched(context)
    page.goto(server.address)
    yield page
    context.close()
    assert page.errors == []  # type: ignore[attr-defined]


def watched(context: BrowserContext) -> Page:
    page = context.new_page()
    page.asked, page.errors = [], []  # type: ignore[attr-defined]
    page.on("request", lambda request: page.asked.append(request.url))  # type: ignore[attr-defined]
    page.on("pageerror", lambda error: page.errors.append(str(error)))  # type: ignore[attr-defined]
    return page


def live(page: Page) -> None:
    """Press start and wait until somebody is seen."""
    page.get_by_role("button", name="Start").click()
    expect(page.locator("#status")).to_contain_text("Live", timeout=20_000)
    expect(page.locator(".person").first).to_be_visible(timeout=20_000)


def saved(page: Page, path: Path) -> Timeline:
    """The table that the page offers."""
    with page.expect_download() as download:
        page.get_by_role("button", name="Save table").click()
    assert download.value.suggested_filename == "timeline.csv"
    download.value.save_as(path)
    return Timeline.read(path)


def test_the_page_says_what_it_is_before_it_asks_for_the_camera(browser: Browser, server: Server) -> None:
    context = browser.new_context()
    context.add_init_script(
        "window.asked = 0; const devices = navigator.mediaDevices; const ask = devices.getUserMedia.bind(devices);"
        "devices.getUserMedia = (wanted) => { window.asked += 1; return ask(wanted); };"
    )
    page = context.new_page()
    page.goto(server.address)
    words = page.inner_text("#welcome")
    for said in (
        "a model's guess",
        "Nothing leaves this machine and nothing is stored",
        "at work and in education is prohibited",
    ):
        assert said in words
    assert page.evaluate("window.asked") == 0
    live(page)
    assert page.evaluate("window.asked") == 2
    context.close()


def test_start_pause_go_on_stop_and_save(page: Page, server: Server, tmp_path: Path) -> None:
    live(page)
    expect(page.locator(".person .said")).to_have_text(SURELY_HAPPY, timeout=10_000)
    expect(page.locator(".person .number")).to_have_count(8)
    expect(page.locator(".person")).to_contain_text("own baseline: from", timeout=10_000)
    expect(page.locator("#voice-emotion")).to_contain_text("%", timeout=15_000)
    expect(page.locator("#stage")).to_have_attribute(
        "aria-label", re.compile(rf"The picture that was scored\. Person 1: {SURELY_HAPPY.pattern}")
    )
    assert float(page.inner_text("#fps")) > 3
    assert int(page.inner_text("#latency").split()[0]) > 0

    page.get_by_role("button", name="Pause").click()
    time.sleep(0.5)
    before = len(saved(page, tmp_path / "paused.csv"))
    time.sleep(0.7)
    assert len(saved(page, tmp_path / "paused.csv")) == before
    page.get_by_role("button", name="Go on").click()
    time.sleep(1)
    assert len(saved(page, tmp_path / "on.csv")) > before

    page.get_by_role("button", name="Stop").click()
    expect(page.locator("#status")).to_contain_text("Stopped.", timeout=10_000)
    timeline = saved(page, tmp_path / "timeline.csv")
    assert {o.source for o in timeline} == {"face", "voice", "fused"}
    faces = timeline.select("face", person=1)
    assert all(a.start < b.start for a, b in pairwise(faces))
    here = (server.address, server.socket, "blob:")
    assert [url for url in page.asked if not url.startswith(here)] == []  # type: ignore[attr-defined]


def most_common(timeline: Timeline) -> str:
    """The emotion that most observations say."""
    return Counter(o.emotion for o in timeline).most_common(1)[0][0]


@pytest.mark.skipif(not HAPPY.exists(), reason=f"needs CREMA-D's video in {CLIPS}")
def test_a_happy_clip_and_an_angry_one(chromium: Launch, server: Server, tmp_path: Path) -> None:
    happy = recording([HAPPY], tmp_path)[2]
    video, sound, total = recording([HAPPY, HAPPY, ANGRY, ANGRY], tmp_path)
    with chromium(video, sound) as browser:
        page = watched(browser.new_context())
        page.goto(server.address)
        live(page)
        seen: list[tuple[float, str]] = []
        started = time.monotonic()
        while (now := time.monotonic() - started) < total - 1:
            if said := page.evaluate("document.querySelector('.person')?.dataset.emotion"):
                seen.append((now, said))
            time.sleep(0.1)
        page.get_by_role("button", name="Stop").click()
        expect(page.locator("#status")).to_contain_text("Stopped.", timeout=10_000)
        timeline = saved(page, tmp_path / "timeline.csv")
        assert page.errors == []  # type: ignore[attr-defined]
    change = 2 * happy
    assert Counter(said for now, said in seen if now < change - 1.5).most_common(1)[0][0] == "happiness"
    assert Counter(said for now, said in seen if now > change + 0.5).most_common(1)[0][0] == "anger"

    clips = {name: emoscope.analyze(path) for name, path in (("happiness", HAPPY), ("anger", ANGRY))}
    halves = {
        "happiness": [o for o in timeline.select("face") if o.start < change - 1],
        "anger": [o for o in timeline.select("face") if o.start > change + 1],
    }
    for name, half in halves.items():
        filed, lived = clips[name].select("face"), Timeline.of(half)
        assert most_common(filed) == most_common(lived) == name
        there, here = filed.mean_scores(), lived.mean_scores()
        assert max(abs(here[emotion] - there[emotion]) for emotion in there) < 0.25
        assert name in {o.emotion for o in clips[name].select("voice")}
        assert name in {o.emotion for o in timeline.select("voice")}


@pytest.mark.parametrize(
    ("granted", "told", "sources"),
    [
        (["microphone"], "No camera: it was not allowed. Going on without.", {"voice", "fused"}),
        (["camera"], "No microphone: it was not allowed. Going on without.", {"face", "fused"}),
    ],
)
def test_one_of_camera_and_microphone_is_enough(
    chromium: Launch,
    example: tuple[Path, Path],
    server: Server,
    tmp_path: Path,
    granted: list[str],
    told: str,
    sources: set[str],
) -> None:
    with chromium(*example, allowed=False) as browser:
        context = browser.new_context()
        context.grant_permissions(granted, origin=server.address.rstrip("/"))
        page = watched(context)
        page.goto(server.address)
        page.get_by_role("button", name="Start").click()
        expect(page.locator("#status")).to_contain_text(told, timeout=20_000)
        time.sleep(5)
        page.get_by_role("button", name="Stop").click()
        expect(page.locator("#status")).to_contain_text("Stopped.", timeout=10_000)
        assert {o.source for o in saved(page, tmp_path / "timeline.csv")} == sources
        assert page.errors == []  # type: ignore[attr-defined]


def test_without_either_the_page_says_so_and_can_start_again(
    chromium: Launch, example: tuple[Path, Path], server: Server
) -> None:
    with chromium(*example, allowed=False) as browser:
        page = watched(browser.new_context())
        page.goto(server.address)
        page.get_by_role("button", name="Start").click()
        expect(page.locator("#status")).to_contain_text("No camera: it was not allowed. No microphone", timeout=20_000)
        expect(page.get_by_role("button", name="Start")).to_be_enabled()
        assert page.errors == []  # type: ignore[attr-defined]


def test_the_page_comes_back_when_the_server_does(browser: Browser) -> None:
    context = browser.new_context()
    page = watched(context)
    with serving() as first:
        page.goto(first.address)
        live(page)
    expect(page.locator("#status")).to_contain_text("Trying again", timeout=10_000)
    with serving(port=first.port):
        expect(page.locator("#status")).to_contain_text("Live", timeout=20_000)
        page.locator(".person[data-person='2']").wait_for(timeout=20_000)  # numbers are not used twice
    assert page.errors == []  # type: ignore[attr-defined]
    context.close()


def test_a_full_server_is_told_and_waited_for(page: Page, server: Server) -> None:
    with ExitStack() as stack:
        for _ in range(4):
            socket = stack.enter_context(connect(server.socket))
            socket.send(json.dumps({"type": "start"}))
            socket.recv()
        page.get_by_role("button", name="Start").click()
        expect(page.locator("#status")).to_contain_text("all 4 sessions of this server are in use", timeout=20_000)
    expect(page.locator("#status")).to_contain_text("Live", timeout=20_000)


def test_a_file_is_read_with_its_progress(page: Page) -> None:
    page.set_input_files("#file", EXAMPLE)
    expect(page.locator("#file-status")).to_contain_text("looking and listening", timeout=20_000)
    expect(page.locator("#file-status")).to_contain_text("1 person, read in", timeout=60_000)
    with page.expect_download() as download:
        page.get_by_role("link", name="Save the report").click()
    assert download.value.suggested_filename == "synthetic.mp4-report.html"
    assert "synthetic.mp4" in Path(download.value.path()).read_text()
    with page.expect_popup() as popup:
        page.get_by_role("link", name="Open the report").click()
    expect(popup.value.get_by_role("heading").first).to_contain_text("synthetic.mp4")


def test_a_file_that_is_none_costs_one_line(page: Page, tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("not a video")
    page.set_input_files("#file", path)
    expect(page.locator("#file-status")).to_contain_text("notes.txt: not a video, sound or picture", timeout=20_000)


@pytest.mark.parametrize("width", [320, 390])
def test_a_phone_needs_no_sideways_scrolling(browser: Browser, server: Server, width: int) -> None:
    context = browser.new_context(
        viewport={"width": width, "height": 740}, color_scheme="dark", reduced_motion="reduce"
    )
    page = watched(context)
    page.goto(server.address)
    assert page.evaluate("document.scrollingElement.scrollWidth") <= width
    live(page)
    time.sleep(1.5)
    assert page.evaluate("document.scrollingElement.scrollWidth") <= width
    # the timeline scrolls by itself, begins at now, and says so
    wide, shown, left = page.evaluate(
        "(() => { const e = document.querySelector('.sideways');"
        " return [e.scrollWidth, e.clientWidth, e.scrollLeft]; })()"
    )
    assert wide > shown and left == pytest.approx(wide - shown, abs=1)
    expect(page.get_by_text("Swipe the timeline")).to_be_visible()
    assert page.errors == []  # type: ignore[attr-defined]
    context.close()


def test_the_pages_table_is_bounded_and_in_order(page: Page) -> None:
    expect(page.get_by_text("Swipe the timeline")).to_be_hidden()
    found = page.evaluate(
        """async () => {
            const { MOST, Record } = await import("/static/record.js");
            const record = new Record();
            const one = { box: null, scores: [1, 0, 0, 0, 0, 0, 0, 0], emotion: "neutral", confidence: 1, person: 1 };
            const counts = [];
            for (let n = 0; n < MOST + 60000; n++) {
                record.add({ ...one, start: n, end: n + 1, source: "face" });
                if (n % 1000 === 999) record.add({ ...one, start: n - 500, end: n, source: "voice" });
                if (n === 20000) counts.push(record.begins);
            }
            const text = await new Blob(record.csv()).text();
            const rows = text.trim().split("\\n").slice(1).map((row) => row.split(","));
            const starts = rows.map((row) => Number(row[0]));
            const sorted = starts.every((start, i) => !i || starts[i - 1] <= start);
            return { most: MOST, rows: rows.length, sorted, last: starts.at(-1), begins: record.begins,
                     first: starts[0], kept: record.rows.length, counts };
        }"""
    )
    assert found["sorted"] and found["rows"] <= found["most"] and found["last"] == found["most"] + 59_999
    assert found["counts"] == [0] and 0 < found["begins"] <= found["first"] and found["kept"] < 15_000


def test_everything_can_be_reached_by_keyboard_and_has_a_name(page: Page) -> None:
    reached: list[dict[str, Any]] = []
    for _ in range(12):
        page.keyboard.press("Tab")
        reached.append(page.evaluate(FOCUSED))
    ids = [one["id"] for one in reached]
    wanted = ["use-camera", "use-microphone", "mirror", "start", "file"]
    assert [i for i in dict.fromkeys(ids) if i in wanted] == wanted
    assert all(one["name"] for one in reached if one["id"])
    page.focus("#start")
    page.keyboard.press("Enter")
    expect(page.locator("#status")).to_contain_text("Live", timeout=20_000)
