"""Loops of collectors as the platform makes them, with a sink of the test's own."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from eldonia_ops.collectors.collector import Collector, CollectorContext, LoopContext, LoopPlan, OnProbe
from eldonia_ops.collectors.status import TurnWatch, Unwatched
from eldonia_ops.model.logs import LogRecord
from eldonia_ops.ports import Clock, ProbeResult
from eldonia_ops.protocols.prometheus.scrape_rows import Collected, CollectedSink
from eldonia_ops.services.clock import ManualClock
from eldonia_ops.settings import Settings, parse_settings


class NoPositions:
    """Positions that are not saved."""

    async def load_position(self, path: str) -> tuple[str, int] | None:
        return None

    async def save_position(self, path: str, identity: str, offset: int) -> None:
        return None

    async def source_position(self, source: str) -> int | None:
        return None


async def no_logs(records: Sequence[LogRecord], *, source: str, batch_key: str = "") -> None:
    """Drops what it gets."""


async def ignored(name: str, result: ProbeResult, at: int) -> None:
    """Looks at no result."""


class Rows:
    """A sink that keeps what it gets."""

    def __init__(self) -> None:
        self.collected: list[Collected] = []

    async def store(self, collected: Collected) -> None:
        self.collected.append(collected)

    def values(self, index: int = -1) -> dict[tuple[Any, ...], float]:
        """A row by metric name and the labels that are not of the target: ``(name, label=value ...)``."""
        row = self.collected[index].row
        common = set.intersection(*(set(labels.items()) for labels in row.labels))
        return {
            (labels.name, *(f"{k}={v}" for k, v in labels.items() if (k, v) not in common and k != "__name__")): value
            for labels, value in zip(row.labels, row.values.tolist(), strict=True)
        }


def settings_of(text: str, environment: dict[str, str] | None = None) -> Settings:
    """The settings that a text says, as if it were read from a file."""
    return parse_settings(text, Path("/srv/ops/eldonia-ops.yml"), {"HOME": "/home/hana", **(environment or {})})


def plans_of(
    collector: Collector, settings: Settings, clock: Clock | None = None, on_probe: OnProbe = ignored
) -> list[LoopPlan]:
    """What a collector plans for these settings."""
    opened = collector.open(CollectorContext(clock or ManualClock(), no_logs, NoPositions(), on_probe))
    return list(opened.plans(settings))


def unwatched(_: str) -> TurnWatch:
    """A watch that is never read."""
    return Unwatched()


def loop_of(plan: LoopPlan, sink: CollectedSink, clock: Clock | None = None) -> Any:
    """The loop of a plan."""
    return plan.build(LoopContext(clock or ManualClock(), sink, unwatched))
