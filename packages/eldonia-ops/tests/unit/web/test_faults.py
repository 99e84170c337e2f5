"""A fault of our own is no fault of the caller: 500, in the words of the family, and nothing of what went wrong."""

from operator import attrgetter
from typing import Any

import httpx
import pytest
from fake_platform import FakePlatform
from starlette.applications import Starlette
from web_client import Client

from eldonia_ops.model.access import Role
from eldonia_ops.ports import TelemetryLimitError

ROUTES = [
    ("/api/ops/v1/traces/services", "telemetry.traces", "trace_services"),
    ("/api/ops/v1/incidents/INC-1/runbook", "incidents", "runbook"),
    ("/api/v1/query?query=up", "queries", "instant"),
    ("/api/v2/alerts", "alerts", "current"),
    ("/api/services", "telemetry.traces", "trace_services"),
]


@pytest.fixture
def broken(platform: FakePlatform, monkeypatch: pytest.MonkeyPatch) -> None:
    async def fail(*_: Any, **__: Any) -> None:
        int("sesame")

    for _, service, method in ROUTES:
        monkeypatch.setattr(attrgetter(service)(platform), method, fail)


@pytest.mark.usefixtures("broken")
@pytest.mark.parametrize("path", [path for path, _, _ in ROUTES])
async def test_a_value_error_inside_is_a_fault_of_ours(client: Client, path: str) -> None:
    async with client(Role.ADMIN) as http:
        answer = await http.get(path)
    assert answer.status_code == 500
    assert "the platform failed" in answer.text
    assert "sesame" not in answer.text


@pytest.mark.usefixtures("broken")
@pytest.mark.parametrize("path", [path for path, _, _ in ROUTES])
async def test_it_reaches_the_server_which_logs_it(app: Starlette, platform: FakePlatform, path: str) -> None:
    headers = {"Authorization": f"Bearer {platform.secrets[Role.ADMIN]}"}
    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost:9600", headers=headers) as http:
        with pytest.raises(ValueError, match="sesame"):
            await http.get(path)


@pytest.mark.parametrize(
    ("path", "method"),
    [
        ("/api/ops/v1/logs", "logs.search_logs"),
        ("/api/v1/series?match[]=up", "metrics.series"),
        ("/api/traces?service=shop", "traces.find_traces"),
    ],
)
async def test_a_question_that_takes_too_much_is_the_askers_to_narrow(
    client: Client, platform: FakePlatform, monkeypatch: pytest.MonkeyPatch, path: str, method: str
) -> None:
    async def fail(*_: Any, **__: Any) -> None:
        raise TelemetryLimitError("Code: 159. In: SELECT secret")

    store, _, name = method.partition(".")
    monkeypatch.setattr(getattr(platform.telemetry, store), name, fail)
    async with client(Role.VIEWER) as http:
        answer = await http.get(path)
    assert answer.status_code == 422
    assert "more time, rows or memory" in answer.text
    assert "SELECT" not in answer.text
