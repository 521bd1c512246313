import asyncio

import numpy as np

from emoscope.live.inbox import MOST_SOUND_S, Inbox, Received
from emoscope.live.protocol import Chunk, Picture

RATE = 16_000


def picture(time: float) -> Received:
    return Received(Picture(time, b"x"), time)


def second(time: float) -> Received:
    return Received(Chunk(time, np.zeros(RATE, np.float32)), time)


def test_the_newest_pictures_are_kept_and_all_sound() -> None:
    async def run() -> tuple[list[tuple[str, float]], int]:
        inbox = Inbox(RATE)
        for received in (picture(0), second(0), picture(1), second(1), picture(2), picture(3)):
            await inbox.put(received)
        inbox.end()
        times = []
        while received := await inbox.get():
            times.append((type(received.item).__name__, received.item.time))
        return times, inbox.dropped

    assert asyncio.run(run()) == ([("Chunk", 0), ("Chunk", 1), ("Picture", 2), ("Picture", 3)], 2)


def test_too_much_sound_waits_for_room() -> None:
    async def run() -> None:
        inbox = Inbox(RATE)
        sent: list[int] = []

        async def send() -> None:
            for time in range(30):
                await inbox.put(second(time))
                sent.append(time)
            inbox.end()

        sender = asyncio.create_task(send())
        await asyncio.sleep(0.01)
        assert len(sent) == MOST_SOUND_S  # no more is taken in before some is taken out
        got = []
        while received := await inbox.get():
            got.append(received.item.time)
            await asyncio.sleep(0)
        await sender
        assert got == list(range(30))

    asyncio.run(run())


def test_pictures_are_taken_in_while_sound_has_room() -> None:
    async def run() -> None:
        inbox = Inbox(RATE)
        waiting = asyncio.create_task(inbox.get())
        await asyncio.sleep(0)
        assert not waiting.done()
        await inbox.put(picture(5))
        received = await waiting
        assert received and received.item.time == 5
        inbox.end()
        assert await inbox.get() is None

    asyncio.run(run())
