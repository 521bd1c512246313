"""The analysis of one upload, in a process of its own: what a hostile file does, it does there.

    python -m emoscope.live.job FILE NAME OUT [face-model=MODEL] [voice-model=MODEL] [device=DEVICE] \
        [baseline=recording|causal|none] [mix=even|everyday] [neutral=START-END[@PERSON]] ... [report]

Prints a line of JSON for each step: `{"step": "looking", "done_s": 1.2, "total_s": 9.0}`, and `{"error": "..."}` before
it ends with status 2. Standard input is held open by the server; when it closes, the server is gone, and so are the
files.
"""

import json
import os
import shutil
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

MEMORY = 8 << 30
"""Bytes of address space: what ffmpeg and ONNX Runtime reserve is far more than what they use."""
FILE = 2 << 30
"""Bytes of one file that is written."""
EVERY_S = 0.25
"""Seconds between two lines of progress."""


def main() -> None:
    file, name, out, *wanted = sys.argv[1:]
    threading.Thread(target=_outlive_nobody, args=(Path(file).parent,), daemon=True).start()
    _limit()
    from ..errors import EmoscopeError
    from ..reading.offsets import EVERYDAY, Span

    try:
        named = [option.replace("-model=", "_model=").split("=", 1) for option in wanted if "=" in option]
        options: dict[str, Any] = {name: value for name, value in named if name not in ("neutral", "mix")}
        options["neutral"] = [Span.parse(value) for name, value in named if name == "neutral"]
        options["mix"] = EVERYDAY if ["mix", "everyday"] in named else None
        _analyze(Path(file), name, Path(out), "report" in wanted, options)
    except EmoscopeError as error:
        message = str(error).replace(str(Path(file)), name).replace(Path(file).name, name)
        _fail(" ".join(message.split()))
    except MemoryError:
        _fail(f"{name}: not enough memory for this input")


def _analyze(file: Path, name: str, out: Path, report: bool, options: dict[str, Any]) -> None:
    from ..analysis import analyze
    from ..models import card
    from ..outputs import check_folder, summarize, write_pictures, write_tables

    check_folder(out)
    timeline = analyze(file, progress=_told("looking"), **options)
    timeline.info["input"] = name
    timeline.info["notes"] = [note.replace(file.name, name) for note in timeline.info["notes"]]
    write_tables(timeline, out)
    analysis = {"summary": summarize(timeline), "observations": [o.as_json() for o in timeline]}
    (out / "analysis.json").write_text(json.dumps(analysis), encoding="utf-8")
    if report:
        cards = [card(options.get(f"{name}_model", name)) for name in timeline.info["models"]]
        write_pictures(timeline, file, out, _told("drawing"), cards, annotated=False)


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


def _limit() -> None:
    """Bound what the process may take, and let live streams go first."""
    try:
        import resource
    except ModuleNotFoundError:  # Windows
        return
    os.nice(5)
    for kind, most in ((resource.RLIMIT_AS, MEMORY), (resource.RLIMIT_FSIZE, FILE), (resource.RLIMIT_CORE, 0)):
        _, hard = resource.getrlimit(kind)
        resource.setrlimit(kind, (most if hard == resource.RLIM_INFINITY else min(most, hard), hard))


def _outlive_nobody(folder: Path) -> None:
    """Remove the files and end when the server does."""
    while os.read(0, 1):  # not sys.stdin, which would be locked when the interpreter ends
        pass
    shutil.rmtree(folder, ignore_errors=True)
    os._exit(3)


if __name__ == "__main__":
    main()
