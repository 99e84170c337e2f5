"""The three stores together."""

from dataclasses import dataclass

from eldonia_ops.ports import TelemetryStores
from eldonia_ops.simulation.memory_stores.logs import MemoryLogStore
from eldonia_ops.simulation.memory_stores.metrics import MemoryMetricStore
from eldonia_ops.simulation.memory_stores.traces import MemoryTraceStore


@dataclass(frozen=True)
class MemoryStores(TelemetryStores):
    """One store in memory for each signal."""

    logs: MemoryLogStore
    metrics: MemoryMetricStore
    traces: MemoryTraceStore

    @classmethod
    def empty(cls, now_ms: int) -> "MemoryStores":
        """Three empty stores; samples may be half a day older than ``now_ms``."""
        return cls(MemoryLogStore(), MemoryMetricStore(now_ms), MemoryTraceStore())

    def break_down(self, text: str) -> None:
        """Let every insert and search fail with this text; with an empty one they work again."""
        for store in (self.logs, self.metrics, self.traces):
            store.broken = text
