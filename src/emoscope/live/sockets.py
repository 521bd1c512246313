"""One client on the WebSocket: pictures and sound in, observations out."""

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import Executor
from typing import Any, TypeVar

import anyio
from starlette.websockets import WebSocket, WebSocketDisconnect

from ..errors import EmoscopeError
from ..timeline import Observation
from .inbox import Inbox, Received
from .metrics import Metrics
from .protocol import Picture, ProtocolError, Start, milliseconds, read_binary, read_start, read_text
from .stream import Stream

START_WITHIN_S = 10.0
IDLE_S = 600.0
"""Seconds without any message after which a client is let go."""

NORMAL, REFUSED, BUSY = 1000, 1008, 1013
"""Close codes of RFC 6455: the end, a client's mistake, and no place left."""

_T = TypeVar("_T")


class Seats:
    """How many clients there may be at once, and are: each holds one by `with`."""

    def __init__(self, most: int) -> None:
        self.most = most
        self.taken = 0

    def __enter__(self) -> None:
        self.taken += 1

    def __exit__(self, *_: object) -> None:
        self.taken -= 1

    @property
    def full(self) -> bool:
        """Whether there is no place left."""
        return self.taken >= self.most


class Conversation:
    """One accepted WebSocket.

    Args:
        socket: accepted.
        make: makes the stream that a start asks for.
        executor: where streams block.
        metrics: where pictures are counted.
    """

    def __init__(
        self, socket: WebSocket, make: Callable[[Start], Stream], executor: Executor, metrics: Metrics
    ) -> None:
        self.socket = socket
        self.make = make
        self.executor = executor
        self.metrics = metrics

    async def run(self) -> None:
        """Talk until the client stops, leaves, or breaks the protocol; then say why, and close."""
        try:
            await self._talk()
        except* WebSocketDisconnect:
            pass
        except* (ProtocolError, EmoscopeError) as group:
            await refuse(self.socket, str(_first(group)), REFUSED)

    async def _talk(self) -> None:
        start = await self._started()
        stream = await self._blocking(self.make, start)
        await self.socket.send_json(_ready(stream))
        inbox = Inbox(start.rate)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(self._read, inbox, start.rate, stream)
            tasks.start_soon(self._score, inbox, stream)

    async def _started(self) -> Start:
        try:
            with anyio.fail_after(START_WITHIN_S):
                text = await self.socket.receive_text()
        except KeyError:
            raise ProtocolError("the first message must be text") from None
        except TimeoutError:
            raise ProtocolError(f"no start came within {START_WITHIN_S:.0f} seconds") from None
        return read_start(text)

    async def _read(self, inbox: Inbox, rate: int, stream: Stream) -> None:
        """Put what comes into the inbox until the client stops."""
        while True:
            try:
                with anyio.fail_after(IDLE_S):
                    message = await self.socket.receive()
            except TimeoutError:
                raise ProtocolError(f"nothing came for {IDLE_S:.0f} seconds") from None
            if message["type"] == "websocket.disconnect":
                raise WebSocketDisconnect(message.get("code", NORMAL))
            if (data := message.get("bytes")) is not None:
                await inbox.put(Received(read_binary(data, rate), time.perf_counter()))
                continue
            told = read_text(message["text"])
            if told["type"] == "stop":
                inbox.end()
                return
            if told["type"] == "neutral":
                stream.neutral(told["person"])
            else:
                raise ProtocolError("the stream has started already")

    async def _score(self, inbox: Inbox, stream: Stream) -> None:
        """Score what is in the inbox until its end, and send what comes out: who does not read, waits here."""
        dropped = 0
        while received := await inbox.get():
            begun = time.perf_counter()
            observations = await self._blocking(stream.score, received.item)
            if isinstance(received.item, Picture):
                ended = time.perf_counter()
                waited, scored = milliseconds(begun - received.at), milliseconds(ended - begun)
                self.metrics.scored(begun - received.at, ended - begun, inbox.dropped - dropped)
                dropped = inbox.dropped
                picture = {"time": received.item.time, "waited_ms": waited, "scored_ms": scored}
                persons = {o.person for o in observations if o.source == "face" and o.person is not None}
                known = {str(person): round(stream.session.known_s(person), 1) for person in persons}
                await self._send(observations, picture=picture, dropped=inbox.dropped, known=known)
                await self._blocking(stream.session.search)
            elif observations:
                await self._send(observations)
        await self._send(await self._blocking(stream.close))
        await self.socket.send_json({"type": "end"})
        await self.socket.close(NORMAL)

    async def _send(self, observations: list[Observation], **more: Any) -> None:
        await self.socket.send_json(
            {"type": "observations", **more, "observations": [observation.as_json() for observation in observations]}
        )

    async def _blocking(self, function: Callable[..., _T], *arguments: Any) -> _T:
        return await asyncio.get_running_loop().run_in_executor(self.executor, function, *arguments)


async def refuse(socket: WebSocket, why: str, code: int) -> None:
    """Tell a client in one line why it is let go, and close; one that has left already is not told."""
    try:
        await socket.send_json({"type": "error", "message": why})
        await socket.close(code, why.encode()[:120].decode(errors="ignore"))
    except (WebSocketDisconnect, RuntimeError):
        pass


def _ready(stream: Stream) -> dict[str, Any]:
    session = stream.session
    models = {modality: model.card.name for modality, model in session.models.items()}
    return {"type": "ready", "emotions": session.labels, "columns": session.columns, "models": models}


def _first(error: BaseException) -> BaseException:
    """The first plain exception of nested groups."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error
