"""A client that is generated from the description of the API works."""

import importlib
import io
import json
import subprocess
import sys
import time
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from emoscope.live.app import create_app

from .conftest import Server

NAME = "generated_emoscope"


@pytest.fixture(scope="module")
def generated(tmp_path_factory: pytest.TempPathFactory) -> ModuleType:
    """The package that openapi-python-client makes."""
    folder = tmp_path_factory.mktemp("generated")
    (folder / "openapi.json").write_text(json.dumps(create_app().openapi()))
    generator = [sys.executable, "-m", "openapi_python_client", "generate", "--meta", "none"]
    made = subprocess.run(
        [*generator, "--path", folder / "openapi.json", "--output-path", folder / NAME], capture_output=True, text=True
    )
    assert made.returncode == 0 and "warning" not in made.stdout.lower(), made.stdout + made.stderr
    sys.path.insert(0, str(folder))
    try:
        return importlib.import_module(NAME)
    finally:
        sys.path.remove(str(folder))


def part(name: str) -> Any:
    return importlib.import_module(f"{NAME}.{name}")


def test_it_takes_a_recording_through_to_its_result(generated: ModuleType, server: Server, short: Path) -> None:
    client = generated.Client(base_url=server.address.rstrip("/"))
    models = part("models")
    names = ("create_analysis", "get_analysis", "get_result", "get_file", "delete_analysis")
    api = {name: part(f"api.analyses.{name}") for name in names}
    file = part("types").File(payload=io.BytesIO(short.read_bytes()), file_name="clip.mp4")
    body = models.CreateAnalysisFilesBody(file=[file])
    state = api["create_analysis"].sync(
        client=client,
        body=body,
        baseline=models.CreateAnalysisBaseline.NONE,
        sources=[models.CreateAnalysisSourcesItem.FACE],
        every=0.1,
    )
    assert isinstance(state, models.AnalysisState) and state.name == "clip.mp4"
    while state.state not in ("done", "failed"):
        time.sleep(0.2)
        state = api["get_analysis"].sync(client=client, id=state.id)
    result = api["get_result"].sync(client=client, id=state.id)
    assert isinstance(result, models.Analysis)
    assert result.summary.persons == 1 and result.summary.baselines == []
    assert result.observations[0].emotion in result.summary.emotions
    table = api["get_file"].sync_detailed(client=client, id=state.id, format_=models.GetFileFormat.CSV)
    assert table.content.startswith(b"start_s,end_s")
    assert api["delete_analysis"].sync_detailed(client=client, id=state.id).status_code == 204
    gone = api["get_analysis"].sync(client=client, id=state.id)
    assert isinstance(gone, models.Problem) and "no such analysis" in gone.detail
