"""How quickly the page of a long recording opens and answers, in headless Chromium.

    python benchmarks/page.py --out results/speed

A made-up timeline of two persons, 15 observations a second each from the face and from both, and a voice, of ten
minutes and of three hours. Seconds until the page has drawn its timeline, and milliseconds a frame while it is zoomed
and moved with the keys, the median and the longest of 40; beside a page without a timeline, in the same run.
"""

import argparse
import json
import shutil
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
from playwright.sync_api import Browser, sync_playwright

from emoscope.emotions import EMOTIONS
from emoscope.report.page import write_page
from emoscope.timeline import Observation, Timeline

COMMAND = "python benchmarks/page.py --out results/speed"
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


def main() -> None:
    made = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    made.add_argument("--out", type=Path, required=True)
    args = made.parse_args()
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"),
            args=["--no-sandbox", "--disable-gpu", "--disable-background-networking"],
        )
        rows = []
        for name, length in LENGTHS_S.items():
            path = Path(folder) / f"{length}.html"
            write_page(path, timeline(length))
            rows.append({"timeline": name, "mb": path.stat().st_size / 1e6, **opened(browser, path)})
        browser.close()
    (args.out / "page.json").write_text(json.dumps({"command": COMMAND, "rows": rows}, indent=1) + "\n")
    (args.out / "page.md").write_text(text(rows))
    print(text(rows))


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


def text(rows: list[dict[str, Any]]) -> str:
    nothing = rows[0]["opens_s"]
    lines = [
        "# The page of a long recording", "", f"Command: `{COMMAND}`", "",
        f"Headless Chromium without a graphics card, {ROUNDS} new tabs each, medians. A frame: from a key to two "
        "frames later, of which one is waiting.", "",
        "| timeline | page, MB | opens, s | by the page without one | frame, ms | longest frame, ms |",
        "|---" * 6 + "|",
    ]  # fmt: skip
    for row in rows:
        frame, longest = (f"{row[key]:.0f}" if row[key] else "" for key in ("frame_ms", "longest_frame_ms"))
        opens = f"{row['opens_s']:.2f} | {row['opens_s'] / nothing:.1f}"
        lines.append(f"| {row['timeline']} | {row['mb']:.2f} | {opens} | {frame} | {longest} |")
    return "\n".join([*lines, ""])


if __name__ == "__main__":
    main()
