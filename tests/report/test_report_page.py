"""The page: complete, self-contained, and safe against what files are called."""

import base64
import hashlib
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import cv2
import numpy as np
import pytest
from report_samples import card, conversation, observe

from emoscope.report.page import KeyFrame, facts, render, write_page
from emoscope.timeline import Observation, Timeline

PARTS = [{"file": f"{name}.jpg", "start_s": float(i), "end_s": i + 1.0} for i, name in enumerate("abc")]


class Page(HTMLParser):
    """The tags with their attributes, and the text, of a page; checks that every tag is closed."""

    VOID = ("meta", "img", "br", "link", "input", "hr")

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.words: list[str] = []
        self.feed(html)
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] not in ("style", "script"):
            self.words.append(data)

    @property
    def text(self) -> str:
        return re.sub(r"\s+", " ", " ".join(self.words))

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.tags if name == tag]


def picture(height: int = 90, width: int = 160) -> np.ndarray:
    return np.full((height, width, 3), (250, 120, 10), np.uint8)


def full_page(**info: object) -> str:
    frames = [KeyFrame(1.5, picture(), "person 2, anger")]
    return render(conversation(**info), frames, [card()])


def test_nothing_is_loaded_from_elsewhere() -> None:
    html = render(conversation(), [KeyFrame(1.5, picture(), "person 2, anger")], [card()], "annotated.mp4")
    for tag, attributes in Page(html).tags:
        if tag == "video":
            assert attributes["src"] == "annotated.mp4"
            continue
        for name in ("src", "href", "srcset", "action", "data", "poster"):
            assert (attributes.get(name) or "#").startswith(("#", "data:image/jpeg;base64,"))
    assert [script.get("src") for script in Page(html).all("script")] == [None, None]
    assert "<link" not in html
    assert "@import" not in html
    assert not re.search(r"url\((?!#)", html)
    # the only addresses are the names of the SVG name spaces
    assert set(re.findall(r"https?://[^\s\"<]+", html)) <= {
        "http://www.w3.org/2000/svg",
        "http://www.w3.org/1999/xlink",
    }


def test_the_page_forbids_the_browser_to_load_anything() -> None:
    policy = [
        m["content"] or "" for m in Page(full_page()).all("meta") if m.get("http-equiv") == "Content-Security-Policy"
    ]
    assert "default-src 'none'" in policy[0]


def test_the_browser_runs_the_page_s_own_script_and_no_other() -> None:
    html = full_page()
    code = html.rsplit("<script>", 1)[1].split("</script>")[0]
    name = base64.b64encode(hashlib.sha256(code.encode()).digest()).decode()
    assert f"script-src 'sha256-{name}'" in html


def test_hostile_names_stay_text(tmp_path: Path) -> None:
    evil = '<script>alert(1)</script>"><img src=x onerror=alert(2)>.mp4'
    timeline = conversation(input=evil, notes=[evil], version=evil, models={evil: evil})
    path = tmp_path / "report.html"
    write_page(path, timeline, [KeyFrame(0, picture(), evil)], [card(name=evil, description=evil, limits=(evil,))])
    page = Page(path.read_text(encoding="utf-8"))
    assert [script.get("type") for script in page.all("script")] == ["application/json", None]
    assert not any("onerror" in attributes for _, attributes in page.tags)
    assert [image["alt"] for image in page.all("img")] == [evil]


def test_a_name_that_is_not_unicode_can_be_written(tmp_path: Path) -> None:
    write_page(tmp_path / "report.html", Timeline.of([], {"input": "caf\udce9.mp4"}))
    assert "caf?.mp4" in (tmp_path / "report.html").read_text(encoding="utf-8")


def test_title_is_the_name_of_the_file_without_its_folder() -> None:
    page = full_page(input="/home/somebody/private/talk.mp4")
    assert "<title>talk.mp4 · emoscope</title>" in page
    assert "somebody" not in page


