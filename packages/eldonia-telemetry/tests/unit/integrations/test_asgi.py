import asyncio
import gc
import json
from typing import Annotated

import httpx
import pytest
from fastapi import APIRouter, Depends, FastAPI
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from eldonia_telemetry import TelemetryMiddleware, auth, bind, get_logger, performance, security
from eldonia_telemetry.integrations import http_server
from eldonia_telemetry.integrations.client_address import ClientAddress
from eldonia_telemetry.testing import capture

log = get_logger(component="app")


def who():
    bind(user_id="u7")


def application(**options):
    app = FastAPI()
    app.add_middleware(TelemetryMiddleware, **options)
    router = APIRouter(prefix="/works")

    @router.get("/{work_id}")
    def work(work_id: int, _: Annotated[None, Depends(who)]):
        log.info("inside")
        return {"id": work_id}

    @app.get("/boom")
    async def boom():
        raise RuntimeError("bad")

    @app.get("/search")
    async def search(q: str):
        return q

    @app.get("/health")
    async def health():
        return "ok"

    @app.get("/unwell")
    async def unwell():
        return PlainTextResponse("no", 503)

    app.include_router(router)
    app.mount("/sub", Starlette(routes=[Route("/k/{v}", lambda r: PlainTextResponse("x"))]))
    return app


def client(app, address="127.0.0.1"):
    transport = httpx.ASGITransport(app, raise_app_exceptions=False, client=(address, 5000))
    return httpx.AsyncClient(transport=transport, base_url="http://shop")


async def test_one_request_and_all_it_leaves_behind():
    with capture() as seen:
        async with client(application()) as http:
            answer = await http.get(
                "/works/12?x=1",
                headers={
                    "X-Request-ID": "req-1",
                    "traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
                    "User-Agent": "test/1",
                },
            )
    assert answer.headers["x-request-id"] == "req-1"
    inside, access = seen.records
    assert (inside.message, inside.request_id, inside.operation) == ("inside", "req-1", "GET /works/{work_id}")
    assert inside.user_id == "u7"  # bound by a dependency in another thread
    assert access.component == "http"
    assert access.operation == "GET /works/{work_id}"
    assert access.message.startswith("GET /works/12 200 ")
    assert access.metadata == {"method": "GET", "path": "/works/12", "handler": "/works/{work_id}", "status": 200}
    assert (access.user_id, access.ip_address, access.user_agent) == ("u7", "127.0.0.1", "test/1")
    assert access.performance.duration > 0
    (span,) = seen.spans
    assert (span.name, span.kind, span.parent_span_id) == ("GET /works/{work_id}", 2, "b7ad6b7169203331")
    assert span.trace_id == access.trace_id == inside.trace_id == "0af7651916cd43dd8448eb211c80319c"
    assert span.attributes["http.response.status_code"] == 200
    labels = {"method": "GET", "handler": "/works/{work_id}"}
    assert seen.increase("http_requests_total", status="200", **labels) == 1
    assert seen.increase("http_request_duration_seconds_count", **labels) == 1
    assert seen.increase("http_requests_in_flight") == 0


async def test_cardinality_of_what_strangers_send():
    with capture() as seen:
        async with client(application()) as http:
            for number in range(5):
                await http.get(f"/nothing/{number}")
            await http.request("BREW", "/works/1")
            await http.get("/sub/k/9")
    assert seen.increase("http_requests_total", method="GET", handler="unmatched", status="404") == 5
    assert seen.increase("http_requests_total", method="GET", handler="/sub/k/{v}", status="200") == 1
    assert {r.metadata["method"] for r in seen.records if r.component == "http"} == {"GET", "OTHER"}


async def test_an_exception_is_recorded_once_and_passed_on():
    with capture() as seen:
        async with client(application()) as http:
            answer = await http.get("/boom")
    assert answer.status_code == 500
    (access,) = seen.records
    assert (access.level, access.metadata["status"]) == ("error", 500)
    assert (access.error.name, access.error.message) == ("RuntimeError", "bad")
    assert "test_asgi.py" in access.error.stack
    assert seen.spans[0].status == 2
    assert seen.increase("http_requests_total", method="GET", handler="/boom", status="500") == 1


@pytest.mark.parametrize("given", ["a b", "x" * 129, "é", "a\tb", ""])
async def test_request_ids_that_could_do_harm_are_replaced(given):
    with capture():
        async with client(application()) as http:
            answer = await http.get("/health", headers={"X-Request-ID": given.encode("latin-1")})
    assert answer.headers["x-request-id"] != given
    assert len(answer.headers["x-request-id"]) == 32


