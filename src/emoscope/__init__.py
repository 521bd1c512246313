"""Emotion from faces and voices: one calibrated timeline, per person, from face, voice and both together.

Example:
    import emoscope

    timeline = emoscope.analyze("interview.mp4")
    timeline.to_csv("interview.csv")
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from . import models
    from .analysis import analyze, read, save_profile
    from .capture import Live
    from .emotions import EMOTIONS
    from .errors import EmoscopeError
    from .evidence import Evidence
    from .observing import ObserveOptions, observe
    from .persons import Persons
    from .session import Session
    from .timeline import Observation, Timeline

__version__: str
"""The installed version, as pyproject.toml names it."""

__all__ = [
    "EMOTIONS", "EmoscopeError", "Evidence", "Live", "Observation", "ObserveOptions", "Persons", "Session", "Timeline",
    "analyze", "models", "observe", "read", "save_profile",
]  # fmt: skip

_HOMES = {
    "EMOTIONS": "emotions",
    "EmoscopeError": "errors",
    "Evidence": "evidence",
    "Live": "capture",
    "Observation": "timeline",
    "ObserveOptions": "observing",
    "Persons": "persons",
    "Session": "session",
    "Timeline": "timeline",
    "analyze": "analysis",
    "observe": "observing",
    "read": "analysis",
    "save_profile": "analysis",
}


def __getattr__(name: str) -> Any:
    """Import a public name when it is first used: `import emoscope` and `emoscope --help` stay quick."""
    if name == "__version__":
        from importlib.metadata import version

        return version(__name__)
    if name == "models":
        return import_module(".models", __name__)
    if name in _HOMES:
        return getattr(import_module(f".{_HOMES[name]}", __name__), name)
    raise AttributeError(f"module 'emoscope' has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
