"""Log records on their way in and out of the store: inserted, deleted, erased (``queries.py`` finds them)."""

import asyncio
import time
from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager, nullcontext
from functools import partial
from typing import Final

from eldonia_ops.model.fingerprints import Numbers
from eldonia_ops.model.logs import LogRecord
from eldonia_ops.ports import (
    Expunged,
    LogQuery,
    LogSize,
)
from eldonia_ops.search.evaluate import matches
from eldonia_ops.search.tree import Node
from eldonia_ops.storage.clickhouse.attributes.documents import clean
from eldonia_ops.storage.clickhouse.deployment import SINGLE, Deployment
from eldonia_ops.storage.clickhouse.engines.engine import Engine
from eldonia_ops.storage.clickhouse.identity import LogIds
from eldonia_ops.storage.clickhouse.journal.group_commit import GroupCommit, kibibytes
from eldonia_ops.storage.clickhouse.journal.journal import LOG_DELETIONS, LOGS, Journal, JournaledTable, ReadingEngine
from eldonia_ops.storage.clickhouse.journal.line_batches import LineBatch, LineInserter, payload_of
from eldonia_ops.storage.clickhouse.logs.blocks import LogInserter, RowBatch, block_batch, weight_of
from eldonia_ops.storage.clickhouse.logs.blocks import payload_of as payload_of_blocks
from eldonia_ops.storage.clickhouse.logs.deletions import DELETED_AT_ONCE, LogDeletions, payload_of_places
from eldonia_ops.storage.clickhouse.logs.expunging import Expunging
from eldonia_ops.storage.clickhouse.logs.fingerprints import document_fingerprints
from eldonia_ops.storage.clickhouse.logs.patterns import LogPatterns
from eldonia_ops.storage.clickhouse.logs.queries import LogQueries
from eldonia_ops.storage.clickhouse.logs.query_conditions import query_conditions
from eldonia_ops.storage.clickhouse.logs.recovery import missing_rows
from eldonia_ops.storage.clickhouse.logs.replacements import LogReplacements, Replaced
from eldonia_ops.storage.clickhouse.logs.rows import (
    COLUMNS,
    MAX_NS,
    lines_of,
    plain_line,
    record_in_line,
)
from eldonia_ops.storage.clickhouse.logs.sizes import log_sizes

BLOCK_SECONDS: Final = 5.0
"""How long records wait for others on their way into the engine, without a query."""

FLUSH_SECONDS: Final = 30.0
"""How long a deletion waits until what was acknowledged before is in the engine."""

EXPUNGE_SECONDS: Final = 120.0
"""How long an erasure waits until the write-ahead log holds nothing of what was acknowledged before."""

_MANY: Final = 200


