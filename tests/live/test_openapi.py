"""The API is what its description says, whatever is sent."""

import shutil
import subprocess
import sys
from collections.abc import AsyncGenerator, Iterator
from math import nan
from pathlib import Path

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, settings
from PIL import Image
from schemathesis import Case

from emoscope.live import jobs, uploads
from emoscope.live.app import Settings, create_app
from emoscope.live.order import INPUT, OUT, Order, Setup
from emoscope.live.parameters import Parameters
from emoscope.live.working import JobError, Progress


def finished(folder: Path) -> Path:
    """What the job makes of a picture."""
    Image.new("RGB", (64, 64)).save(folder / INPUT, "png")
    Order(name="x.png", parameters=Parameters(), setup=Setup(), report=True).write(folder)
    with subprocess.Popen([sys.executable, "-m", "emoscope.live.job", folder], stdin=subprocess.PIPE) as job:
        assert job.wait() == 0
    return folder / OUT


@pytest.fixture(autouse=True, scope="module")
def quick_jobs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """No process for each of hundreds of requests: what the job writes is always the same."""
    done = finished(tmp_path_factory.mktemp("job"))

    async def work(folder: Path, order: Order, longest_s: float) -> AsyncGenerator[Progress]:
        yield Progress(step="looking", done_s=0.0)
        if not (folder / INPUT).is_file() or (folder / INPUT).read_bytes()[:4] != b"\x89PNG":
            raise JobError("no media")
        shutil.copytree(done, folder / OUT)

    with pytest.MonkeyPatch.context() as patch:
        for module in (jobs, uploads):
            patch.setattr(module, "work", work)
        yield


app = create_app(Settings(upload_bytes=1 << 20, queue=10_000), hosts=("testserver",))
config = schemathesis.Config.from_path(Path(__file__).parents[2] / "schemathesis.toml")
schema = schemathesis.openapi.from_asgi("/openapi.json", app, config=config)


@schema.parametrize()
@settings(
    max_examples=12,
    deadline=None,
    derandomize=True,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
def test_no_answer_is_off_the_description(case: Case) -> None:
    query = case.query or {}
    if _number(query.get("start", 0)) >= _number(query.get("end")):  # which OpenAPI cannot say
        assert case.call().status_code == 422
        return
    if "input_url" in query:  # by default there is nothing that may be fetched
        assert case.call().status_code in (403, 422, 405)
        return
    case.call_and_validate()


def _number(value: object) -> float:
    try:
        return float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return nan


def test_all_routes_are_described() -> None:
    paths = schema.raw_schema["paths"]
    one = "/v1/analyses/{id}"
    assert set(paths) == {
        "/analyze", "/health", "/health/live", "/health/ready", "/metrics",
        "/v1/analyses", one, f"{one}/events", f"{one}/result", f"{one}/files/{{format}}",
    }  # fmt: skip
    assert set(paths["/analyze"]["post"]["responses"]) >= {"200", "413", "415", "422", "503", "504"}
    assert set(paths["/v1/analyses"]["post"]["responses"]) >= {"202", "413", "422", "503"}


def test_nothing_under_v1_is_free_form() -> None:
    for name, described in schema.raw_schema["components"]["schemas"].items():
        for key, value in described.get("properties", {}).items():
            free = value.get("type") == "object" and value.get("additionalProperties") in (True, None)
            assert not free and (value.keys() - {"title", "description"}), f"{name}.{key}"
