"""A server in this process, and one in a process of its own."""

import io
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from places import EXAMPLE
from starlette.testclient import TestClient

from emoscope.live.app import Settings, create_app
from emoscope.media import Frame, open_media
from emoscope.media.write import VideoWriter

HERE = "http://127.0.0.1"
LIVE = "ws://127.0.0.1/live"


def jpeg(image: np.ndarray) -> bytes:
    """A picture as JPEG."""
    file = io.BytesIO()
    Image.fromarray(image).save(file, "JPEG", quality=95)
    return file.getvalue()


@pytest.fixture
def client() -> Iterator[TestClient]:
    """The application as it is served, with small limits."""
    settings = Settings(sessions=2, analyses=1, upload_bytes=4 << 20, analysis_s=120)
    with TestClient(create_app(settings), base_url=HERE) as client:
        yield client


@dataclass
class Server:
    """`emoscope live` in a process of its own."""

    process: subprocess.Popen[str]
    address: str

    @property
    def socket(self) -> str:
        return self.address.replace("http", "ws") + "live"

    @property
    def port(self) -> int:
        return int(self.address.rstrip("/").rpartition(":")[2])


@contextmanager
def serving(*options: str, port: int = 0) -> Iterator[Server]:
    """Start `emoscope live`; killed at the end."""
    command = [sys.executable, "-m", "emoscope", "live", "--port", str(port), *options]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout
        line = process.stdout.readline()
        yield Server(process, line.split()[2])
    finally:
        process.kill()
        process.wait()


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    with serving() as server:
        yield server


@pytest.fixture(scope="session")
def short(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The first two seconds of the example's picture, without sound."""
    path = tmp_path_factory.mktemp("media") / "short.mp4"
    with open_media(EXAMPLE) as media, VideoWriter(path, media.width or 0, media.height or 0) as writer:
        for item in media:
            if isinstance(item, Frame) and item.time < 2:
                writer.write(item.image, item.time)
    return path