def test_summary_says_it_in_words() -> None:
    text = Page(full_page()).text
    # 3 of 4 s at 0.8, 1 s at 0.6 sad; the rest neutral
    assert "Person 1 happiness 60 %, neutral 25 %, sadness 15 % seen for 4.0 s, scored from the face" in text
    assert "Scene disgust 55 %, neutral 45 % heard for 2.0 s, scored from the voice" in text


def test_totals_table_has_headers_and_every_row() -> None:
    page = Page(full_page())
    headers = [attributes.get("scope") for attributes in page.all("th")]
    assert None not in headers
    assert re.search(r"Person 2 voice 3\.0 s fear 10 % 0 % 0 % 0 % 0 % 0 % 90 % 0 %", page.text)


def test_the_notice_is_on_every_page() -> None:
    picture_page = render(Timeline.of([observe(0, 0)], {"kind": "picture"}))
    for html in (full_page(), render(Timeline.empty()), picture_page):
        text = Page(html).text
        assert "guess about expression, not what a person feels" in text
        assert "Article 5(1)(f)" in text
        assert "Article 50(3)" in text


def test_synthetic_input_is_marked_and_only_then() -> None:
    assert "Synthetic input." in full_page(synthetic=True)
    assert "Synthetic input." not in full_page(synthetic=False)


def test_facts_notes_and_models_are_there() -> None:
    text = Page(full_page(notes=["no sound"], frames=1800, width=640, height=360, elapsed_s=3.21)).text
    for words in ("no sound", "1,800", "640 by 360 pixels", "3.2 s", "face-test", "FER+ majority", "3,153"):
        assert words in text
    assert "84.9 % (83.6 to 86.1 %)" in text
    assert "Faces turned away." in text
    assert "Hiring." in text


def test_what_is_not_known_is_left_out() -> None:
    assert facts({}) == []
    assert facts({"has_sound": False, "frames_skipped": 0, "width": None}) == [
        ("Frames skipped", "0"),
        ("Sound", "none"),
    ]


def test_an_empty_timeline_gets_a_friendly_page() -> None:
    page = Page(render(Timeline.of([], {"input": "room.mp4", "kind": "video", "duration_s": 3.0})))
    assert "No face and no voice was found" in page.text
    assert page.all("svg") == []
    assert page.all("table") == []


@pytest.mark.parametrize(("kind", "words"), [("picture", "No face was"), ("sound", "No voice was")])
def test_an_empty_page_speaks_of_what_was_looked_for(kind: str, words: str) -> None:
    assert words in Page(render(Timeline.of([], {"kind": kind}))).text


def test_key_frames_are_jpeg_of_bounded_size() -> None:
    html = render(conversation(), [KeyFrame(65, picture(1000, 2000), "big"), KeyFrame(130, picture(), "small")])
    page = Page(html)
    images = [
        cv2.imdecode(np.frombuffer(base64.b64decode((i["src"] or "").split(",")[1]), np.uint8), cv2.IMREAD_COLOR_RGB)
        for i in page.all("img")
    ]
    assert [image.shape for image in images] == [(320, 640, 3), (90, 160, 3)]
    assert np.abs(images[0][0, 0].astype(int) - (250, 120, 10)).max() < 12
    assert [i["alt"] for i in page.all("img")] == ["big", "small"]
    assert "65.0 s big" in page.text
    assert "2:10 small" in page.text


def test_a_key_frame_must_be_rgb() -> None:
    with pytest.raises(ValueError, match=r"uint8 \(height, width, 3\), got float64 \(4, 4\)"):
        render(conversation(), [KeyFrame(0, np.zeros((4, 4)), "grey")])


def test_a_picture_has_bars_instead_of_bands() -> None:
    timeline = Timeline.of(
        [observe(0, 0, person=1, happiness=0.62), observe(0, 0, person=2, fear=0.9)],
        {"input": "us.jpg", "kind": "picture"},
    )
    page = Page(render(timeline, [KeyFrame(0, picture(), "two people")]))
    assert page.all("svg") == []
    assert "Person 1: happiness 62 %" in page.text
    assert "Person 2: fear 90 %" in page.text
    assert any(i.get("style") == "width:62.0%" and i.get("class") == "label-1" for i in page.all("i"))
    assert len(page.all("img")) == 1


