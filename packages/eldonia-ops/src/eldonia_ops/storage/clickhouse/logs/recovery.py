"""Of the rows that the write-ahead log kept of an earlier run, those that the engine does not have."""

from collections.abc import Sequence
from typing import Final

import msgspec

from eldonia_ops.storage.clickhouse.engines.engine import Engine, Parameter
from eldonia_ops.storage.clickhouse.identity import LogIds
from eldonia_ops.storage.clickhouse.journal.journal import LOGS, Journal
from eldonia_ops.storage.clickhouse.journal.line_batches import LineBatch
from eldonia_ops.storage.clickhouse.journal.presence import ranges
from eldonia_ops.storage.clickhouse.logs.blocks import RowBatch, rows_in
from eldonia_ops.storage.wal import Record

_CLOSE_NS: Final = 10 * 10**9


class _Place(msgspec.Struct):
    """Where a row is found: ``timestamp`` is seconds and nanoseconds with a point between them."""

    timestamp: str
    id: int

    @property
    def ns(self) -> int:
        """Unix nanoseconds."""
        return int(self.timestamp.replace(".", ""))


_place_decoder: Final = msgspec.json.Decoder(_Place)


async def missing_rows(
    records: Sequence[Record], engine: Engine, journal: Journal, ids: LogIds
) -> list[tuple[int, RowBatch]]:
    """The rows that have to be inserted again, by the numbers of their records. Each row has an id of its own."""
    batches = [(record.sequence, *rows_in(record.payload)) for record in records]
    known = [[_place_decoder.decode(line) for line in lines] for _, _, lines in batches]
    places = [place for some in known for place in some]
    stored: set[int] = set()
    if places:
        parameters: dict[str, Parameter] = {
            "low": min(place.id for place in places),
            "high": max(place.id for place in places),
        }
        ids.continue_after(max(place.id for place in places))
        sql = (
            "SELECT id FROM logs WHERE id BETWEEN {low:UInt64} AND {high:UInt64} AND timestamp "
            "BETWEEN fromUnixTimestamp64Nano({since:Int64}) AND fromUnixTimestamp64Nano({until:Int64})"
        )
        for since, until in ranges((place.ns for place in places), _CLOSE_NS):
            body = await engine.query(sql, {**parameters, "since": since, "until": until}, format="TSV")
            stored.update(map(int, body.split()))
    found: list[tuple[int, RowBatch]] = []
    for (sequence, key, lines), some in zip(batches, known, strict=True):
        journal.recovered(LOGS, key)
        missing = [line for line, place in zip(lines, some, strict=True) if place.id not in stored]
        if missing:
            found.append((sequence, LineBatch(b"\n".join(missing), len(missing))))
    return found
