"""A study: many recordings, each analyzed in a folder of its own, and tables over all of them."""

import json
import os
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any

from ..errors import EmoscopeError
from ..media import is_picture
from ..outputs import check_folder
from ..session import Session
from .page import write_index
from .pictures import PICTURES, append, lost, portions, read_pictures, score
from .pool import run_here
from .recordings import Recording, find_recordings
from .tables import RECORDINGS, recording_rows, write_csv, write_timeline
from .work import FINISHED, Settings, finished, work

SETTINGS = "study.json"
"""How the recordings of a study are analyzed."""
KILLED = "the process that read it was killed, perhaps for want of memory"

Tell = Callable[[float, float | None], None]
Run = Callable[[Any, Sequence[Any]], Any]
"""`run_here` or `run_on_ray`, told how many workers."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of the recordings and pictures of a study.

    Attributes:
        done: how many are finished, those of before too.
        failed: why each of the others could not be read, by its name.
        files: the tables and the page that were written.
    """

    done: int
    failed: dict[str, str]
    files: list[Path]


def study(
    paths: Sequence[str | Path],
    out: str | Path,
    settings: Settings | None = None,
    workers: int | None = None,
    ray: str | None = None,
    force: bool = False,
    progress: Tell | None = None,
) -> Outcome:
    """Analyze many recordings. What is finished is kept, what is half finished goes on, what is broken is listed.

    Pictures are not recordings: they are scored with the models loaded once a process, a row each in `pictures.csv`.

    Args:
        paths: see `find_recordings`.
        out: the folder; made if it is not there. Each recording has one in `recordings/`.
        settings: how each is analyzed.
        workers: processes; by default one for each core. The script that calls this must do so under
            `if __name__ == "__main__"`, for each process imports it. On Ray: the most tasks at once, by default as
            many as it has cores.
        ray: the address of a Ray cluster that does the work, or `local` for one on this machine.
        force: whether what was analyzed with other settings is analyzed anew.
        progress: called with the number of recordings that are finished or given up, and of all.

    Raises:
        EmoscopeError: a path leads nowhere, the folder cannot be written to, or holds a study with other settings; or
            Ray is not installed or cannot be reached.
        KeyboardInterrupt: it was interrupted; tables and page are written of what is finished by then.
    """
    out, settings = Path(out).absolute(), settings or Settings()
    every = find_recordings(paths)
    check_folder(out)
    _same_settings(out, settings, force)
    pictures = [each for each in every if is_picture(each.path)]
    recordings = [each for each in every if not is_picture(each.path)]
    failed: dict[str, str] = {}
    tell = progress or (lambda done, total: None)
    run = _run(ray, workers)
    try:
        _analyze(out, recordings, settings, failed, run, lambda done: tell(done, len(every)))
        _score(out, pictures, settings, failed, run, lambda done: tell(len(recordings) + done, len(every)))
    finally:
        files = _write(out, recordings, failed, bool(pictures))
    return Outcome(len(every) - len(failed), failed, files)


def _run(ray: str | None, workers: int | None) -> Run:
    if ray is None:
        return partial(run_here, workers=workers or os.cpu_count() or 1)
    from .cluster import run_on_ray

    return partial(run_on_ray, address=ray, workers=workers)


def _analyze(
    out: Path,
    recordings: Sequence[Recording],
    settings: Settings,
    failed: dict[str, str],
    run: Run,
    tell: Callable[[int], None],
) -> None:
    """Analyze the recordings that are not finished."""
    waiting = [each for each in recordings if finished(out, each) is None]
    done = len(recordings) - len(waiting)
    tell(done)
    with closing(run(partial(work, study=out, settings=settings), waiting)) as ended:
        for recording, failure in ended:
            done += 1
            if failure != "":
                failed[recording.name] = failure or f"{recording.path}: {KILLED}"
            tell(done)


def _score(
    out: Path,
    pictures: Sequence[Recording],
    settings: Settings,
    failed: dict[str, str],
    run: Run,
    tell: Callable[[int], None],
) -> None:
    """Score the pictures that have no row yet."""
    if not pictures:
        return
    face = settings.analysis.get("face_model", "face")
    labels = Session(voice=False, face_model=face).labels
    own = list(dict.fromkeys(name for each in pictures for name in each.columns))
    waiting = portions(out, pictures)
    done = len(pictures) - sum(map(len, waiting))
    with closing(run(partial(score, settings=settings), waiting)) as ended:
        for portion, rows in ended:
            append(out, lost(portion) if rows is None else rows, labels, own)
            done += len(portion)
            tell(done)
    names = {each.name for each in pictures}
    failed |= {
        row["recording"]: row["reason"] for row in read_pictures(out) if row["recording"] in names and row["reason"]
    }


def _same_settings(out: Path, settings: Settings, force: bool) -> None:
    """See that a study goes on as it was begun.

    Raises:
        EmoscopeError: it was begun with other settings.
    """
    made = {"version": version("emoscope"), **settings.to_json()}
    path = out / SETTINGS
    before = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else made
    if before != made:
        if not force:
            raise EmoscopeError(
                f"{out}: holds a study with other settings or by another version (see {path.name} in it); name another "
                "folder with --out, or analyze it anew with --force"
            )
        for mark in (*out.glob(f"recordings/*/{FINISHED}"), out / PICTURES):
            mark.unlink(missing_ok=True)
    path.write_text(json.dumps(made, indent=2) + "\n", encoding="utf-8")


def _write(out: Path, recordings: Sequence[Recording], failed: dict[str, str], pictures: bool) -> list[Path]:
    """Write the tables and the page of what is finished."""
    files = [out / PICTURES] if pictures and (out / PICTURES).is_file() else []
    if not recordings:
        return files
    rows = recording_rows(out, recordings, failed)
    write_csv(out / RECORDINGS, rows)
    timeline = write_timeline(out, recordings)
    index = write_index(out, rows)
    return [index, out / RECORDINGS, *([timeline] if timeline else []), *files]