async def test_of_several_request_ids_the_first_counts_as_it_does_for_the_application():
    with capture():
        async with client(application()) as http:
            answer = await http.get("/health", headers=[("X-Request-ID", "first"), ("X-Request-ID", "second")])
    assert answer.headers["x-request-id"] == "first"


async def test_quiet_paths_count_but_make_no_noise_unless_they_fail():
    with capture() as seen:
        async with client(application(quiet_paths=("/health", "/unwell"))) as http:
            await http.get("/health")
            assert seen.records == []
            assert seen.spans == []
            await http.get("/unwell")
    assert [r.level for r in seen.records] == ["error"]
    assert seen.increase("http_requests_total", method="GET", handler="/health", status="200") == 1


async def test_metrics_are_served_in_either_format():
    async with client(application()) as http:
        plain = await http.get("/metrics")
        modern = await http.get("/metrics", headers={"Accept": "application/openmetrics-text;version=1.0.0"})
        head = await http.head("/metrics")
        hidden = await client(application(metrics_path=None)).get("/metrics")
    assert plain.headers["content-type"].startswith("text/plain; version=0.0.4")
    assert "# TYPE http_requests_total counter" in plain.text
    assert modern.text.endswith("# EOF\n")
    assert head.content == b""
    assert hidden.status_code == 404


async def test_injections_are_observed_or_blocked():
    attack = "/search?q=%27%20OR%20%271%27%3D%271"
    with capture() as seen:
        async with client(application(), "192.0.2.1") as http:
            assert (await http.get(attack)).status_code == 200
        async with client(application(detection="block")) as http:
            refused = await http.get(attack)
        async with client(application(detection="off")) as http:
            await http.get(attack)
    assert refused.status_code == 403
    assert "x-request-id" in refused.headers
    events = seen.security_events
    assert [e["eventType"] for e in events] == ["sql_injection_attempt"] * 2
    assert [e["details"]["blocked"] for e in events] == [False, True]
    assert events[0]["ipAddress"] == "192.0.2.1"


async def test_a_failure_of_our_own_does_not_reach_the_application(monkeypatch, capsys):
    def broken(*_args, **_more):
        raise RuntimeError("ours")

    for place, name in ((http_server, "inspect"), (http_server.Observer, "begin"), (http_server.Exchange, "_end")):
        with monkeypatch.context() as patch, capture():
            patch.setattr(place, name, broken)
            async with client(application()) as http:
                assert (await http.get("/works/1")).json() == {"id": 1}
    said = capsys.readouterr().err
    assert all(f"request could not be {what}" in said for what in ("inspected", "observed", "recorded"))


async def test_events_reported_inside_carry_the_request():
    app = application()

    @app.get("/admin")
    async def admin():
        security.record("unauthorized_access", "high")
        return "no"

    with capture() as seen:
        async with client(app, "10.0.0.1") as http:
            await http.get("/admin", headers={"X-Request-ID": "r5"})
    assert seen.records[0].request_id == "r5"
    assert seen.records[0].ip_address == "10.0.0.1"


@pytest.mark.parametrize(
    ("trusted", "peer", "forwarded", "expected"),
    [
        ((), "127.0.0.1", b"192.0.2.1", "127.0.0.1"),
        (("127.0.0.0/8",), "127.0.0.1", None, "127.0.0.1"),
        (("127.0.0.0/8",), "127.0.0.1", b"192.0.2.1", "192.0.2.1"),
        (("127.0.0.0/8",), "198.51.100.1", b"192.0.2.1", "198.51.100.1"),
        (("127.0.0.0/8", "10.0.0.0/8"), "127.0.0.1", b"1.1.1.1, 192.0.2.1, 10.1.2.3", "192.0.2.1"),
        (("127.0.0.0/8",), "127.0.0.1", b"1.1.1.1, <script>", "127.0.0.1"),
        (("127.0.0.0/8",), "127.0.0.1", b"192.0.2.1:4711", "192.0.2.1"),
        (("::1",), "::1", b"[2001:db8::1]:443", "2001:db8::1"),
        (("127.0.0.0/8",), "127.0.0.1", b"::ffff:192.0.2.1", "192.0.2.1"),
    ],
)
def test_the_clients_address(trusted, peer, forwarded, expected):
    assert ClientAddress(trusted).of(peer, forwarded) == expected


def test_a_proxy_that_is_no_address_is_said_not_raised(capsys):
    assert ClientAddress(("nonsense",)).of("1.2.3.4", b"5.6.7.8") == "1.2.3.4"
    assert "trusted_proxies" in capsys.readouterr().err


