"""Recordings that were joined, restarted or begin below zero: what follows goes on where the part before ended."""

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from make_media import grey, sine, steps, write_sound, write_video
from test_read import joined, levels, read

PARTS = {
    "a.ts": {},
    "b.ts": {"codec": "mpeg2video", "sound_codec": "mp2", "time_base": Fraction(1, 25)},
    "a.mpg": {"codec": "mpeg2video", "sound_codec": "mp2", "time_base": Fraction(1, 25)},
    "a.vob": {"codec": "mpeg2video", "sound_codec": "mp2", "time_base": Fraction(1, 25)},
    "a.flv": {},
    "a.mkv": {},
    "a.webm": {"codec": "libvpx", "sound_codec": "libopus", "sound_rate": 48_000},
}


@pytest.mark.parametrize("name", PARTS)
def test_joined_videos_follow_each_other(tmp_path: Path, name: str) -> None:
    made = PARTS[name]
    rate = made.get("sound_rate", 44_100)
    first = write_video(tmp_path / f"1{name}", steps(15), sound=sine(0.6, 440, rate), **made)
    second = write_video(tmp_path / f"2{name}", steps(15), lambda i: grey(i + 15), sound=sine(0.6, 880, rate), **made)
    path = tmp_path / name
    path.write_bytes(first.read_bytes() + second.read_bytes())
    media, frames, parts = read(path)
    print(media.restarts, media.misplaced, media.undecoded, [round(f.time, 3) for f in frames])
    print([(round(p.time, 3), len(p.samples)) for p in parts])
    assert levels(frames) == list(range(30))
    gaps = np.diff([f.time for f in frames])
    assert np.delete(gaps, 14) == pytest.approx(0.04, abs=0.002)
    assert 0.03 < gaps[14] < 0.2
    assert len(media.restarts) == 1
    assert not media.undecoded
    whole = joined(parts)
    assert len(whole) / 16_000 == pytest.approx(1.25, abs=0.1)


@pytest.mark.parametrize(
    ("name", "codec", "rate"),
    [("a.opus", "libopus", 48_000), ("a.oga", "flac", 44_100), ("a.flac", "flac", 44_100),
     ("a.mp3", "libmp3lame", 44_100), ("a.aac", "aac", 44_100)],
)  # fmt: skip
def test_joined_sounds_follow_each_other(tmp_path: Path, name: str, codec: str, rate: int) -> None:
    first = write_sound(tmp_path / f"1{name}", sine(3.0, 440, rate), rate, codec)
    second = write_sound(tmp_path / f"2{name}", sine(3.0, 880, rate), rate, codec)
    path = tmp_path / name
    path.write_bytes(first.read_bytes() + second.read_bytes())
    media, _, parts = read(path)
    print(media.restarts, media.misplaced, media.undecoded, media.duration)
    whole = joined(parts)
    assert len(whole) / 16_000 == pytest.approx(6, abs=0.12)
    assert sum(len(part.samples) for part in parts) == pytest.approx(len(whole), abs=800)
    for at, tone in ((1.5, 440), (4.5, 880)):
        part = whole[round(at * 16_000) :][:8000]
        assert np.argmax(np.abs(np.fft.rfft(part))) * 2 == pytest.approx(tone, abs=4)
