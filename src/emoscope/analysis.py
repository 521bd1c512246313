"""The file driver: a recording is observed, and its evidence is read."""

import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal, get_args

import numpy as np

from .evidence import Evidence
from .reading.baseline import Offset
from .reading.offsets import Key, Span, describe, recording_offsets
from .reading.reader import Reader
from .reading.source import Source
from .timeline import Timeline

if TYPE_CHECKING:
    from .models import Device, Model
    from .observing import ObserveOptions, Progress

Baselines = Literal["recording", "causal", "none"]
"""What everybody is read against, see `read`."""


def analyze(
    path: str | Path,
    *,
    out: str | Path | None = None,
    face_model: "str | Path | Model" = "face",
    voice_model: "str | Path | Model" = "voice",
    smoothing: str | None = None,
    baseline: Baselines = "recording",
    neutral: Sequence[Span] = (),
    mix: Mapping[str, float] | None = None,
    device: "Device" = "auto",
    threads: int = 1,
    force: bool = False,
    options: "ObserveOptions | None" = None,
    progress: "Progress | None" = None,
) -> Timeline:
    """Read the emotions of every face and voice in a recording: `read(observe(path))`.

    Args:
        path: a video, sound file, picture, or a folder of them.
        out: see `observe`.
        face_model: a name, a path or a model, of faces or of sequences of them.
        voice_model: a name, a path or a model.
        smoothing: see `read`.
        baseline: see `read`.
        neutral: see `read`.
        mix: see `read`.
        device: where the models run.
        threads: threads of each network.
        force: see `observe`.
        options: see `observe`.
        progress: told how far the analysis is.

    Returns:
        The observations in order of time; `info` holds the facts of the run.

    Raises:
        EmoscopeError: `out` holds the evidence of another recording, or another process writes it.
        MediaError: the file is missing or is no media, or no file of the folder can be read.
        ModelError: a model is unknown or damaged.
        ValueError: no smoothing has that name, or a start or an end is given for a folder.

    Example:
        >>> timeline = emoscope.analyze("examples/synthetic.mp4")
        >>> timeline.select("fused")[0].emotion
        'happiness'
    """
    from .observing import observe  # here: reading evidence again needs none of what observing loads

    Reader(None, None, smoothing)  # a wrong name is said before the work, not after it
    started = time.monotonic()
    evidence = observe(
        path,
        out=out,
        face_model=face_model,
        voice_model=voice_model,
        device=device,
        threads=threads,
        force=force,
        options=options,
        progress=progress,
    )
    timeline = read(evidence, smoothing=smoothing, baseline=baseline, neutral=neutral, mix=mix)
    timeline.info["elapsed_s"] = round(time.monotonic() - started, 3)
    return timeline


def read(
    evidence: Evidence | str | Path,
    *,
    smoothing: str | None = None,
    baseline: Baselines = "recording",
    neutral: Sequence[Span] = (),
    mix: Mapping[str, float] | None = None,
) -> Timeline:
    """Read evidence: what the networks said becomes a timeline. It takes milliseconds; the recording is not needed.

    Args:
        evidence: what `observe` returned, or the path of an `evidence.sqlite` or of the folder that it lies in.
        smoothing: of each person's face over time: `mean`, `vote` (majority of each batch of 10 faces) or `none`; by
            default `mean`, but `none` for a sequence model, which looks back by itself.
        baseline: what everybody is read against: `recording`, what the whole recording shows of them; `causal`, what
            came before, as it is live; or `none`. See `reading.baseline`.
        neutral: stretches in which people are known to be neutral; they count with `recording`.
        mix: how often each emotion is expected, label to share; even by default.

    Returns:
        The observations in order of time; `info` holds the facts of the recording and of the reading, among them
        `baselines`: where each person's is from, how well it is known, and what it moved.

    Raises:
        EmoscopeError: there is no evidence at the path.
        ValueError: no smoothing or baseline has that name, or the mix is none.
    """
    if baseline not in get_args(Baselines):
        raise ValueError(f"no baseline is named {baseline!r}; there are {', '.join(get_args(Baselines))}")
    if not isinstance(evidence, Evidence):
        evidence = Evidence.load(evidence)
    models = evidence.info.get("models", {})
    sources = {name: Source.from_json(facts) for name, facts in models.items()}
    offsets: dict[Key, Offset] | None = None
    if baseline != "causal":
        offsets = recording_offsets(evidence, sources, mix, neutral) if baseline == "recording" else {}
    reader = Reader(sources.get("face"), sources.get("voice"), smoothing, offsets, mix)
    timeline = reader.add(evidence.faces, evidence.voices, np.inf, np.inf).sorted()
    if evidence.info.get("kind") == "folder":
        starts = np.array([part["start_s"] for part in evidence.info["parts"]])
        files = np.array([part["file"] for part in evidence.info["parts"]], object)
        timeline.extra["file"] = files[np.searchsorted(starts, timeline.start, side="right") - 1]
    timeline.info = {
        **evidence.info,
        "models": {name: source.name for name, source in sources.items()},
        "persons": len(timeline.persons),
        "smoothing": reader.smoothing,
        "baseline": baseline,
        "baselines": describe(evidence, sources, offsets or {}, mix),
    }
    return timeline
