"""A timeline in the formats of other programs: ELAN, Praat, subtitles, RTTM, tables."""

import json
from collections.abc import Callable
from html import escape
from pathlib import Path
from typing import Any, Literal, get_args

from ..errors import EmoscopeError, missing_extra
from ..timeline import Timeline
from .stretches import Stretch, stretches

Format = Literal["elan", "textgrid", "srt", "vtt", "rttm", "csv", "parquet"]
"""The formats that `export` writes."""
FORMATS: tuple[Format, ...] = get_args(Format)
SUFFIXES: dict[Format, str] = {
    "elan": ".eaf", "textgrid": ".TextGrid", "srt": ".srt", "vtt": ".vtt", "rttm": ".rttm", "csv": ".csv",
    "parquet": ".parquet",
}  # fmt: skip
LEAST_S = 0.001
"""Seconds of the shortest stretch that ELAN, Praat and subtitles take: they count milliseconds."""


def export(folder: str | Path, to: Format, path: str | Path | None = None) -> Path:
    """Write the timeline in a folder of results in a format of other programs.

    ELAN, TextGrid and subtitles have a tier (or a name before the text) for each person, and in it a stretch for as
    long as the person's highest emotion stays the same, face and voice together. RTTM says who speaks when. The
    tables have every row.

    Args:
        folder: what `emoscope analyze` wrote.
        to: the format.
        path: the file to write; by default `timeline` with the format's suffix, in the folder.

    Returns:
        The file.

    Raises:
        EmoscopeError: the folder holds no timeline, nothing in it takes any time, or a package is missing.
    """
    folder = Path(folder)
    timeline, facts = _results(folder)
    written = Path(path) if path else folder / f"timeline{SUFFIXES[to]}"
    if to == "csv":
        timeline.to_csv(written)
    elif to == "parquet":
        timeline.to_parquet(written)
    else:
        tiers = stretches(timeline, "voice" if to == "rttm" else "fused")
        if not any(tiers.values()) and to != "rttm":
            raise EmoscopeError(f"{folder}: nothing in its timeline takes any time; use --to csv")
        _WRITERS[to](tiers, facts, written)
    return written


def _results(folder: Path) -> tuple[Timeline, dict[str, Any]]:
    table = folder / "timeline.csv"
    try:
        summary = json.loads((folder / "summary.json").read_text(encoding="utf-8"))
        return Timeline.read(table), summary
    except OSError:
        raise EmoscopeError(
            f"{folder}: holds no timeline; make it with: emoscope analyze RECORDING --out FOLDER"
        ) from None
    except ValueError as error:
        raise EmoscopeError(f"{folder}: its timeline or summary is damaged ({error}); analyze it anew") from None


Tiers = dict[str, list[Stretch]]


def _elan(tiers: Tiers, facts: dict[str, Any], path: Path) -> None:
    eaf = _package("pympi", "ELAN").Elan.Eaf(author="emoscope")
    for who, own in tiers.items():
        eaf.add_tier(who)
        for s in _whole_ms(own):
            eaf.add_annotation(who, round(s.start * 1000), round(s.end * 1000), _said(s))
    eaf.remove_tier("default")
    eaf.to_file(str(path))


def _textgrid(tiers: Tiers, facts: dict[str, Any], path: Path) -> None:
    last = max(s.end for own in tiers.values() for s in own)
    grid = _package("pympi", "TextGrid").Praat.TextGrid(xmin=0, xmax=max(last, float(facts.get("duration_s") or 0)))
    for who, own in tiers.items():
        tier = grid.add_tier(who)
        for s in _whole_ms(own):
            tier.add_interval(round(s.start, 3), round(s.end, 3), _said(s))
    grid.to_file(str(path))


def _subtitles(kind: str) -> Callable[[Tiers, dict[str, Any], Path], None]:
    def write(tiers: Tiers, facts: dict[str, Any], path: Path) -> None:
        subs = _package("pysubs2", "subtitles")
        file = subs.SSAFile()
        for s in sorted((s for own in tiers.values() for s in _whole_ms(own)), key=lambda s: (s.start, s.who)):
            who, said = _unbraced(s.who), _said(s)
            text = f"<v {escape(who, quote=False)}>{said}" if kind == "vtt" else f"{who}: {said}"
            file.append(subs.SSAEvent(start=round(s.start * 1000), end=round(s.end * 1000), text=text))
        path.write_text(file.to_string(kind), encoding="utf-8")

    return write


def _rttm(tiers: Tiers, facts: dict[str, Any], path: Path) -> None:
    """Write NIST's Rich Transcription Time Marked lines: ten fields each, without blanks in them."""
    recording = _one_word(Path(str(facts.get("input") or "recording")).stem)
    turns = sorted((s for own in tiers.values() for s in _turns(own)), key=lambda s: (s.start, s.who))
    lines = (
        f"SPEAKER {recording} 1 {s.start:.3f} {s.end - s.start:.3f} <NA> <NA> {_one_word(s.who)} <NA> <NA>\n"
        for s in turns
    )
    path.write_text("".join(lines), encoding="utf-8")


def _turns(own: list[Stretch]) -> list[Stretch]:
    """Stretches of speech whatever their emotion: those that touch are one turn."""
    turns: list[Stretch] = []
    for s in own:
        if turns and s.start <= turns[-1].end + LEAST_S:
            s = Stretch(turns.pop().start, s.end, s.who, s.emotion, s.confidence)
        turns.append(s)
    return turns


_WRITERS: dict[str, Callable[[Tiers, dict[str, Any], Path], None]] = {
    "elan": _elan, "textgrid": _textgrid, "srt": _subtitles("srt"), "vtt": _subtitles("vtt"), "rttm": _rttm,
}  # fmt: skip


def _package(name: str, what: str) -> Any:
    """A package that writes a format.

    Raises:
        EmoscopeError: it is not installed.
    """
    from importlib import import_module

    try:
        module = import_module(name)
    except ModuleNotFoundError:
        raise missing_extra(f"writing {what}", name, "export") from None
    return module


def _whole_ms(own: list[Stretch]) -> list[Stretch]:
    return [s for s in own if round(s.end, 3) - round(s.start, 3) >= LEAST_S / 2]


def _said(s: Stretch) -> str:
    return f"{s.emotion} {s.confidence:.0%}"


def _unbraced(text: str) -> str:
    """A name as subtitles take it: braces would be commands."""
    return text.translate(str.maketrans("{}\\", "()/"))


def _one_word(text: str) -> str:
    return "_".join(text.split()) or "_"
