"""The table of patterns of log messages: what each looks like, and since when it has been seen."""

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import partial
from typing import Any, Final

import msgspec

from eldonia_ops.model.log_patterns import LogPattern
from eldonia_ops.storage.clickhouse.attributes.documents import clean
from eldonia_ops.storage.clickhouse.deployment import Deployment
from eldonia_ops.storage.clickhouse.engines.engine import Engine
from eldonia_ops.storage.clickhouse.journal.journal import LOG_PATTERNS, Journal, JournaledTable, ReadingEngine
from eldonia_ops.storage.clickhouse.journal.line_batches import LineBatch, LineInserter, batch_in, payload_of, weight_of
from eldonia_ops.storage.clickhouse.logs.expunging import Expunging
from eldonia_ops.storage.clickhouse.schema import rows
from eldonia_ops.storage.wal import Record

MOST_READ: Final = 100_000
_COLUMNS: Final = ("id", "template", "first_seen", "updated")
_DELAY_SECONDS: Final = 5.0
_AT_ONCE: Final = 1_000
_ID: Final = re.compile(r"[0-9a-f]{1,64}")


class LogPatterns:
    """Patterns, through the write-ahead log like the records that name them."""

    def __init__(self, engine: Engine, journal: Journal | None, deployment: Deployment) -> None:
        self._engine = engine
        self._expunging = Expunging(engine, deployment, "log_patterns")
        self._journaled: JournaledTable[LineBatch] | None = None
        if journal is not None:
            inserter = LineInserter(engine, "log_patterns", _COLUMNS, _plain, partial(journal.refuse, "log_patterns"))
            self._journaled = journal.table(
                LOG_PATTERNS,
                "log_patterns",
                inserter.insert,
                _recover,
                weight=weight_of,
                delay_seconds=_DELAY_SECONDS,
            )
            self._engine = ReadingEngine(engine, self._journaled.flush)

    async def put(self, patterns: Sequence[LogPattern]) -> None:
        """Return once they are durable."""
        if not patterns:
            return
        batch = LineBatch(b"\n".join(map(_line, patterns)), len(patterns))
        if self._journaled is not None:
            await self._journaled.submit(batch, payload_of(batch, ""))
        else:
            await self._engine.insert("log_patterns", _COLUMNS, "JSONEachRow", batch.body)

    async def read(self, ids: Sequence[str] | None) -> list[LogPattern]:
        """The patterns with these ids, or all: those that were seen last, the latest first."""
        if ids is not None and not ids:
            return []
        where = "" if ids is None else "WHERE id IN {ids:Array(String)} "
        found = await rows(
            self._engine,
            "SELECT id, argMax(template, updated) AS template, "  # noqa: S608
            "min(toUnixTimestamp64Milli(first_seen)) AS first_seen_ms, "
            "max(toUnixTimestamp64Milli(updated)) AS last_seen_ms FROM log_patterns "
            f"{where}GROUP BY id ORDER BY last_seen_ms DESC, id LIMIT {MOST_READ}",
            {} if ids is None else {"ids": list(map(clean, ids))},
        )
        return [LogPattern(**row) for row in found]

    async def forget_unused(self) -> list[str]:
        """Delete the patterns that no record has: a template holds what all messages have in common, which may be the
        name of a person where they were that person's alone. Returns their ids once no file holds the templates.

        Raises:
            TelemetryError: they may still be there. It can be called again.
        """
        found = await rows(
            self._engine,
            "SELECT DISTINCT id FROM log_patterns "
            "WHERE id GLOBAL NOT IN (SELECT DISTINCT pattern FROM logs) ORDER BY id",
        )
        ids = [str(row["id"]) for row in found if _ID.fullmatch(row["id"])]
        for first in range(0, len(ids), _AT_ONCE):
            # The text of a statement stays in a file for a while: ids are hashes, and no template is in it.
            listed = ", ".join(f"'{id}'" for id in ids[first : first + _AT_ONCE])
            await self._expunging.delete(f"id IN ({listed})")
        await self._expunging.old_parts_gone()
        return ids


def _line(pattern: LogPattern) -> bytes:
    return msgspec.json.encode(
        {
            "id": pattern.id,
            "template": clean(pattern.template),
            "first_seen": _instant(pattern.first_seen_ms),
            "updated": _instant(pattern.last_seen_ms),
        }
    )


def _instant(ms: int) -> str:
    return datetime.fromtimestamp(max(0, ms) / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S") + f".{max(0, ms) % 1000:03d}"


def _plain(row: bytes, _reason: str) -> bytes:
    """A row whose template the engine refuses, without it: records are still found by its id."""
    kept: dict[str, Any] = msgspec.json.decode(row)
    return msgspec.json.encode({**kept, "template": ""})


async def _recover(records: Sequence[Record]) -> list[tuple[int, LineBatch]]:
    """All rows of an earlier run: the table keeps one row of each id, so that a repetition changes nothing."""
    found: list[tuple[int, LineBatch]] = []
    for record in records:
        _, lines = batch_in(record.payload)
        found.append((record.sequence, LineBatch(b"\n".join(lines), len(lines))))
    return found
