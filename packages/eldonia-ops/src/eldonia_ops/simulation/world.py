"""The platform's modules over real stores on a clock that is moved by hand: hours pass in milliseconds.

The state is the real SQLite store in memory, the metrics are the telemetry store's own RAM head, and
routing, rules, templates and policies are the real ones. Only the far sides are stand-ins: receivers,
the thing that is restarted, and what a scrape would have brought.
"""

import asyncio
import contextlib
import functools
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from eldonia_ops.app.configuration import Configuration
from eldonia_ops.app.foundation import Foundation
from eldonia_ops.app.modules import Module, apply_all
from eldonia_ops.app.platform_modules import IncidentsModule, RecoveryModule, RulesModule, SecurityModule
from eldonia_ops.app.router_modules import DeliveryModule, PurgeModule, Router, RoutingModule, SupervisionModule
from eldonia_ops.collectors.host.config import HostSettings
from eldonia_ops.incidents.policy import Policy
from eldonia_ops.model.alerts import UNTIL_RESOLVED, Alert, LedgerEntry, Outgoing, OutgoingStatus, Silence
from eldonia_ops.model.incidents import Incident, TimelineEntry
from eldonia_ops.model.labels import Labels
from eldonia_ops.model.logs import LogLevel, LogRecord
from eldonia_ops.model.matchers import Matcher, MatchOp
from eldonia_ops.model.samples import SampleRow
from eldonia_ops.model.secret import Secret
from eldonia_ops.model.security import SecurityEventType
from eldonia_ops.notifiers.registry import built_in
from eldonia_ops.ports import Delivery, DeliveryResult
from eldonia_ops.protocols.alertmanager.config import parse_alertmanager_config
from eldonia_ops.protocols.prometheus.rules import parse_rule_file
from eldonia_ops.protocols.runbook_file import default_runbook
from eldonia_ops.security.thresholds import DEFAULTS as SECURITY_DEFAULTS
from eldonia_ops.security.thresholds import Threshold
from eldonia_ops.services.access.tokens import AccessService
from eldonia_ops.services.clock import ManualClock
from eldonia_ops.services.incidents.transactions import IncidentTransactions
from eldonia_ops.services.ingest import IngestService, Origin
from eldonia_ops.services.loops import Loops
from eldonia_ops.services.queries import QueryService
from eldonia_ops.services.recovery import Recoverable
from eldonia_ops.settings import NO_DEFAULT_RULES, Retention, RuleSettings, Settings
from eldonia_ops.simulation.memory_stores import MemoryStores
from eldonia_ops.storage.state import SqlStateStore, open_state_store

SECOND, MINUTE, HOUR = 1_000, 60_000, 3_600_000

_SETTINGS = Settings(
    data=Path("/nowhere"),
    state=Secret(""),
    external_url="http://ops.invalid",
    collectors={"host": HostSettings(enabled=False)},
    rules=RuleSettings(defaults=NO_DEFAULT_RULES, evaluation_interval=MINUTE),
    retention=Retention(state=30 * 24 * HOUR),
)

# Reading YAML with every place in it takes longer than the stories themselves.
read_routing = functools.cache(parse_alertmanager_config)
read_rules = functools.cache(parse_rule_file)
shipped_runbook = functools.cache(default_runbook)


