"""Which records a search finds."""

import pytest

from eldonia_ops.model.logs import LogError, LogLevel, LogPerformance, LogRecord
from eldonia_ops.search import matches, parse_search

RECORDS = {
    "a": LogRecord(
        timestamp_ns=0,
        message="upstream timed out",
        level=LogLevel.ERROR,
        service="shop",
        user_id="alice",
        metadata={"path": "/api/orders", "status": 504, "tags": ["x"], "user": {"plan": "gold"}},
        performance=LogPerformance(duration=1200),
    ),
    "b": LogRecord(
        timestamp_ns=0,
        message="GET /health",
        level=LogLevel.DEBUG,
        service="shop",
        metadata={"path": "/health", "status": 200},
        performance=LogPerformance(duration=2),
    ),
    "c": LogRecord(
        timestamp_ns=0,
        message="決済に失敗しました timeout",
        level=LogLevel.WARN,
        service="pay",
        user_id="bob",
        metadata={"status": "504", "path": "/api/pay"},
        error=LogError("TimeoutError", "gateway"),
    ),
    "d": LogRecord(timestamp_ns=0, message="", level=LogLevel.INFO),
}


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", "abcd"),
        ('user_id:alice level>=error "timed out" -path:/health', "a"),
        ("-path:/health", "acd"),
        ("level>=warn", "ac"),
        ("level>warn", "a"),
        ("level<info", "b"),
        ("level:(error or debug)", "ab"),
        ("-level:info", "abc"),
        ("path:/api/*", "ac"),
        ("path:*", "abc"),
        ("path:/a", ""),
        ("path:/^.a/", "ac"),
        ("status:504", "ac"),
        ('status:"504"', "c"),
        ("status:>=500", "a"),
        ("status:200..504", "ab"),
        ("status:{200 TO 504]", "a"),
        ("performance.duration>1s", None),
        ("performance.duration>1000", "a"),
        ("user.plan:gold", "a"),
        ("user_id:(alice or bob) service:shop", "a"),
        ("user_id:* not user_id:alice", "c"),
        ("tags:*", "a"),
        ("tags:x", ""),
        ("timeout or timed", "ac"),
        ("失敗", "c"),
        ("決済 timeout", "c"),
        ("time*", "ac"),
        ("/tim.d/", "a"),
        ("error.name:TimeoutError", "c"),
        ("-(user_id:alice or user_id:bob)", "bd"),
        ("health GET", "b"),
        ('"GET /health"', "b"),
    ],
)
def test_records_are_found(text: str, found: str | None) -> None:
    if found is None:
        with pytest.raises(ValueError, match="compares numbers"):
            parse_search(text)
        return
    tree = parse_search(text)
    assert "".join(name for name, record in RECORDS.items() if matches(tree, record)) == found
