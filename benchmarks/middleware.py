"""What the SDK's middleware adds to a FastAPI request, beside prometheus-fastapi-instrumentator.

Applications are called as ASGI functions, without sockets. Spans go to a sink process over HTTP from
ours, and nowhere from OpenTelemetry's batch processor. What is measured is the processor's time of all
threads: an exporter that sends in the background has done so before its turn ends, and a busy machine does not
count. Turns are short and many, so that a noisy moment spoils few of them.
"""

import asyncio
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from fastapi import FastAPI
from prometheus_client import CollectorRegistry
from prometheus_fastapi_instrumentator import Instrumentator

import eldonia_telemetry as telemetry
from benchmarks.harness import AsyncContender, Spread, Table, alternate_async, durations
from benchmarks.processes import free_port, python
from eldonia_telemetry import runtime

TITLE = "Middleware, processor time of one request"
BARE = "bare FastAPI"
OURS = "ours"
AT_ONCE = "ours, access_log_delay=0"
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
            count, rounds = (50, 2) if quick else (500, 41)
            try:
                without = asyncio.run(_measure_without_opentelemetry(count, rounds, Path(name) / "at-once"))
                with_it = asyncio.run(_measure_with_opentelemetry(count, rounds))
            finally:
                telemetry.shutdown()
        logged = sum(path.stat().st_size for path in (Path(name) / "log").iterdir())
        assert logged > 1000, "the access log is empty"
    notes = [
        "ours: metrics, trace (exported over HTTP), access log to a file, request context, attack detection",
        "access records of requests in which nothing was odd wait for company, 50 ms at the most; with"
        " access_log_delay=0 each is written before its request ends",
        "OpenTelemetry's batch processor hands its spans to an exporter that drops them; ours encodes and sends them",
        *_compared(without),
        *_compared(with_it),
    ]
    first = durations(TITLE, without, "µs a request", ours=BARE, notes=notes)
    second = durations(
        "", {f"{name}, OpenTelemetry loaded": spread for name, spread in with_it.items()}, "µs a request"
    )
    return [Table(first.title, [*first.rows, *second.rows], notes)]


def _compared(found: dict[str, Spread]) -> list[str]:
    """What ours adds to a request, and what part that is of what the other adds."""
    bare, (other, spread) = found[BARE].middle, list(found.items())[-1]
    beside = spread.middle - bare
    added = {name: found[name].middle - bare for name in (OURS, AT_ONCE) if name in found}
    return [
        f"{name} adds {one * 1e6:.0f} µs to a request, {other} {beside * 1e6:.0f} µs: {one / beside:.2f} of that"
        for name, one in added.items()
    ]


async def _measure_without_opentelemetry(count: int, rounds: int, log_dir: Path) -> dict[str, Spread]:
    """As in an application that does not use its SDK: that alone makes every request dearer."""
    bare, ours, at_once, instrumented = _app(), _app(), _app(), _app()
    ours.add_middleware(telemetry.TelemetryMiddleware)
    at_once.add_middleware(telemetry.TelemetryMiddleware)
    settings = replace(runtime.current.settings, access_log_delay=0.0, log_dir=str(log_dir))
    other = runtime.build(settings)
    Instrumentator(registry=CollectorRegistry()).instrument(instrumented)
    contenders = [
        _contender(BARE, bare, count),
        _contender(OURS, ours, count, telemetry.flush),
        _with(other, _contender(AT_ONCE, at_once, count, telemetry.flush)),
        _contender("prometheus-fastapi-instrumentator", instrumented, count),
    ]
    try:
        return await alternate_async(contenders, rounds=rounds, clock=time.process_time)
    finally:
        other.close()


def _with(used: runtime.Runtime, contender: AsyncContender) -> AsyncContender:
    """The contender while another runtime is in place."""

    async def work() -> None:
        before = runtime.replace(used)
        try:
            await contender.run()
        finally:
            runtime.replace(before)

    return AsyncContender(contender.name, work, contender.amount)


async def _measure_with_opentelemetry(count: int, rounds: int) -> dict[str, Spread]:
    from opentelemetry.instrumentation.fastapi import FastAPIInstrumentor
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult

    class Nowhere(SpanExporter):
        def export(self, spans: Sequence[Any]) -> SpanExportResult:
            return SpanExportResult.SUCCESS

    bare, ours, pair = _app(), _app(), _app()
    ours.add_middleware(telemetry.TelemetryMiddleware)
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(BatchSpanProcessor(Nowhere()))
    FastAPIInstrumentor.instrument_app(pair, tracer_provider=provider)
    Instrumentator(registry=CollectorRegistry()).instrument(pair)
    contenders = [
        _contender(BARE, bare, count),
        _contender(OURS, ours, count, telemetry.flush),
        _contender("the instrumentator and opentelemetry-instrumentation-fastapi", pair, count, provider.force_flush),
    ]
    try:
        return await alternate_async(contenders, rounds=rounds, clock=time.process_time)
    finally:
        provider.shutdown()


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
