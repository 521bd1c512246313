"""The page of a results folder: everything on it, in order, in one file, and safe."""

import base64
import re
from pathlib import Path

import pytest
from click.testing import CliRunner
from test_report_page import Page

from emoscope.cli import main
from emoscope.errors import EmoscopeError
from emoscope.report.results import write_results

TABLE = """# Losses & labels

Command: `python losses.py --out results`

## Which is better

| loss | n | accuracy |
|---|---|---|
| focal | 3,199 | **80.1 %** |

![Confusions, two of them](pair.svg)
![Curves](curves.png)

See [the networks](networks.md), [the data](../data.md) and [the paper](https://arxiv.org/abs/1708.02002).
"""
SVG = '<svg xmlns="http://www.w3.org/2000/svg" width="20" height="10"><rect width="20" height="10"/></svg>'
PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    here = tmp_path / "results" / "face"
    here.mkdir(parents=True)
    (here / "losses.md").write_text(TABLE)
    (here / "networks.md").write_text("Command: `networks.py`\n")
    for name in ("pair", "losses-five", "networks", "alone"):
        (here / f"{name}.svg").write_text(SVG)
    (here / "curves.png").write_bytes(PNG)
    (here / "losses.json").write_text("{}")
    return here


def page_of(folder: Path, tmp_path: Path) -> Page:
    write_results(folder, tmp_path / "page.html")
    return Page((tmp_path / "page.html").read_text(encoding="utf-8"))


def test_every_table_and_every_picture_is_on_the_page(folder: Path, tmp_path: Path) -> None:
    assert write_results(folder, tmp_path / "page.html") == 7
    html = (tmp_path / "page.html").read_text()
    page = Page(html)
    for words in ("Losses & labels", "python losses.py --out results", "Which is better", "3,199", "80.1 %"):
        assert words in page.text
    images = page.all("img")
    assert [image["alt"] for image in images] == [
        "Confusions, two of them",
        "Curves",
        "losses five",
        "networks",
        "alone",
    ]
    data = [(image["src"] or "").partition(";base64,") for image in images]
    assert [kind for kind, _, _ in data] == [f"data:image/{k}" for k in ("svg+xml", "png", *["svg+xml"] * 3)]
    assert base64.b64decode(data[0][2]).decode() == SVG
    assert base64.b64decode(data[1][2]) == PNG
    assert re.findall(r"<h(\d)>Which", html) == ["3"]
    assert html.index("Losses &amp; labels</h2>") < html.index("losses five") < html.index("networks</h2>")
    assert html.index("More pictures</h2>") < html.index("<figcaption>alone")
    assert not re.search(r"<p>\s*<figure", html)


def test_the_contents_and_the_links_lead_to_places_on_the_page(folder: Path, tmp_path: Path) -> None:
    page = page_of(folder, tmp_path)
    links = [link.get("href") for link in page.all("a")]
    places = {section["id"] for section in page.all("section")}
    assert links == ["#part-1", "#part-2", "#pictures", "#part-2", None, "https://arxiv.org/abs/1708.02002"]
    assert {link[1:] for link in links if link and link.startswith("#")} == places


def test_a_readme_says_the_order(folder: Path, tmp_path: Path) -> None:
    (folder / "a.md").write_text("# Last\n")
    (folder / "README.md").write_text("# All of it\n\n[one](networks.md), [gone](gone.md), [two](losses.md)\n")
    assert re.findall("<h2>(.*?)</h2>", _html(folder, tmp_path)) == [
        "All of it", "networks", "Losses &amp; labels", "Last", "More pictures",
    ]  # fmt: skip


def _html(folder: Path, tmp_path: Path) -> str:
    write_results(folder, tmp_path / "page.html")
    return (tmp_path / "page.html").read_text(encoding="utf-8")


def test_nothing_runs_and_nothing_is_loaded(folder: Path, tmp_path: Path) -> None:
    evil = '<script>alert(1)</script>"><img src=x onerror=alert(2)>'
    (folder / "evil.md").write_text(
        f"# {evil}\n\n{evil}\n\n| {evil} |\n|---|\n| ![{evil}](https://example.org/x.svg) |\n\n"
        "[go](javascript:alert(3)) <b onclick=x>b</b> ![gone](gone.png)\n"
    )
    (folder / "<svg onload=alert(4)>.svg").write_text(SVG)
    html = _html(folder, tmp_path)
    page = Page(html)
    assert not page.all("script") + page.all("b") + page.all("svg")
    assert not any(name.startswith("on") for _, attributes in page.tags for name in attributes)
    assert all((image["src"] or "").startswith("data:image/") for image in page.all("img"))
    assert "gone: gone.png is missing." in page.text
    assert not any("javascript" in (link.get("href") or "") for link in page.all("a"))
    (policy,) = [m["content"] for m in page.all("meta") if m.get("http-equiv") == "Content-Security-Policy"]
    assert policy == "default-src 'none'; img-src data:; style-src 'unsafe-inline'"


def test_a_picture_that_is_too_large_is_named(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("emoscope.report.results.MOST_BYTES", 80)
    page = page_of(folder, tmp_path)
    assert len(page.all("img")) == 1
    assert "networks.svg is too large to show here" in page.text


def test_a_folder_without_results_is_refused(tmp_path: Path) -> None:
    for folder in (tmp_path, tmp_path / "nowhere"):
        with pytest.raises(EmoscopeError, match=r"expected a folder with tables \(\*\.md\)"):
            write_results(folder, tmp_path / "page.html")


def test_the_command_takes_a_folder_or_the_name_of_one(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder.parents[1])
    for argument in ("face", "results/face"):
        result = CliRunner().invoke(main, ["report", argument])
        assert result.exit_code == 0, result.output
        assert "7 tables and pictures in face.html" in result.stdout
        Path("face.html").unlink()
    refused = CliRunner().invoke(main, ["report", "nothing"])
    assert refused.exit_code == 2
    assert "results/nothing: expected a folder with tables" in refused.stderr


def test_the_projects_own_results_are_a_page(tmp_path: Path) -> None:
    results = Path(__file__).parents[2] / "results"
    for folder in sorted(path for path in results.iterdir() if path.is_dir()):
        page = page_of(folder, tmp_path)
        assert len(page.all("img")) == len([*folder.glob("*.svg"), *folder.glob("*.png")])
        assert "is missing" not in page.text
