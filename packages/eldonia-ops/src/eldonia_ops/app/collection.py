"""What is collected: a loop for each target, all of them into the intake, changed while they run.

A fault of one collector or loop does not stop the others.
"""

import asyncio
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from eldonia_ops.app.running_loop import RunningLoop, closed
from eldonia_ops.collectors import registry
from eldonia_ops.collectors.collector import (
    Collector,
    CollectorContext,
    LoopPlan,
    OnProbe,
    OpenCollector,
)
from eldonia_ops.collectors.status import TargetHealth, TargetStatus
from eldonia_ops.collectors.tail.records import StoredPositions
from eldonia_ops.model.logs import LogRecord
from eldonia_ops.ports import Clock, LogStore, StateStore
from eldonia_ops.protocols.prometheus.scrape_rows import Collected
from eldonia_ops.services.api import TargetView
from eldonia_ops.services.ingest import IngestService
from eldonia_ops.services.loops import Loops
from eldonia_ops.settings import Settings

log = logging.getLogger("eldonia_ops.collectors")

LoopKey: TypeAlias = tuple[str, str, int]
"""What identifies a loop: the collector's key, the plan's name, and a number where several have the same name."""


@dataclass(slots=True)
class _Open:
    """A collector in use. ``problem`` says why its part of the settings is not applied."""

    key: str
    kind: str
    collector: OpenCollector
    problem: str = ""


class Collection:
    """Every collector that the settings ask for.

    ``collectors`` are those that there are, by their keys; without them, all that are registered.
    """

    def __init__(
        self,
        settings: Settings,
        clock: Clock,
        ingest: IngestService,
        state: StateStore,
        logs: LogStore,
        on_probe: OnProbe,
        loops: Loops | None = None,
        collectors: Mapping[str, Collector] | None = None,
    ) -> None:
        self._clock = clock
        self._ingest = ingest
        self._loops = loops or Loops()
        self._context = CollectorContext(
            clock, self._logs, StoredPositions(state, logs), on_probe, ingest.origin.environment
        )
        self._unusable: dict[str, str] = {}
        """What cannot be loaded or opened, by key."""
        self._open: list[_Open] = []
        for key, collector in (_registered(self._unusable) if collectors is None else collectors).items():
            try:
                self._open.append(_Open(key, collector.kind, collector.open(self._context)))
            except Exception as error:
                log.exception("the collector %s cannot be used", key)
                self._unusable[key] = f"cannot be used: {type(error).__name__}: {error}"
        self._running: dict[LoopKey, RunningLoop] = {}
        self._unbuilt: list[TargetStatus] = []
        """Loops that are wanted and could not be made."""
        self._started = False
        self._stopping: dict[str, set[asyncio.Task[None]]] = {}
        """Loops that were removed and still run, by collector."""
        self._leaving: set[asyncio.Task[None]] = set()
        """Loops that were removed and are not gone yet."""
        self._replace(settings)

    async def run(self) -> None:
        """Collect until cancelled."""
        self._started = True
        try:
            for running in self._running.values():
                running.start()
            await asyncio.Event().wait()
        finally:
            self._started = False
            await asyncio.gather(*(running.stop() for running in self._running.values()))

    async def apply(self, settings: Settings) -> None:
        """Collect what these settings ask for from now on.

        A loop whose plan is the same does not notice. Of those that are not wanted any more the series end; stopping
        them may go on after the return. Safe to call before :meth:`run` and while it runs.
        """
        self._replace(settings)

    async def settled(self) -> None:
        """Return when loops that were removed have stopped, and the ends of their series are stored."""
        while self._leaving:
            await asyncio.wait(set(self._leaving))

    async def close(self) -> None:
        """Close the connections, after :meth:`run` was cancelled."""
        await self.settled()
        await asyncio.gather(*(running.close() for running in self._running.values()))
        await asyncio.gather(*(closed(one.key, one.collector.close) for one in self._open))

    def targets(self) -> list[TargetView]:
        """How everything that is collected is doing."""
        statuses = [_down(key, key, problem) for key, problem in self._unusable.items()]
        statuses += [_down(one.kind, one.key, one.problem) for one in self._open if one.problem]
        statuses += self._unbuilt
        for running in self._running.values():
            try:
                statuses += running.loop.statuses()
            except Exception as error:
                log.exception("the state of %s is not known", running.name)
                problem = f"the state is not known: {type(error).__name__}"
                statuses.append(_down(running.kind, running.plan.name, problem))
        return [target_view(status) for status in statuses]

    def _replace(self, settings: Settings) -> None:
        """Make the running loops those that the settings ask for."""
        wanted = self._wanted(settings)
        before, running = self._running, {}
        new: dict[LoopKey, RunningLoop] = {}
        self._unbuilt = []
        for key, (kind, plan) in wanted.items():
            old = before.get(key)
            if old is not None and _same(old.plan, plan):
                running[key] = old
                continue
            try:
                running[key] = new[key] = self._build(key, kind, plan)
            except Exception as error:
                log.exception("%s %s cannot be collected", kind, plan.name)
                problem = f"cannot be collected: {type(error).__name__}: {error}"
                self._unbuilt.append(_down(kind, plan.name, problem))
                if old is not None:
                    running[key] = old
        for key, old in before.items():
            if running.get(key) is not old:
                stop = asyncio.create_task(_stop(old, new.get(key)), name=f"{old.name}, stopping")
                stopping = self._stopping.setdefault(key[0], set())
                stopping.add(stop)
                stop.add_done_callback(stopping.discard)
                leaving = asyncio.create_task(_leave(old, stop, ended=key not in new), name=f"{old.name}, leaving")
                self._leaving.add(leaving)
                leaving.add_done_callback(self._leaving.discard)
        self._running = running
        if self._started:
            for key, loop in new.items():
                # What others of the collector hold, such as a file, has to be free.
                loop.start(after=tuple(self._stopping.get(key[0], ())))

    def _wanted(self, settings: Settings) -> dict[LoopKey, tuple[str, LoopPlan]]:
        """The plans of all collectors. Of one that fails, what runs already goes on."""
        found: dict[LoopKey, tuple[str, LoopPlan]] = {}
        for one in self._open:
            try:
                plans, one.problem = list(one.collector.plans(settings)), ""
            except Exception as error:
                log.exception("the collector %s cannot read its settings", one.key)
                one.problem = f"the settings cannot be applied: {type(error).__name__}: {error}"
                found |= {key: (old.kind, old.plan) for key, old in self._running.items() if key[0] == one.key}
                continue
            for plan in plans:
                number = 0
                while (one.key, plan.name, number) in found:
                    number += 1
                found[one.key, plan.name, number] = (one.kind, plan)
        return found

    def _build(self, key: LoopKey, kind: str, plan: LoopPlan) -> RunningLoop:
        name = f"{kind} {plan.name}" + (f" ({key[2] + 1})" if key[2] else "")
        return RunningLoop(name, kind, plan, self._clock, self._store, self._loops)

    async def _store(self, collected: Collected) -> None:
        source = collected.row.target
        self._ingest.refused("metrics", source, await self._ingest.row(collected.row, collected.metadata))
        self._ingest.refused("metrics", source, await self._ingest.samples(collected.samples))

    async def _logs(self, records: Sequence[LogRecord], *, source: str, batch_key: str = "") -> None:
        receipt = await self._ingest.logs(records, batch_key=batch_key)
        self._ingest.refused("logs", source, receipt.by_reason)


