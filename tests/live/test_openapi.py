"""The API is what its description says, whatever is sent."""

from math import nan
from pathlib import Path

import schemathesis
from hypothesis import HealthCheck, Phase, settings
from schemathesis import Case

from emoscope.live.app import Settings, create_app

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
