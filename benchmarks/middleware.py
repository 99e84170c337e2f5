"""What the SDK's middleware adds to a FastAPI request, beside prometheus-fastapi-instrumentator.

Applications are called as ASGI functions, without sockets. Spans go to a sink process over HTTP from
ours, and nowhere from OpenTelemetry's batch processor. What is measured is the processor's time of all
threads: whoever sends in the background has done so before its turn ends, and a busy machine does not
count. Turns are short and many, so that a noisy moment spoils few of them.
"""

import asyncio
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from fastapi import FastAPI
from opentelemetry.instrumentation.fastapi import FastAPIInstrumentor
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
from prometheus_client import CollectorRegistry
from prometheus_fastapi_instrumentator import Instrumentator

import eldonia_telemetry as telemetry
from benchmarks.harness import AsyncContender, Table, alternate_async, durations
from benchmarks.processes import free_port, python

TITLE = "Middleware, one request"
_HEADERS = [
    (b"host", b"shop.example"),
    (b"user-agent", b"Mozilla/5.0 (X11; Linux x86_64)"),
    (b"accept", b"application/json"),
    (b"traceparent", b"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"),
]


def run(quick: bool) -> list[Table]:
    """Microseconds of processor time a request."""
    with tempfile.TemporaryDirectory() as name:
        port = free_port()
        with python(["-m", "benchmarks.sink", str(port)], Path(name) / "sink.log", port):
            telemetry.init(
                service="shop",
                log_dir=f"{name}/log",
                console=False,
                capture_logging=False,
                otlp_endpoint=f"http://127.0.0.1:{port}",
            )
            try:
                found = asyncio.run(_measure(50 if quick else 500, 2 if quick else 41))
            finally:
                telemetry.shutdown()
        logged = sum(path.stat().st_size for path in (Path(name) / "log").iterdir())
        assert logged > 1000, "the access log is empty"
    bare = found["bare FastAPI"]
    ours = found["ours"].middle - bare.middle
    notes = [
        "ours: metrics, trace (exported over HTTP), access log to a file, request context, attack detection",
        "OpenTelemetry's batch processor hands its spans to an exporter that drops them; ours encodes and sends them",
    ]
    for name, spread in found.items():
        if name != "bare FastAPI":
            added = spread.middle - bare.middle
            compared = "" if name == "ours" else f"; ours adds {ours / added:.2f} of that" if added > 0 else ""
            notes.append(f"{name} adds {added * 1e6:.0f} µs to a request{compared}")
    return [durations(TITLE, found, "µs a request", ours="bare FastAPI", notes=notes)]


async def _measure(count: int, rounds: int):
    bare, ours, instrumented, pair = _app(), _app(), _app(), _app()
    ours.add_middleware(telemetry.TelemetryMiddleware)
    Instrumentator(registry=CollectorRegistry()).instrument(instrumented)
    contenders = [
        _contender("bare FastAPI", bare, count),
        _contender("ours", ours, count, telemetry.flush),
        _contender("prometheus-fastapi-instrumentator", instrumented, count),
    ]
    provider = _open_telemetry(pair)
    Instrumentator(registry=CollectorRegistry()).instrument(pair)
    contenders.append(
        _contender("the same and opentelemetry-instrumentation-fastapi", pair, count, provider.force_flush)
    )
    try:
        return await alternate_async(contenders, rounds=rounds, clock=time.process_time)
    finally:
        provider.shutdown()


def _open_telemetry(app: FastAPI) -> TracerProvider:
    class Nowhere(SpanExporter):
        def export(self, spans: Sequence[Any]) -> SpanExportResult:
            return SpanExportResult.SUCCESS

    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(BatchSpanProcessor(Nowhere()))
    FastAPIInstrumentor.instrument_app(app, tracer_provider=provider)
    return provider


def _app() -> FastAPI:
    app = FastAPI()

    @app.get("/works/{number}")
    async def work(number: int) -> dict[str, Any]:
        return {"id": number, "title": "A work", "price": 3800}

    return app


def _contender(name: str, app: FastAPI, count: int, flush: Callable[[], object] = bool) -> AsyncContender:
    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    status = 0

    async def send(message: Any) -> None:
        nonlocal status
        status = message.get("status", status)

    async def work() -> None:
        for number in range(count):
            scope = {
                "type": "http",
                "asgi": {"version": "3.0"},
                "http_version": "1.1",
                "method": "GET",
                "scheme": "http",
                "path": f"/works/{number}",
                "raw_path": f"/works/{number}".encode(),
                "query_string": b"page=2&sort=new",
                "root_path": "",
                "headers": _HEADERS,
                "client": ("203.0.113.9", 40000),
                "server": ("127.0.0.1", 8000),
                "state": {},
            }
            await app(scope, receive, send)
        flush()
        assert status == 200, (name, status)

    return AsyncContender(name, work, count)
