"""The summary on the terminal, as text in a pipe."""

import io

from report_samples import conversation, observe
from rich.console import Console

from emoscope.report.terminal import show_summary
from emoscope.timeline import Timeline


def printed(timeline: Timeline, *files: str, encoding: str = "utf-8") -> str:
    raw = io.BytesIO()
    out = io.TextIOWrapper(raw, encoding=encoding)
    show_summary(timeline, files, Console(file=out, width=80))
    out.flush()
    return raw.getvalue().decode(encoding)


def test_persons_emotions_seconds_and_files() -> None:
    lines = printed(conversation(notes=["no sound"]), "out/report.html").splitlines()
    (person,) = [line for line in lines if line.startswith("Person 1")]
    assert person.split() == ["Person", "1", "face", "4.0", "s", "happiness", "60%", "█" * 14]
    (scene,) = [line for line in lines if line.startswith("Scene")]
    assert scene.split()[1:6] == ["voice", "2.0", "s", "disgust", "55%"]
    assert "note: no sound" in lines
    assert "wrote out/report.html" in lines


def test_no_colour_codes_in_a_pipe() -> None:
    assert "\x1b" not in printed(conversation())


def test_lines_fit_the_terminal() -> None:
    assert max(map(len, printed(conversation()).splitlines())) <= 80


def test_without_unicode() -> None:
    text = printed(conversation(), "caf\u00e9.csv", "\udce9.csv", encoding="ascii")
    assert "#" * 14 in text
    assert "wrote caf?.csv" in text


def test_a_long_path_is_not_broken() -> None:
    path = "a/" * 60 + "report.html"
    assert f"wrote {path}" in printed(conversation(), path).splitlines()


def test_names_can_neither_steer_the_terminal_nor_be_taken_for_markup() -> None:
    text = printed(conversation(notes=["\x1b[2J[red]name[/red]"]), "\x1b]0;title\x07[bold].html")
    assert "\x1b" not in text
    assert "[red]name[/red]" in text
    assert "[bold].html" in text


def test_nothing_found() -> None:
    assert printed(Timeline.empty()).strip() == "No face and no voice was found."


def test_a_picture_counts_faces() -> None:
    lines = printed(Timeline.of([observe(0, 0, person=2, fear=0.9)], {"kind": "picture"})).splitlines()
    assert lines[0].split() == ["who", "from", "faces", "emotions"]
    assert lines[1].split()[:6] == ["Person", "2", "face", "1", "fear", "90%"]


def test_a_folder_of_pictures_is_one_line() -> None:
    parts = [{"file": f"{i}.jpg", "start_s": float(i), "end_s": i + 1.0} for i in range(50)]
    timeline = Timeline.of(
        [observe(i, i + 1.0, person=i + 1, fear=0.9) for i in range(50)], {"kind": "folder", "parts": parts}
    )
    rows = [line.split() for line in printed(timeline).splitlines() if "face" in line.split()]
    assert [row[:5] for row in rows] == [["All", "face", "50", "fear", "90%"]]


def test_a_crowd_is_cut_with_a_word_about_it() -> None:
    text = printed(Timeline.of([observe(0, p, person=p) for p in range(1, 31)]))
    assert "Person 11 " in text
    assert "Person 10 " not in text
    assert "and 10 more, seen for a shorter time" in text