async def send_parts(app, parts, *headers):
    """Post a body in parts; returns the status and what the application had received of it."""
    sent = [{"type": "http.request", "body": part, "more_body": True} for part in parts]
    sent.append({"type": "http.request", "body": b"", "more_body": False})
    answers = []

    async def receive():
        return sent.pop(0) if sent else {"type": "http.disconnect"}

    async def send(message):
        answers.append(message)

    scope = {
        **{"type": "http", "method": "POST", "path": "/echo", "query_string": b"", "root_path": "", "scheme": "http"},
        "headers": list(headers),
        "client": ("192.0.2.1", 1),
    }
    await app(scope, receive, send)
    return answers[0]["status"], b"".join(a.get("body", b"") for a in answers)


async def echo(scope, receive, send):
    body, more = b"", True
    while more:
        message = await receive()
        body += message["body"]
        more = message["more_body"]
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": body})


FORM = (b"content-type", b"application/x-www-form-urlencoded")


@pytest.mark.parametrize("detection", ["observe", "block", "off"])
@pytest.mark.parametrize(
    ("parts", "attack"),
    [
        ([b"a=1&q=O", b"'Hara"], False),
        ([b"q='+OR+'1'", b"%3D'1"], True),
        ([b"q=" + b"x" * 5000] * 8, False),
        ([], False),
    ],
)
async def test_bodies_are_looked_at_and_arrive_as_they_were_sent(detection, parts, attack):
    app = TelemetryMiddleware(echo, detection=detection)
    with capture() as seen:
        status, body = await send_parts(app, parts, FORM)
    if attack and detection != "off":
        assert seen.event("sql_injection_attempt", where="field q")["details"]["blocked"] is (detection == "block")
    else:
        assert seen.security_events == []
    if attack and detection == "block":
        assert status == 403
    else:
        assert (status, body) == (200, b"".join(parts))


async def test_a_client_that_leaves_while_it_sends_is_not_waited_for():
    app = TelemetryMiddleware(echo, detection="block")

    async def receive():
        return {"type": "http.disconnect"}

    async def send(message):
        raise AssertionError("there is no client to answer")

    scope = {"type": "http", "method": "POST", "path": "/echo", "headers": [FORM]}
    with capture() as seen, pytest.raises(KeyError):
        await app(scope, receive, send)
    assert len(seen.records) == 1


async def test_scanners_forgeries_and_failed_logins():
    async def refusing(scope, receive, send):
        await receive()
        await send({"type": "http.response.start", "status": 401, "headers": []})
        await send({"type": "http.response.body"})

    app = TelemetryMiddleware(refusing, login_paths=("/echo",), trusted_origins=("https://pay.example",))
    cookie, site = (b"cookie", b"s=1"), (b"sec-fetch-site", b"cross-site")
    with capture() as seen:
        await send_parts(app, [], (b"user-agent", b"Nikto/2.5"))
        assert seen.event("suspicious_activity", detector="scanner", matched="nikto")
        await send_parts(app, [], cookie, site)
        assert seen.event("csrf_attempt", detector="cross_site_request")
        await send_parts(app, [], cookie, site, (b"origin", b"https://pay.example"))
        await send_parts(app, [b'{"user": {"email": "a@example.com"}}'], (b"content-type", b"application/json"))
    failed = [event["userId"] for event in seen.security_events if event["eventType"] == "failed_login"]
    assert failed == [None, None, None, "a@example.com"]
    assert len(seen.security_events) == 6
    assert seen.increase("auth_failed_logins_total") == 4


async def test_a_login_that_the_application_reports_counts_once():
    app = application(login_paths=("/sign-in",))

    @app.post("/sign-in")
    def sign_in():  # runs in a thread
        auth.failed_login("b@example.com", reason="locked")
        return PlainTextResponse("no", 401)

    with capture() as seen:
        async with client(app) as http:
            await http.post("/sign-in", json={"email": "a@example.com"})
    assert seen.event("failed_login")["userId"] == "b@example.com"


async def test_what_a_request_does_is_in_its_access_record_and_in_the_report():
    performance.clear()
    app = application()

    @app.get("/busy")
    def busy():
        performance.count_query(3)
        with performance.timer("step"):
            performance.count_external_call()
        return "ok"

    with capture() as seen:
        async with client(app) as http:
            await http.get("/busy")
    assert seen.record(component="http").metadata["databaseQueries"] == 3
    assert seen.record(component="http").metadata["externalApiCalls"] == 1
    report = {one.operation: one for one in performance.report().operations}
    assert report["GET /busy"].database_queries == 3
    assert report["step"].external_api_calls == 1


