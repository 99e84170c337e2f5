"""Many lines read together are the records that they are one by one."""

import json
from collections.abc import Sequence
from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st

from eldonia_ops.model.log_batch import LogBatch, parse_errors, where
from eldonia_ops.model.timestamps import parse_timestamp, parse_timestamps
from eldonia_ops.protocols.logs.lines import (
    MAX_LINE_BYTES,
    MIN_BLOCK,
    LineDefaults,
    LineFormat,
    parse_line,
    parse_lines,
)

NOW = 1_795_000_000 * 10**9
DEFAULTS = LineDefaults("shop", "test", "")
USUAL: dict[str, Any] = {"ts": "2026-11-28T00:00:00.008062Z", "level": "info", "message": "order placed", "host": "h"}

texts = st.sampled_from(["", "x", "注文\t", "é", "\x1b[31m", "\u200b", '"', "\\", "y" * 600]) | st.text(max_size=6)
numbers = st.sampled_from([0, 30, 404, -1, 2**62, 2**63, 2**64, -(2**63), -(2**70), 1.0, 1e308, -0.0, 0.1])
anything = texts | numbers | st.sampled_from([True, False, None, [], [1], {}, {"a": 1}])
changes = st.fixed_dictionaries(
    {},
    optional={
        "ts": st.sampled_from(["2026-11-28T00:00:01.5Z", "2026-11-28 00:00:00,25+09:00", 1_795_824_000.25, "", 0, "x"]),
        "level": st.sampled_from(["info", "INFO", "warn", "Error", 30, "loud", "", None, True]),
        "message": texts | st.text(min_size=8_190, max_size=8_200),
        "host": texts | numbers,
        "service": anything,
        "status": anything,
        "latency.ms": anything,
        "a%2Eb": anything,
        "component": st.sampled_from(["security", "Security", "db"]),
        "userId": texts,
    },
)
lines_of_files = st.lists(
    st.tuples(st.integers(0, 3), changes).map(lambda pair: (pair[0], {**USUAL, **pair[1]})), min_size=1, max_size=4
)
broken = st.sampled_from(
    [
        *(b"", b"plain text", b"{", b"}", b" {}", b'{"a":1} {"b":2}', b'{"message":1}{"message":2}'),
        *(b'{"a":[1', b",2]}", b'[{"a":1}]', b'{"a":{}', b"\xff", b'{"a":"\xff"}'),
        b'{"timestamp":"2026-11-28T00:00:00Z","message":"m","level":"warn"}',
        b'{"log":"x\\n"}\n{"log":"y\\n"}',
        b'{"ts":1,"level":"info","message":"\\ud800"}',
    ]
)


def one_by_one(lines: Sequence[bytes], **options: Any) -> list[Any]:
    return [
        parse_line(line, NOW, source="f#1", offset=place * 10, defaults=DEFAULTS, **options)
        for place, line in enumerate(lines)
    ]


def together(lines: Sequence[bytes], **options: Any) -> LogBatch:
    offsets = [place * 10 for place in range(len(lines))]
    return parse_lines(lines, offsets, NOW, source="f#1", defaults=DEFAULTS, **options)


def lines_from(documents: list[tuple[int, dict[str, Any]]], times: int, odd: list[bytes]) -> list[bytes]:
    """Each document so often that lines of its keys make a block, its neighbours between its lines."""
    found: list[bytes] = []
    for turn in range(times):
        for kind, document in documents:
            text = json.dumps({**document, "n": turn}, ensure_ascii=kind == 1, separators=(",", ":"))
            found.append(text.encode("utf-8", "replace"))
    for place, line in enumerate(odd):
        found.insert(place * 7 % (len(found) + 1), line)
    return found


@settings(max_examples=50, deadline=None)
@given(lines_of_files, st.sampled_from([1, MIN_BLOCK, 70]), st.lists(broken, max_size=4))
@example([(0, USUAL)], MIN_BLOCK, [b'{"a":{}', b',"b":1}', b'{"a":1} {"b":2}'])
@example([(0, {**USUAL, "level": "INFO"}), (0, USUAL)], MIN_BLOCK, [])
def test_lines_read_together_are_the_records_of_each(
    documents: list[tuple[int, dict[str, Any]]], times: int, odd: list[bytes]
) -> None:
    lines = lines_from(documents, times, odd)
    batch, expected = together(lines), one_by_one(lines)
    assert list(batch) == expected
    assert [list(record.metadata) for record in batch] == [list(record.metadata) for record in expected]
    assert [type(item) for record in batch for item in record.metadata.values()] == [
        type(item) for record in expected for item in record.metadata.values()
    ]
    assert len(batch) == len(expected)
    assert parse_errors(batch) == sum(1 for record in expected if record.parse_error)
    wanted = [record for record in expected if record.component.lower() == "security"]
    assert list(where(batch, "component", ["security"])) == list(where(expected, "component", ["security"])) == wanted
    times_ns = [record.timestamp_ns for record in expected]
    assert batch.span_ns() == (min(times_ns), max(times_ns))
    named = batch.with_defaults(hostname="here", environment="other")
    assert [(r.hostname, r.environment) for r in named] == [(r.hostname or "here", r.environment) for r in expected]


def test_the_usual_lines_are_read_together() -> None:
    lines = lines_from([(0, USUAL), (0, {**USUAL, "user_id": "u1"})], 300, [b"plain text"])
    batch = together(lines)
    assert [len(part.places) for part in batch.parts] == [300, 300]
    assert list(batch.singles) == [0]
    assert list(batch) == one_by_one(lines)


def test_one_odd_line_does_not_keep_the_others_from_being_read_together() -> None:
    odd: list[dict[str, Any]] = [{"message": "tab\t"}, {"level": "loud"}, {"ts": "soon"}, {"host": 5}, {"message": ""}]
    lines = lines_from([(0, USUAL)] * 100 + [(0, {**USUAL, **change}) for change in odd], 1, [])
    batch = together(lines)
    assert len(batch.singles) == len(odd)
    assert list(batch) == one_by_one(lines)


def test_raw_and_long_lines_are_read_one_by_one() -> None:
    lines = lines_from([(0, USUAL)], 20, [])
    assert list(together(lines, format=LineFormat.RAW)) == one_by_one(lines, format=LineFormat.RAW)
    lines[3] = json.dumps({**USUAL, "message": "x" * MAX_LINE_BYTES}).encode()
    batch = together(lines)
    assert 3 in batch.singles
    assert list(batch) == one_by_one(lines)


@given(
    st.lists(
        st.from_regex(
            r"20\d\d-(0[1-9]|1[0-2])-([0-2]\d|3[01])[T ]\d\d:\d\d:\d\d[.,]?\d{0,9}(Z|\+09:00)?", fullmatch=True
        )
        | st.text(max_size=30)
        | st.sampled_from(["2026-11-28T00:00:00.008062Z", "2026-11-28T00:00:00.00806٢Z", "1969-12-31T23:59:59.1Z"]),
        min_size=1,
        max_size=6,
    ),
    st.integers(0, 9),
)
def test_timestamps_read_together_are_those_of_each(texts: list[str], digits: int) -> None:
    def alone(text: str) -> int:
        try:
            return parse_timestamp(text)
        except ValueError:
            return 0

    assert parse_timestamps(texts) == list(map(alone, texts))
    alike = [f"{text[:19]}.{'123456789'[:digits]}Z" for text in texts]
    assert parse_timestamps(alike) == list(map(alone, alike))