def test_a_folder_of_pictures_lists_each_with_its_faces() -> None:
    timeline = Timeline.of(
        [observe(0, 1, person=1, fear=0.9), observe(2, 3, person=2, anger=0.8)], {"kind": "folder", "parts": PARTS}
    )
    page = Page(render(timeline, [KeyFrame(2.0, picture(), "third")]))
    assert re.search(r"a\.jpg Person 1: fear 90 % .* b\.jpg No face found\. c\.jpg Person 2: anger 80 %", page.text)
    assert "2 faces found in 3 pictures" in page.text
    articles = [name for name, _ in page.tags if name in ("article", "img")]
    assert articles == ["article", "article", "article", "img"]


def test_a_large_folder_stays_small() -> None:
    parts = [{"file": f"{i}.jpg", "start_s": float(i), "end_s": i + 1.0} for i in range(1000)]
    timeline = Timeline.of([observe(i, i + 1.0, person=i + 1) for i in range(1000)], {"kind": "folder", "parts": parts})
    page = Page(render(timeline))
    assert len(page.all("article")) == 100
    assert "900 more pictures" in page.text
    assert "1000 faces found in 1000 pictures" in page.text


def test_a_page_about_a_picture_does_not_wait_for_matplotlib() -> None:
    code = (
        "import sys; from emoscope.report.page import render; from emoscope.timeline import *;"
        "render(Timeline.of([Observation(0, 0, 'face', 1, None, (1, 0, 0, 0, 0, 0, 0, 0))]));"
        "print('matplotlib' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout.strip() == "False"


def test_a_crowd_is_cut_with_a_word_about_it() -> None:
    crowd = Timeline.of([observe(0, p, person=p) for p in range(1, 31)])
    assert "10 more persons, seen for a shorter time, are in timeline.csv." in Page(render(crowd)).text


def test_a_face_in_a_picture_is_counted_once() -> None:
    scores = (0.1, 0.9, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0)
    seen = [Observation(t, t + 1, source, t + 1, (0, 0, 9, 9), scores) for t in (0, 1) for source in ("face", "fused")]
    parts = [{"file": f"{t}.png", "start_s": t, "end_s": t + 1} for t in (0, 1)]
    page = render(Timeline.of(seen, {"kind": "folder", "parts": parts}))
    assert "2 faces found in 2 pictures" in page
    assert page.count("Person 1: happiness") == 1


def test_labels_of_ones_own_are_shown_with_colours_of_their_own() -> None:
    labels = ("calm & <b>", "bored", "delighted")
    rows = [Observation(i, i + 1.0, "voice", None, None, (0.2, 0.1, 0.7), labels) for i in range(3)]
    html = render(Timeline.of(rows, {"kind": "sound"}))
    page = Page(html)
    assert "delighted 70" in page.text
    assert "calm & <b>" in page.text
    assert len(set(re.findall(r"--emotion: (#\w+)", html))) == 3


def test_files_of_a_folder_are_counted_by_kind() -> None:
    parts = [{"file": str(i), "kind": kind} for i, kind in enumerate(["sound", "picture", "sound"])]
    assert ("Files", "2 sounds, 1 picture") in facts({"parts": parts})


def test_the_page_says_where_baselines_are_from_and_what_is_uncertain() -> None:
    row = {"person": 1, "source": "face", "how": "the recording", "seconds": 12.0, "known": 0.8,
           "resting": {"sadness": 0.45}, "changed": 0.3}  # fmt: skip
    timeline = Timeline.of([observe(0, 1, fear=0.3, anger=0.3, sadness=0.2)], {"kind": "video", "baselines": [row]})
    text = Page(render(timeline)).text
    assert "face: read against the recording, 12.0 s, known to" in text
    assert "%; at rest, the model alone calls it sadness 45 %" in text
    assert "uncertain:" in text
