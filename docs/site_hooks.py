"""What the site shows beside the pages in this folder: cards, results, notebooks, reports of the example.

The pages link to each other as they lie in the repository, so that they can be read there too; a link that leads out of
this folder is turned to the copy of its page in the site, and to plain text where the site has none.
"""

import json
import posixpath
import re
import shlex
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

from emoscope import models

ROOT = Path(__file__).parents[1]
COPIED = ("README.md", "CONTRIBUTING.md", "CHANGELOG.md", "SECURITY.md", "examples/README.md", "research/README.md",
          "cards/*.md", "results/**/*.md", "results/**/*.svg", "results/**/*.png")  # fmt: skip
"""What is taken from the repository; in the site it lies in `repository/`."""
REPORT = re.compile(r"```sh\nemoscope (analyze \S+ --out (\w+).*)\n```\n")
"""A command of the gallery."""
LINK = re.compile(r"(!?)\[((?:[^\[\]]|\[[^\]]*\])*)\]\(([^)\s]+)\)")


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add what is copied and what is made."""
    for pattern in COPIED:
        for path in sorted(ROOT.glob(pattern)):
            place = f"repository/{path.relative_to(ROOT).as_posix()}"
            files.append(File.generated(config, place, abs_src_path=str(path)))
    for path in sorted(Path(__file__).parent.glob("notebooks/*.ipynb")):
        files.append(File.generated(config, f"notebooks/{path.name}.md", content=_notebook(path)))
    files.append(File.generated(config, "models.md", content=_models()))
    files.append(File.generated(config, "results.md", content=_results()))
    for name, content in _gallery():
        files.append(File.generated(config, name, content=content))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Turn the links that leave the folder of the page's kind."""
    here = page.file.src_uri
    inside = here.removeprefix("repository/") if here.startswith("repository/") else f"docs/{here}"

    def turned(found: re.Match[str]) -> str:
        mark, text, target = found.groups()
        path, hash_, anchor = target.partition("#")
        if "://" in target or not path:
            return found[0]
        place = posixpath.normpath(posixpath.join(posixpath.dirname(inside), path))
        there = place.removeprefix("docs/") if place.startswith("docs/") else f"repository/{place}"
        if files.get_file_from_path(f"{there}.md"):  # a notebook's page
            there += ".md"
        if files.get_file_from_path(there) is None:
            whole = {"repository/results": "results.md", "repository/cards": "models.md"}.get(there)
            if whole is None:
                return text
            there = whole
        return f"{mark}[{text}]({posixpath.relpath(there, posixpath.dirname(here) or '.')}{hash_}{anchor})"

    if here == "gallery.md":
        markdown = REPORT.sub(_shown, markdown)
    return LINK.sub(turned, markdown)


def _notebook(path: Path) -> str:
    """A notebook as a page; its outputs are not kept in the repository."""
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    parts = [
        "".join(c["source"]) if c["cell_type"] == "markdown" else f"```python\n{''.join(c['source'])}\n```"
        for c in cells
    ]
    return "\n\n".join([*parts, f"*This page is the notebook `docs/notebooks/{path.name}`, which CI runs.*"]) + "\n"


def _models() -> str:
    rows = ["| model | what it reads | on validation, protocol | n | accuracy | 95 % interval | licence |",
            "|---|---|---|---|---|---|---|"]  # fmt: skip
    for name in models.names():
        card = models.card(name)
        best = card.metrics[0]
        low, high = best["interval"]
        rows.append(
            f"| [{name}](../cards/{name}.md) | {card.modality}, {len(card.labels)} emotions | `{best['protocol']}` | "
            f"{best['n']:,} | {best['accuracy']:.1%} | {low:.1%} to {high:.1%} | {card.licence} |"
        )
    words = (
        "# Models and their cards\n\nA card says what a model is, what it was trained on, how good it is under which "
        "[protocol](protocols.md), where it is weak and what it must not be used for. Figures under different "
        "protocols or of different modalities cannot be compared. `emoscope models` lists the same.\n\n"
    )
    return words + "\n".join(rows) + "\n"


def _results() -> str:
    lines = [
        "# All results\n\nEach page names its models, data, protocol, n, 95 % interval and the command that makes it.\n"
    ]
    for path in sorted(ROOT.glob("results/**/*.md")):
        title = next(line[2:] for line in path.read_text(encoding="utf-8").splitlines() if line.startswith("# "))
        lines.append(f"- [{title}](../{path.relative_to(ROOT).as_posix()})")
    return "\n".join(lines) + "\n"


def _gallery() -> Iterator[tuple[str, str]]:
    """Run the commands of the gallery; yields the place and the content of each report."""
    for command, name in REPORT.findall((Path(__file__).parent / "gallery.md").read_text(encoding="utf-8")):
        with tempfile.TemporaryDirectory() as out:
            words = shlex.split(command.replace(f"--out {name}", f"--out {shlex.quote(f'{out}/{name}')}"))
            subprocess.run([sys.executable, "-m", "emoscope", *words], check=True, stdout=subprocess.DEVNULL, cwd=ROOT)
            yield f"gallery/{name}.html", (Path(out) / name / "report.html").read_text(encoding="utf-8")


def _shown(found: re.Match[str]) -> str:
    """A command and its report."""
    page = f"gallery/{found[2]}.html"
    style = "width:100%;height:36rem;border:1px solid #8886"
    frame = f'<iframe src="{page}" title="The report" loading="lazy" style="{style}"></iframe>'
    return f'{found[0]}\n<a href="{page}">The report by itself</a>\n\n{frame}\n'
