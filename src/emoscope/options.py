"""Options that several commands share, and how what they say is read."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from .errors import EmoscopeError

MODEL = "A name that `emoscope models` lists, or the path of an .onnx file with its card beside it"
READING = [
    click.option("--smoothing", type=click.Choice(["mean", "vote", "none"]),
                 help="Of each face over time: exponential mean, majority of each batch of 10, or none "
                 "[default: mean; none for a sequence model]."),
    click.option("--baseline", metavar="recording|causal|none|PROFILE[@PERSON]", default="recording",
                 show_default=True, callback=lambda _, __, name: _baseline(name),
                 help="What everybody is read against: what the recording shows of them, what came before, nothing, or "
                 "the recording and a file that `emoscope profile` made."),
]  # fmt: skip
KNOWN = [
    click.option("--neutral", multiple=True, metavar="START-END|FILE[@PERSON]",
                 callback=lambda _, __, texts: _neutral(texts),
                 help="When somebody is known to be neutral, as 0:05-0:12@1, or a picture or sound of it, as "
                 "face.jpg@1; may be repeated."),
    click.option("--mix", metavar="even|everyday|FILE", callback=lambda _, __, name: _mix(name),
                 help="How often each emotion is expected; FILE is JSON, label to share [default: even]."),
]  # fmt: skip
MODELS = [
    click.option("--face-model", default="face", show_default=True, help=f"{MODEL}; or sequence: the default of those "
                 "that look at a person's last moments."),
    click.option("--voice-model", default="voice", show_default=True, help=f"{MODEL}."),
    click.option("--device", type=click.Choice(["auto", "cpu", "cuda"]), default="auto", show_default=True,
                 help="Where the models run."),
    click.option("--threads", type=click.IntRange(1), default=1, show_default=True, help="Threads of each network."),
]  # fmt: skip

OBSERVING = [
    click.option("--start", callback=lambda _, __, text: _time("--start", text), metavar="TIME",
                 help="Observe from here on, as 90 or 1:30."),
    click.option("--end", callback=lambda _, __, text: _time("--end", text), metavar="TIME",
                 help="Observe up to here."),
    click.option("--audio-track", metavar="NUMBER|LANGUAGE",
                 help="The sound track, from 1 or as `eng` [default: one with a voice]."),
    click.option("--every", type=click.FloatRange(0, min_open=True), metavar="SECONDS",
                 help="Score one frame in so many seconds [default: every frame]."),
    click.option("--faces-only", is_flag=True, help="Do not listen."),
    click.option("--voice-only", is_flag=True, help="Do not look."),
    click.option("--region", callback=lambda _, __, text: _region(text), metavar="X,Y,WIDTH,HEIGHT",
                 help="Look for faces in this part of the frames, in pixels."),
    click.option("--min-face", type=click.IntRange(20), metavar="PIXELS",
                 help="Side of the smallest face to look for [default: 1/32 of the shorter side, but not under 20]."),
    click.option("--people", type=click.Path(path_type=Path), metavar="FOLDER",
                 help="People to recognise: a picture, a sound or a profile for each, as anna.jpg."),
    click.option("--keep-identity", is_flag=True,
                 help="Keep the embeddings of faces and voices in evidence.sqlite: biometric data."),
]  # fmt: skip
"""They say what of a recording is observed; `observe_options` takes them."""


def observe_options(options: dict[str, Any]) -> Any:
    """The options that `OBSERVING` added, taken out of those of a command."""
    from .observing import ObserveOptions

    faces, voices = not options.pop("voice_only"), not options.pop("faces_only")
    taken = ("start", "end", "every", "region", "min_face", "audio_track", "people", "keep_identity")
    named = {name: options.pop(name) for name in taken}
    try:
        return ObserveOptions(faces=faces, voices=voices, **{**named, "start": named["start"] or 0.0})
    except ValueError as error:
        raise EmoscopeError(str(error)) from None


def _time(option: str, text: str | None) -> float | None:
    from .reading.offsets import seconds

    try:
        return None if text is None else seconds(text)
    except ValueError:
        raise EmoscopeError(f"{option} {text}: expected seconds or minutes:seconds, as 90 or 1:30") from None


def _region(text: str | None) -> tuple[int, int, int, int] | None:
    if text is None:
        return None
    try:
        x, y, width, height = map(int, text.split(","))
    except ValueError:
        raise EmoscopeError(f"--region {text}: expected X,Y,WIDTH,HEIGHT in pixels, as 0,0,640,360") from None
    return x, y, width, height


def _neutral(texts: tuple[str, ...]) -> list[Any]:
    """Stretches and files as they are given on the command line."""
    from .reading.offsets import File, Span

    found: list[Span | File] = []
    for text in texts:
        what, at, person = text.rpartition("@") if "@" in text else (text, "", "")
        try:
            there = Path(what).exists()
            found.append(File(Path(what), int(person) if at else None) if there else Span.parse(text))
        except ValueError:
            raise EmoscopeError(
                f"--neutral {text}: expected START-END or a file, as 0:05-0:12@1 or face.jpg@1"
            ) from None
    return found


def _baseline(name: str) -> str:
    """One of the baselines, or a profile that is there."""
    if name not in ("recording", "causal", "none") and not Path(name.rpartition("@")[0] or name).exists():
        raise EmoscopeError(
            f"--baseline {name}: expected recording, causal, none, or a file that emoscope profile made"
        )
    return name


def _mix(name: str | None) -> dict[str, float] | None:
    """A mix of emotions by its name or from a file."""
    if name in (None, "even"):
        return None
    if name == "everyday":
        from .reading.offsets import EVERYDAY

        return dict(EVERYDAY)
    try:
        shares = json.loads(Path(str(name)).read_text(encoding="utf-8"))
        return {str(label): float(share) for label, share in shares.items()}
    except (OSError, ValueError, AttributeError, TypeError):
        raise EmoscopeError(f"--mix {name}: expected even, everyday, or a JSON file of labels and shares") from None


def with_options(options: list[Callable[[Any], Any]]) -> Callable[[Any], Any]:
    """Add options that several commands share."""

    def add(command: Any) -> Any:
        for option in reversed(options):
            command = option(command)
        return command

    return add


LIMITS = [
    click.option("--streams", type=click.IntRange(0), default=4, show_default=True,
                 help="Live streams at once."),
    click.option("--analyses", type=click.IntRange(1), default=2, show_default=True, help="Analyses at once."),
    click.option("--queue", type=click.IntRange(0), default=16, show_default=True,
                 help="Analyses under /v1 that may wait."),
    click.option("--upload-mib", type=click.IntRange(1), default=512, show_default=True, help="MiB of one upload."),
    click.option("--minutes", type=click.FloatRange(0, min_open=True), default=30, show_default=True,
                 help="That one analysis may take."),
    click.option("--memory-gib", type=click.FloatRange(1), default=8, show_default=True,
                 help="GiB of address space of one analysis: several times what it uses."),
    click.option("--cpu-seconds", type=click.IntRange(0), default=0, show_default=True,
                 help="Of all threads of one analysis; 0 for any."),
    click.option("--connections", type=click.IntRange(1), default=64, show_default=True,
                 help="At once, of whatever kind."),
    click.option("--keep", type=click.FloatRange(0), default=3600, show_default=True, metavar="SECONDS",
                 help="How long the results of an analysis under /v1 are kept."),
]  # fmt: skip
"""What clients of the server may have; `live` takes them."""
