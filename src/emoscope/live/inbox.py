"""What a client has sent and the pipeline has not taken yet: the newest picture, and all of the sound."""

import asyncio
from collections import deque
from dataclasses import dataclass

from .protocol import Chunk, Picture

MOST_SOUND_S = 10.0
"""Seconds of sound that wait at most; a client that is further ahead is not read from until there is room."""


@dataclass(frozen=True, slots=True)
class Received:
    """A picture or sound, and the clock's seconds at which it came."""

    item: Picture | Chunk
    at: float


class Inbox:
    """Keeps the newest picture and every sound, in bounded memory. For one event loop, one reader and one writer.

    Args:
        rate: samples a second of the sound.

    Attributes:
        dropped: pictures that a newer one replaced.
    """

    def __init__(self, rate: int) -> None:
        self.dropped = 0
        self._rate = rate
        self._picture: Received | None = None
        self._sound: deque[Received] = deque()
        self._samples = 0
        self._ended = False
        self._news = asyncio.Event()
        self._room = asyncio.Event()
        self._room.set()

    async def put(self, received: Received) -> None:
        """Take what came; waits while too much sound is waiting."""
        if isinstance(received.item, Picture):
            self.dropped += self._picture is not None
            self._picture = received
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
        """The next sound, or where there is none the newest picture; `None` after the end."""
        while not (self._sound or self._picture):
            if self._ended:
                return None
            self._news.clear()
            await self._news.wait()
        if self._sound:
            received = self._sound.popleft()
            assert isinstance(received.item, Chunk)
            self._count(-len(received.item.samples))
            return received
        received, self._picture = self._picture, None  # type: ignore[assignment]
        return received

    def _count(self, samples: int) -> None:
        self._samples += samples
        if self._samples < MOST_SOUND_S * self._rate:
            self._room.set()
        else:
            self._room.clear()
