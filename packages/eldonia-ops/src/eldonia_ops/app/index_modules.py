"""The module of Elasticsearch's API that runs by itself: its routes need none."""

from collections.abc import Mapping

from eldonia_ops.app.foundation import Foundation
from eldonia_ops.app.modules import Inert
from eldonia_ops.ports import LogStore
from eldonia_ops.services.elasticsearch.index_retention import IndexRetention


class IndexRetentionModule(Inert):
    """Deletes documents that are older than the policy of their index allows."""

    name = "index_retention"

    def __init__(self, base: Foundation, logs: LogStore) -> None:
        self.service = IndexRetention(base.clock, base.state, logs, base.loops)

    async def run(self) -> None:
        """Delete until cancelled."""
        await self.service.run()

    def metrics(self) -> Mapping[str, float]:
        """Documents deleted since the start."""
        return {"eldonia_ops_index_retention_deleted_total": float(self.service.deleted)}
