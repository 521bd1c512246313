"""How much of the server one client has at the moment, where its token has limits of its own."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from starlette.exceptions import HTTPException

from .access import Client
from .jobs import Jobs


class Shares:
    """What each client has.

    Args:
        jobs: theirs among others.
    """

    def __init__(self, jobs: Jobs) -> None:
        self.jobs = jobs
        self._streams: Counter[str] = Counter()
        self._uploads: Counter[str] = Counter()

    @contextmanager
    def stream(self, client: Client | None) -> Iterator[bool]:
        """One more stream, for as long as the block runs; yields whether the client may have it."""
        name = client.name if client else ""
        self._streams[name] += 1
        try:
            yield not client or client.streams is None or self._streams[name] <= client.streams
        finally:
            self._streams[name] -= 1

    @contextmanager
    def upload(self, client: Client | None) -> Iterator[None]:
        """One more analysis that comes; as a job it counts until it is over.

        Raises:
            HTTPException: the client has as many as it may.
        """
        name = client.name if client else ""
        if client and client.analyses is not None:
            has = self._uploads[name] + self.jobs.unfinished(client.name)
            if has >= client.analyses:
                raise HTTPException(
                    429,
                    f"this token may have {client.analyses} analyses at once; try again later",
                    {"retry-after": "10"},
                )
        self._uploads[name] += 1
        try:
            yield
        finally:
            self._uploads[name] -= 1
