"""The client of `docs/live-protocol.md`."""

import subprocess
import sys
from pathlib import Path

from places import EXAMPLE

from .conftest import Server


def test_the_example_client_prints_what_the_server_sees(server: Server, short: Path) -> None:
    client = EXAMPLE.parent / "live_client.py"
    run = subprocess.run([sys.executable, client, short, server.socket], capture_output=True, text=True, timeout=60)
    assert run.returncode == 0, run.stderr
    faces = [line for line in run.stdout.splitlines() if "face   person 1: happiness" in line]
    assert len(faces) > 2  # a busy machine passes over frames
