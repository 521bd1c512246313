"""A folder of results as one self-contained HTML page: its tables with their commands, and its pictures."""

import base64
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from ..errors import EmoscopeError
from .page import environment

if TYPE_CHECKING:
    from markdown_it import MarkdownIt

FIRST = "README.md"
"""The file that comes first, if it is there; the files that it links to follow in its order, all others by name."""
KINDS: dict[str, str] = {".svg": "image/svg+xml", ".png": "image/png"}
"""The pictures that are shown, and their media types."""
MOST_BYTES = 8_000_000
"""Larger files are named, not shown."""


@dataclass(frozen=True, slots=True)
class Section:
    """One file of tables with its pictures.

    Attributes:
        anchor: its `id` on the page.
        title: its first heading, else its name.
        body: HTML.
        pictures: those that belong to it by name and are not within it.
    """

    anchor: str
    title: str
    body: Markup
    pictures: list[Path]


def write_results(folder: Path, path: Path) -> int:
    """Write a page with every table (`*.md`) and every picture (`*.svg`, `*.png`) of a folder.

    A picture is shown where a table names it, else below the table whose name its own begins with, else at the end.

    Args:
        folder: of results.
        path: the file to write.

    Returns:
        How many tables and pictures are on it.

    Raises:
        EmoscopeError: there are none in the folder.
        OSError: a file cannot be read or written.
    """
    tables, pictures = _files(folder, (".md",)), _files(folder, tuple(KINDS))
    if not tables and not pictures:
        raise EmoscopeError(f"{folder}: expected a folder with tables (*.md) or pictures (*.svg, *.png)")
    texts = {table: table.read_text(encoding="utf-8", errors="replace") for table in _ordered(tables)}
    anchors = {table.name: f"part-{i}" for i, table in enumerate(texts, 1)}
    parser = _parser()
    bodies = {table: Body(parser, text, folder, anchors) for table, text in texts.items()}
    shown = {picture for body in bodies.values() for picture in body.shown}
    owners = {picture: _owner(picture, tables) for picture in pictures if picture not in shown}
    sections = [
        Section(anchors[table.name], body.title or table.stem, body.html, [p for p, o in owners.items() if o == table])
        for table, body in bodies.items()
    ]
    html = (
        environment()
        .get_template("results.html.jinja")
        .render(
            title=f"Results: {folder.resolve().name}",
            sections=sections,
            others=[picture for picture, owner in owners.items() if owner is None],
            figure=figure,
        )
    )
    path.write_bytes(html.encode("utf-8", "replace"))
    return len(tables) + len(pictures)


def _files(folder: Path, suffixes: Sequence[str]) -> list[Path]:
    found = folder.iterdir() if folder.is_dir() else ()
    return sorted(p for p in found if p.suffix.lower() in suffixes and p.is_file())


def _ordered(tables: Sequence[Path]) -> list[Path]:
    first = next((table for table in tables if table.name == FIRST), None)
    text = first.read_text(encoding="utf-8", errors="replace") if first else ""
    linked = [FIRST, *re.findall(r"\]\(([^()\s]+\.md)\)", text)]
    places = {name: place for place, name in reversed(list(enumerate(linked)))}
    return sorted(tables, key=lambda table: (places.get(table.name, len(linked)), table.name))


def _owner(picture: Path, tables: Sequence[Path]) -> Path | None:
    """The table with the longest name that the picture's begins with."""
    fitting = [t for t in tables if picture.stem == t.stem or picture.stem.startswith(f"{t.stem}-")]
    return max(fitting, key=lambda table: len(table.stem), default=None)


def figure(path: Path, words: str = "") -> Markup:
    """A picture as a `<figure>` with its data in it, captioned with `words` or with its name."""
    caption = words or path.stem.replace("-", " ").replace("_", " ")
    if not path.is_file():
        return Markup("<p class='soft'>{}: {} is missing.</p>").format(caption, path.name)
    if path.stat().st_size > MOST_BYTES:
        return Markup("<p class='soft'>{}: {} is too large to show here.</p>").format(caption, path.name)
    data = f"data:{KINDS[path.suffix.lower()]};base64,{base64.b64encode(path.read_bytes()).decode()}"
    html = Markup('<figure><div class="scroll"><img src="{}" alt="{}"></div><figcaption>{}</figcaption></figure>')
    return html.format(data, caption, caption)


class Body:
    """Markdown as HTML of a section: headings one level down, pictures in place, links within the page.

    Attributes:
        html: the text without its first heading.
        title: its first heading.
        shown: the pictures in it.
    """

    def __init__(self, parser: "MarkdownIt", text: str, folder: Path, anchors: dict[str, str]) -> None:
        """See `write_results`; HTML within the text is shown as text."""
        self.shown: list[Path] = []
        self.title = ""
        self._folder, self._anchors = folder, anchors
        tokens = parser.parse(text)
        if len(tokens) > 2 and tokens[0].type == "heading_open":
            self.title = _plain(tokens[1])
            tokens = tokens[3:]
        for place, token in enumerate(tokens):
            if token.type in ("heading_open", "heading_close"):
                token.tag = f"h{min(6, int(token.tag[1]) + 1)}"
            children = token.children or ()
            if any(child.type == "image" for child in children):
                tokens[place - 1].tag = tokens[place + 1].tag = "div"  # a paragraph may hold no figure
            for child in children:
                self._mend(child)
        self.html = Markup(parser.renderer.render(tokens, parser.options, {}))

    def _mend(self, token: Any) -> None:
        """Make a picture a figure, and let a link to another table lead to its place; others lead nowhere."""
        if token.type == "image":
            path = self._folder / Path(str(token.attrs["src"])).name
            if path.suffix.lower() in KINDS:
                self.shown.append(path)
                token.type, token.content = "html_inline", str(figure(path, _plain(token)))
        elif token.type == "link_open" and not str(token.attrs["href"]).startswith(("http://", "https://")):
            anchor = self._anchors.get(str(token.attrs.pop("href")))
            if anchor:
                token.attrs["href"] = f"#{anchor}"


def _plain(token: Any) -> str:
    return "".join(child.content for child in token.children or ())


def _parser() -> "MarkdownIt":
    from markdown_it import MarkdownIt

    parser = MarkdownIt("commonmark", {"html": False}).enable("table")
    renderer: Any = parser.renderer  # its protocol knows no rules
    renderer.rules["table_open"] = lambda *_: (
        '<div class="scroll" tabindex="0" role="region" aria-label="Table"><table>\n'
    )
    renderer.rules["table_close"] = lambda *_: "</table></div>\n"
    return parser
