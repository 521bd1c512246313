"""The state of an observer as bytes, and back: numbers, texts and arrays, and no code."""

import io
import json
from typing import Any

import numpy as np

_ARRAY = "__array__"


def pack(state: dict[str, Any]) -> bytes:
    """A state of numbers, texts, lists, dictionaries and arrays as bytes: what `unpack` reads, and no code."""
    arrays: list[np.ndarray] = []

    def stand_in(value: Any) -> Any:
        if isinstance(value, np.ndarray):
            arrays.append(value)
            return {_ARRAY: len(arrays) - 1}
        if isinstance(value, np.generic):
            return value.item()
        raise TypeError(f"a state holds numbers, texts and arrays, not {type(value).__name__}")

    text = json.dumps(state, default=stand_in)
    out = io.BytesIO()
    named: dict[str, Any] = {str(place): array for place, array in enumerate(arrays)}
    np.savez(out, text=np.frombuffer(text.encode(), np.uint8), **named)
    return out.getvalue()


def unpack(data: bytes) -> dict[str, Any]:
    """The state that `pack` made bytes of.

    Raises:
        ValueError: it is none.
    """
    with np.load(io.BytesIO(data), allow_pickle=False) as kept:

        def array(value: dict[str, Any]) -> Any:
            return kept[str(value[_ARRAY])] if _ARRAY in value else value

        state: dict[str, Any] = json.loads(kept["text"].tobytes().decode(), object_hook=array)
        return state
