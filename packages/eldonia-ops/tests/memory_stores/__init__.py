"""Stores of each signal in memory: they keep the contracts of ``ports`` and are compared with the real ones."""

from memory_stores.logs import MemoryLogStore
from memory_stores.metrics import MemoryMetricStore
from memory_stores.stores import MemoryStores
from memory_stores.traces import MemoryTraceStore

__all__ = ["MemoryLogStore", "MemoryMetricStore", "MemoryStores", "MemoryTraceStore"]
