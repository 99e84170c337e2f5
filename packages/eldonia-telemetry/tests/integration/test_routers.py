"""Frameworks whose routes are neither in scope nor in environment, each the real one; and functions of one's own."""

import asyncio
import io
import subprocess
import sys
import textwrap
from importlib.util import find_spec

import httpx
import pytest
from required_tools import requires_host, requires_module

import eldonia_telemetry as telemetry
from eldonia_telemetry import dropped_data
from eldonia_telemetry.testing import capture

log = telemetry.get_logger(component="inside")


def asgi(app: object, path: str) -> int:
    async def get() -> int:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test") as client:  # type: ignore[arg-type]
            return (await client.get(path)).status_code

    return asyncio.run(get())


def wsgi(app: object, path: str) -> int:
    with httpx.Client(
        transport=httpx.WSGITransport(app, raise_app_exceptions=False, wsgi_errors=io.StringIO()),
        base_url="http://test",
    ) as client:  # type: ignore[arg-type]
        return client.get(path).status_code


def check(get, app, wanted: dict[str, tuple[int, str]]) -> None:
    for path, (status, handler) in wanted.items():
        with capture() as seen:
            assert get(app, path) == status
            assert seen.record(component="http").metadata["handler"] == handler
            assert seen.span(f"GET {handler}" if handler != "unmatched" else "GET")
            assert seen.increase("http_requests_total", method="GET", handler=handler, status=str(status)) == 1
            inside = [record.operation for record in seen.records if record.component == "inside"]
            assert inside in ([], [f"GET {handler}"])


def test_quart():
    quart = requires_module("quart")
    starlette = requires_module("starlette.applications")
    from starlette.routing import Mount

    app, parts = quart.Quart("works"), quart.Blueprint("parts", "parts", url_prefix="/parts")

    @app.get("/works/<int:number>")
    async def work(number: int):
        log.info("shown")
        return {"number": number}

    @app.get("/boom/<int:number>")
    async def boom(number: int):
        raise RuntimeError("the press is jammed")

    @parts.get("/<name>")
    async def part(name: str):
        return name

    app.register_blueprint(parts)
    wanted = {
        "/works/1": (200, "/works/<int:number>"),
        "/parts/a": (200, "/parts/<name>"),
        "/none": (404, "unmatched"),
        "/boom/1": (500, "/boom/<int:number>"),
    }
    check(asgi, telemetry.TelemetryMiddleware(app), wanted)
    mounted = telemetry.TelemetryMiddleware(starlette.Starlette(routes=[Mount("/shop", app)]))
    check(asgi, mounted, {"/shop/works/1": (200, "/shop/works/<int:number>")})
    with capture() as seen:
        asgi(telemetry.TelemetryMiddleware(app), "/boom/1")
    error = seen.record(component="http").error
    assert error is not None
    assert error.message == "the press is jammed"


def test_falcon():
    falcon = requires_module("falcon")
    requires_module("falcon.asgi")

    class Work:
        def on_get(self, req, resp, number):
            log.info("shown")
            resp.media = {"number": number}

    class AsyncWork:
        async def on_get(self, req, resp, number):
            log.info("shown")
            resp.media = {"number": number}

    wanted = {"/works/1": (200, "/works/{number:int}"), "/none": (404, "unmatched")}
    for app, resource, middleware, get in (
        (falcon.App(), Work(), telemetry.TelemetryWSGI, wsgi),
        (falcon.asgi.App(), AsyncWork(), telemetry.TelemetryMiddleware, asgi),
    ):
        app.add_route("/works/{number:int}", resource)
        check(get, middleware(app), wanted)


def test_bottle():
    bottle = requires_module("bottle")
    app, inner = bottle.Bottle(), bottle.Bottle()

    @app.get("/works/<number:int>")
    def work(number):
        log.info("shown")
        return {"number": number}

    @inner.get("/<name>")
    def part(name):
        return name

    @app.get("/boom")
    def boom():
        raise RuntimeError("the press is jammed")

    def other(environ, start_response):
        start_response("200 OK", [])
        return [b"x"]

    app.mount("/parts/", inner)
    app.mount("/other", other)
    wanted = {
        "/works/1": (200, "/works/<number:int>"),
        "/parts/a": (200, "/parts/<name>"),
        "/other/1": (200, "/other/*"),
        "/none": (404, "unmatched"),
        "/boom": (500, "/boom"),
    }
    check(wsgi, telemetry.TelemetryWSGI(app), wanted)
    with capture() as seen:
        wsgi(telemetry.TelemetryWSGI(app), "/boom")
    error = seen.record(component="http").error
    assert error is not None
    assert error.message == "the press is jammed"


def test_pyramid():
    config = requires_module("pyramid.config")
    from pyramid.response import Response

    def work(request):
        log.info("shown")
        return Response("x")

    with config.Configurator() as configurator:
        configurator.add_route("work", "/works/{number}")
        configurator.add_view(work, route_name="work")
        app = configurator.make_wsgi_app()
    check(wsgi, telemetry.TelemetryWSGI(app), {"/works/1": (200, "/works/{number}"), "/none": (404, "unmatched")})


@requires_host(find_spec("datasette") is not None, "datasette, which no requirements name, is not installed")
def test_datasette():
    code = """
        import asyncio, httpx, json
        import eldonia_telemetry as telemetry
        from datasette.app import Datasette
        from eldonia_telemetry.testing import capture
        app = telemetry.TelemetryMiddleware(Datasette(memory=True).app())
        async def ask(path):
            async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test") as client:
                await client.get(path)
        for path in ("/_memory", "/_memory.json", "/-/versions.json"):
            with capture() as seen:
                asyncio.run(ask(path))
                print(seen.record(component="http").metadata["handler"])
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.stdout.split() == ["/{database}(.{format})?", "/{database}(.{format})?", "/-/versions(.{format})?"]


async def bare(scope, receive, send):
    scope["chosen"] = "/own/{name}"
    log.info("shown")
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b""})


def bare_wsgi(environ, start_response):
    environ["chosen"] = "/own/{name}"
    log.info("shown")
    start_response("200 OK", [])
    return [b""]


def test_a_function_of_ones_own():
    wanted = {"/own/1": (200, "/own/{name}")}
    check(asgi, telemetry.TelemetryMiddleware(bare, route=lambda scope: scope.get("chosen", "")), wanted)
    check(wsgi, telemetry.TelemetryWSGI(bare_wsgi, route=lambda environ: environ.get("chosen", "")), wanted)


def bad(given):
    raise RuntimeError("no route")


@pytest.mark.parametrize("route", [lambda _: "", lambda _: None, lambda _: 7, bad])
def test_one_that_says_nothing_or_raises_costs_no_record(route, capsys):
    for get, app in (
        (asgi, telemetry.TelemetryMiddleware(bare, route=route)),
        (wsgi, telemetry.TelemetryWSGI(bare_wsgi, route=route)),
    ):
        with capture() as seen:
            assert get(app, "/own/1") == 200
            assert seen.record(component="http").metadata["handler"] == "unmatched"
            assert seen.record("shown").operation == ""
    assert route is not bad or ("setup", "the function given as route raised") in dropped_data.snapshot()
