"""Reading ahead and writing behind: decoding and encoding in threads of their own, in order, with bounded memory."""

from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from queue import SimpleQueue
from threading import Event, Semaphore, Thread
from typing import Any, Self, TypeVar

AT_ONCE = 4
"""Items that wait at most: a frame of 1080p takes 6 MB."""

T = TypeVar("T")


@dataclass(frozen=True)
class _End:
    error: BaseException | None


def ahead(items: Iterable[T]) -> Generator[T, None, None]:
    """Yield items that a thread makes, a few of them early; what it raises is raised here, after the items before.

    Close the iterator before what the items come from: the thread may be at work on the next.
    """
    made: SimpleQueue[T | _End] = SimpleQueue()
    room, stopped = Semaphore(AT_ONCE), Event()

    def make() -> None:
        try:
            for item in items:
                room.acquire()
                if stopped.is_set():
                    return
                made.put(item)
            made.put(_End(None))
        except BaseException as error:
            made.put(_End(error))

    thread = Thread(target=make, name="emoscope-ahead", daemon=True)
    thread.start()
    try:
        while not isinstance(item := made.get(), _End):
            room.release()
            yield item
        if item.error:
            raise item.error
    finally:
        stopped.set()
        room.release()
        thread.join()


class Behind:
    """Runs calls one after the other in a thread; a context manager, which waits for the last.

    What a call raises is raised by a later one, or at the end. If the block ends with an exception, calls that have not
    begun are left out.
    """

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(1, "emoscope-behind")
        self._waiting: deque[Future[Any]] = deque()

    def __call__(self, call: Callable[..., object], *arguments: object) -> None:
        """Have a call made; waits while `AT_ONCE` others have not been."""
        while len(self._waiting) >= AT_ONCE or (self._waiting and self._waiting[0].done()):
            self._waiting.popleft().result()
        self._waiting.append(self._thread.submit(call, *arguments))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        self._thread.shutdown(cancel_futures=kind is not None)
        if kind is None:
            for future in self._waiting:
                future.result()
