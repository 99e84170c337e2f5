"""One row that the engine refuses takes no other with it; an engine that refuses all takes none away."""

import random
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eldonia_ops.ports import TelemetryError
from eldonia_ops.storage.clickhouse.engines.engine import EngineUnavailableError
from eldonia_ops.storage.clickhouse.journal.blocks import NotStoredError
from eldonia_ops.storage.clickhouse.journal.line_batches import LineBatch, LineInserter, batch_in, payload_of


class Engine:
    """Refuses every insert that holds a row for which ``bad`` is true."""

    def __init__(self, bad: Callable[[bytes], bool]) -> None:
        self.bad = bad
        self.stored: list[bytes] = []
        self.inserts = 0

    async def insert(self, table: str, columns: tuple[str, ...], format: str, body: bytes, *, token: str = "") -> None:
        self.inserts += 1
        rows = body.split(b"\n")
        if any(map(self.bad, rows)):
            raise TelemetryError("refused")
        self.stored += rows


def inserter(engine: Any, aside: list[bytes]) -> LineInserter:
    return LineInserter(engine, "t", ("c",), lambda row, reason: b"plain " + row, lambda row, reason: aside.append(row))


def left_of(error: NotStoredError) -> list[LineBatch]:
    return [batch for batch in error.rest if isinstance(batch, LineBatch)]


def batches(*rows: bytes) -> list[LineBatch]:
    return [LineBatch(row, 1) for row in rows]


@given(st.lists(st.sampled_from([b"good", b"worse", b"poison"]), min_size=1, max_size=60))
async def test_every_row_is_stored_or_kept_plain_or_put_aside(rows: list[bytes]) -> None:
    aside: list[bytes] = []
    engine = Engine(lambda row: b"poison" in row or row == b"worse")
    left: list[bytes] = []
    try:
        await inserter(engine, aside).insert(batches(*rows))
    except NotStoredError as error:
        # Nothing at all was taken: that may be the engine's fault.
        left = [row for batch in left_of(error) for row in batch.body.split(b"\n")]
        assert engine.stored == []
    assert engine.stored.count(b"good") + left.count(b"good") == rows.count(b"good")
    assert engine.stored.count(b"plain worse") + left.count(b"worse") == rows.count(b"worse")
    assert len(aside) + left.count(b"poison") == rows.count(b"poison")
    assert not left or {b"good", b"worse"}.isdisjoint(rows)


async def test_one_bad_row_among_many_costs_few_inserts() -> None:
    rows = [b"row %d" % n for n in range(10_000)]
    rows[random.randrange(len(rows))] = b"worse"
    aside: list[bytes] = []
    engine = Engine(lambda row: row == b"worse")
    await inserter(engine, aside).insert(batches(*rows))
    assert len(engine.stored) == len(rows)
    assert aside == []
    assert engine.inserts < 40


async def test_an_engine_that_takes_nothing_is_asked_a_bounded_number_of_times_and_all_is_kept() -> None:
    rows = [b"row %d" % n for n in range(1_000)]
    engine = Engine(lambda row: True)
    with pytest.raises(NotStoredError) as refused:
        await inserter(engine, []).insert(batches(*rows))
    assert sorted(row for batch in left_of(refused.value) for row in batch.body.split(b"\n")) == sorted(rows)
    assert engine.inserts < 200


async def test_an_engine_that_is_away_is_asked_once() -> None:
    class Away:
        inserts = 0

        async def insert(self, *arguments: Any, **more: Any) -> None:
            self.inserts += 1
            raise EngineUnavailableError("away")

    away = Away()
    some = batches(b"a", b"b")
    with pytest.raises(NotStoredError) as refused:
        await inserter(away, []).insert(some)
    assert (away.inserts, refused.value.rest) == (1, some)


@given(st.text(max_size=40), st.lists(st.binary(max_size=9).filter(lambda row: b"\n" not in row), min_size=1))
def test_a_payload_gives_back_key_and_rows(key: str, rows: list[bytes]) -> None:
    found, lines = batch_in(payload_of(LineBatch(b"\n".join(rows), len(rows)), key))
    assert lines == rows
    assert found == key.encode("utf-8", "replace").decode()


def test_a_key_has_a_bound() -> None:
    with pytest.raises(ValueError, match="64 KiB"):
        payload_of(LineBatch(b"{}", 1), "x" * 70_000)
