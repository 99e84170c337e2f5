"""The modules that delete log records: by rules of retention, and those of one person."""

from collections.abc import Mapping

from eldonia_ops.app.configuration import Configuration
from eldonia_ops.app.foundation import Foundation
from eldonia_ops.app.metrics import escaped
from eldonia_ops.app.modules import Inert
from eldonia_ops.ports import LogStore
from eldonia_ops.services.audit import AuditLog
from eldonia_ops.services.logs.erasures import Erasures
from eldonia_ops.services.logs.pattern_mining import LogPatternMining
from eldonia_ops.services.logs.retention import LogRetention
from eldonia_ops.storage.erasure_files import ErasureFiles


class LogRetentionModule(Inert):
    """Deletes records that the rules of retention do not keep."""

    name = "log retention"

    def __init__(self, base: Foundation, logs: LogStore) -> None:
        rules = base.configuration.settings.retention.log_rules
        self.service = LogRetention(base.clock, logs, AuditLog(base.state), rules, base.loops)

    async def run(self) -> None:
        """Delete until cancelled."""
        await self.service.run()

    async def apply(self, configuration: Configuration) -> None:
        """Go on by other rules."""
        self.service.configure(configuration.settings.retention.log_rules)

    def metrics(self) -> Mapping[str, float]:
        """Records deleted since the start, by rule."""
        return {
            f'eldonia_ops_log_retention_deleted_total{{rule="{escaped(name)}"}}': float(count)
            for name, count in self.service.deleted.items()
        }


class ErasuresModule(Inert):
    """Erases the records of one person."""

    name = "erasures"

    def __init__(self, base: Foundation, logs: LogStore, patterns: LogPatternMining) -> None:
        folder = base.configuration.settings.data
        kept = ErasureFiles(folder / "erasures", folder / "pipeline")
        self.service = Erasures(base.clock, logs, kept, AuditLog(base.state), base.loops, forget=patterns.forget)

    async def run(self) -> None:
        """Do what waits, until cancelled."""
        await self.service.run()
