"""What a release promises: one version, and what others made that goes with it."""

import ctypes
import subprocess
import sys
import tomllib
from importlib.metadata import distribution
from pathlib import Path

import av
import pytest

import emoscope

ROOT = Path(__file__).parent.parent
NOTICE = (ROOT / "NOTICE").read_text(encoding="utf-8")


def test_the_version_stands_in_one_place() -> None:
    version = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
    assert emoscope.__version__ == version
    run = subprocess.run([sys.executable, "-m", "emoscope", "--version"], capture_output=True, text=True, check=True)
    assert run.stdout.split()[-1] == version
    assert f"\nversion: {version}\n" in (ROOT / "CITATION.cff").read_text(encoding="utf-8")


def test_notice_names_all_weights() -> None:
    listed = " ".join(NOTICE.split())
    for path in ROOT.glob("src/**/*.onnx"):
        assert path.name in listed or (path.name.startswith("face-") and "weights/face-*.onnx" in listed), path


def test_notice_names_the_licence_of_the_ffmpeg_that_av_brings() -> None:
    """A wheel's libraries say under which licence they were configured, and with what."""
    dist = distribution("av")
    found = [Path(str(dist.locate_file(f))) for f in dist.files or () if f.name.startswith("libavcodec")]
    if not found or av.__version__.split(".")[0] != "18":
        pytest.skip("av comes from elsewhere than a Linux wheel of version 18")
    library = ctypes.CDLL(str(found[0]))
    library.avcodec_license.restype = library.avcodec_configuration.restype = ctypes.c_char_p
    assert f'"{library.avcodec_license().decode()}"' in " ".join(NOTICE.split())
    for coder in ("libx264", "libx265"):
        assert f"--enable-{coder}" in library.avcodec_configuration().decode()
        assert coder in NOTICE