class Logs:
    """The log side of the telemetry store."""

    def __init__(
        self,
        engine: Engine,
        journal: Journal | None = None,
        *,
        commit_delay_seconds: float = 0.1,
        instance: int = 0,
        deployment: Deployment = SINGLE,
        alone: bool = False,
    ) -> None:
        self._alone = alone
        self._engine = engine
        self._deletions = LogDeletions(engine, deployment)
        self._expunging = Expunging(engine, deployment)
        self._parts = f"{deployment.system('parts')} WHERE table = '{deployment.stored('logs')}'"
        self.patterns = LogPatterns(engine, journal, deployment)
        self._commit = GroupCommit[bytes](self._store, delay_seconds=commit_delay_seconds, weight=kibibytes)
        self._ids = LogIds(lambda: time.time_ns() // 1_000_000, instance)
        self._journal = journal
        self._journaled: JournaledTable[RowBatch] | None = None
        self._replacements: LogReplacements | None = None
        if journal is not None:
            lines = LineInserter(engine, "logs", COLUMNS, plain_line, partial(journal.refuse, "logs"))
            inserter = LogInserter(engine, lines)
            self._journaled = journal.table(
                LOGS,
                "logs",
                inserter.insert,
                partial(missing_rows, engine=engine, journal=journal, ids=self._ids),
                weight=weight_of,
                delay_seconds=BLOCK_SECONDS,
            )
            self._engine = ReadingEngine(engine, self._journaled.flush)
            journal.afterwards(LOG_DELETIONS, self._deletions.again)
            self._replacements = LogReplacements(engine, journal, self._deletions)
        self.queries = LogQueries(self._engine)

    async def open(self) -> None:
        """Find out where the ids of records go on."""
        self._ids.continue_after(await self.queries.last_id())

    async def insert(self, records: Sequence[LogRecord], batch_key: str = "") -> None:
        """Return once the records are durable; a ``batch_key`` that is known already makes it a no-op."""
        if not records:
            return
        ids = self._ids.reserve(len(records))
        # A large batch takes some milliseconds: alerting goes on meanwhile.
        many = len(records) > _MANY
        if self._journaled is not None and many:
            blocks = await asyncio.to_thread(block_batch, records, ids)
            await self._journaled.submit(blocks, payload_of_blocks(blocks, batch_key), batch_key)
            return
        lines = await asyncio.to_thread(lines_of, records, ids) if many else lines_of(records, ids)
        if self._journaled is not None:
            batch = LineBatch(b"\n".join(lines), len(lines))
            await self._journaled.submit(batch, payload_of(batch, batch_key), batch_key)
        elif batch_key:
            await self._engine.insert("logs", COLUMNS, "JSONEachRow", b"\n".join(lines), token=clean(batch_key))
        else:
            await self._commit.submit(lines)

    async def delete(self, places: Sequence[tuple[int, int]]) -> None:
        """Return once no query finds the records, nor will after a crash."""
        for start in range(0, len(places), DELETED_AT_ONCE):
            some = places[start : start + DELETED_AT_ONCE]
            if self._journal is None or self._journaled is None:
                await self._deletions.run(some)
                continue
            # Rows that wait would come behind the statement; of a record that is in no part the log must know, too: it
            # would be taken for one that the engine lost.
            await self._journaled.blocks.flush(FLUSH_SECONDS)
            await self._journal.append(LOG_DELETIONS, payload_of_places(some), _not_awaited)
            await self._deletions.run(some)

    async def delete_found(self, search: Node, since_ns: int, until_ns: int) -> None:
        """Delete all records of a range that a search finds."""
        if self._journaled is not None:
            await self._journaled.blocks.flush(FLUSH_SECONDS)
        await self._deletions.found(*query_conditions(LogQuery(since_ns, until_ns, search=search)))

    async def rewrite_deleted(self) -> int:
        """Write parts that hold deleted records anew; how many."""
        return await self._expunging.rewrite()

    async def expunge(self, search: Node) -> Expunged:
        """Have the bytes of deleted records leave all files of the store."""
        segments = refused = 0
        if self._journal is not None:
            segments = await self._journal.expunge(EXPUNGE_SECONDS)
            refused = await self._journal.drop_refused("logs", lambda line: _is_found(search, line))
        rewritten = await self._expunging.rewrite()
        removed = await self._expunging.old_parts_gone()
        aside = await self._expunging.put_aside()
        patterns = await self.patterns.forget_unused()
        left = (f"{aside} broken parts that the engine put aside",) if aside else ()
        return Expunged(rewritten, removed, segments, refused, left, tuple(patterns))

    async def sizes(self, search: Node) -> list[LogSize]:
        """How much there is of what a search finds, by hours."""
        return await log_sizes(self._engine, self._parts, *query_conditions(LogQuery(0, MAX_NS, search=search)))

    def replacing(self, source: str, replaced: Replaced) -> AbstractAsyncContextManager[None]:
        """Let no crash leave both a record and the one that replaces it; without a log it may."""
        return self._replacements.noted(source, replaced) if self._replacements is not None else nullcontext()

    async def document_fingerprints(self, most: int) -> Numbers | None:
        """Numbers of all documents with ids; None if others write to the table, or there are more."""
        return await document_fingerprints(self._engine, most) if self._alone else None

    async def close(self) -> None:
        """Store what was accepted."""
        await self._commit.close()

    async def _store(self, lines: Sequence[bytes]) -> None:
        await self._engine.insert("logs", COLUMNS, "JSONEachRow", b"\n".join(lines))


def _is_found(search: Node, line: bytes) -> bool:
    record = record_in_line(line)
    return record is not None and matches(search, record)


def _not_awaited(_sequence: int) -> None:
    """No row waits for the engine because of a record that deletes."""
