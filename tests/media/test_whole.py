"""How long a recording is, and whether all of it is there."""

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from make_media import noise, sine, steps, write_sound, write_video
from PIL import Image
from test_read import read

from emoscope.media.whole import stated_bytes

CUT = {
    "a.mp4": {"options": {"g": "5"}},
    "a.mov": {},
    "a.mkv": {"options": {"g": "5"}},
    "a.webm": {"codec": "libvpx", "sound_codec": "libopus", "sound_rate": 48_000},
    "a.avi": {"codec": "mjpeg", "pixels": "yuvj420p", "sound_codec": "pcm_s16le", "time_base": Fraction(1, 25)},
    "a.flv": {},
    "a.wmv": {"codec": "wmv2", "sound_codec": "libmp3lame"},
}


def end(frames: list, parts: list) -> float:
    return max([f.time + f.duration for f in frames] + [p.time + p.seconds for p in parts])


@pytest.mark.parametrize("name", CUT)
def test_a_video_that_was_cut_off_is_told_from_a_whole_one(tmp_path: Path, name: str) -> None:
    made = CUT[name]
    rate = made.get("sound_rate", 44_100)
    path = write_video(tmp_path / name, steps(100), noise, sound=sine(4.0, rate=rate), **made)
    if path.suffix in (".mp4", ".mov"):  # the index first, as for the web
        moved = tmp_path / f"moved{path.suffix}"
        with av.open(str(path)) as source, av.open(str(moved), "w", options={"movflags": "faststart"}) as target:
            streams = {s.index: target.add_stream_from_template(s) for s in source.streams}
            for packet in source.demux():
                if packet.dts is not None:
                    packet.stream = streams[packet.stream_index]
                    target.mux(packet)
        path = moved
    data = path.read_bytes()
    assert stated_bytes(path) == len(data)
    media, frames, parts = read(path)
    assert len(frames) == 100
    assert not media.missing(end(frames, parts))
    path.write_bytes(data[: len(data) // 2])
    media, frames, parts = read(path)
    assert 30 <= len(frames) <= 70
    assert media.missing(end(frames, parts))


@pytest.mark.parametrize(
    ("name", "codec"), [("a.wav", "pcm_s16le"), ("a.aiff", "pcm_s16be"), ("a.flac", "flac"), ("a.mp3", "libmp3lame")]
)
def test_a_sound_that_was_cut_off_is_told_from_a_whole_one(tmp_path: Path, name: str, codec: str) -> None:
    sound = np.random.default_rng(0).normal(0, 0.1, (1, 4 * 44_100)).astype(np.float32)
    path = write_sound(tmp_path / name, sound, codec=codec)
    media, _, parts = read(path)
    assert end([], parts) == pytest.approx(4, abs=0.03)
    assert not media.missing(end([], parts))
    data = path.read_bytes()
    path.write_bytes(data[: len(data) // 2])
    media, _, parts = read(path)
    assert media.missing(end([], parts))


def test_a_length_that_a_bit_rate_suggests_is_not_believed(tmp_path: Path) -> None:
    sound = np.concatenate([np.zeros((1, 44_100), np.float32), sine(6.0)], 1)
    path = write_sound(tmp_path / "a.aac", sound, codec="aac")
    media, _, parts = read(path)
    assert media.duration and media.duration > 8
    assert end([], parts) == pytest.approx(7, abs=0.05)
    assert not media.missing(end([], parts))


@pytest.mark.parametrize("name", ["a.mkv", "a.mp4"])
def test_a_track_that_is_not_read_makes_nothing_longer(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    with av.open(str(path), "w") as container:
        video = container.add_stream("libx264", rate=25)
        video.width, video.height = 64, 48
        words = container.add_mux_stream("subrip" if name == "a.mkv" else "mov_text")
        words.time_base = Fraction(1, 1000)
        for i in range(50):
            frame = av.VideoFrame.from_ndarray(noise(i), format="rgb24")
            container.mux(video.encode(frame))
        container.mux(video.encode(None))
        packet = av.Packet(b"\x00\x05words" if name == "a.mp4" else b"words")
        packet.stream, packet.pts, packet.dts, packet.duration = words, 58_000, 58_000, 1000
        packet.time_base = words.time_base
        container.mux(packet)
    media, frames, parts = read(path)
    assert end(frames, parts) == pytest.approx(2, abs=0.01)
    assert not media.missing(2.0)


@pytest.mark.parametrize("name", ["a.mp4", "a.mov", "a.mkv"])
def test_a_last_frame_is_shown_as_long_as_the_file_says(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    with av.open(str(path), "w") as container:
        video = container.add_stream("mjpeg", rate=10)
        video.width, video.height, video.pix_fmt = 64, 48, "yuvj420p"
        packets = []
        for i in range(4):
            packets += video.encode(av.VideoFrame.from_ndarray(noise(i), format="rgb24"))
        packets += video.encode(None)
        packets[-1].duration = round(20 / packets[-1].time_base)
        container.mux(packets)
    media, frames, parts = read(path)
    assert [f.duration for f in frames] == pytest.approx([0.1, 0.1, 0.1, 20])
    assert not media.missing(end(frames, parts))


def test_a_last_frame_of_a_gif_is_shown_as_long_as_the_file_says(tmp_path: Path) -> None:
    images = [Image.fromarray(noise(i)) for i in range(3)]
    images[0].save(tmp_path / "a.gif", save_all=True, append_images=images[1:], duration=[100, 300, 4000])
    _, frames, _ = read(tmp_path / "a.gif")
    assert [f.duration for f in frames] == pytest.approx([0.1, 0.3, 4])
