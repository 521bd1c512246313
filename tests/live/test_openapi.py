"""The API is what its description says, whatever is sent."""

from pathlib import Path

import schemathesis
from hypothesis import HealthCheck, Phase, settings
from schemathesis import Case

from emoscope.live.app import Settings, create_app

app = create_app(Settings(upload_bytes=1 << 20), hosts=("testserver",))
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
    case.call_and_validate()


def test_all_routes_are_described() -> None:
    paths = schema.raw_schema["paths"]
    assert set(paths) == {"/analyze", "/health"}
    assert set(paths["/analyze"]["post"]["responses"]) >= {"200", "413", "415", "422", "503", "504"}
