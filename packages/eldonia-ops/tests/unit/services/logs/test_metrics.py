"""Metrics out of log records, asked in PromQL: the first records count, a restart is a reset, a repeat is none."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest

from eldonia_ops.log_metrics import LogMetric
from eldonia_ops.model.logs import LogRecord
from eldonia_ops.model.samples import MetricMetadata, SampleRow
from eldonia_ops.ports import TelemetryError
from eldonia_ops.search import parse_search
from eldonia_ops.services.ingest import IngestService, Origin
from eldonia_ops.services.logs.metrics import LogMetrics
from eldonia_ops.services.queries import QueryService
from eldonia_ops.simulation.memory_stores import MemoryStores

NOW = 1_800_000_000_000
SECOND = 1_000
INTERVAL = 15 * SECOND
FAILED = LogMetric("failed_total", search=parse_search("failed"), text="failed")
ERROR = LogRecord(timestamp_ns=NOW * 1_000_000, message="it failed")


@dataclass
class Clock:
    at: int = NOW

    def now(self) -> int:
        return self.at

    async def sleep_until(self, at: int) -> None:
        self.at = max(self.at, at)


@dataclass
class World:
    clock: Clock = field(default_factory=Clock)
    stores: MemoryStores = field(default_factory=lambda: MemoryStores.empty(NOW))
    metadata: list[MetricMetadata] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.queries = QueryService(self.clock, self.stores.metrics)
        self.start()

    def start(self, *metrics: LogMetric) -> None:
        self.metrics = LogMetrics(self.clock, self.row, metrics or (FAILED,), interval_ms=INTERVAL)
        self.ingest = IngestService(self.stores, Origin("test", "here"), self.clock)
        self.ingest.count_logs_by(self.metrics.observe)

    async def row(self, row: SampleRow, metadata: Sequence[MetricMetadata]) -> dict[str, int]:
        self.metadata += metadata
        return dict(await self.stores.metrics.insert_row(row))

    async def turn(self) -> None:
        await self.metrics._turn()

    async def value(self, query: str) -> float:
        found = await self.queries.instant(query, self.clock.at)
        return found.series[0].points[0][1] if found.series else float("nan")


async def test_the_first_records_count() -> None:
    world = World()
    await world.ingest.logs([ERROR] * 7)
    await world.turn()
    await world.turn()
    assert await world.value("failed_total") == 7
    assert await world.value("increase(failed_total[1m])") == pytest.approx(7, rel=0.5)
    assert await world.value("increase(failed_total[1m])") > 6.9
    assert [one.name for one in world.metadata] == ["failed_total"], "said once"


async def test_a_restart_is_a_reset() -> None:
    world = World()
    for _ in range(4):
        await world.ingest.logs([ERROR])
        await world.turn()
    await world.metrics.close()
    world.clock.at += 20 * SECOND
    world.start()
    await world.ingest.logs([ERROR] * 50)
    await world.turn()
    await world.turn()
    assert await world.value("failed_total") == 50
    assert await world.value("increase(failed_total[10m])") > 49, "not the difference of 4 and 50"


async def test_a_batch_that_comes_again_after_a_subscriber_failed_counts_once() -> None:
    world = World()
    failures = [RuntimeError("the state is away")]

    async def subscriber(records: Sequence[LogRecord]) -> None:
        if failures:
            raise failures.pop()

    world.ingest.subscribe(subscriber)
    with pytest.raises(RuntimeError):
        await world.ingest.logs([ERROR], batch_key="k")
    await world.ingest.logs([ERROR], batch_key="k")
    await world.turn()
    assert await world.value("failed_total") == 1


async def test_what_was_not_stored_does_not_count() -> None:
    world = World()
    world.stores.break_down("the disk is full")
    with pytest.raises(TelemetryError):
        await world.ingest.logs([ERROR])
    world.stores.break_down("")
    await world.turn()
    assert await world.value("failed_total") == 0


async def test_counts_wait_while_they_cannot_be_stored() -> None:
    world = World()
    await world.ingest.logs([ERROR] * 2)
    world.stores.metrics.broken = "away"
    with pytest.raises(TelemetryError):
        await world.turn()
    world.stores.metrics.broken = ""
    await world.ingest.logs([ERROR])
    await world.turn()
    assert await world.value("failed_total") == 3
    assert await world.value("increase(failed_total[1m])") >= 3


async def test_a_reload_goes_on_with_what_is_the_same() -> None:
    world = World()
    await world.ingest.logs([ERROR])
    world.metrics.configure([FAILED, LogMetric("all_total")], INTERVAL)
    await world.ingest.logs([ERROR])
    await world.turn()
    assert (await world.value("failed_total"), await world.value("all_total")) == (2, 1)
    world.metrics.configure([], INTERVAL)
    await world.turn()
    assert str(await world.value("failed_total")) == "nan"
