"""The file driver: a recording is observed, and its evidence is read."""

import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal, get_args

import numpy as np

from .errors import EmoscopeError
from .evidence import Evidence
from .reading.baseline import Offset
from .reading.corrections import Corrections
from .reading.offsets import File, Key, Sample, Span, describe, recording_offsets
from .reading.profile import Profile
from .reading.reader import Reader
from .reading.source import Source
from .reading.who import Who, who
from .timeline import NOBODY, Timeline

if TYPE_CHECKING:
    from .given import Given
    from .models import Device, Model
    from .observing import ObserveOptions, Progress

Baselines = Literal["recording", "causal", "none"]
"""What everybody is read against, see `read`."""
Neutral = Sequence[Span | File]
"""What is known to be neutral."""


def analyze(
    path: "Given",
    *,
    out: str | Path | None = None,
    face_model: "str | Path | Model" = "face",
    voice_model: "str | Path | Model" = "voice",
    smoothing: str | None = None,
    baseline: Baselines | str | Path = "recording",
    neutral: Neutral = (),
    mix: Mapping[str, float] | None = None,
    device: "Device" = "auto",
    threads: int = 1,
    force: bool = False,
    options: "ObserveOptions | None" = None,
    progress: "Progress | None" = None,
) -> Timeline:
    """Read the emotions of every face and voice in a recording: `read(observe(path))`.

    Args:
        path: the path of a video, sound file, picture, or a folder of them; or the recording itself: its bytes, a
            file that is open for reading them, a picture as RGB uint8 `(height, width, 3)`, sound as
            `(samples, rate)` of `(n,)` or `(n, 2)` in [-1, 1] or int16, or frames of one size as an iterable of
            `(seconds, picture)`. Frames are kept in a temporary file without loss, about 1 MB each at 720p.
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
        ValueError: no smoothing has that name, a start or an end is given for a folder, or an array has another
            shape or type.

    Example:
        >>> timeline = emoscope.analyze("examples/synthetic.mp4")
        >>> timeline.select("fused")[0].emotion
        'happiness'
    """
    from .given import as_file  # here: reading evidence again needs none of what observing loads
    from .observing import observe

    Reader(None, None, smoothing)  # a wrong name is said before the work, not after it
    started = time.monotonic()
    with as_file(path) as file:
        evidence = observe(
            file,
            out=out,
            face_model=face_model,
            voice_model=voice_model,
            device=device,
            threads=threads,
            force=force,
            options=options,
            progress=progress,
        )
    corrections = Corrections.load(out) if out else None
    models = {"face": face_model, "voice": voice_model}
    timeline = _read(evidence, smoothing, baseline, neutral, mix, models, corrections)
    timeline.info["elapsed_s"] = round(time.monotonic() - started, 3)
    return timeline


def read(
    evidence: Evidence | str | Path,
    *,
    smoothing: str | None = None,
    baseline: Baselines | str | Path = "recording",
    neutral: Neutral = (),
    mix: Mapping[str, float] | None = None,
) -> Timeline:
    """Read evidence: what the networks said becomes a timeline. It takes milliseconds; the recording is not needed.

    Args:
        evidence: what `observe` returned, or the path of an `evidence.sqlite` or of the folder that it lies in; then
            the corrections in `persons.json` beside it are applied.
        smoothing: of each person's face over time: `mean`, `vote` (majority of each batch of 10 faces) or `none`; by
            default `mean`, but `none` for a sequence model, which looks back by itself.
        baseline: what everybody is read against: `recording`, what the whole recording shows of them; `causal`, what
            came before, as it is live; `none`; or the path of a profile that `save_profile` wrote, which is believed
            beside the recording, `PATH@PERSON` where it is of one of several persons. See `reading.baseline`.
        neutral: stretches, pictures and sounds in which people are known to be neutral; not with `causal` or `none`.
        mix: how often each emotion is expected, label to share; even by default.

    Returns:
        The observations in order of time; `info` holds the facts of the recording and of the reading, among them
        `baselines`: where each person's is from, how well it is known, and what it moved.

    Raises:
        EmoscopeError: there is no evidence at the path, or the profile or a neutral file does not fit.
        ValueError: no smoothing or baseline has that name, or the mix is none.
    """
    return _read(_loaded(evidence), smoothing, baseline, neutral, mix, {}, corrections_of(evidence))


def save_profile(
    evidence: Evidence | str | Path,
    path: str | Path,
    *,
    person: int | None = None,
    neutral: Neutral = (),
    mix: Mapping[str, float] | None = None,
) -> Profile:
    """Save what a recording shows of a person's baseline, so that other recordings of them are read against it.

    Args:
        evidence: see `read`.
        path: of the new file.
        person: whose; may be left out where there is one person only.
        neutral: see `read`.
        mix: see `read`.

    Raises:
        EmoscopeError: there is no evidence, or no such person, or nothing is known of them.
    """
    found = who(_loaded(evidence), corrections_of(evidence))
    evidence, sources = found.evidence, _sources(found.evidence)
    offsets = recording_offsets(evidence, sources, mix, _observed(neutral, evidence, {}), spoken=found.spoken)
    people = sorted({one for _, one in offsets})
    if person is None and len(named := [one for one in people if one] or people) == 1:
        person = named[0]
    own = {name: offset for (name, one), offset in offsets.items() if one == person}
    if not own:
        there = ", ".join(str(one) for one in people if one) or "nobody"
        raise EmoscopeError(f"expected the number of a person with --person; there are: {there}")
    profile = Profile.of(own, sources, found.identity(person or NOBODY))
    profile.write(path)
    return profile


