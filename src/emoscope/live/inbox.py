"""What a client has sent and the pipeline has not taken yet: the newest pictures, and all of the sound."""

import asyncio
from collections import deque
from dataclasses import dataclass

from .protocol import Chunk, Picture

MOST_SOUND_S = 10.0
"""Seconds of sound that wait at most; a client that is further ahead is not read from until there is room."""


MOST_PICTURES = 2
"""Pictures that wait at most: as many come, at 30 a second, while a frame is searched for newcomers."""


@dataclass(frozen=True, slots=True)
class Received:
    """A picture or sound, and the clock's seconds at which it came."""

    item: Picture | Chunk
    at: float


class Inbox:
    """Keeps the newest pictures and every sound, in bounded memory. For one event loop, one reader and one writer.

    Args:
        rate: samples a second of the sound.

    Attributes:
        dropped: pictures that newer ones replaced.
    """

    def __init__(self, rate: int) -> None:
        self.dropped = 0
        self._rate = rate
        self._pictures: deque[Received] = deque(maxlen=MOST_PICTURES)
        self._sound: deque[Received] = deque()
        self._samples = 0
        self._ended = False
        self._news = asyncio.Event()
        self._room = asyncio.Event()
        self._room.set()

    async def put(self, received: Received) -> None:
        """Take what came; waits while too much sound is waiting."""
        if isinstance(received.item, Picture):
            self.dropped += len(self._pictures) == MOST_PICTURES
            self._pictures.append(received)
        else:
            await self._room.wait()
            self._sound.append(received)
            self._count(len(received.item.samples))
        self._news.set()

    def end(self) -> None:
        """Nothing more will come."""
        self._ended = True
        self._news.set()

    async def get(self) -> Received | None:
        """The next sound, or where there is none the next picture; `None` after the end."""
        while not (self._sound or self._pictures):
            if self._ended:
                return None
            self._news.clear()
            await self._news.wait()
        if not self._sound:
            return self._pictures.popleft()
        received = self._sound.popleft()
        assert isinstance(received.item, Chunk)
        self._count(-len(received.item.samples))
        return received

    def _count(self, samples: int) -> None:
        self._samples += samples
        if self._samples < MOST_SOUND_S * self._rate:
            self._room.set()
        else:
            self._room.clear()
