"""One log line and one trace of a small marketplace, drawn from a seeded source."""

import random
from collections.abc import Sequence
from typing import Any

from eldonia_ops.model.logs import LogError, LogLevel, LogRecord
from eldonia_ops.model.spans import Span, SpanEvent, SpanKind, SpanStatus
from fake_platform.times import MS


def log_record(rng: random.Random, at: int, id: int, trace_ids: Sequence[str]) -> LogRecord:
    """One line of the shop, its gateway or its search; some belong to one of the traces."""
    trace_id = rng.choice(trace_ids) if rng.random() < 0.4 else ""
    common: dict[str, Any] = {
        "timestamp_ns": at * MS + rng.randrange(MS),
        "id": id,
        "trace_id": trace_id,
        "environment": "production",
        "hostname": rng.choice(["web-1", "web-2"]),
        "source": "/var/log/shop/combined.log",
        "offset": id * 340,
    }
    draw = rng.random()
    order = rng.randrange(1000, 9999)
    if draw < 0.6:
        return LogRecord(
            message=f"order {order} placed",
            level=LogLevel.INFO,
            service="shop",
            component="business",
            operation="place_order",
            user_id=f"user-{rng.randrange(400)}",
            request_id=f"req-{rng.randbytes(5).hex()}",
            metadata={"amount": rng.randrange(500, 30_000), "currency": "JPY", "items": rng.randrange(1, 6)},
            **common,
        )
    if draw < 0.8:
        return LogRecord(
            message=f"GET /api/v1/works/{order} 200 in {rng.randrange(4, 120)} ms",
            level=LogLevel.DEBUG,
            service="gateway",
            component="http",
            request_id=f"req-{rng.randbytes(5).hex()}",
            ip_address=f"203.0.113.{rng.randrange(255)}",
            **common,
        )
    if draw < 0.92:
        return LogRecord(
            message="payment gateway answered slowly, retrying (attempt 2)",
            level=LogLevel.WARN,
            service="shop",
            component="payments",
            metadata={"duration_ms": rng.randrange(900, 4000)},
            **common,
        )
    if draw < 0.985:
        return LogRecord(
            message=f"payment of order {order} failed: connection reset by peer",
            level=LogLevel.ERROR,
            service="shop",
            component="payments",
            error=LogError("ConnectionResetError", "connection reset by peer", "Traceback …\n  pay()\n  connect()"),
            metadata={"order": order},
            **common,
        )
    return LogRecord(
        message='{"level": "info", "message": "torn line',
        parse_error="unexpected end of JSON at byte 39",
        service="search",
        **common,
    )


def trace(rng: random.Random, at: int, index: int) -> list[Span]:
    """An order through gateway, shop and payment gateway; every ninth fails and takes six times as long."""
    trace_id, failing = rng.randbytes(16).hex(), index % 9 == 4
    start = at * MS
    spans: list[Span] = []

    def add(parent: str, service: str, name: str, kind: SpanKind, offset: float, length: float, **more: Any) -> str:
        id = rng.randbytes(8).hex()
        spans.append(
            Span(
                trace_id=trace_id,
                span_id=id,
                parent_span_id=parent,
                service=service,
                name=name,
                kind=kind,
                start_ns=start + int(offset * MS),
                end_ns=start + int((offset + length) * MS),
                resource={"service.name": service, "host.name": "web-1"},
                scope="eldonia_telemetry",
                **more,
            )
        )
        return id

    total = rng.uniform(60, 240) * (6 if failing else 1)
    name = rng.choice(["POST /orders", "GET /works", "POST /sign-in"]) if not failing else "POST /orders"
    status = SpanStatus.ERROR if failing else SpanStatus.UNSET
    http = {"http.request.method": name.split()[0], "http.response.status_code": 502 if failing else 200}
    root = add("", "gateway", name, SpanKind.SERVER, 0, total, attributes=http, status=status)
    shop = add(root, "shop", name, SpanKind.SERVER, total * 0.04, total * 0.92, attributes=http, status=status)
    add(
        shop,
        "shop",
        "SELECT works",
        SpanKind.CLIENT,
        total * 0.07,
        total * 0.1,
        attributes={"db.system": "postgresql"},
    )
    add(
        shop,
        "shop",
        "INSERT orders",
        SpanKind.CLIENT,
        total * 0.2,
        total * 0.08,
        attributes={"db.system": "postgresql"},
    )
    pay = add(
        shop,
        "shop",
        "POST payments/charge",
        SpanKind.CLIENT,
        total * 0.3,
        total * 0.6,
        attributes={"server.address": "payments.example", "retry.count": 1 if failing else 0},
        status=status,
        status_message="connection reset by peer" if failing else "",
        events=[
            SpanEvent(
                timestamp_ns=start + int(total * 0.85 * MS),
                name="exception",
                attributes={"exception.type": "ConnectionResetError"},
            )
        ]
        if failing
        else [],
    )
    add(pay, "payment-gateway", "charge", SpanKind.SERVER, total * 0.34, total * 0.5)
    return spans
