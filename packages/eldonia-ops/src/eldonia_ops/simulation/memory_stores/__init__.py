"""Stores of each signal in memory: they keep the contracts of ``ports`` and are compared with the real ones."""

from eldonia_ops.simulation.memory_stores.logs import MemoryLogStore
from eldonia_ops.simulation.memory_stores.metrics import MemoryMetricStore
from eldonia_ops.simulation.memory_stores.stores import MemoryStores
from eldonia_ops.simulation.memory_stores.traces import MemoryTraceStore

__all__ = ["MemoryLogStore", "MemoryMetricStore", "MemoryStores", "MemoryTraceStore"]
