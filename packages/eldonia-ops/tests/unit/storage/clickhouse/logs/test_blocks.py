"""What a block holds is what was put in."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eldonia_ops.model.log_batch import LogBatch
from eldonia_ops.model.logs import LogError, LogLevel, LogPerformance, LogRecord
from eldonia_ops.ports import TelemetryError
from eldonia_ops.protocols.logs.lines import parse_lines
from eldonia_ops.storage.clickhouse.engines import native
from eldonia_ops.storage.clickhouse.engines.engine import EngineUnavailableError
from eldonia_ops.storage.clickhouse.engines.native_reader import NativeReader
from eldonia_ops.storage.clickhouse.journal.blocks import NotStoredError
from eldonia_ops.storage.clickhouse.journal.line_batches import LineBatch, LineInserter
from eldonia_ops.storage.clickhouse.journal.line_batches import payload_of as payload_of_lines
from eldonia_ops.storage.clickhouse.logs.blocks import LogInserter, block_batch, payload_of, rows_in, weight_of
from eldonia_ops.storage.clickhouse.logs.rows import COLUMNS, lines_of, plain_line

IDS = range(5_000, 5_000 + 1_024 * 10_000, 1_024)
texts = (
    st.text(max_size=20)
    | st.text('a\x00\ud800"\\\n', max_size=5)
    | st.sampled_from([127, 128, 20_000]).map("x".__mul__)
)
values = texts | st.integers(-(2**63), 2**64 - 1) | st.floats(allow_nan=False, allow_infinity=False) | st.booleans()
records = st.builds(
    LogRecord,
    timestamp_ns=st.integers(0, 2**63 - 1),
    message=texts,
    level=st.sampled_from(LogLevel),
    service=texts,
    user_id=texts,
    component=texts,
    metadata=st.dictionaries(texts, values | st.none() | st.lists(values, max_size=2), max_size=3),
    error=st.none() | st.builds(LogError, name=texts, stack=texts),
    performance=st.none() | st.just(LogPerformance(duration=1.5)),
    source=texts,
    offset=st.integers(0, 2**62),
    parse_error=texts,
    tag=texts,
)


def batch_of(lines: int, **more: Any) -> LogBatch:
    documents = [
        {
            "ts": f"2026-11-28T00:00:{n % 60:02d}.5Z",
            "level": "warn",
            "message": f"注文 {n}",
            "host": "h",
            "n": n,
            **more,
        }
        for n in range(lines)
    ]
    data = [json.dumps(document, ensure_ascii=False).encode() for document in documents]
    data.insert(3, b"no JSON")
    return parse_lines(data, [n * 100 for n in range(len(data))], 1, source="f#1")


@settings(max_examples=40, deadline=None)
@given(st.lists(records, min_size=1, max_size=6))
def test_rows_come_out_of_a_block_as_they_would_be_written_as_lines(some: list[LogRecord]) -> None:
    ids = IDS[: len(some)]
    key, rows = rows_in(payload_of(block_batch(some, ids), "key\ud800"))
    assert key == "key?"
    expected = [json.loads(line) for line in lines_of(some, ids)]
    assert [json.loads(row) for row in rows] == expected


@pytest.mark.parametrize("more", [{}, {"b": True, "f": 1.5, "big": 2**63, "none": None, "x.y": "z"}, {"s": "x" * 300}])
def test_rows_of_lines_read_together_come_out_of_their_blocks(more: dict[str, Any]) -> None:
    batch = batch_of(600, **more)
    assert batch.parts
    ids = IDS[: len(batch)]
    blocks = block_batch(batch, ids)
    assert (blocks.rows, len(blocks.blocks)) == (601, 2)
    assert weight_of(blocks) >= 601
    _, rows = rows_in(payload_of(blocks, ""))
    expected = [json.loads(line) for line in lines_of(list(batch), ids)]
    found = sorted((json.loads(row) for row in rows), key=lambda row: row["id"])
    assert found == expected
    assert [list(row.get("metadata", {})) for row in found] == [list(row.get("metadata", {})) for row in expected]


def test_lines_of_an_earlier_release_are_read() -> None:
    batch = LineBatch(b'{"id":1}\n{"id":2}', 2)
    assert rows_in(payload_of_lines(batch, "k")) == ("k", [b'{"id":1}', b'{"id":2}'])


@settings(max_examples=40, deadline=None)
@given(st.lists(st.text("ab\ud800", max_size=3), max_size=30), st.lists(st.text(max_size=200), max_size=3))
def test_texts_come_out_as_they_went_in(few: list[str], some: list[str]) -> None:
    few += [str(n) for n in range(300)] if some else []
    body = native.block(
        len(few),
        [
            native.NativeColumn("a", "LowCardinality(String)", native.low_cardinality(few)),
            native.NativeColumn("b", "String", native.strings(few)),
        ],
    )
    rows, columns = NativeReader(body).columns("")
    cleaned = [text.encode("utf-8", "replace").decode() for text in few]
    assert (rows, columns) == (len(few), {"a": cleaned, "b": cleaned})


def test_a_block_that_ends_too_early_is_an_error() -> None:
    body = native.block(2, [native.NativeColumn("a", "UInt64", native.integers([1, 2], signed=False))])
    for size in range(len(body)):
        with pytest.raises(ValueError, match=r"block|written"):
            NativeReader(body[:size]).columns("")
    with pytest.raises(ValueError, match="not written here"):
        NativeReader(native.block(1, [native.NativeColumn("a", "UUID", bytes(16))])).columns("")


class Engine:
    """Refuses blocks, and lines that hold a word; or is away."""

    def __init__(self, *, away: bool = False) -> None:
        self.away = away
        self.lines: list[bytes] = []

    async def insert(self, table: str, columns: tuple[str, ...], format: str, body: bytes, *, token: str = "") -> None:
        assert (table, columns) == ("logs", COLUMNS)
        if self.away:
            raise EngineUnavailableError("away")
        if format == "Native" or b"poison" in body:
            raise TelemetryError("refused")
        self.lines += body.split(b"\n")


def inserter(engine: Any, aside: list[bytes]) -> LogInserter:
    lines = LineInserter(engine, "logs", COLUMNS, plain_line, lambda row, reason: aside.append(row))
    return LogInserter(engine, lines)


async def test_of_blocks_that_are_refused_every_row_is_stored_but_the_bad_one() -> None:
    engine, aside = Engine(), list[bytes]()
    good = [LogRecord(timestamp_ns=n, message=f"m{n}") for n in range(20)]
    bad = LogRecord(timestamp_ns=99, message="poison")
    blocks = block_batch([*good, bad], IDS[:21])
    await inserter(engine, aside).insert([blocks, LineBatch(b"\n".join(lines_of(good[:1], IDS[30:31])), 1)])
    assert sorted(json.loads(line)["id"] for line in engine.lines) == [*IDS[:20], IDS[30]]
    assert [json.loads(row)["message"] for row in aside] == ["poison"]


async def test_while_the_engine_is_away_all_batches_are_left() -> None:
    batches = [block_batch([LogRecord(timestamp_ns=1, message="m")], IDS[:1]), LineBatch(b"{}", 1)]
    with pytest.raises(NotStoredError) as caught:
        await inserter(Engine(away=True), []).insert(batches)
    assert caught.value.rest == batches


def test_a_block_of_an_earlier_release_is_read() -> None:
    metadata = {"n": [1, 2], "f": [1.0, 2.5]}
    details = [b'{"metadata":{"n":1,"f":1.0},"tag":"t"}', b'{"metadata":{"n":2,"f":2.5}}']
    block = native.block(
        2,
        [
            native.NativeColumn("timestamp", "DateTime64(9, 'UTC')", native.integers([1, 2], signed=True)),
            native.NativeColumn("id", "UInt64", native.integers([5, 6], signed=False)),
            native.NativeColumn("level", "LowCardinality(String)", native.same_text("info", 2)),
            native.NativeColumn("details", "String", native.byte_strings(details)),
            native.NativeColumn("metadata", native.JSON_TYPE, native.json_paths(metadata)),
        ],
    )
    payload = b"\x01\x00k" + b"\x00" + len(block).to_bytes(4, "little") + block
    key, rows = rows_in(payload)
    found = [json.loads(row) for row in rows]
    assert (key, [row["details"] for row in found]) == ("k", [text.decode() for text in details])
    assert [row["metadata"] for row in found] == [{"n": 1, "f": 1.0}, {"n": 2, "f": 2.5}]
    assert not any("shape" in row for row in found)


def test_the_json_column_of_a_block_is_read_back() -> None:
    columns = {"a.b": [1, 2**63, None], "t": ["x", 1.5, True], "none": [None, None, None]}
    texts = [b'{"a":1}', b"{}"]
    flat = native.block(3, [native.NativeColumn("metadata", native.JSON_TYPE, native.json_paths(columns))])
    plain = native.block(2, [native.NativeColumn("metadata", native.JSON_TYPE, native.json_texts(texts))])
    found = []
    for body in (flat, plain):
        reader = NativeReader(body)
        rows, _ = reader.columns("metadata")
        found.append(reader.json_objects(rows))
    assert found == [[{"a.b": 1, "t": "x"}, {"a.b": 2**63, "t": 1.5}, {"t": True}], [{"a": 1}, {}]]
    assert [type(row["t"]) for row in found[0]] == [str, float, bool]


def test_a_json_column_that_ends_too_early_is_an_error() -> None:
    columns = {"a.b": [1, 2**63, None], "t": ["x", 1.5, True]}
    reader = NativeReader(native.json_paths(columns))
    assert len(reader.json_objects(3)) == 3
    for size in range(len(native.json_paths(columns))):
        with pytest.raises(ValueError, match=r"block|written|JSON"):
            NativeReader(native.json_paths(columns)[:size]).json_objects(3)


def test_a_refused_row_keeps_its_attributes_as_text() -> None:
    (line,) = lines_of([LogRecord(timestamp_ns=1, message="m", metadata={"b.c": 1.0, "a": None}, tag="t")], IDS[:1])
    row = json.loads(plain_line(line, "why"))
    assert row["message"] == 'm {"metadata":{"b.c":1.0,"a":null}}'
    assert (row["metadata"], row["details"], "shape" in row) == ({}, "", False)
