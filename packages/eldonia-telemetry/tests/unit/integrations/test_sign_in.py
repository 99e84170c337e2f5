import asyncio
import io
from urllib.parse import urlencode

import pytest

from eldonia_telemetry import TelemetryMiddleware, TelemetryWSGI, auth, metrics
from eldonia_telemetry.testing import capture

FORM = b"application/x-www-form-urlencoded"
JSON = b"application/json"
FILLED = urlencode({"username": "a@example.com", "password": "wrong"}).encode()
AGAIN = b"<p>Wrong password.</p><form method=post><input name=username><input type='password' name=password></form>"


def asgi(
    path, status, content=b"", body=FILLED, kind=FORM, more=(), answer_type=b"text/html; charset=utf-8", **options
):
    async def app(scope, receive, send):
        while (await receive()).get("more_body"):
            pass
        for call in more:
            call()
        await send({"type": "http.response.start", "status": status, "headers": [(b"Content-Type", answer_type)]})
        for at in range(0, len(content), 7):  # a stream
            await send({"type": "http.response.body", "body": content[at : at + 7], "more_body": True})
        await send({"type": "http.response.body", "body": b""})

    async def receive():
        return {"type": "http.request", "body": body}

    async def send(message):
        pass

    scope = {"type": "http", "method": "POST", "path": path, "headers": [(b"content-type", kind)]}
    with capture() as seen:
        asyncio.run(TelemetryMiddleware(app, **options)(scope, receive, send))
    return seen.security_events


def wsgi(
    path, status, content=b"", body=FILLED, kind=FORM, more=(), answer_type=b"text/html; charset=utf-8", **options
):
    def app(environ, start_response):
        environ["wsgi.input"].read()
        for call in more:
            call()
        start_response(f"{status} Whatever", [("Content-Type", answer_type.decode())])
        return [content[at : at + 7] for at in range(0, len(content), 7)]

    environ = {
        "REQUEST_METHOD": "POST",
        "PATH_INFO": path,
        "CONTENT_TYPE": kind.decode(),
        "CONTENT_LENGTH": str(len(body)),
        "wsgi.input": io.BytesIO(body),
    }
    with capture() as seen:
        answer = TelemetryWSGI(app, **options)(environ, lambda *_: None)
        list(answer)
        if hasattr(answer, "close"):
            answer.close()
    return seen.security_events


pytestmark = pytest.mark.parametrize("ask", [asgi, wsgi])


@pytest.mark.parametrize("detection", ["observe", "block"])
@pytest.mark.parametrize(
    ("path", "status", "more"),
    [
        *(("/login", status, {}) for status in (400, 401, 403, 422)),
        ("/login", 401, {"body": b""}),
        ("/login", 400, {"body": b""}),
        ("/api/v1/login/access-token", 400, {}),  # FastAPI's template
        ("/auth/jwt/login", 400, {}),  # fastapi-users
        ("/token", 401, {}),
        ("/users/sign_in", 422, {"body": urlencode({"user[email]": "a", "user.password": "x"}).encode()}),
        ("/sessions", 422, {"kind": JSON, "body": b'{"session": {"email": "a@example.com", "password": "x"}}'}),
        ("/accounts/login/", 200, {"content": AGAIN}),
        ("/login", 200, {"content": b" " * 5000 + AGAIN}),
    ],
)
def test_a_refused_sign_in_is_one_event(ask, path, status, more, detection):
    before = metrics.registry.value("auth_failed_logins_total")
    events = ask(path, status, detection=detection, **more)
    assert [event["eventType"] for event in events] == ["failed_login"]
    assert metrics.registry.value("auth_failed_logins_total") == before + 1
    if more.get("body") != b"" and "user" not in path:
        assert events[0]["userId"] == "a@example.com"


@pytest.mark.parametrize(
    ("path", "status", "more"),
    [
        ("/login", 200, {"content": b"<h1>Welcome</h1>"}),
        ("/login", 302, {"content": AGAIN}),
        ("/login", 500, {}),
        ("/login", 404, {}),
        ("/login", 422, {"kind": JSON, "body": b'{"email": "a"}'}),  # failed its validation
        ("/token", 400, {"body": b"grant_type=refresh_token"}),
        ("/sessions", 401, {"body": b""}),
        ("/login", 200, {"content": AGAIN, "kind": JSON, "body": b'{"username": "a", "password": "b"}'}),
        ("/login", 200, {"content": AGAIN, "answer_type": b"application/json"}),
        ("/profile", 200, {"content": AGAIN}),
        ("/blogin", 401, {}),
        ("/orders", 403, {}),
        ("/login", 401, {"detection": "off"}),
        ("/login", 401, {"login_paths": ("/enter",)}),
    ],
)
def test_what_is_none(ask, path, status, more):
    assert ask(path, status, **more) == []


def test_an_application_reports_in_one_line_and_is_believed(ask):
    def report():
        return auth.failed_login("a@example.com", reason="wrong password")

    [event] = ask("/login", 400, more=[report])
    assert event["details"] == {"reason": "wrong password"}
    # Elsewhere, and answered with a success.
    assert [e["eventType"] for e in ask("/graphql", 200, more=[report])] == ["failed_login"]
    # Several sign-ins in one request are several events.
    assert len(ask("/graphql", 200, more=[report, report])) == 2


def test_a_frameworks_signal_and_the_application_report_the_same_once(ask):
    def signal():
        auth.signalled("a@example.com", reason="the framework")

    def report():
        auth.failed_login("a@example.com", reason="wrong password")

    def report_other():
        auth.failed_login("b@example.com")

    assert len(ask("/login", 200, AGAIN, more=[signal])) == 1
    assert len(ask("/login", 401, more=[signal, report])) == 1
    assert len(ask("/login", 401, more=[report, signal])) == 1
    assert len(ask("/login", 401, more=[signal, report_other])) == 2


def test_a_blocked_request_tried_no_account(ask):
    body = urlencode({"username": "' OR '1'='1", "password": "x"}).encode()
    assert [e["eventType"] for e in ask("/login", 401, body=body, detection="block")] == ["sql_injection_attempt"]