async def test_slow_and_failing_requests_are_counted(monkeypatch):
    monkeypatch.setattr(performance.operation_recorder, "thresholds", performance.Thresholds(slow=1e-9))
    with capture() as seen:
        async with client(application()) as http:
            await http.get("/boom")
    assert seen.increase("performance_alerts_total", operation="GET /boom", kind="slow") == 1
    assert seen.increase("performance_alerts_total", operation="GET /boom", kind="errors") == 1
    assert seen.record("Slow operation detected").operation == "GET /boom"


async def test_the_trace_of_a_slow_bucket_can_be_found():
    with capture() as seen:
        async with client(application()) as http:
            await http.get("/works/3")
            page = (await http.get("/metrics", headers={"Accept": "application/openmetrics-text"})).text
            plain = (await http.get("/metrics")).text
    found = [line for line in page.splitlines() if seen.spans[0].trace_id in line]
    assert len(found) == 1
    assert found[0].startswith('http_request_duration_seconds_bucket{method="GET",handler="/works/{work_id}",le="')
    assert " # " not in plain


async def test_what_is_not_kept_is_no_exemplar():
    with capture(trace_ratio=0.0) as seen:
        async with client(application()) as http:
            await http.get("/works/3")
            await http.get("/boom")
            page = (await http.get("/metrics", headers={"Accept": "application/openmetrics-text"})).text
    (kept,) = seen.spans
    assert kept.name == "GET /boom"
    assert kept.trace_id in page
    assert all(record.trace_id not in page for record in seen.records if "/works/3" in record.message)


async def test_requests_leave_nothing_to_the_garbage_collector():
    app = TelemetryMiddleware(echo)
    with capture():
        await send_parts(app, [b"a=1"], FORM)
        gc.collect()
        gc.disable()
        try:
            for _ in range(20):
                await send_parts(app, [b"a=1"], FORM)
            assert not [one for one in gc.get_objects() if type(one) is http_server.Exchange]
        finally:
            gc.enable()


@pytest.mark.parametrize("name", [b"x-request-id", b"X-Request-ID"])
def test_an_id_that_the_application_sets_itself_is_the_only_one(name):
    async def app(scope, receive, send):
        await send({"type": "http.response.start", "status": 200, "headers": [(name, b"mine")]})
        await send({"type": "http.response.body", "body": b""})

    sent = []

    async def send(message):
        sent.append(message)

    scope = {"type": "http", "method": "GET", "path": "/", "headers": []}
    asyncio.run(TelemetryMiddleware(app)(scope, None, send))
    assert [value for key, value in sent[0]["headers"] if key.lower() == b"x-request-id"] == [b"mine"]


@pytest.mark.parametrize("detection", ["observe", "block"])
def test_one_forged_form_is_one_event(detection):
    async def app(scope, receive, send):
        await receive()
        await send({"type": "http.response.start", "status": 403, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    async def receive():
        return {"type": "http.request", "body": b"csrfmiddlewaretoken=" + b"b" * 32}

    async def send(message):
        pass

    headers = [
        (b"cookie", b"csrftoken=" + b"a" * 32),
        (b"sec-fetch-site", b"cross-site"),
        (b"origin", b"https://evil.example"),
        (b"content-type", b"application/x-www-form-urlencoded"),
    ]
    scope = {"type": "http", "method": "POST", "path": "/login", "headers": headers}
    with capture() as seen:
        asyncio.run(TelemetryMiddleware(app, detection=detection)(scope, receive, send))
    assert [event["eventType"] for event in seen.security_events] == ["csrf_attempt"]


@pytest.mark.parametrize(
    ("text", "status", "blocked"),
    [("<script> タグの使い方", 200, False), ("C:\\Windows の場所", 200, False), ("' OR '1'='1", 403, True)],
)
def test_only_what_is_certain_is_refused_and_all_is_recorded(text, status, blocked):
    async def app(scope, receive, send):
        body = (await receive())["body"]
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": body})

    body, sent = json.dumps({"text": text}).encode(), []

    async def receive():
        return {"type": "http.request", "body": body}

    async def send(message):
        sent.append(message)

    scope = {"type": "http", "method": "POST", "path": "/", "headers": [(b"content-type", b"application/json")]}
    with capture() as seen:
        asyncio.run(TelemetryMiddleware(app, detection="block")(scope, receive, send))
    assert sent[0]["status"] == status
    assert blocked or sent[1]["body"] == body
    assert len(seen.security_events) == 1
    assert seen.security_events[0]["details"]["blocked"] is blocked
