"""A recording is fetched from an address that a client names, if the server was told that it may be."""

import ipaddress
import socket
import time
from collections.abc import Sequence
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from pathlib import Path
from urllib.parse import SplitResult, unquote, urlsplit

from starlette.concurrency import run_in_threadpool

from ..errors import EmoscopeError
from .order import INPUT
from .receiving import WITHIN_S, readable

PAUSE_S = 10.0
"""Seconds that the other server may take to connect, or pause."""
PORTS = {"http": 80, "https": 443}
CHUNK = 1 << 18


class NotAllowed(EmoscopeError):
    """The address is none that the server may fetch from."""


class NotFetched(EmoscopeError):
    """There is no recording at the address, or it does not come."""


class TooLarge(EmoscopeError):
    """The recording is larger than an upload may be."""


@dataclass(frozen=True)
class Sources:
    """Where recordings may be fetched from.

    Attributes:
        allowed: beginnings of addresses; none by default.
        most: bytes of one recording.
    """

    allowed: Sequence[str] = ()
    most: int = 512 << 20

    async def fetch(self, url: str, folder: Path) -> str:
        """Lay the recording at an address into `folder / INPUT`; returns what to call it.

        Raises:
            NotAllowed, NotFetched, TooLarge: see `fetch`.
        """
        parts = check(url, self.allowed)
        return await run_in_threadpool(fetch, parts, folder / INPUT, self.most)


def check(url: str, allowed: Sequence[str]) -> SplitResult:
    """The parts of an address that begins as one of those that are allowed.

    Args:
        url: what a client named.
        allowed: beginnings, as `https://media.example/clips/`: scheme, host and port must be the same.

    Raises:
        NotAllowed: it does not.
    """
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise NotAllowed("input_url: is no address") from None
    known = parts.scheme in PORTS and parts.hostname and "@" not in parts.netloc
    segments = unquote(parts.path).split("/")
    for beginning in map(urlsplit, allowed if known and ".." not in segments else ()):
        same = (parts.scheme, parts.hostname, port) == (beginning.scheme, beginning.hostname, beginning.port)
        if same and parts.path.startswith(beginning.path or "/"):
            return parts
    raise NotAllowed("input_url: this server may not fetch from there; see --allow-url")


def fetch(parts: SplitResult, path: Path, most: int, within_s: float = WITHIN_S) -> str:
    """Fetch a recording; blocks. Redirections are not followed.

    Args:
        parts: of its address, as `check` gave them.
        path: where it is laid.
        most: bytes that it may have.
        within_s: seconds in which it must have come.

    Returns:
        what to call it.

    Raises:
        NotAllowed: the address is of this machine or of a private network.
        NotFetched: it does not come.
        TooLarge: it has more bytes.
    """
    ends = time.monotonic() + within_s
    try:
        with _connect(parts) as connection:
            target = f"{parts.path or '/'}{'?' + parts.query if parts.query else ''}"
            connection.request("GET", target, headers={"accept-encoding": "identity"})
            answer = connection.getresponse()
            if answer.status != 200:
                raise NotFetched(f"input_url: was answered with status {answer.status}")
            size = 0
            with path.open("wb") as file:
                while chunk := answer.read1(CHUNK):
                    size += file.write(chunk)
                    if size > most:
                        raise TooLarge(f"input_url: is larger than {most >> 20} MiB")
                    if time.monotonic() > ends:
                        raise NotFetched(f"input_url: did not come within {within_s:.0f} s")
            if answer.length:
                raise NotFetched("input_url: broke off")
    except (OSError, HTTPException, ValueError):  # their words may tell of this server's network
        raise NotFetched("input_url: cannot be fetched") from None
    return readable(unquote(parts.path))


class _Pinned(HTTPConnection):
    """A connection to an address that was looked at, whatever its name leads to a moment later."""

    address: str

    def connect(self) -> None:
        self.sock = socket.create_connection((self.address, self.port), self.timeout)

    def __enter__(self) -> "_Pinned":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class _PinnedTls(_Pinned, HTTPSConnection):
    def connect(self) -> None:
        super().connect()
        self.sock = self._context.wrap_socket(self.sock, server_hostname=self.host)  # type: ignore[attr-defined]


def _connect(parts: SplitResult) -> _Pinned:
    host, port = parts.hostname or "", parts.port or PORTS[parts.scheme]
    kind = _PinnedTls if parts.scheme == "https" else _Pinned
    connection = kind(host, port, timeout=PAUSE_S)
    found = [str(info[4][0]) for info in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]
    if not all(map(_public, found)):
        raise NotAllowed("input_url: leads into a private network")
    connection.address = found[0]
    return connection


def _public(address: str) -> bool:
    """Whether an address is of the open network, however it is written."""
    one = ipaddress.ip_address(address)
    inner = getattr(one, "ipv4_mapped", None) or getattr(one, "sixtofour", None)
    return one.is_global and not one.is_multicast and (inner is None or inner.is_global)
