"""What `emoscope analyze` says on the terminal when it is done."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from ..timeline import Observation, Timeline
from .palette import colours
from .totals import Total, clock, is_still, shown, together, totals

STEADY_S = 0.3
"""Seconds that a face must say an emotion before `show_live` prints it."""
BAR = 24
"""Characters of a bar that stands for a score of 1."""


def show_summary(timeline: Timeline, out_files: Iterable[str | Path], console: Console) -> None:
    """Print the emotions of each person and source as bars, the notes, and the files that were written.

    Args:
        timeline: what was observed.
        out_files: the files that were written.
        console: where to print; without colour, or in a pipe, the bars and the numbers remain.
    """
    if still := is_still(timeline):
        timeline = timeline.select("face")  # a picture has no voice: fused would say the same again
    rows, hidden = shown(totals(timeline))
    if not rows:
        console.print("No face and no voice was found.")
    elif still:
        # the faces of a folder of pictures are too many to list
        folder = timeline.info.get("kind") == "folder"
        counted = [("All" if folder else row.who, row) for row in (together(timeline) if folder else rows)]
        _print_table(console, "faces", [(name, row, str(len(row.timeline))) for name, row in counted])
    else:
        timed = [(row.who, row, clock(row.seconds).replace("\u00a0", " ")) for row in rows]
        _print_table(console, "observed", timed)
        if hidden:
            console.print(f"and {hidden} more, seen for a shorter time")
    left = timeline.info.get("left_out")
    for note in [*([f"left out: {'; '.join(left)}"] if left else []), *timeline.info.get("notes", ())]:
        console.print(Text(f"note: {_printable(str(note), console)}", style="yellow"))
    for path in out_files:
        console.print(Text(f"wrote {_printable(str(path), console)}"), soft_wrap=True)


def show_persons(rows: Sequence[Mapping[str, Any]], notes: Iterable[str], console: Console) -> None:
    """Print the persons of a recording: `reading.who.Who.persons`."""
    if not rows:
        console.print("No face and no voice was found.")
    else:
        table = Table(box=None, pad_edge=False, header_style="dim")
        for heading in ("person", "name", "seen", "heard", "from", "to", ""):
            table.add_column(heading, justify="left" if heading in ("name", "") else "right", no_wrap=bool(heading))
        for row in rows:
            times = [clock(row[key]).replace("\u00a0", " ") for key in ("seen_s", "heard_s", "start_s", "end_s")]
            words = ["a picture: it does not move"] if row["picture"] else []
            words += [f"may be person {one['person']} too ({one['alike']:.2f})" for one in row["maybe"][:3]]
            table.add_row(
                str(row["person"]), Text(_printable(row["name"] or "", console)), *times, Text("; ".join(words))
            )
        console.print(table)
    for note in notes:
        console.print(Text(f"note: {_printable(note, console)}", style="yellow"))


def _print_table(console: Console, measure: str, rows: Iterable[tuple[str, Total, str]]) -> None:
    table = Table(box=None, pad_edge=False, header_style="dim")
    for heading in ("who", "from", measure, "emotions"):
        table.add_column(heading, justify="right" if heading == measure else "left", no_wrap=True)
    block = "#" if console.options.ascii_only else "█"
    for name, row, amount in rows:
        table.add_row(name, "both" if row.source == "fused" else row.source, amount, _bars(row, block))
    console.print(table)


def _bars(row: Total, block: str) -> Text:
    """The three highest emotions, a line each: name, share, bar."""
    paints = colours(row.timeline.labels)
    lines = [
        Text.assemble(f"{name:<9} {share:>4.0%} ", (block * max(1, round(share * BAR)), paints[name]))
        for name, share in row.ranked[:3]
    ]
    return Text("\n").join(lines)


def _printable(text: str, console: Console) -> str:
    """Only what the terminal can show: the name of a file must neither steer it nor stop the program."""
    text = "".join(character if character.isprintable() else "?" for character in text)
    return text.encode(console.encoding, "replace").decode(console.encoding)


def show_live(observations: Iterable[Observation], console: Console) -> None:
    """Print a line whenever what a person's face or voice says becomes another emotion for `STEADY_S` seconds.

    Args:
        observations: as they come.
        console: where to print.
    """
    said: dict[tuple[int | None, str], str] = {}
    began: dict[tuple[int | None, str], tuple[str, float]] = {}
    for o in observations:
        if o.source == "fused":
            continue
        key = o.person, o.source
        emotion, since = began.setdefault(key, (o.emotion, o.start))
        if emotion != o.emotion:
            began[key] = o.emotion, o.start
        elif o.emotion != said.get(key) and (o.source == "voice" or o.start - since >= STEADY_S):
            said[key] = o.emotion
            who = f"Person {o.person}" if o.person else "Somebody"
            console.print(f"{clock(o.start)}  {who}: {o.emotion} {o.confidence:.0%} ({o.source})", highlight=False)
