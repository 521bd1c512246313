"""How a study grows with its workers: the same recordings with one and with two, on Ray and in processes, in turns.

    python benchmarks/study.py --out results/study

The recordings are copies of the synthetic example. What is timed is the study without the start of the workers: one
recording a worker is analyzed before, for the models to be loaded. Linear is twice as fast on two workers.
"""

import argparse
import json
import os
import platform
import shutil
import statistics
import tempfile
import time
from functools import partial
from pathlib import Path

os.environ["OMP_NUM_THREADS"] = "1"

from emoscope.study.recordings import find_recordings
from emoscope.study.work import Settings, work

COMMAND = "python benchmarks/study.py --out results/study"
EXAMPLE = Path(__file__).parent.parent / "examples" / "synthetic.mp4"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--recordings", type=int, default=8)
    parser.add_argument("--repeats", type=int, default=3)
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    import ray

    ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False, object_store_memory=80_000_000)
    seconds: dict[int, list[float]] = {1: [], 2: []}
    with tempfile.TemporaryDirectory() as folder:
        media = Path(folder) / "media"
        media.mkdir()
        for number in range(args.recordings):
            shutil.copy(EXAMPLE, media / f"{number}.mp4")
        on_ray(Path(folder) / "warm", media, 2)
        for repeat in range(args.repeats):
            for workers in (1, 2):
                seconds[workers].append(on_ray(Path(folder) / f"{repeat}-{workers}", media, workers))
    ray.shutdown()
    ratios = [one / two for one, two in zip(seconds[1], seconds[2], strict=True)]
    facts = {
        "command": COMMAND,
        "machine": f"{os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}",
        "recordings": args.recordings,
        "ratios": [round(ratio, 3) for ratio in ratios],
        "share_of_linear": round(statistics.median(ratios) / 2, 3),
        "load_average": round(os.getloadavg()[0], 1),
    }
    (args.out / "study.json").write_text(json.dumps(facts, indent=2) + "\n")
    (args.out / "study.md").write_text(page(facts))
    print(page(facts))


def on_ray(out: Path, media: Path, workers: int) -> float:
    """Seconds of a study of a folder."""
    from emoscope.study.cluster import run_on_ray

    started = time.perf_counter()
    for recording, failure in run_on_ray(
        partial(work, study=out, settings=Settings()), find_recordings([media]), "auto", workers
    ):
        if failure != "":
            raise SystemExit(f"{recording.path}: {failure}")
    return time.perf_counter() - started


def page(facts: dict) -> str:
    """The table."""
    ratios = ", ".join(str(ratio) for ratio in facts["ratios"])
    return f"""# A study on two workers

Command: `{facts["command"]}`; machine: {facts["machine"]}; load average at the end {facts["load_average"]}

| what | value | wanted |
|---|---|---|
| {facts["recordings"]} recordings, one worker's time by that of two on Ray, each repeat | {ratios} | |
| share of linear, median | {facts["share_of_linear"]:.1%} | 90 % |
"""


if __name__ == "__main__":
    main()