def _loaded(evidence: Evidence | str | Path) -> Evidence:
    return evidence if isinstance(evidence, Evidence) else Evidence.load(evidence)


def corrections_of(evidence: Evidence | str | Path) -> Corrections | None:
    """The corrections beside the evidence at a path; none of evidence in memory.

    Raises:
        EmoscopeError: they cannot be read.
    """
    if isinstance(evidence, Evidence):
        return None
    path = Path(evidence)
    return Corrections.load(path if path.is_dir() else path.parent)


def _sources(evidence: Evidence) -> dict[str, Source]:
    return {name: Source.from_json(facts) for name, facts in evidence.info.get("models", {}).items()}


def _read(
    evidence: Evidence,
    smoothing: str | None,
    baseline: str | Path,
    neutral: Neutral,
    mix: Mapping[str, float] | None,
    models: "Mapping[str, str | Path | Model]",
    corrections: Corrections | None,
) -> Timeline:
    found = who(evidence, corrections)
    evidence = found.evidence
    profiles = {} if baseline in get_args(Baselines) else _profile(str(baseline), evidence)
    sources = _sources(evidence)
    offsets: dict[Key, Offset] | None = {}
    if baseline == "causal":
        offsets = None
    elif baseline != "none":
        offsets = recording_offsets(
            evidence, sources, mix, _observed(neutral, evidence, models), profiles, found.spoken
        )
    reader = Reader(sources.get("face"), sources.get("voice"), smoothing, offsets, mix, found.whose())
    timeline = reader.add(evidence.faces, evidence.voices, np.inf, np.inf).sorted()
    if evidence.info.get("kind") == "folder":
        starts = np.array([part["start_s"] for part in evidence.info["parts"]])
        files = np.array([part["file"] for part in evidence.info["parts"]], object)
        timeline.extra["file"] = files[np.searchsorted(starts, timeline.start, side="right") - 1]
    timeline.names = _names(found, timeline.persons)
    timeline.info = {
        **{name: fact for name, fact in evidence.info.items() if name != "grouping"},
        "notes": [*evidence.info.get("notes", ()), *found.notes],
        "models": {name: source.name for name, source in sources.items()},
        "persons": len(timeline.persons),
        "who": found.persons(),
        "smoothing": reader.smoothing,
        "baseline": "profile" if profiles else baseline,
        "baselines": describe(evidence, sources, offsets or {}, mix, found.spoken),
    }
    return timeline


def _names(found: Who, persons: Sequence[int]) -> dict[int, str]:
    """What the persons of a timeline are called; two of one name stay two persons."""
    return {one: name for one, name in sorted(found.grouping.names.items()) if one in persons}


def _profile(baseline: str, evidence: Evidence) -> dict[int | None, Profile]:
    """The profile of `PATH` or `PATH@PERSON`."""
    path, _, number = baseline.rpartition("@") if "@" in baseline else (baseline, "", "")
    if not Path(path).exists():
        words = ", ".join(get_args(Baselines))
        raise ValueError(f"no baseline is named {baseline!r}; there are {words}, and the path of a profile")
    if number and not number.isdecimal():
        raise ValueError(f"expected PROFILE or PROFILE@PERSON, got {baseline!r}")
    people = np.unique(evidence.faces.track)
    if not number and len(people) > 1:
        raise EmoscopeError(f"{path}: there are {len(people)} persons; say whose profile it is, as {path}@1")
    profile = Profile.load(path)
    if not any(one.model == _sources(evidence)[name].name for name, one in profile.known.items()
               if name in evidence.info.get("models", {})):  # fmt: skip
        raise EmoscopeError(f"{path}: the profile is of other models than the recording's evidence")
    return {int(number) if number else None: profile}


def _observed(neutral: Neutral, evidence: Evidence, models: "Mapping[str, str | Path | Model]") -> list[Span | Sample]:
    """Files that are known to be neutral, observed by the models of the evidence."""
    found: list[Span | Sample] = []
    used = evidence.info.get("models", {})
    for told in neutral:
        if isinstance(told, Span):
            found.append(told)
            continue
        from .observing import observe

        chosen = {f"{name}_model": models.get(name, used[name]["name"]) for name in used}
        sample = observe(told.path, **chosen)
        for name, facts in sample.info["models"].items():
            if name in used and facts["digest"] != used[name]["digest"]:
                raise EmoscopeError(f"{told.path}: the evidence is of another {name} model than {facts['name']} is now")
        logits = {"face": sample.faces.logits, "voice": sample.voices.logits}
        if not any(len(rows) and name in used for name, rows in logits.items()):
            raise EmoscopeError(f"{told.path}: there is no face and no voice in it")
        found.append(Sample({name: rows for name, rows in logits.items() if name in used}, told.person))
    return found
