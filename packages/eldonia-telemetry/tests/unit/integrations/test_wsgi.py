import io
from typing import Any
from wsgiref.util import FileWrapper, setup_testing_defaults
from wsgiref.validate import validator

import pytest

from eldonia_telemetry import TelemetryWSGI, get_logger, performance
from eldonia_telemetry.integrations import http_server
from eldonia_telemetry.testing import capture

log = get_logger(component="app")


def call(app, path="/works/1", method="GET", body=b"", validate=True, **environ: Any):
    """Call as a server does: iterate, then close. Returns status, headers, body."""
    given: dict[str, Any] = {
        "PATH_INFO": path,
        "REQUEST_METHOD": method,
        "REMOTE_ADDR": "192.0.2.1",
        "QUERY_STRING": "",
        "SCRIPT_NAME": "",
    }
    setup_testing_defaults(given)
    given.update(environ)
    if body:
        given.update({"wsgi.input": io.BytesIO(body), "CONTENT_LENGTH": str(len(body))})
    answer: list[Any] = []

    def start_response(status, headers, exc_info=None):
        answer[:] = [status, dict(headers)]
        return lambda data: None

    result = (validator(app) if validate else app)(given, start_response)
    try:
        data = b"".join(result)
    finally:
        if hasattr(result, "close"):
            result.close()
    return *answer, data


def hello(environ, start_response):
    log.info("inside")
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", "5")])
    return [b"hello"]


def echo(environ, start_response):
    body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [body]


def test_one_request_and_all_it_leaves_behind():
    performance.clear()
    app = TelemetryWSGI(hello, route=lambda environ: "/works/{id}")
    with capture() as seen:
        status, headers, body = call(app, HTTP_X_REQUEST_ID="r-1", HTTP_USER_AGENT="test/1")
    assert (status, headers["X-Request-ID"], body) == ("200 OK", "r-1", b"hello")
    inside, access = seen.records
    assert inside.operation == access.operation == "GET /works/{id}"
    assert (access.request_id, access.ip_address, access.user_agent) == ("r-1", "192.0.2.1", "test/1")
    assert inside.span_id == seen.span("GET /works/{id}").span_id
    assert seen.increase("http_requests_total", method="GET", handler="/works/{id}", status="200") == 1
    assert seen.value("http_requests_in_flight") == 0
    assert performance.report().operations[0].operation == "GET /works/{id}"


def test_a_stream_lasts_until_it_is_closed():
    def stream(environ, start_response):
        start_response("200 OK", [("Content-Type", "text/plain")])
        for number in range(3):
            log.info(f"part {number}")
            yield b"x"

    with capture() as seen:
        assert call(TelemetryWSGI(stream))[2] == b"xxx"
    assert [record.component for record in seen.records] == ["app", "app", "app", "http"]
    assert len({record.request_id for record in seen.records}) == 1
    assert seen.records[0].request_id is not None
    with capture() as seen:
        log.info("after")
    assert seen.record("after").request_id is None


def test_exceptions_before_and_during_the_answer():
    def before(environ, start_response):
        raise RuntimeError("before")

    def during(environ, start_response):
        start_response("200 OK", [("Content-Type", "text/plain")])
        yield b"x"
        raise RuntimeError("during")

    for app, status in ((before, 500), (during, 200)):
        with capture() as seen, pytest.raises(RuntimeError, match=app.__name__):
            call(TelemetryWSGI(app))
        access = seen.record(component="http")
        assert access.metadata["status"] == status
        assert access.error.message == app.__name__
        assert seen.spans[0].status == 2
        assert seen.value("http_requests_in_flight") == 0


def test_files_are_left_to_the_server():
    def send_file(environ, start_response):
        start_response("200 OK", [("Content-Type", "text/plain")])
        return environ["wsgi.file_wrapper"](io.BytesIO(b"file"))

    with capture() as seen:
        environ: dict[str, Any] = {"PATH_INFO": "/f", "REQUEST_METHOD": "GET", "wsgi.file_wrapper": FileWrapper}
        setup_testing_defaults(environ)
        result = TelemetryWSGI(send_file)(environ, lambda *_: None)
    assert type(result) is FileWrapper
    assert seen.record(component="http")


@pytest.mark.parametrize("detection", ["observe", "block", "off"])
@pytest.mark.parametrize(
    ("body", "attack"), [(b"q=O'Hara&n=1", False), (b"q='+OR+'1'%3D'1", True), (b"q=" + b"x" * 40_000, False)]
)
def test_bodies_are_looked_at_and_arrive_as_they_were_sent(detection, body, attack):
    app = TelemetryWSGI(echo, detection=detection)
    with capture() as seen:
        status, _, data = call(app, "/e", "POST", body, CONTENT_TYPE="application/x-www-form-urlencoded")
    assert bool(seen.security_events) is (attack and detection != "off")
    if attack and detection == "block":
        assert status == "403 Forbidden"
    else:
        assert (status, data) == ("200 OK", body)


def test_attacks_in_path_and_query():
    with capture() as seen:
        call(TelemetryWSGI(hello), QUERY_STRING="q=%27%20OR%20%271%27%3D%271")
        call(TelemetryWSGI(hello), path="/static/../../etc/passwd")
        call(TelemetryWSGI(hello), path="/夏".encode().decode("latin-1"))
    assert [event["details"]["detector"] for event in seen.security_events] == ["sql_injection", "path_traversal"]
    assert seen.records[-1].metadata["path"] == "/夏"


def test_metrics_are_served():
    with capture():
        _, headers, body = call(TelemetryWSGI(hello), "/metrics")
        assert headers["Content-Type"].startswith("text/plain; version=0.0.4")
        assert b"# TYPE http_requests_total counter" in body
        assert call(TelemetryWSGI(hello), "/metrics", "HEAD")[2] == b""
        assert call(TelemetryWSGI(hello, metrics_path=None), "/metrics")[2] == b"hello"


def test_a_failure_of_our_own_does_not_reach_the_application(monkeypatch, capsys):
    def broken(*_args, **_more):
        raise RuntimeError("ours")

    for place, name in ((http_server, "inspect"), (http_server.Observer, "begin"), (http_server.Exchange, "_end")):
        with monkeypatch.context() as patch, capture():
            patch.setattr(place, name, broken)
            assert call(TelemetryWSGI(hello))[2] == b"hello"
    with capture():
        assert call(TelemetryWSGI(hello, route=broken))[2] == b"hello"


def test_lengths_that_are_none():
    with capture():
        for length in ("", "x", "-5"):
            call(
                TelemetryWSGI(hello),
                "/e",
                "POST",
                CONTENT_TYPE="application/json",
                CONTENT_LENGTH=length,
                validate=False,
            )


def test_an_id_that_the_application_sets_itself_is_the_only_one():
    def app(environ, start_response):
        start_response("200 OK", [("x-request-id", "mine")])
        return []

    answered = []
    environ = {"REQUEST_METHOD": "GET", "PATH_INFO": "/"}
    TelemetryWSGI(app)(environ, lambda status, headers: answered.extend(headers)).close()
    assert answered == [("x-request-id", "mine")]
