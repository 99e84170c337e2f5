"""Documents read together are the records of each alone; a bad one fails alone."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eldonia_ops.model.logs import LogRecord
from eldonia_ops.protocols.elasticsearch.document_batch import read_documents
from eldonia_ops.protocols.elasticsearch.document_check import read_document
from eldonia_ops.protocols.elasticsearch.documents import id_of, record_of_document, source_of
from eldonia_ops.protocols.elasticsearch.errors import ElasticsearchError

NOW = 1_795_000_000 * 10**9
KEYS = st.sampled_from(
    ["@timestamp", "ts", "message", "msg", "level", "severity", "service", "host", "userId", "a", "b c", "took"]
)
TIMES = st.sampled_from(
    [
        "2026-11-14T00:00:00.008062Z",
        "2026-11-14T00:00:01.123456Z",
        "2026-11-14T00:00:00.008+09:00",
        "2099-01-01T00:00:00Z",
        "no time",
        1_794_824_000_123,
        1_794_824_000.5,
    ]
)
VALUES = {
    "@timestamp": TIMES,
    "ts": TIMES,
    "level": st.sampled_from(["info", "WARN", "error", "", 30]),
    "severity": st.sampled_from(["info", "ERROR", "error"]),
}
OTHERS = st.sampled_from(["", "x", "注文", "a\x00b", "z" * 600, 5, 1.5, None, True, 2**64, {"n": 1}, [1, "a"]])


def documents(keys: list[str]) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries({key: VALUES.get(key, OTHERS) for key in keys})


batches = st.lists(KEYS, unique=True, min_size=1, max_size=6).flatmap(
    lambda keys: st.lists(documents(keys), min_size=8, max_size=20)
)


def alone(line: bytes, number: int) -> tuple[str, LogRecord | None]:
    try:
        return "", record_of_document(read_document(line), index="app", number=number, received_ns=NOW)
    except ElasticsearchError as error:
        return error.reason, None


@settings(deadline=None)
@given(batches)
def test_together_as_each_alone(some: list[dict[str, Any]]) -> None:
    lines = [json.dumps(one, ensure_ascii=False, separators=(",", ":")).encode() for one in some]
    found = read_documents(lines, "app", 100, NOW)
    records = list(found.records)
    assert len(records) + len(found.faults) == len(lines)
    for place, line in enumerate(lines):
        fault, expected = alone(line, 100 + place)
        if expected is None:
            assert found.faults[place].reason == fault
            continue
        record = records[list(found.rows).index(place)]
        assert source_of(record) == source_of(expected)
        assert (record.timestamp_ns, record.level, record.message) == (
            expected.timestamp_ns, expected.level, expected.message,
        )  # fmt: skip
        assert id_of(record) == id_of(expected)


def test_lines_of_one_shape_are_columns() -> None:
    lines = [
        json.dumps(
            {"@timestamp": f"2026-11-14T00:00:{n:02d}.000Z", "level": "info", "message": f"m{n}", "host": "h", "n": n}
        ).replace(": ", ":").replace(", ", ",").encode()
        for n in range(20)
    ]  # fmt: skip
    found = read_documents(lines, "app", 0, NOW)
    assert [len(part.places) for part in found.records.parts] == [20]
    assert set(found.records.parts[0].block.metadata) == {"_index", "_source", "n"}
    assert [source_of(one) for one in found.records] == [json.loads(line) for line in lines]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b"", "failed to parse"),
        (b"[1]", "not an object"),
        (b'{"a":', "failed to parse"),
        (b'{"a":"\xff"}', "invalid UTF-8"),
        (b'{"a":1,"a":2}', "Duplicate field 'a'"),
        (b'{"a" :1,"a":2}', "Duplicate field 'a'"),
        (b'{"b":{"a":1,"a":2}}', "Duplicate field 'a'"),
        (b'{"a":' + b"[" * 1_000 + b"]" * 1_000 + b"}", "mapping depth"),
        (json.dumps({f"k{n}": n for n in range(10_000)}).encode(), "total fields"),
        (json.dumps({"a": "x" * 10_000_000}).encode(), "too large"),
        (b'{"a":123456789012345678901234567890}', "failed to parse field \\[a\\]"),
        (b'{"_id":"x"}', "metadata field"),
        (b'{"@timestamp":"never"}', "of type \\[date\\]"),
    ],
)
def test_a_bad_one_fails_alone(line: bytes, reason: str) -> None:
    good = [b'{"@timestamp":"2026-11-14T00:00:00Z","message":"m","level":"info"}'] * 20
    found = read_documents([*good[:10], line, *good[10:]], "app", 0, NOW)
    assert list(found.faults) == [10]
    assert len(found.records) == 20
    with pytest.raises(ElasticsearchError, match=reason) as caught:
        raise found.faults[10]
    assert caught.value.type == "document_parsing_exception"
    assert caught.value.status == 400


def test_half_a_pair_and_control_characters_are_marks() -> None:
    found = read_documents([rb'{"message":"a\u0000b","x":"\ud800"}'], "app", 0, NOW)
    assert source_of(found.records[0]) == {"message": "a\ufffdb", "x": "\ufffd"}


def test_data_streams_need_a_time() -> None:
    found = read_documents(
        [b'{"message":"m"}', b'{"message":"m","@timestamp":1794824000123}'], "s", 0, NOW, frozenset("s")
    )
    assert "timestamp field" in found.faults[0].reason
    assert len(found.records) == 1
    many = read_documents([b'{"message":"m","ts":1794824000123,"level":"info"}'] * 9, "s", 0, NOW, frozenset("s"))
    assert len(many.faults) == 9
