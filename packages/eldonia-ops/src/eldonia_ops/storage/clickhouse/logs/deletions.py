"""Records that are deleted one by one: small parts that say which rows do not count any more.

ClickHouse calls them patch parts (https://clickhouse.com/docs/sql-reference/statements/delete). A deletion takes some
10 ms, where writing the parts anew took a second. Every read leaves the rows out; a merge drops them.
"""

import struct
from collections.abc import Sequence
from typing import Final

from eldonia_ops.storage.clickhouse.deployment import Deployment
from eldonia_ops.storage.clickhouse.engines.engine import Engine, Parameter
from eldonia_ops.storage.clickhouse.journal.presence import ranges
from eldonia_ops.storage.clickhouse.logs.rows import bounded_ns
from eldonia_ops.storage.wal import Record

DELETED_AT_ONCE: Final = 20_000
_CLOSE_NS: Final = 10 * 10**9
_PLACE: Final = struct.Struct("<qQ")
_SETTINGS: Final = "lightweight_delete_mode = 'lightweight_update_force', enable_lightweight_update = 1"


def payload_of_places(places: Sequence[tuple[int, int]]) -> bytes:
    """What the write-ahead log keeps of a deletion: time (i64, Unix ns) and id (u64) of each record."""
    return b"".join(_PLACE.pack(bounded_ns(ns), id) for ns, id in places)


def places_in(payload: bytes) -> list[tuple[int, int]]:
    """The times and ids of a payload.

    Raises:
        struct.error: it has another length.
    """
    return list(_PLACE.iter_unpack(payload))


class LogDeletions:
    """Deletes rows of the table of logs."""

    def __init__(self, engine: Engine, deployment: Deployment) -> None:
        self._engine = engine
        self._table = deployment.deletable("logs")

    async def run(self, places: Sequence[tuple[int, int]]) -> None:
        """Delete the rows at some places, each of which is a time and an id."""
        if not places:
            return
        times = [bounded_ns(ns) for ns, _ in places]
        sql = (
            f"DELETE FROM {self._table} WHERE id IN {{ids:Array(UInt64)}} AND timestamp "  # noqa: S608
            "BETWEEN fromUnixTimestamp64Nano({since:Int64}) AND fromUnixTimestamp64Nano({until:Int64}) "
            f"SETTINGS {_SETTINGS}"
        )
        for since, until in ranges(times, _CLOSE_NS):
            ids = [id for ns, id in places if since <= bounded_ns(ns) <= until]
            await self._engine.execute(sql, {"ids": ids, "since": since, "until": until})

    async def found(self, condition: str, parameters: dict[str, Parameter]) -> None:
        """Delete the rows for which a condition holds."""
        await self._engine.execute(f"DELETE FROM {self._table} WHERE {condition} SETTINGS {_SETTINGS}", parameters)  # noqa: S608

    async def again(self, records: Sequence[Record]) -> None:
        """Delete what an earlier run had begun to delete."""
        await self.run([place for record in records for place in places_in(record.payload)])
