"""Deletes documents once they are as old as the policy of their index says, and indices that are empty then.

``storage.retention`` counts besides: a policy cannot keep a document for longer.
"""

import logging
from typing import Final

from eldonia_ops.model.index_catalog import EntryKind
from eldonia_ops.ports import Clock, LogStore, StateStore
from eldonia_ops.protocols.elasticsearch.catalog import Catalog
from eldonia_ops.protocols.elasticsearch.fields import of_indices
from eldonia_ops.services.elasticsearch.index_catalog import IndexCatalog
from eldonia_ops.services.logs.deletion import delete_where
from eldonia_ops.services.loops import Loops
from eldonia_ops.services.service_loop import supervise

log = logging.getLogger("eldonia_ops.index_retention")
_EVERY_MS: Final = 600_000


class IndexRetention:
    """Looks every ten minutes."""

    def __init__(self, clock: Clock, state: StateStore, store: LogStore, loops: Loops | None = None) -> None:
        self._clock = clock
        self._store = store
        self._loops = loops
        self._catalog = IndexCatalog(state, clock.now)
        self.deleted = 0
        """Documents, since the start."""

    async def run(self) -> None:
        """Delete until cancelled, the first time ten minutes after the start."""
        await supervise("index retention", self._clock, self._turn, self._loops)

    async def _turn(self) -> None:
        await self._clock.sleep_until(self._clock.now() + _EVERY_MS)
        await self.expire_once()

    async def expire_once(self) -> int:
        """Delete what is due; how many documents."""
        catalog = await self._catalog.current()
        deleted = 0
        for index, declared in catalog.all(EntryKind.INDEX).items():
            kept = catalog.kept_ms(index)
            if kept is None:
                continue
            before_ms = self._clock.now() - kept
            search = of_indices([index], "")
            count = await delete_where(self._store, search, until_ns=before_ms * 1_000_000)
            if count:
                log.info("%d documents of %s are older than its policy allows and were deleted", count, index)
            deleted += count
            if declared.created_at < before_ms and not await self._store.count_logs(search, 1):
                await self._drop(await self._catalog.current(), index)
        self.deleted += deleted
        return deleted

    async def _drop(self, catalog: Catalog, index: str) -> None:
        """Forget an empty index, but for one that a data stream or an alias may write to."""
        if catalog.aliases_of(index):
            return
        if not (name := catalog.stream_of(index)):
            await self._catalog.drop(EntryKind.INDEX, index)
            return
        stream = catalog.get(EntryKind.DATA_STREAM, name)
        if stream is not None and index != stream.body["indices"][-1]:
            left = [one for one in stream.body["indices"] if one != index]
            body = {**stream.body, "indices": left}
            await self._catalog.change([(EntryKind.DATA_STREAM, name, body)], [(EntryKind.INDEX, index)])
