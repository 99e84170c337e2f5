"""Each framework's example, served as it would be, asked over HTTP, and what it leaves behind."""

import importlib.util
import socketserver
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

import httpx
import pytest
import uvicorn

import eldonia_telemetry
from eldonia_telemetry.performance import clear, report
from eldonia_telemetry.testing import Captured, capture

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
TRACE = "0af7651916cd43dd8448eb211c80319c"


@contextmanager
def asgi(app: object) -> Iterator[str]:
    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=0, log_config=None, lifespan="auto"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        assert thread.is_alive()
        thread.join(0.01)
    yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    server.should_exit = True
    thread.join(10)


class Threaded(socketserver.ThreadingMixIn, WSGIServer):
    daemon_threads = True


class Silent(WSGIRequestHandler):
    def log_message(self, *args: object) -> None:
        pass


@contextmanager
def wsgi(app: object) -> Iterator[str]:
    server = make_server("127.0.0.1", 0, app, Threaded, Silent)  # type: ignore[arg-type]
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join(10)


def example(name: str):
    """The example's module, imported once, without what its ``init`` would do to this process."""
    if name not in sys.modules:
        spec = importlib.util.spec_from_file_location(name, EXAMPLES / f"{name}.py")
        assert spec is not None
        assert spec.loader is not None
        module = sys.modules[name] = importlib.util.module_from_spec(spec)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(eldonia_telemetry, "init", lambda **_: None)
            spec.loader.exec_module(module)
    return sys.modules[name]


SERVED: dict[str, tuple[Callable[[], object], Callable, str]] = {
    "fastapi": (lambda: example("fastapi_app").app, asgi, "/works/{work_id}"),
    "starlette": (lambda: example("starlette_app").app, asgi, "/works/{work_id:int}"),
    "litestar": (lambda: example("litestar_app").app, asgi, "/works/{work_id}"),
    "flask": (lambda: example("flask_app").app, wsgi, "/works/<int:work_id>"),
    "django-wsgi": (lambda: example("django_app").application, wsgi, "/works/<int:work_id>"),
    "django-asgi": (lambda: example("django_app").asgi_application, asgi, "/works/<int:work_id>"),
}


@pytest.fixture(params=list(SERVED))
def served(request: pytest.FixtureRequest) -> Iterator[tuple[str, str]]:
    make, serve, template = SERVED[request.param]
    with serve(make()) as url:
        yield url, template


def wait_for(seen: Captured, number: int) -> list:
    """The access records; a server may have sent the answer a moment before the exchange ends."""
    for _ in range(500):
        found = [record for record in seen.records if record.component == "http"]
        if len(found) >= number and sum(span.kind == 2 for span in seen.spans) >= number:
            break
        time.sleep(0.01)
    assert len(found) == number
    return found


def test_a_request_leaves_record_span_metrics_and_figures(served):
    url, template = served
    clear()
    with capture() as seen, httpx.Client(base_url=url) as http:
        answer = http.get(
            "/works/12?page=2", headers={"x-request-id": "r-1", "traceparent": f"00-{TRACE}-b7ad6b7169203331-01"}
        )
        (access,) = wait_for(seen, 1)
        assert answer.json() == {"id": 12}
        assert answer.headers.get_list("x-request-id") == ["r-1"]
        inside = next(record for record in seen.records if record.component == "works")
        assert (inside.message, inside.metadata) == ("work shown", {"work_id": 12})
        assert inside.operation == access.operation == f"GET {template}"
        assert inside.request_id == access.request_id == "r-1"
        assert access.ip_address == "127.0.0.1"
        assert access.metadata == {"method": "GET", "path": "/works/12", "handler": template, "status": 200}
        span = next(span for span in seen.spans if span.kind == 2)
        assert (span.name, span.trace_id, span.parent_span_id) == (f"GET {template}", TRACE, "b7ad6b7169203331")
        assert inside.trace_id == TRACE
        assert inside.span_id == span.span_id
        labels = {"method": "GET", "handler": template}
        assert seen.increase("http_requests_total", status="200", **labels) == 1
        assert seen.increase("http_request_duration_seconds_count", **labels) == 1
        assert seen.increase("http_requests_in_flight") == 0
        page = http.get("/metrics", headers={"accept": "application/openmetrics-text"}).text
    # Other buckets may still name requests of other tests.
    buckets = [line for line in page.splitlines() if f'handler="{template}"' in line and "trace_id" in line]
    assert any(f'# {{trace_id="{TRACE}"}}' in line for line in buckets)
    assert [one.operation for one in report().operations] == [f"GET {template}"]


def test_an_exception_is_in_the_record_and_in_the_span(served):
    url, _ = served
    with capture() as seen, httpx.Client(base_url=url) as http:
        assert http.get("/boom").status_code == 500
        (access,) = wait_for(seen, 1)
    assert (access.level, access.metadata["status"]) == ("error", 500)
    assert (access.error.name, access.error.message) == ("RuntimeError", "the press is jammed")
    assert "in boom" in access.error.stack
    span = next(span for span in seen.spans if span.kind == 2)
    assert span.status == 2
    assert span.events[0][2]["exception.type"] == "RuntimeError"
    assert seen.increase("http_requests_total", method="GET", handler="/boom", status="500") == 1


def test_strangers_do_not_make_series(served):
    url, _ = served
    with capture() as seen, httpx.Client(base_url=url) as http:
        for number in range(3):
            assert http.get(f"/nothing/{number}").status_code == 404
        wait_for(seen, 3)
    assert seen.increase("http_requests_total", method="GET", handler="unmatched", status="404") == 3


def test_failed_logins_attacks_and_forgeries_are_seen_and_the_body_is_still_there(served):
    url, _ = served
    with capture() as seen, httpx.Client(base_url=url) as http:
        http.post("/login", json={"email": "a@example.com", "password": "x' OR '1'='1"})
        wait_for(seen, 1)
        http.get("/works/1", headers={"user-agent": "sqlmap/1.8"})
        wait_for(seen, 2)
        http.post("/login", json={}, headers={"cookie": "session=1", "sec-fetch-site": "cross-site"})
        wait_for(seen, 3)
    events = seen.security_events
    assert [event["eventType"] for event in events] == [
        *("sql_injection_attempt", "failed_login"),
        *("suspicious_activity", "csrf_attempt", "failed_login"),
    ]
    assert events[0]["details"]["where"] == "field password"
    assert events[1]["userId"] == "a@example.com"
    assert events[2]["details"]["matched"] == "sqlmap"
    assert {event["ipAddress"] for event in events} == {"127.0.0.1"}
    assert seen.increase("auth_failed_logins_total") == 2


@pytest.mark.parametrize("name", ["django-wsgi", "django-asgi"])
def test_django_says_itself_when_a_token_does_not_fit(name):
    make, serve, _ = SERVED[name]
    with serve(make()) as url, capture() as seen, httpx.Client(base_url=url) as http:
        refused = http.post(
            "/comment", data={"csrfmiddlewaretoken": "b" * 32}, headers={"cookie": f"csrftoken={'a' * 32}"}
        )
        wait_for(seen, 1)
    assert refused.status_code == 403
    assert {event["eventType"] for event in seen.security_events} == {"csrf_attempt"}
    assert "django" in {event["details"]["detector"] for event in seen.security_events}
