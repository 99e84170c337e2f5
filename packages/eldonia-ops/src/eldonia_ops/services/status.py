"""The platform looking at itself, and at what was promised."""

import asyncio
import resource
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

import psutil

from eldonia_ops import __version__
from eldonia_ops.model.alerts import OutgoingStatus
from eldonia_ops.ports import Clock, StateStore, StateTransaction, TelemetryStores
from eldonia_ops.services import health
from eldonia_ops.services.api import (
    ListenerView,
    ObjectivePoint,
    ObjectiveView,
    PipelineView,
    PlatformHealth,
    TargetView,
)
from eldonia_ops.services.loops import Loops
from eldonia_ops.services.own_metrics import TEXT, escaped
from eldonia_ops.services.rules.objectives import ObjectiveReports

_REFUSED: Final = "eldonia_ops_refused_total{"

Counts = Callable[[], Mapping[str, float]]


class StatusService:
    """Implements :class:`~eldonia_ops.services.api.Status`.

    ``counts`` gives the platform's own counters by metric name (with labels, as they are exposed).
    ``folder`` holds the data: its disk is watched.
    """

    def __init__(
        self,
        clock: Clock,
        state: StateStore,
        telemetry: TelemetryStores,
        *,
        objectives: ObjectiveReports,
        targets: Callable[[], list[TargetView]],
        counts: Counts,
        loops: Loops | None = None,
        folder: Path | None = None,
        pipeline: Callable[[], PipelineView | None] = lambda: None,
    ) -> None:
        self._clock = clock
        self._state = state
        self._telemetry = telemetry
        self._objectives = objectives
        self._targets = targets
        self._counts = counts
        self._loops = loops or Loops()
        self._folder = folder
        self._pipeline = pipeline
        self._started_at = clock.now()
        self._ready = False
        self._listeners: Callable[[], tuple[ListenerView, ...]] = tuple

    def watch_listeners(self, listeners: Callable[[], tuple[ListenerView, ...]]) -> None:
        """Say which listeners there are, and how they are."""
        self._listeners = listeners

    def set_ready(self, ready: bool) -> None:
        """Say whether requests are welcome."""
        self._ready = ready

    def ready(self) -> bool:
        """Whether everything has started."""
        return self._ready

    def failing_loops(self) -> list[str]:
        """Names of the loops that fail again and again."""
        return [loop.name for loop in self._loops.failing()]

    def targets(self) -> list[TargetView]:
        """What is collected, and its state."""
        return self._targets()

    async def objectives(self) -> list[ObjectiveView]:
        """Objectives with what is left of their error budgets."""
        return await self._objectives.all()

    async def objective_history(self, name: str) -> list[ObjectivePoint]:
        """An objective from when it was first watched, at most over its window, until now."""
        return await self._objectives.history(name)

    async def overview(self) -> dict[str, Any]:
        """What the status strip and the command line show."""
        now = self._clock.now()

        def work(tx: StateTransaction) -> dict[str, int]:
            unresolved, unacknowledged = tx.incidents.count_open()
            return {
                "incidents_open": unresolved,
                "incidents_unacknowledged": unacknowledged,
                "alerts_firing": tx.alerts.count(now),
                "notifications_pending": tx.outbox.count(OutgoingStatus.PENDING),
                "notifications_failed": tx.outbox.count(OutgoingStatus.FAILED),
            }

        targets = self._targets()
        return {
            "version": __version__,
            "now": now,
            "started_at": self._started_at,
            "uptime_seconds": (now - self._started_at) / 1000,
            "resident_bytes": resident_bytes(),
            "targets": len(targets),
            "targets_up": sum(1 for target in targets if target.health == "up"),
            **await self._state.read(work),
            "loops_failing": self.failing_loops(),
            "counts": dict(self._counts()),
            "storage": await self._telemetry.statistics(),
        }

    async def health(self) -> PlatformHealth:
        """The state of the platform itself."""

        def work(tx: StateTransaction) -> dict[str, int]:
            return {
                "notifications_pending": tx.outbox.count(OutgoingStatus.PENDING),
                "notifications_failed": tx.outbox.count(OutgoingStatus.FAILED),
            }

        statistics = await self._telemetry.statistics()
        head = statistics.get("head", {})
        return PlatformHealth(
            now=self._clock.now(),
            started_at=self._started_at,
            ready=self._ready and not self._loops.failing(),
            resident_bytes=resident_bytes(),
            loops=health.loop_views(self._loops),
            durations=health.duration_views(self._loops),
            queues={**await self._state.read(work), "unsaved_samples": int(head.get("unsaved_samples", 0))},
            stored=health.stored_views(statistics),
            files=await asyncio.to_thread(health.file_sizes, self._folder),
            detached_parts=len(statistics.get("detached_parts", ())),
            lost_samples=int(head.get("lost_samples", 0)),
            disk=health.disk_view(self._folder),
            refused=int(sum(value for name, value in self._counts().items() if name.startswith(_REFUSED))),
            versions=health.versions(statistics),
            listeners=self._listeners(),
            pipeline=self._pipeline(),
        )

    def metrics(self, accept: str = TEXT) -> tuple[str, bytes]:
        """The platform's own metrics: content type and body, by the Accept header of who asks."""
        others = {
            **self._counts(),
            **process_metrics(),
            **_last_successes(self._loops),
            f'eldonia_ops_build_info{{version="{__version__}"}}': 1.0,
        }
        return self._loops.metrics.exposition(accept, others)

    def request_ended(self, listener: str, api: str, route: str, method: str, code: int, seconds: float) -> None:
        """Count an answer over HTTP."""
        self._loops.metrics.request(listener, api, route, method, code, seconds)


def _last_successes(loops: Loops) -> dict[str, float]:
    return {
        f'eldonia_ops_loop_last_success_timestamp_seconds{{loop="{escaped(loop.name)}"}}': loop.succeeded_at / 1000
        for loop in loops.all()
        if loop.succeeded_at
    }


def process_metrics() -> dict[str, float]:
    """The metrics of this process under the names of Prometheus' client libraries."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return {
        "process_cpu_seconds_total": usage.ru_utime + usage.ru_stime,
        "process_resident_memory_bytes": float(resident_bytes()),
        "process_start_time_seconds": psutil.Process().create_time(),
    }


def resident_bytes() -> int:
    """Resident memory of this process now."""
    return int(psutil.Process().memory_info().rss)
