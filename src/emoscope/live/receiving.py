"""A recording comes in: a form with one file or several, or a body that is the file itself."""

import shutil
from itertools import count
from pathlib import Path
from typing import Any, BinaryIO

import anyio
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException
from starlette.requests import Request

from .order import INPUT, PEOPLE

WITHIN_S = 600.0
"""Seconds in which a recording must have come."""
LONGEST_NAME = 100
"""Bytes of a file's name; of a longer one, the end is kept."""
MOST_FILES = 50
"""Files in one field of a form."""
FORM = "multipart/form-data"
WANTED = (
    f"expected a recording: a form ({FORM}) with files in the field `file`, and people to recognise in the field "
    "`people`, or the file itself"
)

_BINARY = {"type": "string", "format": "binary"}
BODY: dict[str, Any] = {
    "required": True,
    "description": "The recording: a form with a file, or with several, which are read as one recording in the order "
    "of their names, and people to recognise, a picture, a sound or a profile each, named as they are (`anna.jpg`); or "
    "the file itself",
    "content": {
        FORM: {
            "schema": {
                "type": "object",
                "required": ["file"],
                "additionalProperties": False,
                "properties": {
                    "file": {"type": "array", "minItems": 1, "maxItems": MOST_FILES, "items": _BINARY},
                    "people": {"type": "array", "maxItems": MOST_FILES, "items": _BINARY},
                },
            }
        },
        "application/octet-stream": {"schema": {**_BINARY, "minLength": 1}},
    },
}
"""The body as OpenAPI describes it. Described to FastAPI, it would be read first."""


async def receive(request: Request, folder: Path) -> str:
    """Lay the recording of a request into `folder / INPUT`, people into `folder / PEOPLE`; returns what it is called.

    Raises:
        HTTPException: 400 if there is none, 408 if it does not come within `WITHIN_S`.
    """
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    try:
        with anyio.fail_after(WITHIN_S):
            return await (_form if kind == FORM else _body)(request, folder / INPUT)
    except TimeoutError:
        raise HTTPException(408, f"the upload did not come within {WITHIN_S:.0f} s") from None


async def _body(request: Request, path: Path) -> str:
    """The body as it is: `curl --data-binary` calls it a form of its own kind, which it is not."""
    async with await anyio.open_file(path, "wb") as file:
        async for chunk in request.stream():
            await file.write(chunk)
        size = await file.tell()
    if not size:
        raise HTTPException(400, WANTED)
    return INPUT


async def _form(request: Request, path: Path) -> str:
    async with request.form(max_files=2 * MOST_FILES, max_fields=0) as form:
        parts = form.multi_items()
        files = [part for field, part in parts if field == "file" and isinstance(part, UploadFile)]
        people = [part for field, part in parts if field == "people" and isinstance(part, UploadFile)]
        if not files or len(files) + len(people) < len(parts):
            raise HTTPException(400, WANTED)
        if max(len(files), len(people)) > MOST_FILES:
            raise HTTPException(400, f"expected at most {MOST_FILES} files in a field")
        if people:
            await _save_all(people, path.parent / PEOPLE)
        name = readable(files[0].filename)
        if len(files) == 1:
            await run_in_threadpool(_save, files[0].file, path)
            return name
        await _save_all(files, path)
        return f"{name} and {len(files) - 1} more"


async def _save_all(files: list[UploadFile], folder: Path) -> None:
    folder.mkdir()
    for file in files:
        await run_in_threadpool(_save, file.file, _unused(folder / readable(file.filename)))


def _unused(path: Path) -> Path:
    """The path, or one with a number where there is such a file already."""
    paths = (path.with_stem(f"{path.stem}-{number}") if number > 1 else path for number in count(1))
    return next(one for one in paths if not one.exists())


def _save(file: BinaryIO, path: Path) -> None:
    with path.open("wb") as target:
        shutil.copyfileobj(file, target, 1 << 20)


def readable(name: str | None) -> str:
    """The client's name for a file, so that it can be shown, and be a file's in a folder of its own."""
    last = (name or "").replace("\\", "/").rpartition("/")[2]
    shown = "".join(c for c in last if c.isprintable() and c not in '<>:"|?*')
    return shown.encode()[-LONGEST_NAME:].decode(errors="ignore").lstrip(". ") or INPUT
