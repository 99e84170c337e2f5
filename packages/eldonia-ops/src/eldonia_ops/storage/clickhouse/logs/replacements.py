"""Records that take the place of others: what is written to the write-ahead log first, so that no crash leaves both.

The new record is stored, then the old one is deleted. Before either, the log notes which old record goes once which new
one is there; that note is kept until the deletion is done, and the next start acts on it.
"""

import struct
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from typing import Final

from eldonia_ops.storage.clickhouse.engines.engine import Engine
from eldonia_ops.storage.clickhouse.journal.journal import LOG_REPLACEMENTS, Journal
from eldonia_ops.storage.clickhouse.journal.line_batches import keyed, split_key
from eldonia_ops.storage.clickhouse.logs.deletions import LogDeletions
from eldonia_ops.storage.clickhouse.logs.rows import bounded_ns
from eldonia_ops.storage.clickhouse.schema import rows
from eldonia_ops.storage.wal import Record

_ONE: Final = struct.Struct("<qqQ")
_AT_ONCE: Final = 10_000
Replaced = Sequence[tuple[int, tuple[int, int]]]
"""The offset of a new record, and the ``(timestamp_ns, id)`` of the old one."""


def payload_of_replaced(source: str, replaced: Replaced) -> bytes:
    """What the write-ahead log keeps: the source, and offset (i64), time (i64, Unix ns) and id (u64) of each."""
    return keyed(source) + b"".join(_ONE.pack(offset, bounded_ns(ns), id) for offset, (ns, id) in replaced)


def replaced_in(payload: bytes) -> tuple[str, list[tuple[int, tuple[int, int]]]]:
    """The same back.

    Raises:
        struct.error: it has another length.
    """
    source, rest = split_key(payload)
    return source, [(offset, (ns, id)) for offset, ns, id in _ONE.iter_unpack(rest)]


class LogReplacements:
    """Notes replacements in a write-ahead log, and finishes those of an earlier run."""

    def __init__(self, engine: Engine, journal: Journal, deletions: LogDeletions) -> None:
        self._engine = engine
        self._journal = journal
        self._deletions = deletions
        journal.afterwards(LOG_REPLACEMENTS, self._again, last=True)

    @asynccontextmanager
    async def noted(self, source: str, replaced: Replaced) -> AsyncGenerator[None]:
        """Note it; it counts until the context is left."""
        held: list[int] = []

        def accept(sequence: int) -> None:
            held.append(sequence)
            self._journal.hold(sequence)

        try:
            await self._journal.append(LOG_REPLACEMENTS, payload_of_replaced(source, replaced), accept)
            yield
        finally:
            for sequence in held:
                self._journal.let_go(sequence)

    async def _again(self, records: Sequence[Record]) -> None:
        for record in records:
            source, replaced = replaced_in(record.payload)
            for start in range(0, len(replaced), _AT_ONCE):
                some = replaced[start : start + _AT_ONCE]
                found = await rows(
                    self._engine,
                    "SELECT offset FROM logs WHERE source = {source:String} AND offset IN {offsets:Array(Int64)}",
                    {"source": source, "offsets": [offset for offset, _ in some]},
                )
                there = {int(row["offset"]) for row in found}
                await self._deletions.run([place for offset, place in some if offset in there])
