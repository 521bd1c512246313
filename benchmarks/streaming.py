"""How fast a stream of speech is scored: the window of 3 s that is due every 0.5 s, features included.

    python benchmarks/streaming.py --out results/speed

One thread. The same minute of sound (the synthetic example's voice, over and over) is given to the reader in items of
20 ms, as a microphone does, and as one piece, as a file does; the rows must be the same.
"""

import argparse
import json
import os
import platform
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

os.environ["OMP_NUM_THREADS"] = "1"

import numpy as np

from emoscope.media import SAMPLE_RATE, Sound, open_media
from emoscope.models import load
from emoscope.voice.classify import VoiceReader, VoiceRow
from emoscope.voice.features import WINDOW, window_input
from emoscope.voice.windows import WINDOW_STEP

COMMAND = "python benchmarks/streaming.py --out results/speed"
EXAMPLE = Path(__file__).parent.parent / "examples" / "synthetic.mp4"
ITEM = SAMPLE_RATE // 50
REPEATS = 200


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True)
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    sound = voice()
    model = load("voice", threads=1)
    window = sound[:WINDOW]
    picture = window_input(window)[None]
    stream, stream_s = read(sound, ITEM)
    file, file_s = read(sound, len(sound))
    if not all((a.logits == b.logits).all() for a, b in zip(stream, file, strict=True)):
        raise SystemExit("file and stream give different logits")
    seconds = len(sound) / SAMPLE_RATE

    def due() -> np.ndarray:
        return model.logits(window_input(window)[None])

    rows = [
        ("features of a 3 s window", median_ms(lambda: window_input(window)), "ms", ""),
        ("network on them", median_ms(lambda: model.logits(picture)), "ms", ""),
        ("both: what is due every 0.5 s", median_ms(due), "ms", "under 10 ms"),
        (
            "stream in items of 20 ms, voice activity included",
            1000 * stream_s * WINDOW_STEP / len(sound),
            "ms each 0.5 s",
            "",
        ),
        ("the same", seconds / stream_s, "x real time", ""),
        ("file", seconds / file_s, "x real time", ""),
        ("rows that file and stream agree on", len(file), f"of {len(stream)}", "all"),
    ]
    results: dict[str, Any] = {
        "command": COMMAND,
        "machine": f"{os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}",
        "rows": rows,
    }
    (args.out / "streaming.json").write_text(json.dumps(results, indent=1) + "\n")
    (args.out / "streaming.md").write_text(page(results))
    print(page(results))


def voice() -> np.ndarray:
    """A minute of the example's sound."""
    with open_media(EXAMPLE) as media:
        sound = np.concatenate([item.samples for item in media if isinstance(item, Sound)])
    return np.resize(sound, 60 * SAMPLE_RATE)


def read(sound: np.ndarray, item: int) -> tuple[list[VoiceRow], float]:
    """The rows of a sound that comes in items of so many samples, and the seconds that took."""
    reader = VoiceReader(load("voice", threads=1))
    reader.add(Sound(-10.0, np.zeros(SAMPLE_RATE, np.float32)))  # loads the networks
    start = time.perf_counter()
    rows = []
    for first in range(0, len(sound), item):
        rows += reader.add(Sound(first / SAMPLE_RATE, sound[first : first + item]))
    rows += reader.finish()
    return rows, time.perf_counter() - start


def median_ms(run: Callable[[], object]) -> float:
    run()
    times = []
    for _ in range(REPEATS):
        start = time.perf_counter()
        run()
        times.append(time.perf_counter() - start)
    return statistics.median(times) * 1000


def page(results: dict[str, Any]) -> str:
    lines = [
        f"# Speech as it streams\n\nCommand: `{results['command']}`  ",
        f"Machine: {results['machine']}, one thread; medians of {REPEATS}.\n",
        "| what | value | wanted |",
        "|---|---|---|",
    ]
    lines += [f"| {what} | {value:.3g} {unit} | {wanted} |" for what, value, unit, wanted in results["rows"]]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
