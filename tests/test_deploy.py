"""The server from its wheel and its locked packages, in a bare environment and without a network."""

import json
import os
import re
import subprocess
import sys
import tomllib
import urllib.request
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
DEPLOY = ROOT / "deploy"
LOCKED_FOR = (3, 12)


def test_every_package_is_locked_with_its_hash() -> None:
    lock = (DEPLOY / "requirements.lock").read_text()
    pinned = set(re.findall(r"^([a-z0-9.-]+)==\S+ \\\n    --hash=sha256:", lock, re.MULTILINE))
    assert len(pinned) == lock.count("==")
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    needed = project["dependencies"] + project["optional-dependencies"]["live"]
    assert {re.split(r"[\[<>=! ]", name)[0] for name in needed} <= pinned


def test_the_image_is_made_by_these_steps() -> None:
    text = (DEPLOY / "Dockerfile").read_text()
    assert "install.sh" in text and "USER 10001" in text and "HEALTHCHECK" in text
    for name in re.findall(r"EMOSCOPE_LIVE_(\w+)=", text):  # each is an option of `emoscope live`
        from emoscope.cli import main

        assert name.lower() in {parameter.name for parameter in main.commands["live"].params}


@pytest.mark.skipif(
    "EMOSCOPE_TEST_DEPLOY" not in os.environ, reason="EMOSCOPE_TEST_DEPLOY is not set: fetches packages"
)
@pytest.mark.skipif(sys.version_info[:2] != LOCKED_FOR, reason="the lock is for Python 3.12")
def test_it_runs_in_a_bare_environment(tmp_path: Path) -> None:
    env = {"PATH": os.environ["PATH"], "PYTHON": sys.executable, "HOME": str(tmp_path)}
    subprocess.run(["sh", DEPLOY / "wheels.sh"], check=True, env=env)
    lock = DEPLOY / "requirements.lock"
    subprocess.run(["sh", DEPLOY / "install.sh", tmp_path / "env", ROOT / "dist/wheels", lock], check=True, env=env)
    command = [tmp_path / "env/bin/emoscope", "live", "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=env, cwd=tmp_path) as server:
        assert server.stdout
        address = server.stdout.readline().split()[2]
        with urllib.request.urlopen(f"{address}health/ready") as answer:
            assert json.load(answer) == {"status": "ok"}
        server.terminate()