def _registered(unusable: dict[str, str]) -> dict[str, Collector]:
    """All collectors that can be loaded; of the others, ``unusable`` gets the reasons."""
    found: dict[str, Collector] = {}
    for key in registry.registered_keys():
        try:
            found[key] = registry.find(key)
        except registry.CollectorError as error:
            unusable[key] = str(error)
    return found


def _same(old: LoopPlan, new: LoopPlan) -> bool:
    try:
        return bool(old.specification == new.specification)
    except Exception:
        log.exception("whether %s has changed is not known", new.name)
        return False


async def _stop(old: RunningLoop, successor: RunningLoop | None) -> None:
    """Stop a loop and hand its series to the one that takes its place."""
    await old.stop()
    if successor is not None:
        successor.output.inherit(old.output.live())


async def _leave(old: RunningLoop, stop: "asyncio.Task[None]", *, ended: bool) -> None:
    """Once a loop has stopped, mark the end of its series, unless they go on, and close its connections."""
    await stop
    if ended:
        await old.output.end()
    await old.close()


def _down(kind: str, name: str, problem: str) -> TargetStatus:
    return TargetStatus(kind, name, "", health=TargetHealth.DOWN, error=problem)


def target_view(status: TargetStatus) -> TargetView:
    """How a target is, as the API shows it."""
    return TargetView(
        status.kind,
        status.name,
        status.url,
        status.labels,
        status.health.value,
        status.last_at,
        status.duration_seconds,
        status.error,
        status.interval_ms,
        status.timeout_ms,
        status.parse_errors,
        status.recognised,
    )
