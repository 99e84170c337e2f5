"""Each record on its way in gets the pattern of its message. That never keeps a record from being stored.

A pattern is durable before the first record that names it: so none is found whose template is not known.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Collection, Sequence
from typing import Final

from msgspec import structs

from eldonia_ops.log_patterns.miner import Miner
from eldonia_ops.model.log_batch import LogBatch, LogBlock, LogPart
from eldonia_ops.model.log_patterns import LogPattern
from eldonia_ops.model.logs import LogRecord
from eldonia_ops.ports import LogStore

log = logging.getLogger("eldonia_ops.log_patterns")

_MANY: Final = 200
_MOST_UNWRITTEN: Final = 10_000


class LogPatternMining:
    """The miner of a platform, one batch after another. ``now_ms`` gives Unix milliseconds."""

    def __init__(self, logs: LogStore, now_ms: Callable[[], int] = lambda: time.time_ns() // 1_000_000) -> None:
        self._logs = logs
        self._now_ms = now_ms
        self._miner = Miner()
        self._unwritten: dict[str, LogPattern] = {}
        self._one_at_a_time = asyncio.Lock()
        self.failures = 0

    async def load(self) -> None:
        """Go on with the patterns of earlier runs."""
        stored = await self._logs.log_patterns()
        self._miner = await asyncio.to_thread(Miner, stored)

    @property
    def patterns(self) -> int:
        """How many patterns are known."""
        return len(self._miner)

    @property
    def unmined(self) -> int:
        """How many records have no pattern, since the start."""
        return self._miner.unmined

    async def found(self, records: Sequence[LogRecord]) -> Sequence[LogRecord]:
        """The records with their patterns."""
        async with self._one_at_a_time:
            try:
                if len(records) > _MANY:
                    records = await asyncio.to_thread(with_patterns, self._miner, records, self._now_ms())
                else:
                    records = with_patterns(self._miner, records, self._now_ms())
            except Exception:  # a record without a pattern is better than none
                self.failures += 1
                log.exception("no patterns were found for a batch of %d records", len(records))
                return records
            self._unwritten |= {one.id: one for one in self._miner.changed()}
            if self._unwritten:
                await self._write()
        return records

    async def forget(self, ids: Collection[str]) -> None:
        """Forget patterns whose templates were deleted."""
        async with self._one_at_a_time:
            self._miner.forget(ids)
            self._unwritten = {id: one for id, one in self._unwritten.items() if id not in ids}

    async def _write(self) -> None:
        try:
            await self._logs.put_log_patterns(list(self._unwritten.values()))
        except Exception as error:  # noqa: BLE001 - the records will say whether the store is away
            self.failures += 1
            log.warning("%d patterns could not be written, the next batch tries again: %s", len(self._unwritten), error)
            for id in list(self._unwritten)[:-_MOST_UNWRITTEN]:
                del self._unwritten[id]
        else:
            self._unwritten = {}


def with_patterns(miner: Miner, records: Sequence[LogRecord], now_ms: int) -> Sequence[LogRecord]:
    """The records with the patterns that a miner finds in them."""
    if not isinstance(records, LogBatch):
        return _records(miner, records, now_ms)
    parts: list[LogPart] = []
    for part in records.parts:
        ids = miner.assign(part.block.messages, _services(part.block), now_ms)
        parts.append(LogPart(part.places, part.block.with_text("pattern", ids)))
    singles = dict(zip(records.singles, _records(miner, list(records.singles.values()), now_ms), strict=True))
    return LogBatch(parts, singles)


def _services(block: LogBlock) -> Sequence[str] | str:
    return block.texts.get("service") or block.shared.get("service", "")


def _records(miner: Miner, records: Sequence[LogRecord], now_ms: int) -> list[LogRecord]:
    ids = miner.assign([one.message for one in records], [one.service for one in records], now_ms)
    return [structs.replace(one, pattern=id) for one, id in zip(records, ids, strict=True)]
