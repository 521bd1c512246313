"""The camera and the microphone of this machine, here a file and one that is made up."""

import sys
import time
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner
from places import EXAMPLE

import emoscope
from emoscope.capture import Live
from emoscope.cli import main
from emoscope.media import Frame, open_media


def test_a_camera_is_read_until_it_ends() -> None:
    with Live(str(EXAMPLE), microphone=False) as live:
        found = list(live)
    faces = [o for o in found if o.source == "face"]
    assert faces and all(a.start < b.start for a, b in pairwise(faces))
    assert faces[0].person == 1 and {o.person for o in faces} <= {1, 2}  # who comes back after a cut is new for a while


class Microphone:
    """Plays the example's sound into the callback, as fast as it is started."""

    def __init__(self, callback: Any, samplerate: int, **wanted: Any) -> None:
        assert samplerate == 16_000 and wanted["channels"] == 1
        self.callback = callback

    def start(self) -> None:
        with open_media(EXAMPLE, frames=False) as media:
            for item in media:
                if not isinstance(item, Frame):
                    self.callback(item.samples[:, None], len(item.samples), None, None)

    def close(self) -> None:
        pass


def test_a_microphone_is_heard(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sounddevice", SimpleNamespace(InputStream=Microphone, PortAudioError=OSError))
    with Live(None) as live:
        live.close()
        found = list(live)
    assert {o.source for o in found} == {"voice", "fused"} or {o.source for o in found} == {"voice"}
    assert found[0].start >= 0


def test_it_is_ended_from_elsewhere() -> None:
    with Live(str(EXAMPLE), microphone=False) as live:
        for _ in live:
            live.close()
    began = time.monotonic()
    assert list(live) == [] and time.monotonic() - began < 5


@pytest.mark.parametrize("camera", ["/dev/no-such-camera", "nowhere.mp4"])
def test_a_camera_that_is_not_there_is_said_in_one_line(camera: str) -> None:
    with pytest.raises(emoscope.EmoscopeError, match="cannot be opened"):
        Live(camera, microphone=False)
    with pytest.raises(ValueError, match="a camera, a microphone or both"):
        Live(None, microphone=False)


def test_without_the_package_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sounddevice", None)
    with pytest.raises(emoscope.EmoscopeError, match=r"emoscope\[watch\]"):
        Live(None)


def test_watch_prints_who_is_seen(tmp_path: Path) -> None:
    result = CliRunner().invoke(main, ["watch", "--camera", str(EXAMPLE), "--no-microphone"])
    assert result.exit_code == 0 and "Person 1: happiness" in result.stdout
    missing = CliRunner().invoke(main, ["watch", "--camera", str(tmp_path / "none"), "--no-microphone"])
    assert missing.exit_code == 2 and missing.stderr.count("\n") == 1


def test_frames_are_in_rgb() -> None:
    seen: list[np.ndarray] = []

    class Keeps(emoscope.Session):
        def add_frame(self, image: np.ndarray, time: float, duration: float = 0.0) -> list[emoscope.Observation]:
            seen.append(image)
            return []

    with Live(str(EXAMPLE), microphone=False, session=Keeps(voice=False)) as live:
        list(live)
    with open_media(EXAMPLE, sound=False) as media:
        first = next(item.image for item in media if isinstance(item, Frame))
    assert np.abs(seen[0].mean((0, 1)) - first.mean((0, 1))).max() < 12  # the colours, not their order
