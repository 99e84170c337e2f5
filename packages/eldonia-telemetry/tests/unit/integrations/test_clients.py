import httpx
import pytest
import sqlalchemy as sa

from eldonia_telemetry import performance, traces
from eldonia_telemetry.integrations.httpx import AsyncTelemetryTransport, TelemetryTransport
from eldonia_telemetry.integrations.sqlalchemy import instrument
from eldonia_telemetry.testing import capture


def answer(request: httpx.Request) -> httpx.Response:
    return httpx.Response(200 if request.url.path == "/ok" else 503, json=dict(request.headers))


def test_httpx_propagates_and_leaves_a_client_span():
    client = httpx.Client(transport=TelemetryTransport(httpx.MockTransport(answer)))
    with capture() as seen, client, traces.span("parent") as parent:
        got = client.get("https://user:pw@api.example/ok?token=s").json()["traceparent"]
        client.get("https://api.example/bad")
    good, bad, _ = seen.spans
    assert got == f"00-{parent.trace_id}-{good.span_id}-01"
    assert (good.kind, good.parent_span_id) == (3, parent.span_id)
    assert good.attributes["url.full"] == "https://api.example/ok"
    assert good.attributes["server.port"] == 443
    assert (good.status, bad.status) == (0, 2)


def hop(request: httpx.Request) -> httpx.Response:
    if request.url.path == "/old":
        return httpx.Response(302, headers={"location": "/ok"})
    if request.url.path == "/private" and "authorization" not in request.headers:
        return httpx.Response(401, headers={"www-authenticate": 'Digest realm="r", nonce="n", qop="auth"'})
    return httpx.Response(200)


def test_every_hop_of_a_redirect_an_authentication_and_a_repetition_is_a_call():
    client = httpx.Client(transport=TelemetryTransport(httpx.MockTransport(hop)))
    with capture() as seen, performance.timer("work") as measured, client:
        client.get("http://api.example/old", follow_redirects=True)
        client.get("http://api.example/private", auth=httpx.DigestAuth("u", "p"))
        request = client.build_request("GET", "http://api.example/ok")
        client.send(request)
        client.send(request)
    paths = ["/old", "/ok", "/private", "/private", "/ok", "/ok"]
    assert [span.attributes["url.full"] for span in seen.spans] == [f"http://api.example{path}" for path in paths]
    assert measured.external_calls == 6


async def test_every_hop_of_an_async_redirect_is_a_call():
    with capture() as seen:
        async with httpx.AsyncClient(transport=AsyncTelemetryTransport(httpx.MockTransport(hop))) as client:
            await client.get("http://api.example/old", follow_redirects=True)
    assert len(seen.spans) == 2


async def test_async_httpx_records_failures():
    def refuse(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("refused")

    with capture() as seen:
        async with httpx.AsyncClient(transport=AsyncTelemetryTransport(httpx.MockTransport(refuse))) as client:
            with pytest.raises(httpx.ConnectError):
                await client.post("http://api.example:8080/x")
    assert seen.spans[0].status == 2
    assert seen.spans[0].events[0][2]["exception.type"] == "ConnectError"


def test_statements_are_spans_of_the_work_they_belong_to():
    engine = sa.create_engine("sqlite://")
    instrument(engine)
    instrument(engine)
    with capture() as seen, engine.connect() as connection:
        connection.execute(sa.text("CREATE TABLE t (a INTEGER, b TEXT)"))
        assert seen.spans == []
        with traces.span("work") as work:
            connection.execute(sa.text("INSERT INTO t VALUES (:a, :b)"), {"a": 1, "b": "private"})
            with pytest.raises(sa.exc.OperationalError):
                connection.execute(sa.text("SELECT nothing FROM nowhere"))
    insert, failed, _ = seen.spans
    assert insert.parent_span_id == work.span_id
    assert insert.attributes["db.system.name"] == "sqlite"
    assert insert.attributes["db.operation.name"] == "INSERT"
    assert "private" not in str(insert.attributes)
    assert failed.status == 2
    labels = {"system": "sqlite", "operation": "INSERT"}
    assert seen.increase("db_client_operation_duration_seconds_count", **labels) == 1
