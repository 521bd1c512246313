"""The media files of a folder, in order, and what else lies in it."""

import re
from pathlib import Path

from ..errors import MediaError
from .read import is_media

MOST_LEFT_OUT = 20
"""Names of files in a folder that a note gives which are no media."""


def media_files(path: Path) -> list[Path]:
    """The media files of a folder in order of name, hidden ones left out, or the file itself.

    Raises:
        MediaError: the folder cannot be read, or holds no media.
    """
    if not path.is_dir():
        return [path]
    try:
        found = [p for p in _listed(path) if p.is_file() and is_media(p)]
    except OSError as error:
        raise MediaError(f"{path}: cannot be read: {error.strerror}") from None
    if not found:
        raise MediaError(f"{path}: a folder without media; expected videos, sound files or pictures in it")
    return found


def left_out(path: Path) -> list[str]:
    """What a folder holds beside its media files, in words."""
    others = [p for p in _listed(path) if not (p.is_file() and is_media(p))] if path.is_dir() else []
    words = [
        f"left out {readable(p.name)}: {'a folder' if p.is_dir() else 'its name is none of a video, sound or picture'}"
        for p in others[:MOST_LEFT_OUT]
    ]
    more = len(others) - MOST_LEFT_OUT
    return [*words, f"left out {more} more, which are no media either"] if more > 0 else words


def _listed(folder: Path) -> list[Path]:
    """What is in a folder, hidden files left out; numbers in names sort as numbers."""

    def parts(path: Path) -> list[tuple[bool, int, str]]:
        return [(not p.isdecimal(), int(p) if p.isdecimal() else 0, p) for p in re.split(r"(\d+)", path.name)]

    return sorted((p for p in folder.iterdir() if not p.name.startswith(".")), key=parts)


def readable(name: str) -> str:
    """A file's name as text that can be written: bytes in it that are no UTF-8 become question marks."""
    return name.encode("utf-8", "replace").decode()
