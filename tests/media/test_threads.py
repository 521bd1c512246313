"""Reading ahead and writing behind keep order, bounds and errors."""

import threading
from collections.abc import Iterator
from contextlib import closing

import pytest

from emoscope.media.threads import AT_ONCE, Behind, ahead


def test_items_come_in_order_and_few_are_made_early() -> None:
    made: list[int] = []

    def items() -> Iterator[int]:
        for i in range(50):
            made.append(i)
            yield i

    with closing(ahead(items())) as found:
        for taken, item in enumerate(found):
            assert item == taken
            assert len(made) <= taken + AT_ONCE + 2
    assert len(made) == 50


def test_an_error_comes_after_the_items_before_it() -> None:
    def items() -> Iterator[int]:
        yield 1
        raise KeyError("broken")

    found = ahead(items())
    assert next(found) == 1
    with pytest.raises(KeyError, match="broken"):
        next(found)


def test_closing_early_ends_the_thread() -> None:
    def forever() -> Iterator[int]:
        while True:
            yield 0

    before = threading.active_count()
    with closing(ahead(forever())) as found:
        next(found)
        assert threading.active_count() == before + 1
    assert threading.active_count() == before


def test_calls_are_made_in_order_and_all_before_the_end() -> None:
    done: list[int] = []
    with Behind() as behind:
        for i in range(100):
            behind(done.append, i)
    assert done == list(range(100))


def test_what_a_call_raises_is_raised() -> None:
    def broken() -> None:
        raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"), Behind() as behind:
        behind(broken)


def test_calls_that_have_not_begun_are_left_out_after_an_exception() -> None:
    begun, go = threading.Event(), threading.Event()
    done: list[int] = []

    def slow() -> None:
        begun.set()
        go.wait(10)
        done.append(0)

    with pytest.raises(KeyError), Behind() as behind:
        behind(slow)
        behind(done.append, 1)
        begun.wait(10)
        threading.Timer(0.05, go.set).start()
        raise KeyError
    assert done == [0]
