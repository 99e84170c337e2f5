"""Documents that came together are the records that they are one by one, and the time of their event counts."""

import math
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from eldonia_ops.model.log_batch import joined_batches
from eldonia_ops.model.logs import LogLevel
from eldonia_ops.protocols.logs.documents import document_record, document_records
from eldonia_ops.protocols.logs.lines import MIN_BLOCK
from eldonia_ops.storage.clickhouse.logs.blocks import block_batch, payload_of, rows_in
from eldonia_ops.storage.clickhouse.logs.rows import lines_of

NOW = 1_795_000_000 * 10**9
USUAL: dict[str, Any] = {"level": "info", "message": "order placed", "host": "h"}
texts = st.sampled_from(["", "x", "注文\t", "é", "\x1b[31m", "\u200b", '"', "\\", "y" * 600]) | st.text(max_size=6)
numbers = st.sampled_from([0, 30, 404, -1, 2**62, 2**63, 2**64 - 1, -(2**63), 1.0, 1e308, -0.0, math.nan, -math.inf])
of_messagepack = st.sampled_from(
    [
        b"a\xff",
        msgspec.msgpack.Ext(0, b"\0\0\0\x01\0\0\0\x02"),
        msgspec.msgpack.Ext(5, b"x"),
        datetime(2026, 1, 1, tzinfo=UTC),
    ]
)
anything = texts | numbers | of_messagepack | st.sampled_from([True, False, None, [], [1], {}, {"a": 1}, {1: 2}])
changes = st.fixed_dictionaries(
    {},
    optional={
        "ts": st.sampled_from(["2026-11-28T00:00:01.5Z", 1_795_824_000.25, "", 0, "x", True]),
        "level": st.sampled_from(["info", "INFO", "warn", 30, "loud", "", None, True, b"info"]),
        "message": texts | st.text(min_size=8_190, max_size=8_200) | of_messagepack,
        "host": texts | numbers,
        "service": anything,
        "status": anything,
        "date": anything,
        "log": texts,
    },
)
documents_of = st.lists(changes.map(lambda one: {**USUAL, **one}), min_size=1, max_size=4)


@settings(max_examples=60, deadline=None)
@given(documents_of, st.sampled_from([1, MIN_BLOCK, 70]), st.integers(0, 2))
@example([{**USUAL, "d": math.nan}, {**USUAL, "d": 1.0}], MIN_BLOCK, 1)
def test_documents_read_together_are_the_records_of_each(
    some: list[dict[str, Any]], times: int, without_time: int
) -> None:
    documents = [{**document, "n": turn} for turn in range(times) for document in some]
    instants = [0 if place % 5 < without_time else NOW - place for place in range(len(documents))]
    before = repr(documents)
    found = document_records(documents, instants, NOW + 1, tag="shop.orders", source="forward")
    one_by_one = [
        document_record(document, at or NOW + 1, tag="shop.orders", source="forward")
        for document, at in zip(documents, instants, strict=True)
    ]
    assert list(found) == one_by_one
    assert repr(documents) == before


@given(documents_of)
def test_a_tag_comes_out_of_the_blocks_as_out_of_lines(some: list[dict[str, Any]]) -> None:
    batch = document_records(some * MIN_BLOCK, [NOW] * (len(some) * MIN_BLOCK), NOW, tag='a."b"')
    ids = range(1, 1 + len(batch))
    _, rows = rows_in(payload_of(block_batch(batch, ids), "key"))
    assert sorted(map(msgspec.json.decode, rows), key=lambda row: row["id"]) == [
        msgspec.json.decode(line) for line in lines_of(batch, ids)
    ]


def test_batches_are_joined_one_behind_another() -> None:
    first = document_records([USUAL] * MIN_BLOCK, [NOW] * MIN_BLOCK, NOW, tag="a")
    second = document_records([{"x": 1}, *[USUAL] * MIN_BLOCK], [NOW] * (MIN_BLOCK + 1), NOW, tag="b")
    assert list(joined_batches([first, second])) == [*first, *second]
    assert [record.tag for record in joined_batches([first, second])] == ["a"] * MIN_BLOCK + ["b"] * (MIN_BLOCK + 1)


def test_the_time_of_the_event_counts_unless_the_document_names_one() -> None:
    assert document_record({"message": "m"}, NOW).timestamp_ns == NOW
    assert document_record({"message": "m", "time": "1970-01-01T00:00:01Z"}, NOW).timestamp_ns == 10**9


def test_what_looks_like_a_time_and_is_none_is_a_field() -> None:
    record = document_record({"message": "GET /", "time": "fast", "date": "tomorrow"}, NOW)
    assert (record.timestamp_ns, record.parse_error) == (NOW, "")
    assert record.metadata == {"time": "fast", "date": "tomorrow"}


def test_an_event_need_hold_nothing_that_is_known() -> None:
    record = document_record({"cpu": 0.5}, NOW, tag="metrics.host")
    assert (record.tag, record.metadata, record.parse_error) == ("metrics.host", {"cpu": 0.5}, "")
    assert record.message == '{"cpu":0.5}'


def test_the_log_of_a_container_is_read_as_its_line() -> None:
    """What docker's fluentd driver sends."""
    record = document_record(
        {
            "container_id": "9f",
            "container_name": "/shop",
            "source": "stderr",
            "log": '{"level":"error","msg":"no stock","time":"2026-11-28T00:00:01Z"}',
        },
        NOW,
    )
    assert (record.message, record.level, record.metadata["container_name"]) == ("no stock", LogLevel.ERROR, "/shop")
    assert record.timestamp_ns == 1_795_824_001 * 10**9


@pytest.mark.parametrize("depth", [33, 400, 990, 5_000])
def test_what_is_nested_too_deep_is_kept_with_a_word(depth: int) -> None:
    deep: Any = None
    for _ in range(depth):
        deep = [deep]
    record = document_record({"a": deep}, NOW, tag="t")
    assert record.parse_error
    assert (record.tag, record.timestamp_ns) == ("t", NOW)


ACCESS = {"remote": "10.0.0.1", "host": "-", "method": "POST", "path": "/api/pay", "code": "502", "size": "12"}


def test_an_access_log_is_shown_as_what_was_asked_and_answered():
    found = document_record(ACCESS, NOW)
    assert (found.message, found.level, found.hostname) == ("POST /api/pay 502", LogLevel.ERROR, "")
    assert found.metadata == ACCESS
    assert document_record({"verb": "GET", "url": "/a"}, NOW).message == "GET /a"
    assert document_record({**ACCESS, "message": "m"}, NOW).message == "m"


@pytest.mark.parametrize(
    "other", [{"method": "charge_card", "path": "/x"}, {"method": "GET", "path": 7}, {"path": "/x"}]
)
def test_what_is_no_request_keeps_its_whole_document(other: dict[str, Any]):
    assert document_record(other, NOW).message == msgspec.json.encode(other).decode()


def test_a_dash_is_no_host_in_many_documents_either():
    some = [{**USUAL, "host": "-" if at % 3 else f"h{at}"} for at in range(MIN_BLOCK * 3)]
    found = list(document_records(some, [NOW] * len(some), NOW))
    assert [record.hostname for record in found] == [f"h{at}" if at % 3 == 0 else "" for at in range(len(some))]
    assert found == [document_record(one, NOW) for one in some]
