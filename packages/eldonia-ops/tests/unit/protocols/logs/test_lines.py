import json

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eldonia_ops.model.foreign import clean_text
from eldonia_ops.model.log_levels import fold_level, severity_level
from eldonia_ops.model.logs import LogError, LogLevel, LogPerformance, LogRecord
from eldonia_ops.protocols.logs import lines as log_lines
from eldonia_ops.protocols.logs.lines import MAX_LINE_BYTES, LineDefaults, LineFormat, parse_line

NOW = 1_700_000_000 * 10**9
STAMP = "2023-11-14T22:13:20.250Z"
STAMP_NS = NOW + 250_000_000


def parse(value, **options):
    line = value if isinstance(value, bytes) else json.dumps(value).encode()
    return parse_line(line, NOW, **options)


def test_the_seeds_entry():
    entry = {
        "timestamp": STAMP,
        "level": "error",
        "service": "payment",
        "component": "Gateway",
        "operation": "charge",
        "userId": "u1",
        "sessionId": "s1",
        "requestId": "r1",
        "ipAddress": "203.0.113.9",
        "userAgent": "curl/8",
        "traceId": "a" * 32,
        "spanId": "b" * 16,
        "message": "支払いに失敗",
        "metadata": {"amount": 1200},
        "error": {"name": "GatewayError", "message": "503", "stack": "at x", "code": "E503"},
        "performance": {"duration": 12.5, "memoryUsage": 1024, "cpuUsage": 3},
    }
    record = parse(entry, source="f#1", offset=77)
    assert record == LogRecord(
        timestamp_ns=STAMP_NS,
        level=LogLevel.ERROR,
        service="payment",
        component="Gateway",
        operation="charge",
        user_id="u1",
        session_id="s1",
        request_id="r1",
        ip_address="203.0.113.9",
        user_agent="curl/8",
        trace_id="a" * 32,
        span_id="b" * 16,
        message="支払いに失敗",
        metadata={"amount": 1200},
        error=LogError(name="GatewayError", message="503", stack="at x", code="E503"),
        performance=LogPerformance(duration=12.5, memory_usage=1024, cpu_usage=3),
        source="f#1",
        offset=77,
    )
    # The lenient path, forced by an unknown key, reads the same.
    lenient = parse({**entry, "colour": "red"}, source="f#1", offset=77)
    assert lenient == msgspec.structs.replace(record, metadata={"colour": "red", "amount": 1200})


def test_unknown_keys_and_odd_types_are_kept():
    record = parse({"timestamp": STAMP, "level": "info", "message": "m", "userId": 42, "metadata": "x", "n": [1]})
    assert record.user_id == "42"
    assert record.metadata == {"metadata": "x", "n": [1]}
    assert record.parse_error == ""


def test_names_of_pino():
    record = parse(
        {
            "level": 50,
            "time": 1700000000250,
            "pid": 7,
            "hostname": "h",
            "msg": "boom",
            "err": {"type": "TypeError", "message": "no", "stack": "at", "extra": 1},
        }
    )
    assert record == LogRecord(
        timestamp_ns=STAMP_NS,
        level=LogLevel.ERROR,
        message="boom",
        hostname="h",
        metadata={"level": 50, "pid": 7, "err": {"extra": 1}},
        error=LogError(name="TypeError", message="no", stack="at"),
    )


@pytest.mark.parametrize("nested", [True, False])
def test_names_of_the_elastic_common_schema(nested):
    flat = {"log.level": "WARN", "service.name": "shop", "trace.id": "t", "host.name": "h", "user.id": "u"}
    fields = (
        flat
        if not nested
        else {
            "log": {"level": "WARN"},
            "service": {"name": "shop"},
            "trace": {"id": "t"},
            "host": {"name": "h"},
            "user": {"id": "u"},
        }
    )
    record = parse({"@timestamp": "2023-11-15T07:13:20.250000000+09:00", "message": "slow", **fields})
    assert record == LogRecord(
        timestamp_ns=STAMP_NS,
        level=LogLevel.WARN,
        message="slow",
        service="shop",
        trace_id="t",
        hostname="h",
        user_id="u",
        metadata={"level": "WARN"},
    )


def test_names_of_opentelemetry():
    record = parse({"timestamp": STAMP, "severity_text": "FATAL", "body": {"a": 1}, "trace_id": "x", "span_id": "y"})
    assert (record.level, record.message, record.trace_id, record.span_id) == (LogLevel.ERROR, '{"a":1}', "x", "y")
    assert record.metadata == {"level": "FATAL"}


