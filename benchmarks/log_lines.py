"""Lines of log files to records."""

import json

import msgspec

from benchmarks.harness import Contender, Table, alternate, durations
from eldonia_ops.model.timestamps import parse_timestamp
from eldonia_ops.protocols.logs.lines import parse_line

TITLE = "Log lines to records"

_SEED = {
    "timestamp": "2026-11-23T10:15:30.123456Z",
    "level": "info",
    "service": "shop",
    "component": "orders",
    "operation": "POST /orders",
    "userId": "u-4711",
    "sessionId": "s-0815",
    "requestId": "3f2a9c1e5b7d4f60",
    "ipAddress": "203.0.113.9",
    "userAgent": "Mozilla/5.0 (X11; Linux x86_64)",
    "message": "order placed",
    "metadata": {"orderId": 42, "total": 3800, "items": ["a", "b"]},
    "traceId": "4bf92f3577b34da6a3ce929d0e0e4736",
    "spanId": "00f067aa0ba902b7",
}
_PINO = {
    "level": 30,
    "time": 1795428930123,
    "pid": 7,
    "hostname": "web-1",
    "reqId": "r-1",
    "msg": "order placed",
    "orderId": 42,
}


def run(quick: bool) -> list[Table]:
    """Microseconds a record."""
    count = 200 if quick else 20_000
    seed = json.dumps(_SEED).encode()
    pino = json.dumps(_PINO).encode()
    raw = b"2026-11-23 10:15:30,123 WARNING shop.orders: the gateway took 1.8 s for order 42"
    decode = msgspec.json.Decoder().decode

    def ours(line: bytes) -> None:
        for _ in range(count):
            parse_line(line, 1)

    def standard() -> None:
        for _ in range(count):
            entry = json.loads(seed)
            parse_timestamp(entry["timestamp"])

    def bare() -> None:
        for _ in range(count):
            decode(seed)

    found = alternate(
        [
            Contender("ours, a line in the seed's form", lambda: ours(seed), count),
            Contender("ours, a line of pino", lambda: ours(pino), count),
            Contender("ours, plain text", lambda: ours(raw), count),
            Contender("json.loads and the time stamp alone", standard, count),
            Contender("msgspec's untyped decode alone (floor)", bare, count),
        ],
        rounds=2 if quick else 7,
    )
    notes = [
        f"a line in the seed's form has {len(seed)} bytes; ours yields validated records with their time in nanoseconds"
    ]
    return [durations(TITLE, found, "µs a record", notes=notes)]
