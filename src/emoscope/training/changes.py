"""Other hyperparameters than a recipe's: from a yaml, and from `key=value`."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, get_type_hints

import yaml

from ..errors import EmoscopeError
from .loop import Settings

KINDS: dict[str, type] = get_type_hints(Settings)
SHARES = ("warmup", "average", "smoothing")


def read(config: Path | None, pairs: Iterable[str]) -> dict[str, Any]:
    """What a file and the command line say; the command line has the last word.

    Args:
        config: a yaml of names and values of `Settings`.
        pairs: `key=value` each, the value as in yaml.

    Raises:
        EmoscopeError: the file cannot be read or is no such yaml, or a pair is none.
    """
    changes: dict[str, Any] = {}
    if config is not None:
        try:
            found = yaml.safe_load(config.read_text(encoding="utf-8"))
        except (yaml.YAMLError, UnicodeDecodeError) as error:
            raise EmoscopeError(
                f"{config}: expected a yaml of lines such as `batch: 64`, got something else"
            ) from error
        if not isinstance(found, dict):
            raise EmoscopeError(f"{config}: expected a yaml of lines such as `batch: 64`, got {type(found).__name__}")
        changes.update({str(key): value for key, value in found.items()})
    for pair in pairs:
        key, is_, value = pair.partition("=")
        try:
            changes[key.strip()] = yaml.safe_load(value) if is_ else None
        except yaml.YAMLError:
            changes[key.strip()] = None
        if changes[key.strip()] is None:
            raise EmoscopeError(f"--set {pair}: expected key=value, as batch=64")
    return changes


def changed(settings: Settings, changes: Mapping[str, Any]) -> Settings:
    """The settings with some of them replaced.

    Raises:
        EmoscopeError: there is no such setting, or it takes another kind of value.
    """
    for key, value in changes.items():
        if key not in KINDS:
            raise EmoscopeError(f"no setting is named {key!r}; there are {', '.join(KINDS)}")
        if not _fits(key, value):
            raise EmoscopeError(f"{key}: expected {_words(key)}, got {value!r}")
    return replace(settings, **{key: KINDS[key](value) for key, value in changes.items()})


def _fits(key: str, value: Any) -> bool:
    kind = KINDS[key]
    if kind is bool or isinstance(value, bool):
        return kind is bool and isinstance(value, bool)
    if kind is int:
        return isinstance(value, int) and value >= (key in ("batch", "epochs"))
    return isinstance(value, int | float) and 0 <= value <= (1 if key in SHARES else 1e6)


def _words(key: str) -> str:
    example = getattr(Settings(epochs=10), key)
    number = "a number from 0 to 1" if key in SHARES else "a number, as 0.001 or 1.0e-3, not below 0"
    kind = {bool: "true or false", int: "a whole number", float: number}
    return f"{kind[KINDS[key]]} (by default {str(example).lower()})"
