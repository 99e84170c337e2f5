"""A generated hour of logs and traces, and the questions that pages ask of it."""

import random
from collections.abc import Callable

from eldonia_ops.model.labels import Labels
from eldonia_ops.model.logs import LogRecord
from eldonia_ops.model.samples import MetricMetadata, MetricType
from eldonia_ops.model.spans import Span
from eldonia_ops.simulation.memory_stores import MemoryLogStore, MemoryMetricStore, MemoryStores, MemoryTraceStore
from eldonia_ops.simulation.memory_stores.logs import newest_first
from fake_platform.marketplace import log_record, trace
from fake_platform.times import NOW

_generated: dict[int, tuple[list[LogRecord], dict[str, list[Span]]]] = {}  # the same for every test that starts at NOW
_METADATA = (
    MetricMetadata("http_requests_total", MetricType.COUNTER, "HTTP requests answered."),
    MetricMetadata("orders_total", MetricType.COUNTER, "Orders placed."),
    MetricMetadata("up", MetricType.GAUGE, "Whether the last scrape worked."),
)


class FakeTelemetry(MemoryStores):
    """Stores in memory that begin with an hour of a small marketplace."""

    @classmethod
    def generated(cls, clock: Callable[[], int], rng: random.Random) -> "FakeTelemetry":
        """90 traces, 1,200 records and two series."""
        now = clock()
        stores = cls(MemoryLogStore(), _GeneratedMetrics(now), MemoryTraceStore())
        known = _generated.get(now)
        if known is not None:
            stores.logs.records, stores.traces.traces = list(known[0]), dict(known[1])
            return stores
        for index in range(90):
            spans = trace(rng, now - index * 38_000 - rng.randrange(20_000), index)
            stores.traces.traces[spans[0].trace_id] = spans
        for index in range(1200):
            stores.add_log(now - index * 2_900 - rng.randrange(2_500), rng)
        if now == NOW:
            _generated[now] = (list(stores.logs.records), dict(stores.traces.traces))
        return stores

    def add_log(self, at: int, rng: random.Random | None = None) -> None:
        """A line at ``at`` (milliseconds)."""
        records = self.logs.records
        records.append(log_record(rng or random.Random(at), at, len(records) + 1, list(self.traces.traces)))

    def newest_first(self) -> list[LogRecord]:
        """All records as a page shows them."""
        return newest_first(self.logs.records)


class _GeneratedMetrics(MemoryMetricStore):
    """Two series that are there at any time, and what is known about two families."""

    def __init__(self, now_ms: int) -> None:
        super().__init__(now_ms)
        self._metadata = {one.name: one for one in _METADATA}
        for ago in range(0, 3_600_000, 60_000):
            up = {Labels({"__name__": "up", "job": job}): 1.0 for job in ("shop", "node")}
            self.measure(now_ms - 3_600_000 + ago, up)
