"""How quickly the page of a long recording opens and answers, in headless Chromium.

A made-up timeline of two persons, 15 observations a second each from the face and from both, and a voice, of ten
minutes and of three hours. Seconds until the page has drawn its timeline, and milliseconds a frame while it is zoomed
and moved with the keys, the median and the longest of 40; beside a page without a timeline, in the same run.
"""

import shutil
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from playwright.sync_api import Browser, sync_playwright

from emoscope.emotions import EMOTIONS
from emoscope.report.page import write_page
from emoscope.timeline import Observation, Timeline

from ..rows import Row
from ..runner import Context

LENGTHS_S = {"nothing": 0, "10 minutes": 600, "3 hours": 3 * 3600}
RATE = 15
ROUNDS = 3
FRAMES = """async () => {
  const view = document.querySelector("#player .stage"), taken = [];
  if (!view) return taken;
  view.focus();
  for (let i = 0; i < 40; i += 1) {
    const key = ["+", "ArrowRight", "-", "ArrowRight"][i % 4], before = performance.now();
    view.dispatchEvent(new KeyboardEvent("keydown", { key, shiftKey: true, bubbles: true }));
    await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
    taken.push(performance.now() - before);
  }
  return taken;
}"""


def page(context: Context) -> Iterator[Row]:
    """A page of each length."""
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"),
            args=["--no-sandbox", "--disable-gpu", "--disable-background-networking"],
        )
        found = []
        for name, length in LENGTHS_S.items():
            path = Path(folder) / f"{length}.html"
            write_page(path, timeline(length))
            found.append({"timeline": name, "mb": path.stat().st_size / 1e6, **opened(browser, path)})
        browser.close()
    yield from rows(found)


def timeline(length_s: int) -> Timeline:
    """Scores that wander; nobody's."""
    random, seen = np.random.default_rng(0), []
    for person in (1, 2):
        walks = np.cumsum(random.normal(size=(length_s * RATE, len(EMOTIONS))), axis=0) / 20
        scores = np.exp(walks) / np.exp(walks).sum(1, keepdims=True)
        for source in ("face", "fused"):
            seen += [
                Observation(i / RATE, (i + 1) / RATE, source, person, (9, 9, 90, 90), tuple(row))
                for i, row in enumerate(scores.tolist())
            ]
    return Timeline.of(seen, {"kind": "video", "input": "made-up.mp4", "duration_s": float(length_s)})


def opened(browser: Browser, path: Path) -> dict[str, Any]:
    """Medians over a few new tabs."""
    seconds, frames = [], []
    for _ in range(ROUNDS):
        page = browser.new_page()
        start = time.perf_counter()
        page.goto(path.as_uri())
        page.evaluate("() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
        seconds.append(time.perf_counter() - start)
        frames += page.evaluate(FRAMES)
        page.close()
    return {
        "opens_s": float(np.median(seconds)),
        "frame_ms": float(np.median(frames)) if frames else None,
        "longest_frame_ms": max(frames) if frames else None,
    }


def rows(found: list[dict[str, Any]]) -> Iterator[Row]:
    """Each length; the first is a page without a timeline."""
    nothing = found[0]["opens_s"]
    for of in found:
        figures = {"page, MB": of["mb"], "opens, s": of["opens_s"], "by the page without one": of["opens_s"] / nothing,
                   "frame, ms": of["frame_ms"], "longest frame, ms": of["longest_frame_ms"]}  # fmt: skip
        for metric, value in figures.items():
            if value is not None:
                yield Row(metric=metric, value=value, condition=of["timeline"])
