"""What the engine answers about records that went through a pipeline."""

import asyncio
from collections.abc import Callable
from typing import Any, Final, TypeVar

from eldonia_ops.ports import LogItems, QueryTooLargeError, TelemetryLimitError
from eldonia_ops.search.aggregates import MAX_GROUPS
from eldonia_ops.search.pipes.items import Item
from eldonia_ops.storage.clickhouse.logs.rows import record_of

_LARGE: Final = 100_000
_T = TypeVar("_T")


def items_of(rows: list[dict[str, Any]], names: list[str], limit: int) -> LogItems:
    """Records with what stages made, in the columns ``v0`` and on. A row beyond the limit says that there are more."""
    items: list[Item] = []
    for row in rows[:limit]:
        values = {name: row.pop(f"v{number}") for number, name in enumerate(names)}
        record = record_of(row)
        items.append(Item(values, record, (record.timestamp_ns, record.id)))
    return LogItems(items, len(rows) > limit)


async def read_aside(body: bytes, work: Callable[[], _T]) -> _T:
    """Reading a large answer takes a while: on a thread, others are answered meanwhile."""
    return await asyncio.to_thread(work) if len(body) > _LARGE else work()


def in_words(error: TelemetryLimitError) -> TelemetryLimitError:
    """A bound of an aggregate, in words that say what to do."""
    text = str(error)
    if "GROUP BY" in text:
        return QueryTooLargeError(f"there are more than {MAX_GROUPS:,} groups: search for less, or group by less")
    if "emory limit" in text:
        return QueryTooLargeError("it takes too much memory: search a shorter time, or group by less")
    return error
