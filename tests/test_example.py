"""The example clip is small and says wherever it goes that it is synthetic."""

from pathlib import Path

import av
import pytest
from make_media import steps, write_video

import emoscope
from emoscope.media import open_media

EXAMPLE = Path(__file__).parent.parent / "examples" / "synthetic.mp4"


def test_it_is_what_its_page_says() -> None:
    assert EXAMPLE.stat().st_size < 600_000
    with open_media(EXAMPLE) as media:
        assert (media.kind, media.width, media.height, media.has_sound) == ("video", 640, 480, True)
        assert media.duration == pytest.approx(9.0, abs=0.1)
        assert media.synthetic
    with av.open(str(EXAMPLE)) as container:
        names = {stream.type: stream.codec_context.name for stream in container.streams}
    assert names == {"video": "h264", "audio": "aac"}


@pytest.mark.parametrize(
    ("name", "metadata", "synthetic"),
    [
        ("a.mp4", {"title": "Synthetic: a test"}, True),
        ("a.mp4", {"comment": "synthetic"}, True),
        ("a.mkv", {"comment": "synthetic voice"}, True),
        ("a.webm", {"title": "SYNTHETIC"}, True),
        ("a.mp4", {"title": "On synthetic rubber"}, False),
        ("a.mp4", {"artist": "synthetic"}, False),
        ("a.mp4", {}, False),
    ],
)
def test_title_or_comment_mark_a_file(tmp_path: Path, name: str, metadata: dict[str, str], synthetic: bool) -> None:
    plain, path = tmp_path / f"plain{Path(name).suffix}", tmp_path / name
    write_video(plain, steps(3), codec="libvpx-vp9" if name.endswith(".webm") else "libx264")
    with av.open(str(plain)) as source, av.open(str(path), "w") as copy:
        copy.metadata.update(metadata)
        stream = copy.add_stream_from_template(source.streams.video[0])
        for packet in source.demux(video=0):
            if packet.size:
                packet.stream = stream
                copy.mux(packet)
    with open_media(path) as media:
        assert media.synthetic is synthetic


def test_the_timeline_says_so() -> None:
    assert emoscope.analyze(EXAMPLE).info["synthetic"] is True
