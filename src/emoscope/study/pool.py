"""The work of a study on the cores of this machine."""

import multiprocessing
import os
import signal
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


def run_here(
    work: Callable[[Item], Result], items: Sequence[Item], workers: int
) -> Iterator[tuple[Item, Result | None]]:
    """Do each item in one of several processes, and yield it with what came of it, as they are done.

    Where a process dies, what was under way is done again, each alone. An item that kills its process twice is given
    up, yielded with `None`, and does not stop the rest.

    Args:
        work: what to do; it and the items go to other processes, and so must be picklable.
        items: any number.
        workers: processes.
    """
    left, suspects = list(items)[::-1], list[Item]()
    while left or suspects:
        batch = [suspects.pop()] if suspects else left
        alone = batch is not left
        doing: list[Item] = []
        before = set(multiprocessing.active_children())
        try:
            with _pool(1 if alone else min(workers, len(batch))) as pool:
                running: dict[Future[Result], Item] = {}
                try:
                    while batch or running:
                        while batch and len(running) < workers:
                            doing.append(batch.pop())
                            running[pool.submit(work, doing[-1])] = doing[-1]
                        for future in wait(running, return_when=FIRST_COMPLETED).done:
                            result, item = future.result(), running.pop(future)
                            doing.remove(item)
                            yield item, result
                except (KeyboardInterrupt, GeneratorExit):
                    for child in set(multiprocessing.active_children()) - before:
                        child.terminate()  # before the pool waits for them; what they observed is in their evidence
                    raise
        except BrokenProcessPool:
            if alone:
                yield doing[0], None
            else:
                suspects = doing


def _pool(workers: int) -> ProcessPoolExecutor:
    # spawned, for ONNX Runtime's threads do not survive a fork
    return ProcessPoolExecutor(workers, multiprocessing.get_context("spawn"), initializer=_quiet)


def _quiet() -> None:
    """Ctrl-C ends a worker without a word: what it observed is in its evidence already."""
    signal.signal(signal.SIGINT, lambda *_: os._exit(130))