def test_defaults_fill_only_what_is_missing():
    defaults = LineDefaults(service="d", environment="prod", hostname="h")
    line = {"timestamp": STAMP, "level": "info", "message": "m"}
    assert parse(line, defaults=defaults).service == "d"
    own = parse({**line, "service": "own"}, defaults=defaults)
    assert (own.service, own.environment, own.hostname) == ("own", "prod", "h")
    assert parse(b"junk", defaults=defaults).service == "d"


def test_times_that_are_missing_or_wrong():
    assert parse({"message": "m"}).timestamp_ns == NOW
    wrong = parse({"timestamp": "soon", "message": "m"})
    assert (wrong.timestamp_ns, wrong.message) == (NOW, "m")
    assert "not a timestamp" in wrong.parse_error
    assert wrong.metadata["timestamp"] == "soon"
    assert "not a timestamp" in wrong.metadata["timestampError"]
    assert parse({"timestamp": True, "message": "m"}).metadata["timestampError"] == "not a timestamp: a boolean"


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        (b'{"timestamp": "2023', "not JSON"),
        (b"plain words", "not JSON"),
        (b"[1, 2]", "a list where an object was expected"),
        (b"null", "null where an object was expected"),
        (b"", "not JSON"),
        (b'{"a": NaN}', "not JSON"),
        (b"[" * 100_000, "not JSON"),
    ],
)
def test_malformed_lines_are_kept_with_the_fault(line, fault):
    record = parse(line, source="f", offset=9)
    assert fault in record.parse_error
    assert record.message.startswith(line.decode()[:1000])
    assert (record.timestamp_ns, record.source, record.offset) == (NOW, "f", 9)


def test_invalid_utf8_is_replaced_and_marked():
    record = parse(b'{"message": "caf\xe9", "timestamp": "2023-11-14T22:13:20.250Z", "level": "warn"}')
    assert (record.message, record.level, record.timestamp_ns) == ("caf�", LogLevel.WARN, STAMP_NS)
    assert record.metadata == {"invalidUtf8": True}
    broken = parse(b"caf\xe9")
    assert broken.message == "caf�"
    assert "invalid UTF-8 was replaced" in broken.parse_error
    assert parse(b"caf\xe9", format=LineFormat.RAW).metadata == {"invalidUtf8": True}


def test_long_lines_are_cut_with_a_mark():
    record = parse(b'{"message": "' + b"x" * (MAX_LINE_BYTES + 100))
    assert record.parse_error == "the line is too long"
    assert len(record.message) < 70_000
    kept, _, mark = record.message.rpartition("… [")
    assert int(mark.removesuffix(" bytes cut off]")) == MAX_LINE_BYTES + 113 - len(kept)
    assert parse(b"abc", format=LineFormat.RAW, dropped=5).message == "abc… [5 bytes cut off]"


@pytest.mark.parametrize(
    ("text", "level"),
    [
        ("2023-11-14 ERROR something", LogLevel.ERROR),
        ("[warn] disk", LogLevel.WARN),
        ("DEBUG: x", LogLevel.DEBUG),
        ("no information about errors", LogLevel.INFO),
        ("x" * 200 + " ERROR", LogLevel.INFO),
    ],
)
def test_raw_lines(text, level):
    record = parse(text.encode(), format=LineFormat.RAW)
    assert (record.message, record.level, record.parse_error) == (text, level, "")


def test_auto_takes_braces_for_json():
    assert parse(b'{"msg": "a"}', format=LineFormat.AUTO).message == "a"
    assert parse(b"plain", format=LineFormat.AUTO).parse_error == ""
    assert parse(b"{oops", format=LineFormat.AUTO).parse_error.startswith("not JSON")


def test_levels():
    pairs = {
        "Fatal": "error",
        "critical": "error",
        "WARNING": "warn",
        "notice": "info",
        "trace": "debug",
        "60": "error",
        40: "warn",
        30: "info",
        10: "debug",
        0: "error",
        4: "warn",
        6: "info",
        7: "debug",
        50.0: "error",
    }
    for value, level in pairs.items():
        assert fold_level(value) == level
    for value in ("loud", True, -1, 1000, None, [], ""):
        assert fold_level(value) is None
    assert [severity_level(number) for number in (0, 1, 8, 9, 13, 17, 24, 25)] == [
        None,
        "debug",
        "debug",
        "info",
        "warn",
        "error",
        "error",
        None,
    ]


json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=8,
)
field_names = st.sampled_from(
    [
        "timestamp",
        "time",
        "level",
        "message",
        "msg",
        "log",
        "error",
        "service",
        "performance",
        "metadata",
        "user",
        "host",
        "log.level",
        "service.name",
        "err",
    ]
) | st.text(max_size=6)


