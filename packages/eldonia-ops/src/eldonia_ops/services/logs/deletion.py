"""Deletes the log records that a search finds."""

from dataclasses import replace
from typing import Final

from eldonia_ops.ports import LogQuery, LogStore
from eldonia_ops.search.tree import Node

LATEST_NS: Final = 2**63 - 1
_PAGE: Final = 10_000


async def delete_where(store: LogStore, search: Node, *, until_ns: int = LATEST_NS) -> int:
    """Delete all records before ``until_ns`` that a search finds; how many there were.

    They are read page by page, the newest first, and deleted by their places: what comes in meanwhile stays.

    Raises:
        eldonia_ops.ports.TelemetryError: some may be left.
    """
    deleted = 0
    query = LogQuery(0, until_ns, search=search, limit=_PAGE)
    while True:
        page = await store.search_logs(query)
        if not page.records:
            return deleted
        await store.delete_logs([(record.timestamp_ns, record.id) for record in page.records])
        deleted += len(page.records)
        last = page.records[-1]
        query = replace(query, before=(last.timestamp_ns, last.id))
