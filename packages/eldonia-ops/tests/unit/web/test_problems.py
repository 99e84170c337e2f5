"""One map from exceptions to problems, and each dialect's words for them."""

import operator
from typing import Any

import httpx
import pytest
from fake_platform import FakePlatform
from starlette.applications import Starlette
from web_client import Client

from eldonia_ops.access import AccessError
from eldonia_ops.model.access import Role
from eldonia_ops.model.errors import StoreError, UnreadableError
from eldonia_ops.ports import ConflictError, TelemetryError, TelemetryLimitError, TelemetryUnavailableError
from eldonia_ops.protocols.packed_body import BadEncodingError, TooLargeError
from eldonia_ops.services.api import NotFoundError, OverloadedError, PreconditionError, QueryError, RefusedError
from eldonia_ops.web.bad_request import BadRequestError
from eldonia_ops.web.heavy import BusyError
from eldonia_ops.web.preconditions import PreconditionRequiredError
from eldonia_ops.web.problems import INTERNAL, problem_of


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (NotFoundError("no such thing"), 404, "not_found"),
        (RefusedError("it is resolved"), 409, "refused"),
        (QueryError("no", 3), 400, "bad_data"),
        (QueryError("slow", kind="timeout"), 422, "timeout"),
        (ConflictError(), 409, "conflict"),
        (PreconditionError("saved since"), 412, "precondition_failed"),
        (PreconditionRequiredError("which"), 428, "precondition_required"),
        (TelemetryLimitError("SELECT secret"), 422, "limit"),
        (TelemetryUnavailableError("http://user:pass@host"), 503, "unavailable"),
        (BusyError(), 503, "busy"),
        (OverloadedError("50,000 alerts wait to be taken in"), 503, "overloaded"),
        (TooLargeError(10), 413, "too_large"),
        (BadEncodingError("cut short"), 400, "bad_request"),
        (BadRequestError("bad"), 400, "bad_request"),
        (AccessError("name"), 400, "bad_request"),
        (ValueError("sesame"), 500, "internal"),
        (TelemetryError("sesame"), 500, "internal"),
        (StoreError("disk full at /secret/pass"), 503, "unavailable"),
        (UnreadableError("sesame"), 500, "internal"),
    ],
)
def test_each_exception_has_one_status_and_code(error: Exception, status: int, code: str) -> None:
    problem = problem_of(error)
    assert (problem.status, problem.code) == (status, code)
    assert not any(secret in problem.sentence for secret in ("SELECT", "pass", "sesame"))
    assert (problem is INTERNAL) == (status == 500)


@pytest.mark.parametrize(
    ("path", "owner", "method", "expected"),
    [
        ("/api/ops/v1/traces/services", "telemetry.traces", "trace_services", ("error", "code", "unavailable")),
        ("/api/v1/series?match[]=up", "telemetry.metrics", "series", ("errorType", "unavailable")),
        ("/api/services", "telemetry.traces", "trace_services", ("errors", 0, "code", 503)),
    ],
)
async def test_a_store_that_is_away_is_a_503_with_a_time_in_every_dialect(
    client: Client,
    platform: FakePlatform,
    monkeypatch: pytest.MonkeyPatch,
    path: str,
    owner: str,
    method: str,
    expected: tuple[Any, ...],
) -> None:
    async def fail(*_: Any, **__: Any) -> None:
        raise TelemetryUnavailableError("http://user:pass@host")

    monkeypatch.setattr(operator.attrgetter(owner)(platform), method, fail)
    async with client(Role.VIEWER) as http:
        answer = await http.get(path)
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "2")
    found = answer.json()
    for step in expected[:-1]:
        found = found[step]
    assert found == expected[-1]


async def test_dialects_keep_the_statuses_of_the_real_thing(
    client: Client, platform: FakePlatform, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def slow(*_: Any, **__: Any) -> None:
        raise QueryError("it took too long", kind="timeout")

    async def refuse(*_: Any, **__: Any) -> None:
        raise RefusedError("it has ended already")

    monkeypatch.setattr(platform.queries, "instant", slow)
    monkeypatch.setattr(platform.alerts, "expire_silence", refuse)
    async with client(Role.ADMIN) as http:
        prometheus = await http.get("/api/v1/query?query=up")
        native = await http.get("/api/ops/v1/query?query=up")
        alertmanager = await http.delete("/api/v2/silence/one")
    assert (prometheus.status_code, prometheus.json()["errorType"]) == (503, "timeout")
    assert (native.status_code, native.json()["error"]["code"]) == (422, "timeout")
    assert (alertmanager.status_code, alertmanager.json()) == (400, "it has ended already")


@pytest.mark.parametrize("path", ["/api/v2/alerts", "/api/v2/silences"])
async def test_what_could_not_be_stored_is_to_be_sent_again(
    app: Starlette, platform: FakePlatform, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    async def fail(*_: Any, **__: Any) -> None:
        raise StoreError("database or disk is full at /secret")

    for name in ("receive", "set_silence"):
        monkeypatch.setattr(platform.alerts, name, fail)
    headers = {"Authorization": f"Bearer {platform.secrets[Role.ADMIN]}"}
    silence = {"matchers": [{"name": "a", "value": "b", "isRegex": False}], "startsAt": "2026-01-01T00:00:00Z",
               "endsAt": "2099-01-01T00:00:00Z", "createdBy": "hana", "comment": "x"}  # fmt: skip
    body = [{"labels": {"alertname": "Down"}}] if path.endswith("alerts") else silence
    transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost:9600", headers=headers) as http:
        answer = await http.post(path, json=body)
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "2")
    assert "secret" not in answer.text
