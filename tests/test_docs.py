"""What the README and the pages in docs/ show, runs: Python as it stands, commands as far as their options."""

import re
import shlex
import shutil
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from emoscope.cli import main

ROOT = Path(__file__).parent.parent
PAGES = sorted([ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "examples" / "README.md", *ROOT.glob("docs/*.md")])


def _blocks(language: str) -> Iterator[tuple[str, str]]:
    for page in PAGES:
        for block in re.findall(
            rf"^```{language}\n(.*?)^```", page.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE
        ):
            yield str(page.relative_to(ROOT)), block


PYTHON = list(_blocks("python"))
COMMANDS = [
    (page, command.strip())
    for page, block in _blocks("sh")
    for command in re.split(r"&&|\n", block)
    if command.strip().startswith("emoscope")
]


def test_there_is_something_to_test() -> None:
    assert {page for page, _ in PYTHON} >= {"README.md", "docs/python-api.md"}
    assert len(COMMANDS) >= 8


@pytest.mark.parametrize(("page", "code"), PYTHON, ids=[page for page, _ in PYTHON])
def test_python_runs(page: str, code: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "examples").mkdir()
    shutil.copy(ROOT / "examples" / "synthetic.mp4", tmp_path / "examples")
    monkeypatch.chdir(tmp_path)
    exec(compile(code, page, "exec"), {"__name__": "__main__"})


@pytest.mark.parametrize(("page", "line"), COMMANDS, ids=[line for _, line in COMMANDS])
def test_commands_have_these_options(page: str, line: str) -> None:
    name, *words = shlex.split(line)[1:]
    command: click.Command = main.commands[name]
    parent = main.make_context("emoscope", [name])
    if isinstance(command, click.Group):
        name, *words = words
        command = command.commands[name]
    command.make_context(name, words, parent)  # raises click.UsageError if an option or value is unknown


@pytest.mark.parametrize("page", PAGES, ids=[page.name for page in PAGES])
def test_links_lead_somewhere(page: Path) -> None:
    for link in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8")):
        assert "://" in link or (page.parent / link).exists(), link


def test_readme_has_the_two_commands() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert "pip install . && emoscope analyze examples/synthetic.mp4 --out out\n" in text
    assert "pip install '.[test]' && pytest\n" in text
