"""Samples in the head of the real store, without a database behind it."""

from collections.abc import Sequence

import numpy as np

from eldonia_ops.model.labels import Labels
from eldonia_ops.model.matchers import Matcher
from eldonia_ops.model.samples import AnySample, MetricMetadata, SampleRow, SeriesBlock
from eldonia_ops.simulation.memory_stores.failing import FailingStore
from eldonia_ops.storage.clickhouse.metrics.head import Head

HOUR = 3_600_000


class MemoryMetricStore(FailingStore):
    """``head`` holds the samples of half a day before ``now_ms`` and what comes later."""

    def __init__(self, now_ms: int) -> None:
        self.empty(now_ms)
        self._metadata: dict[str, MetricMetadata] = {}

    def empty(self, now_ms: int) -> None:
        """Forget every sample; the head begins half a day before this instant."""
        self.head = Head(floor_ms=now_ms - 12 * HOUR, retention_ms=12 * HOUR)

    async def insert_row(self, row: SampleRow) -> dict[str, int]:
        self.check()
        self.head.append_row(row)
        return {}

    async def insert_samples(self, samples: Sequence[AnySample]) -> dict[str, int]:
        self.check()
        self.head.append_samples(samples)
        return {}

    async def insert_metadata(self, metadata: Sequence[MetricMetadata]) -> None:
        self.check()
        self._metadata |= {one.name: one for one in metadata}

    async def select(
        self, matchers: Sequence[Matcher], start_ms: int, end_ms: int, *, most: int | None = None
    ) -> list[SeriesBlock]:
        return self.head.select(matchers, start_ms, end_ms, most=most)

    async def series(self, matchers: Sequence[Matcher], start_ms: int, end_ms: int) -> list[Labels]:
        return self.head.series(matchers, start_ms, end_ms)

    async def label_names(self, matchers: Sequence[Matcher], start_ms: int, end_ms: int) -> list[str]:
        return sorted({name for labels in await self.series(matchers, start_ms, end_ms) for name in labels})

    async def label_values(self, name: str, matchers: Sequence[Matcher], start_ms: int, end_ms: int) -> list[str]:
        found = await self.series(matchers, start_ms, end_ms)
        return sorted({labels[name] for labels in found if name in labels})

    async def metadata(self) -> list[MetricMetadata]:
        return [self._metadata[name] for name in sorted(self._metadata)]

    def measure(self, at_ms: int, values: dict[Labels, float], target: str = "job/instance") -> None:
        """Put a scrape into the head, also when the store is broken."""
        self.head.append_row(SampleRow(target, at_ms, tuple(values), np.array(list(values.values()), dtype=np.float64)))
