"""How a study grows with its workers: the same recordings with one and with two on Ray, in turns.

The recordings are copies of the synthetic example. What is timed is the study without the start of the workers: one
recording a worker is analyzed before, for the models to be loaded. Linear is twice as fast on two workers.
"""

import os
import shutil
import statistics
import tempfile
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from emoscope.errors import DataError
from emoscope.study.recordings import find_recordings
from emoscope.study.work import Settings, work

from ..rows import Row
from ..runner import Context
from .machine import EXAMPLE, figure, machine, rows


def study(context: Context) -> Iterator[Row]:
    """So many recordings, so many times, as the plan says."""
    import ray

    recordings, repeats = context.option("recordings"), context.option("repeats")
    ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False, object_store_memory=80_000_000)
    seconds: dict[int, list[float]] = {1: [], 2: []}
    with tempfile.TemporaryDirectory() as folder:
        media = Path(folder) / "media"
        media.mkdir()
        for number in range(recordings):
            shutil.copy(EXAMPLE, media / f"{number}.mp4")
        on_ray(Path(folder) / "warm", media, 2)
        for repeat in range(repeats):
            for workers in (1, 2):
                seconds[workers].append(on_ray(Path(folder) / f"{repeat}-{workers}", media, workers))
    ray.shutdown()
    ratios = [one / two for one, two in zip(seconds[1], seconds[2], strict=True)]
    yield machine()
    yield from rows([
        *(figure("one worker's time by that of two", one, "", run=f"repeat {i}") for i, one in enumerate(ratios, 1)),
        figure("share of linear, median", 50 * statistics.median(ratios), "%", "90 %"),
        figure("load average at the end", os.getloadavg()[0], ""),
    ])  # fmt: skip


def on_ray(out: Path, media: Path, workers: int) -> float:
    """Seconds of a study of a folder."""
    from emoscope.study.cluster import run_on_ray

    started = time.perf_counter()
    for recording, failure in run_on_ray(
        partial(work, study=out, settings=Settings()), find_recordings([media]), "auto", workers
    ):
        if failure != "":
            raise DataError(f"{recording.path}: {failure}")
    return time.perf_counter() - started