class InlineThreads(ThreadPoolExecutor):
    """Runs what it is given at once, so that a turn of the event loop is all that tests wait for."""

    def __init__(self) -> None:
        super().__init__(1)

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Run it now."""
        future: Future[Any] = Future()
        try:
            future.set_result(fn(*args, **kwargs))
        except BaseException as error:  # noqa: BLE001 - the caller that waits gets it
            future.set_exception(error)
        return future


class SteppedClock(ManualClock):
    """Lets every task run until all of them wait for something, and only then moves on."""

    async def _settle(self) -> None:
        loop = asyncio.get_running_loop()
        for _ in range(10_000):
            await asyncio.sleep(0)
            # Nothing left to run after sleep(0) means that all tasks wait.
            if not loop._ready:  # type: ignore[attr-defined]
                return
        raise AssertionError("the tasks never come to rest: a loop spins")

    async def settle(self) -> None:
        """Let everything that can happen now happen."""
        await self._settle()


@dataclass
class Receivers:
    """The far side of every notification: keeps what arrived; ``answers`` says what a receiver replies with."""

    clock: ManualClock
    arrived: list[tuple[int, Outgoing]] = field(default_factory=list)
    attempts: list[tuple[int, Outgoing]] = field(default_factory=list)
    answers: dict[str, Callable[[], Any]] = field(default_factory=dict)

    def find(self, receiver: str, _integration: str, _index: int) -> "Receivers | None":
        """The receiver itself, for every integration."""
        return None if self.answers.get(receiver) is GONE else self

    async def deliver(self, outgoing: Outgoing) -> Delivery:
        """Keep what arrives, or answer as ``answers`` says."""
        self.attempts.append((self.clock.now(), outgoing))
        answer = self.answers.get(outgoing.receiver)
        delivery = answer() if answer else Delivery(DeliveryResult.DELIVERED)
        if asyncio.iscoroutine(delivery):
            delivery = await delivery
        if delivery.result is DeliveryResult.DELIVERED:
            self.arrived.append((self.clock.now(), outgoing))
        return delivery

    def at(self, receiver: str) -> list[Outgoing]:
        """What one receiver has taken, in the order of arrival."""
        return [outgoing for _, outgoing in self.arrived if outgoing.receiver == receiver]


def GONE() -> None:  # noqa: N802 - a mark, written like one
    """Marks a receiver that the configuration no longer has."""


def unavailable() -> Delivery:
    """What a receiver that is away answers."""
    return Delivery(DeliveryResult.RETRY, "503 Service Unavailable")


class World:
    """The services of one platform. :meth:`crash` and :meth:`start` are a ``kill -9`` and a restart.

    A ``configuration`` that was read from files takes the place of all other arguments but ``recoverables``.
    """

    def __init__(
        self,
        state: SqlStateStore,
        *,
        rules: str,
        routing: str,
        policy: Policy | None = None,
        thresholds: Mapping[SecurityEventType, Threshold] = SECURITY_DEFAULTS,
        recoverables: Sequence[Recoverable] = (),
        configuration: Configuration | None = None,
    ) -> None:
        self._given = configuration
        self.clock = SteppedClock()
        self.state = state
        self.telemetry = MemoryStores.empty(self.clock.now())
        self.receivers = Receivers(self.clock)
        self.policy = policy or Policy(runbook=shipped_runbook())
        self.metrics: dict[Labels, float] = {}
        self.scrape_every = MINUTE
        self._rules = rules
        self._routing = routing
        self._thresholds = thresholds
        self._recoverables = recoverables
        self._tasks: list[asyncio.Task[None]] = []
        self._build()

    def _build(self) -> None:
        self.loops = loops = Loops()
        self.configuration = configuration = self._configured()
        base = Foundation(configuration, {}, self.state, None, self.clock, loops, built_in())
        telemetry = self.telemetry
        self.queries = QueryService(self.clock, telemetry.metrics)
        router = Router(base, with_incidents=True, find=self.receivers.find)
        rules = RulesModule(base, router, telemetry, self.queries)
        routing = RoutingModule(base, router, rules.service.views)
        security = SecurityModule(base, router, telemetry.logs)
        recovery = RecoveryModule(base, router, self._services)
        assert isinstance(router.incidents, IncidentTransactions)
        incidents = IncidentsModule(base, router, router.incidents)
        self.intake, self.delivery = router.intake, router.delivery
        self.security, self.recovery, self.evaluation = security.service, recovery.service, rules.service
        self.incidents, self.alerts = incidents.service, routing.alerts
        self.ingest = IngestService(telemetry, Origin("test", "here"))
        self.ingest.subscribe(self.security.observe)
        self.access = AccessService(self.clock, self.state)
        purge, supervision = PurgeModule(base), SupervisionModule(base, router)
        self.purge, self.supervision = purge.service, supervision.service
        self.modules: list[Module] = [
            rules,
            routing,
            security,
            recovery,
            DeliveryModule(router),
            incidents,
            supervision,
            purge,
        ]

    def _configured(self) -> Configuration:
        if self._given is not None:
            return self._given
        config = read_routing(self._routing, "alertmanager.yml", kinds=built_in())
        return Configuration(
            settings=replace(
                _SETTINGS, security=replace(_SETTINGS.security, thresholds=self._thresholds, evidence_limit=12)
            ),
            rule_groups=tuple(read_rules(self._rules, "rules.yml")) if self._rules else (),
            routing=config.routing,
            templates=config.templates,
            routing_text=self._routing,
            policy=self.policy,
            objectives=(),
        )

    def _services(self, *_: Any) -> dict[str, Recoverable]:
        return {item.service: item for item in self._recoverables}

    async def reload(
        self,
        *,
        rules: str | None = None,
        routing: str | None = None,
        policy: Policy | None = None,
        thresholds: Mapping[SecurityEventType, Threshold] | None = None,
        recoverables: Sequence[Recoverable] | None = None,
    ) -> None:
        """Go on under another configuration, as after a reload; what is not given stays."""
        self._rules = self._rules if rules is None else rules
        self._routing = self._routing if routing is None else routing
        self.policy = policy or self.policy
        self._thresholds = self._thresholds if thresholds is None else thresholds
        self._recoverables = self._recoverables if recoverables is None else recoverables
        wanted = self._configured()
        await apply_all(self.modules, self.configuration, wanted)
        self.configuration = wanted
        await self.clock.settle()

    async def load(self, configuration: Configuration) -> None:
        """Go on under a configuration that was read from files."""
        self._given = configuration
        await apply_all(self.modules, self.configuration, configuration)
        self.configuration = configuration
        await self.clock.settle()

    async def start(self) -> None:
        """Resume from what is stored, then run every loop."""
        for module in self.modules:
            await module.resume()
        self._tasks = [asyncio.create_task(module.run()) for module in self.modules]
        self._tasks.append(asyncio.create_task(self._scrape()))
        await self.clock.settle()

    async def crash(self) -> None:
        """End everything at once; only what was committed is left. The services are new afterwards."""
        under_way = [*self._tasks, *self.delivery._under_way.values(), *self.recovery._restarts]
        for task in under_way:
            task.cancel()
        await asyncio.gather(*under_way, return_exceptions=True)
        self._tasks = []
        await self.intake.close()
        self.queries.close()
        self._build()

    async def restart(self, *, down_for: int = 0) -> None:
        """``kill -9``, nothing for a while, and a start."""
        await self.crash()
        await self.clock.advance(down_for)
        await self.start()

    async def pass_time(self, ms: int) -> None:
        """Let time pass; every deadline on the way is kept."""
        await self.clock.advance(ms)

    async def set_back(self, ms: int) -> None:
        """Set the clock back. The head is empty afterwards: what it holds is of a time that has not come yet."""
        self.telemetry.metrics.empty(self.clock.now() - ms)
        await self.clock.set_back(ms)

    async def _scrape(self) -> None:
        while True:
            if self.metrics and not self.telemetry.metrics.broken:
                labels = tuple(self.metrics)
                values = np.array([self.metrics[item] for item in labels], dtype=np.float64)
                self.telemetry.metrics.head.append_row(SampleRow("job/instance", self.clock.now(), labels, values))
            await self.clock.sleep_until(self.clock.now() + self.scrape_every)

    def measure(self, name: str, value: float | None, **labels: str) -> None:
        """What the next scrapes find; None takes the series away."""
        key = Labels({"__name__": name, **labels})
        if value is None:
            self.metrics.pop(key, None)
        else:
            self.metrics[key] = value

    # --- looking -----------------------------------------------------------------------------

    async def incident(self, ordinal: int = 1) -> Incident:
        """The incident of that number."""
        found, _ = await self.incidents.get(f"INC-{ordinal}")
        return found

    async def timeline(self, ordinal: int = 1) -> list[TimelineEntry]:
        """Its timeline."""
        _, entries = await self.incidents.get(f"INC-{ordinal}")
        return entries

    async def kinds(self, ordinal: int = 1) -> list[str]:
        """The kinds of its timeline's entries, oldest first."""
        return [entry.kind for entry in await self.timeline(ordinal)]

    async def pending(self) -> list[Outgoing]:
        """What waits in the outbox."""
        return await self.state.read(lambda tx: tx.outbox.find(status=OutgoingStatus.PENDING))

    async def ledger(self, alertname: str = "") -> list[LedgerEntry]:
        """The ledger, oldest first."""
        return (await self.alerts.explain(alertname=alertname, limit=10_000))[::-1]

    async def verdicts(self, alertname: str = "", receiver: str = "") -> list[str]:
        """The ledger's verdicts, oldest first."""
        lines = await self.ledger(alertname)
        return [line.verdict for line in lines if not receiver or line.receiver == receiver]

    async def silence(self, ms: int, **equal: str) -> str:
        """Silence alerts with these label values from now on."""
        matchers = tuple(Matcher(name, MatchOp.EQUAL, value) for name, value in equal.items())
        now = self.clock.now()
        return await self.alerts.set_silence(Silence("", matchers, now, now + ms, "hana", "maintenance"), "hana")

    async def close(self) -> None:
        """End everything."""
        await self.crash()
        self.queries.close()


