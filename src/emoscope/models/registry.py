"""The registry: where models lie, and how a name, a path or a model becomes a model.

A model is a network, `NAME.onnx`, with its card beside it, `NAME.json`. The package ships some; more come from the
user's folder and from packages with the entry point `emoscope.models`.
"""

import os
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from importlib.metadata import entry_points
from pathlib import Path
from threading import Lock
from typing import Any

from ..errors import ModelError
from .card import Card
from .model import Device, Model

WEIGHTS = Path(__file__).parent / "weights"
DEFAULTS: dict[str, str] = {"face": "face-compact", "voice": "voice-cremad", "sequence": "sequence-cremad"}
"""The model that each modality uses unless another is named."""

ENTRY_POINTS = "emoscope.models"
"""The group of entry points of packages that bring models: each leads to the path of a folder or of an `.onnx` file."""


def user_folder() -> Path:
    """The user's folder of models: the one that the variable EMOSCOPE_MODELS names, else the platform's usual place."""
    if named := os.environ.get("EMOSCOPE_MODELS"):
        return Path(named)
    from platformdirs import user_data_path

    return user_data_path("emoscope", appauthor=False) / "models"


def paths() -> dict[str, Path]:
    """The models that have a name: name to `.onnx` file. A shipped one goes before others of its name."""
    found: dict[str, Path] = {}
    for folder in _places():
        for path in [folder] if folder.suffix == ".onnx" else sorted(folder.glob("*.onnx")):
            if path.with_suffix(".json").is_file():
                found.setdefault(path.stem, path)
    return found


def names() -> list[str]:
    """The names of all models that have one."""
    return sorted(paths())


def card(model: str | Path | Model) -> Card:
    """The card of a model, by its name, its path, or its modality for the default one.

    Raises:
        ModelError: there is no such model.
    """
    return model.card if isinstance(model, Model) else Card.read(_path(model).with_suffix(".json"))


def cards_of(named: Iterable[str]) -> list[Card]:
    """The cards of models by their names; one that is no longer there is left out."""
    there = paths()
    return [card(there[name]) for name in named if name in there]


def summaries() -> list[dict[str, Any]]:
    """A row a model: `name`, `modality`, `labels`, `parameters`, `bytes`, `metrics`, `licence` and `path`."""
    rows = []
    for name, path in sorted(paths().items()):
        one = card(path)
        facts = {key: getattr(one, key) for key in ("modality", "labels", "parameters")}
        size = path.stat().st_size
        rows.append({"name": name, **facts, "bytes": size, "metrics": one.metrics, "licence": one.licence,
                     "path": str(path)})  # fmt: skip
    return rows


def load(
    model: str | Path | Model,
    modality: str | Sequence[str] | None = None,
    *,
    device: Device = "auto",
    threads: int = 1,
) -> Model:
    """Load a model; it is loaded once a process and shared.

    Args:
        model: a name, a modality (`face`, `voice`, `sequence`) for its default, the path of an `.onnx` file with its
            card beside it, or a model, which is returned as it is.
        modality: what it must be, or one of several.
        device: where it runs, see `Model`.
        threads: of one call.

    Raises:
        ModelError: there is no such model, its file is damaged, it is of another modality, or the device is not there.
    """
    if not isinstance(model, Model):
        path = _path(model).resolve()
        with _LOADING:  # two threads would load it twice
            model = _load(path, _changed(path), device, threads)
    wanted = (modality,) if isinstance(modality, str) else tuple(modality or ())
    if wanted and model.card.modality not in wanted:
        expected = " or ".join(wanted)
        raise ModelError(f"{model.card.name} is a {model.card.modality} model; expected a {expected} model")
    return model


_LOADING = Lock()


@lru_cache(maxsize=16)
def _load(path: Path, changed: tuple[int, ...], device: Device, threads: int) -> Model:
    return Model(path, device, threads)


def _changed(path: Path) -> tuple[int, ...]:
    """When a network and its card were last written."""
    files = (path, path.with_suffix(".json"))
    return tuple(file.stat().st_mtime_ns if file.is_file() else 0 for file in files)


def _places() -> Iterator[Path]:
    yield WEIGHTS
    yield user_folder()
    for point in entry_points(group=ENTRY_POINTS):
        try:
            place = Path(point.load())
        except Exception as error:  # another package's code: whatever it raises
            raise ModelError(f"the models of the package {point.value} do not load: {error}") from None
        yield place


def _path(model: str | Path) -> Path:
    named = paths()
    name = DEFAULTS.get(str(model), str(model))
    if name in named:
        return named[name]
    path = Path(model)
    if path.suffix == ".onnx" or path.parent != Path():
        if not path.is_file():
            raise ModelError(f"{path}: there is no such model; expected an .onnx file with its card, .json, beside it")
        return path
    raise ModelError(
        f"no model is named {name!r}; there are {', '.join(sorted(named)) or 'none'}, or name an .onnx file"
    )
