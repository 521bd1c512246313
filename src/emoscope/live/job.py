"""One analysis, in a process of its own: what a hostile file does, it does there.

    python -m emoscope.live.job FOLDER

FOLDER holds the recording and the order, see `order`; the results go to FOLDER/out, and what was observed before an
interruption is not observed again. Prints a line of JSON for each step: `{"step": "looking", "done_s": 1.2,
"total_s": 9.0}`, and `{"error": "..."}` before it ends with status 2. Standard input is held open by the server; when
it closes, the server is gone, and so is this process, and its files unless they are kept.
"""

import json
import os
import shutil
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from .order import INPUT, OUT, PEOPLE, Limits, Order

EVERY_S = 0.25
"""Seconds between two lines of progress."""


def main() -> None:
    folder = Path(sys.argv[1])
    order = Order.read(folder)
    threading.Thread(target=_outlive_nobody, args=(folder, order.kept), daemon=True).start()
    _limit(order.setup.limits)
    from ..errors import EmoscopeError

    try:
        _analyze(folder, order)
    except (EmoscopeError, ValueError) as error:  # a start of several files is a wrong value
        _fail(order.called(str(error), folder))
    except MemoryError:
        _fail(f"{order.name}: not enough memory for this input")


def _analyze(folder: Path, order: Order) -> None:
    from ..analysis import read
    from ..models import card
    from ..observing import observe
    from ..outputs import check_folder, summarize, write_pictures, write_tables

    path, out, people = folder / INPUT, folder / OUT, folder / PEOPLE
    check_folder(out)
    asked = order.parameters
    chosen: dict[str, Any] = {
        "face_model": asked.face_model or order.setup.face_model,
        "voice_model": asked.voice_model or order.setup.voice_model,
    }
    began = time.monotonic()
    evidence = observe(
        path,
        out=out,
        device=asked.device or order.setup.device,
        options=replace(asked.options(), people=people if people.is_dir() else None),
        progress=_told("looking"),
        **chosen,
    )
    timeline = read(evidence, **asked.reading())
    timeline.info["elapsed_s"] = round(time.monotonic() - began, 3)
    timeline.info["input"] = order.name
    for told in ("notes", "damaged"):
        timeline.info[told] = [order.called(line, folder) for line in timeline.info[told]]
    write_tables(timeline, out)
    analysis = {"summary": summarize(timeline), "observations": [o.as_json() for o in timeline]}
    (out / "analysis.json").write_text(json.dumps(analysis), encoding="utf-8")
    if order.report or order.video:
        cards = [card(chosen[f"{name}_model"]) for name in timeline.info["models"]]
        page, *_ = write_pictures(timeline, path, out, _told("drawing"), cards, annotated=order.video)
        words = page.read_text(encoding="utf-8")  # where the server has the video that the page plays
        page.write_text(words.replace('src="annotated.mp4"', 'src="video"'), encoding="utf-8")


def _told(step: str) -> Callable[[float, float | None], None]:
    """A progress function that prints a line now and then."""
    last = -EVERY_S

    def tell(done: float, total: float | None) -> None:
        nonlocal last
        if time.monotonic() - last >= EVERY_S:
            last = time.monotonic()
            print(json.dumps({"step": step, "done_s": round(done, 3), "total_s": total}), flush=True)

    return tell


def _fail(message: str) -> None:
    print(json.dumps({"error": message}), flush=True)
    sys.exit(2)


def _limit(limits: Limits) -> None:
    """Bound what the process may take, and let live streams go first."""
    try:
        import resource
    except ModuleNotFoundError:  # Windows
        return
    os.nice(5)
    bounds = {resource.RLIMIT_AS: limits.memory, resource.RLIMIT_FSIZE: limits.file, resource.RLIMIT_CORE: 0}
    if limits.cpu_s:
        bounds[resource.RLIMIT_CPU] = limits.cpu_s
    for kind, most in bounds.items():
        _, hard = resource.getrlimit(kind)
        resource.setrlimit(kind, (most if hard == resource.RLIM_INFINITY else min(most, hard), hard))


def _outlive_nobody(folder: Path, kept: bool) -> None:
    """End when the server does, and remove the files unless they are kept."""
    while os.read(0, 1):  # not sys.stdin, which would be locked when the interpreter ends
        pass
    if not kept:
        shutil.rmtree(folder, ignore_errors=True)
    os._exit(3)


if __name__ == "__main__":
    main()
