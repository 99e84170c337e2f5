"""The quick way and the careful way read the same record."""

import json
from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st

from eldonia_ops.protocols.logs import fields as log_fields
from eldonia_ops.protocols.logs import lines as log_lines
from eldonia_ops.protocols.logs.lines import LineDefaults, LineFormat, parse_line

NOW = 1_795_000_000 * 10**9
DEFAULTS = LineDefaults("shop", "test", "here")
NAMES = sorted(
    {
        *log_fields._TIMES,
        *log_fields._MESSAGES,
        *log_fields._LEVELS,
        *(name for names in log_fields._FIELDS.values() for name in names),
        *("status", "method", "name", "err", "stack", "user_name", "durationMs", "@t", "@l", "@m", "M", "metadata"),
        *("log_level", "logLevel", "requestId", "request_id", "__CURSOR", "_BOOT_ID", "pid", "v", "exc_info", "a"),
    }
)
keys = st.sampled_from(NAMES) | st.text(max_size=8)
values = (
    st.sampled_from(["2026-11-28T00:00:00.008062Z", "1795824000", "info", "WARN", "error", "30", "12:00:00", "", "x"])
    | st.text(max_size=12)
    | st.sampled_from([30, 1_795_824_000_123, 0, 404, 2**63, 2**64, -(2**70), 1e308, 1.0, True, None])
    | st.text(min_size=500, max_size=600)
)
usual = st.fixed_dictionaries(
    {
        "ts": st.sampled_from(["2026-11-28T00:00:00.008062Z", "2026-11-28 00:00:00,5", 1_795_824_000.5]) | values,
        "level": st.sampled_from(["info", "warning", "ERROR", 30]) | values,
        "message": st.text(min_size=1, max_size=30) | values,
    },
    optional={"service": values, "host": values, "latency_ms": values, "user_id": values, "status": values},
)
documents = st.dictionaries(keys, values, max_size=8) | usual


def careful(line: bytes) -> Any:
    return log_lines._lenient(line, NOW, format=LineFormat.JSON, source="f", offset=7, dropped=0, defaults=DEFAULTS)


@settings(max_examples=400, deadline=None)
@given(documents, st.booleans())
@example({"ts": "2026-11-28T00:00:00Z", "level": "notice", "message": "m", "time": 5, "msg": "other"}, True)
@example({"time": 0, "level": 30, "msg": "m"}, True)
@example({"ts": "2026-11-28T00:00:00Z", "level": "info", "event": "e", "service": "\x1b[31m"}, False)
def test_the_quick_way_reads_what_the_careful_way_reads(document: dict[str, Any], ascii_only: bool) -> None:
    try:
        line = json.dumps(document, ensure_ascii=ascii_only).encode()
    except UnicodeEncodeError:
        return
    quick = log_lines._quick(line, "f", 7, DEFAULTS)
    if quick is not None:
        expected = careful(line)
        assert quick == expected
        assert list(quick.metadata) == list(expected.metadata)


def test_the_usual_line_goes_the_quick_way() -> None:
    document = {"ts": "2026-11-28T00:00:00.5Z", "level": "warn", "message": "注文", "host": "h", "size": 4, "n": None}
    for ascii_only in (True, False):
        line = json.dumps(document, ensure_ascii=ascii_only).encode()
        quick = log_lines._quick(line, "f", 7, DEFAULTS)
        assert quick is not None
        assert quick == parse_line(line, NOW, source="f", offset=7, defaults=DEFAULTS) == careful(line)
        assert (quick.hostname, quick.service, quick.metadata) == ("h", "shop", {"size": 4, "n": None})


def test_remembered_shapes_are_bounded(monkeypatch: Any) -> None:
    monkeypatch.setattr(log_fields, "MAX_SHAPES", 5)
    for n in range(20):
        assert log_fields.known_shape({"ts": 1, "level": "info", "msg": "m", f"k{n}": 1}) is not None
    assert len(log_fields._shapes) <= 5