def on_this_thread(state: SqlStateStore, threads: InlineThreads) -> None:
    """Let a store run its transactions, which stay the real ones, at once on the thread of the event loop."""
    state._writing = state._reading = threads


@contextlib.asynccontextmanager
async def open_world(**settings: Any) -> AsyncIterator[World]:
    """A world with a state of its own, in memory, that has not been started. Arguments are those of :class:`World`."""
    threads = InlineThreads()
    asyncio.get_running_loop().set_default_executor(threads)
    state = await open_state_store("sqlite://")
    on_this_thread(state, threads)
    world = World(state, **settings)
    try:
        yield world
    finally:
        await world.close()
        await state.close()


def alert(name: str = "DiskFull", *, severity: str = "critical", service: str = "shop", **fields: Any) -> Alert:
    """An alert as a client of the API sends it, up until it is ended; ``labels`` adds some."""
    labels = Labels({"alertname": name, "severity": severity, "service": service, **fields.pop("labels", {})})
    return replace(Alert(labels, ends_at=UNTIL_RESOLVED), **fields)


def security_record(clock: ManualClock, number: int, type_: str = "failed_login", **facts: Any) -> LogRecord:
    """A record by which an application reports a security event."""
    address = facts.pop("address", "203.0.113.9")
    return LogRecord(
        timestamp_ns=facts.pop("at", clock.now()) * 1_000_000,
        message=f"Security Event: {type_}",
        level=LogLevel.WARN,
        service="shop",
        component="security",
        ip_address=address,
        source="/var/log/shop.log#1",
        offset=number,
        metadata={"eventType": type_, **facts},
    )
