"""Work on many clips at once, in processes."""

import multiprocessing
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from typing import TypeVar

T = TypeVar("T")
R = TypeVar("R")


def spread(work: Callable[[T], R], items: Sequence[T], workers: int | None = None) -> Iterator[R]:
    """Do the same for each item, and yield what comes of it as it is done, in any order.

    Args:
        work: what to do; it and the items go to other processes, and so must be picklable.
        items: any number.
        workers: processes; by default one for each core. With more than one, the script that calls this must do so
            under `if __name__ == "__main__"`, for each process imports it.
    """
    workers = min(workers or os.cpu_count() or 1, len(items))
    if workers <= 1:
        yield from map(work, items)
        return
    # spawned, for ONNX Runtime's threads do not survive a fork
    with ProcessPoolExecutor(workers, multiprocessing.get_context("spawn")) as pool:
        running = [pool.submit(work, item) for item in items]
        yield from (future.result() for future in as_completed(running))
