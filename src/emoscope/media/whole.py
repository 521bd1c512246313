"""Whether all of a file is there: what its own header says of its size in bytes."""

import struct
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

MOST_BOXES = 10_000
"""Boxes of an mp4 that are looked at: a fragmented one of a day has as many."""
HEAD = 1 << 16
"""Bytes at the start within which the headers of the other containers are."""
_SEGMENT, _UNKNOWN = b"\x18\x53\x80\x67", 0xFFFFFFFF
_ASF, _ASF_FILE = bytes.fromhex("3026b2758e66cf11a6d900aa0062ce6c"), bytes.fromhex("a1dcab8c47a9cf118ee400c00c205365")


def stated_bytes(path: Path) -> int | None:
    """How many bytes long a file is by its own header; `None` where that does not say.

    Read from mp4 and its kin, Matroska, RIFF (wav, avi, webp), AIFF, ASF, FLV and mp3.

    Raises:
        OSError: it cannot be read.
    """
    with path.open("rb") as file:
        head = file.read(HEAD)
        for known in (_boxes, _matroska, _riff, _asf, _flv, _mp3):
            stated: int | None = known(head, file)
            if stated is not None:
                return stated
    return None


def _boxes(head: bytes, file: BinaryIO) -> int | None:
    if head[4:8] not in (b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip", b"pnot", b"styp"):
        return None
    return max(_ends(file), default=None)


def _ends(file: BinaryIO) -> Iterator[int]:
    """Where the boxes end, the last of them perhaps past the end of the file."""
    at = 0
    for _ in range(MOST_BOXES):
        file.seek(at)
        header = file.read(16)
        if len(header) < 8:
            return
        size = int.from_bytes(header[:4], "big")
        if size == 1:
            size = int.from_bytes(header[8:16], "big")
        if size < 8:
            return  # to the end of the file, or damaged
        at += size
        yield at


def _matroska(head: bytes, _: BinaryIO) -> int | None:
    at = head[:4096].find(_SEGMENT) if head.startswith(b"\x1aE\xdf\xa3") else -1
    if at < 0 or at + 12 > len(head) or not head[at + 4]:
        return None
    width = 9 - head[at + 4].bit_length()
    size = int.from_bytes(head[at + 4 : at + 4 + width], "big") & ((1 << 7 * width) - 1)
    return None if size == (1 << 7 * width) - 1 else at + 4 + width + size


def _riff(head: bytes, _: BinaryIO) -> int | None:
    order = {b"RIFF": "<I", b"FORM": ">I"}.get(head[:4])
    if order is None or len(head) < 12:
        return None
    (size,) = struct.unpack(order, head[4:8])
    return None if size in (0, _UNKNOWN) else 8 + size


def _asf(head: bytes, _: BinaryIO) -> int | None:
    at = head.find(_ASF_FILE) if head.startswith(_ASF) else -1
    return int.from_bytes(head[at + 40 : at + 48], "little") or None if at >= 0 else None


def _flv(head: bytes, _: BinaryIO) -> int | None:
    at = head.find(b"filesize\x00") if head.startswith(b"FLV") else -1
    return int(struct.unpack(">d", head[at + 9 : at + 17])[0]) or None if 0 <= at <= HEAD - 17 else None


def _mp3(head: bytes, _: BinaryIO) -> int | None:
    """By the Xing header in the first frame: its number of bytes, from that frame on."""
    start = 0
    if head.startswith(b"ID3"):
        start = 10 + sum((byte & 127) << 7 * place for place, byte in enumerate(reversed(head[6:10])))
    if head[start : start + 1] != b"\xff":
        return None
    frame = head[start : start + 64]
    at = max(frame.find(b"Xing"), frame.find(b"Info"))
    if at < 0 or len(frame) < at + 16 or not frame[at + 7] & 2:
        return None
    where = at + 8 + 4 * (frame[at + 7] & 1)
    return start + int.from_bytes(frame[where : where + 4], "big")