@settings(max_examples=200, deadline=None)
@given(st.dictionaries(field_names, json_values, max_size=8))
def test_any_object_becomes_a_record_that_can_be_encoded(value):
    record = parse(value)
    assert record.message
    assert msgspec.json.decode(msgspec.json.encode(record), type=LogRecord).timestamp_ns == record.timestamp_ns


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=60), st.sampled_from(list(LineFormat)))
def test_any_bytes_become_a_record(line, format):
    record = parse(line, format=format)
    assert isinstance(record, LogRecord)
    if record.parse_error:
        assert record.message == clean_text(line.decode("utf-8", "replace").removeprefix("\ufeff"))


def test_a_line_that_nothing_can_keep_is_kept_as_its_text():
    deep = b'{"message": "m", "a": ' + b"[" * 950 + b"]" * 950 + b"}"
    number = b'{"message": "m", "level": "info", "performance": {"duration": ' + b"1" * 400 + b"}}"
    nested = b'{"message": "m", "a": ' + b"[" * 40 + b"]" * 40 + b"}"
    for line in (deep, number, nested):
        record = parse(line)
        assert record.message == line.decode()
        assert record.parse_error
    seeds = b'{"timestamp": "%s", "level": "info", "message": "m", "metadata": {"a": ' % STAMP.encode()
    record = parse(seeds + b"[" * 60 + b"]" * 60 + b"}}")
    assert "nested deeper" in record.parse_error


def test_json_without_a_message_keeps_its_line():
    line = b'{"time": "2023-11-14T22:13:20.250Z", "level": "warn", "colour": "red"}'
    record = parse(line)
    assert (record.message, record.level, record.timestamp_ns, record.parse_error) == (
        line.decode(), LogLevel.WARN, STAMP_NS, "",
    )  # fmt: skip
    unknown = parse(b'{"colour":"red"}')
    assert unknown.message == '{"colour":"red"}'
    assert unknown.parse_error


def test_unfit_characters_are_replaced_in_every_text():
    record = parse(b'{"message": "a\\u0000b\\ud800c\\u001bd", "service": "s\\u0000", "k\\u0000": ["v\\u0007"]}')
    assert record.message == "a\ufffdb\ufffdc\ufffdd"
    assert record.service == "s\ufffd"
    assert record.metadata == {"k\ufffd": ["v\ufffd"]}


def test_a_record_is_cut_and_not_lost():
    record = parse({"message": "x" * 200_000, "user": {"a": ["y" * 1_000] * 500}, "traceId": "t" * 9_000})
    assert len(record.message) < 66_000
    assert record.message.endswith("bytes cut off]")
    assert len(msgspec.json.encode(record)) < 400_000
    assert record.trace_id.endswith("bytes cut off]")


texts = st.text(max_size=12) | st.sampled_from(["\x7f", "\x00", "\ud800", "\\", '"', "x" * 600, "y" * 5_000])
any_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.integers(0, 9) | st.floats() | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3) | st.just(["a"] * 300),
    max_leaves=6,
)


@given(
    st.dictionaries(texts, any_values, max_size=4),
    st.fixed_dictionaries({}, optional=dict.fromkeys(("message", "service", "userId", "hostname"), texts)),
    st.booleans(),
)
def test_what_is_taken_without_bounds_needs_none(metadata, fields, ascii_only):
    entry = {"timestamp": "2026-11-23T10:15:30Z", "message": "m", "level": "info", "metadata": metadata, **fields}
    line = json.dumps(entry, ensure_ascii=ascii_only).encode("utf-8", "replace")
    record = parse_line(line, 5)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(log_lines, "_needs_no_bounds", lambda line, entry: False)
        assert repr(record) == repr(parse_line(line, 5))


def test_a_usual_line_is_taken_without_bounds():
    entry = {"timestamp": "2026-11-23T10:15:30Z", "message": "m", "level": "info", "metadata": {"a": 1, "b": ["c"]}}
    seen = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(log_lines, "bounded_record", lambda record: seen.append(record) or record)
        assert parse_line(json.dumps(entry).encode(), 5).metadata == {"a": 1, "b": ["c"]}
        assert seen == []
        parse_line(json.dumps({**entry, "message": "\\"}).encode(), 5)
        assert len(seen) == 1


def test_an_empty_text_inside_is_no_message():
    assert parse(b'{"log":""}').message == '{"log":""}'


def test_an_empty_line_of_a_container_is_empty():
    assert parse({"log": "\n", "stream": "stdout", "time": STAMP}).message == ""
