"""Metrics of logs, rules of retention and erasures: the real services over stores in memory."""

from eldonia_ops.log_metrics import LogMetric
from eldonia_ops.model.erasure import Erasure
from eldonia_ops.ports import Clock, LogStore, StateStore
from eldonia_ops.search import parse_search
from eldonia_ops.services.audit import AuditLog
from eldonia_ops.services.logs.erasures import Erasures
from eldonia_ops.services.logs.metrics import LogMetrics
from eldonia_ops.services.logs.retention import LogRetention
from eldonia_ops.settings.log_retention import LogRetentionRule


class FakeErasureStore:
    """Keeps erasures in a list."""

    def __init__(self) -> None:
        self.kept: dict[str, Erasure] = {}
        self.puts: list[Erasure] = []
        self.buffered = 0
        self.broken = ""

    def all(self) -> list[Erasure]:
        return sorted(self.kept.values(), key=lambda one: (one.asked_at, one.id))

    def put(self, erasure: Erasure) -> None:
        if self.broken:
            raise OSError(self.broken)
        self.kept[erasure.id] = erasure
        self.puts.append(erasure)

    def buffered_bytes(self) -> int:
        return self.buffered


def fake_log_metrics(clock: Clock) -> LogMetrics:
    async def store(row: object, metadata: object) -> dict[str, int]:
        return {}

    metric = LogMetric("errors_total", search=parse_search("level:error"), text="level:error")
    return LogMetrics(clock, store, [metric], interval_ms=15_000)


def fake_log_retention(clock: Clock, logs: LogStore, state: StateStore) -> LogRetention:
    rules = [LogRetentionRule("debug", "level:debug", 3 * 86_400_000)]
    return LogRetention(clock, logs, AuditLog(state), rules)


def fake_erasures(clock: Clock, logs: LogStore, state: StateStore) -> Erasures:
    kept = FakeErasureStore()
    kept.put(
        Erasure(id="e1", search="", digest="0" * 64, reason="ticket 7", actor="hana", asked_at=1, until_id=1, matched=3)
    )
    return Erasures(clock, logs, kept, AuditLog(state))
