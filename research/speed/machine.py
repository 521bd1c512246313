"""What figures of speed have in common: a row for what was measured, and which machine it was."""

import os
import platform
import statistics
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from ..plan import ROOT
from ..rows import Row, Where

EXAMPLE = ROOT / "examples" / "synthetic.mp4"
Figure = dict[str, Any]
"""`what` was measured, its `value` and `unit`, the `limit` that it should keep, its `run` and `model`."""


def figure(what: str, value: float, unit: str, limit: str = "", run: str = "", model: str = "") -> Figure:
    """A figure, which is said as soon as it is there."""
    print(f"{run or 'measured'}: {what}: {value:.4g} {unit}", flush=True)
    return {"what": what, "value": value, "unit": unit, "limit": limit, "run": run, "model": model}


def rows(found: Iterable[Figure]) -> Iterator[Row]:
    """Each figure, with what is wanted of it in words."""
    for of in found:
        condition = f"{of['what']}, {of['unit']}" if of["unit"] else of["what"]
        where: Where = {"condition": condition, "group": of.get("run", ""), "model": of.get("model", "")}
        yield Row(metric="measured", value=of["value"], **where)
        if of["limit"]:
            yield Row(metric="wanted", note=of["limit"], **where)


def machine(words: str = "") -> Row:
    """Which machine it was."""
    words = words or f"{os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}"
    return Row(metric="machine", note=words)


def median_s(run: Callable[[], object], repeats: int) -> float:
    """Seconds that something takes, after a first time that does not count."""
    run()
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        run()
        times.append(time.perf_counter() - start)
    return statistics.median(times)
