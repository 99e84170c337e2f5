"""The platform's services over real stores on a clock that tests move: hours pass in milliseconds.

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
from typing import Any

import numpy as np
from msgspec import structs

from eldonia_ops.app.routing import TemplateRenderer
from eldonia_ops.incidents.policy import Policy
from eldonia_ops.model.alerts import UNTIL_RESOLVED, Alert, LedgerEntry, Outgoing, OutgoingStatus, Silence
from eldonia_ops.model.incidents import Incident, TimelineEntry
from eldonia_ops.model.labels import Labels
from eldonia_ops.model.logs import LogLevel, LogRecord
from eldonia_ops.model.matchers import Matcher, MatchOp
from eldonia_ops.model.samples import MetricMetadata, Sample, SampleRow, SeriesBlock
from eldonia_ops.model.security import SecurityEventType
from eldonia_ops.model.spans import Span
from eldonia_ops.ports import Delivery, DeliveryResult, LogPage, LogQuery, TelemetryError
from eldonia_ops.protocols.alertmanager_config import parse_alertmanager_config
from eldonia_ops.protocols.prometheus_rules import parse_rule_file
from eldonia_ops.protocols.runbook_file import default_runbook
from eldonia_ops.rules import TickSettings
from eldonia_ops.security.thresholds import DEFAULTS as SECURITY_DEFAULTS
from eldonia_ops.security.thresholds import Threshold
from eldonia_ops.services.access import AccessService
from eldonia_ops.services.alert_intake import AlertIntake
from eldonia_ops.services.alerts import AlertService
from eldonia_ops.services.clock import ManualClock
from eldonia_ops.services.delivery import DeliveryService
from eldonia_ops.services.evaluation import EvaluationService
from eldonia_ops.services.incident_transactions import IncidentTransactions
from eldonia_ops.services.incidents import IncidentService
from eldonia_ops.services.ingest import IngestService, Origin
from eldonia_ops.services.loops import Loops
from eldonia_ops.services.notification_queue import NotificationQueue
from eldonia_ops.services.purge import PurgeService
from eldonia_ops.services.queries import QueryService
from eldonia_ops.services.recovery import Recoverable, RecoveryService
from eldonia_ops.services.security import SecurityService
from eldonia_ops.services.service_loop import Wakeup
from eldonia_ops.services.supervision import SupervisionService
from eldonia_ops.storage.clickhouse.head import Head
from eldonia_ops.storage.state import SqlStateStore, open_state_store
from eldonia_ops.storage.state.tables import metadata

SECOND, MINUTE, HOUR = 1_000, 60_000, 3_600_000

ROUTING = """
global: {slack_api_url: "http://slack.invalid/services/T/B/x"}
route:
  receiver: team
  group_by: [alertname, service]
  group_wait: 30s
  group_interval: 5m
  repeat_interval: 4h
  routes:
    - {matchers: ['severity="critical"'], receiver: pager, continue: true}
    - {matchers: ['severity=~".+"'], receiver: team}
receivers:
  - name: team
    slack_configs: [{channel: '#team', send_resolved: true}]
  - name: pager
    pagerduty_configs: [{routing_key: 0123456789abcdef0123456789abcdef}]
  - name: infrastructure
    slack_configs: [{channel: '#infrastructure'}]
  - name: vendor
    slack_configs: [{channel: '#vendor'}]
  - name: management
    slack_configs: [{channel: '#management'}]
inhibit_rules:
  - source_matchers: ['severity="critical"']
    target_matchers: ['severity="warning"']
    equal: [service]
"""

RULES = """
groups:
  - name: shop
    interval: 1m
    rules:
      - alert: HighErrorRate
        expr: errors > 5
        for: 5m
        labels: {severity: critical, service: shop}
        annotations: {summary: "errors at {{ $value }}"}
"""


# Reading YAML with every place in it takes longer than the stories themselves.
read_routing = functools.cache(parse_alertmanager_config)
read_rules = functools.cache(parse_rule_file)
shipped_runbook = functools.cache(default_runbook)


class InlineThreads(ThreadPoolExecutor):
    """Runs what it is given at once, so that a turn of the event loop is all that tests wait for."""

    def __init__(self) -> None:
        super().__init__(1)

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        future: Future[Any] = Future()
        try:
            future.set_result(fn(*args, **kwargs))
        except BaseException as error:  # noqa: BLE001 - it belongs to whoever waits
            future.set_exception(error)
        return future


class SteppedClock(ManualClock):
    """Lets every task run until all of them wait for something, and only then moves on."""

    async def _settle(self) -> None:
        loop = asyncio.get_running_loop()
        for _ in range(10_000):
            await asyncio.sleep(0)
            # Whoever comes back from sleep(0) last finds what is still to run; nothing means: all wait.
            if not loop._ready:  # type: ignore[attr-defined]
                return
        raise AssertionError("the tasks never come to rest: a loop spins")

    async def settle(self) -> None:
        """Let everything that can happen now happen."""
        await self._settle()


class MemoryTelemetry:
    """Metrics in the real head, logs in a list. ``broken`` makes every call fail."""

    def __init__(self, now: int) -> None:
        self.head = Head(floor_ms=now - 12 * HOUR, retention_ms=12 * HOUR)
        self.logs: list[LogRecord] = []
        self.batches: set[str] = set()
        self.broken = ""

    def _check(self) -> None:
        if self.broken:
            raise TelemetryError(self.broken)

    async def insert_row(self, row: SampleRow) -> dict[str, int]:
        self._check()
        self.head.append_row(row)
        return {}

    async def insert_samples(self, samples: Sequence[Sample]) -> dict[str, int]:
        self._check()
        self.head.append_samples(samples)
        return {}

    async def insert_metadata(self, metadata: Sequence[MetricMetadata]) -> None:
        self._check()

    async def insert_spans(self, spans: Sequence[Span], *, batch_key: str = "") -> None:
        self._check()

    async def insert_logs(self, records: Sequence[LogRecord], *, batch_key: str = "") -> None:
        self._check()
        if not batch_key or batch_key not in self.batches:
            self.batches.add(batch_key)
            first = len(self.logs) + 1
            self.logs.extend(structs.replace(record, id=first + index) for index, record in enumerate(records))

    async def select(self, matchers: Sequence[Matcher], start_ms: int, end_ms: int) -> list[SeriesBlock]:
        return self.head.select(matchers, start_ms, end_ms)

    async def search_logs(self, query: LogQuery) -> LogPage:
        self._check()
        found = [
            record
            for record in self.logs
            if query.since_ns <= record.timestamp_ns < query.until_ns
            and (not query.component or record.component == query.component)
            and (query.before is None or (record.timestamp_ns, record.id) < query.before)
        ]
        found.sort(key=lambda record: (record.timestamp_ns, record.id), reverse=True)
        return LogPage(found[: query.limit], len(found) > query.limit)


@dataclass
class Receivers:
    """The far side of every notification: keeps what arrived; ``answers`` says what a receiver replies with."""

    clock: ManualClock
    arrived: list[tuple[int, Outgoing]] = field(default_factory=list)
    attempts: list[tuple[int, Outgoing]] = field(default_factory=list)
    answers: dict[str, Callable[[], Any]] = field(default_factory=dict)

    def find(self, receiver: str, _integration: str, _index: int) -> "Receivers | None":
        return None if self.answers.get(receiver) is GONE else self

    async def deliver(self, outgoing: Outgoing) -> Delivery:
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


def GONE() -> None:
    """Marks a receiver that the configuration no longer has."""


def unavailable() -> Delivery:
    """What a receiver that is away answers."""
    return Delivery(DeliveryResult.RETRY, "503 Service Unavailable")


class World:
    """The services of one platform. :meth:`crash` and :meth:`start` are a ``kill -9`` and a restart."""

    def __init__(
        self,
        state: SqlStateStore,
        *,
        rules: str = RULES,
        routing: str = ROUTING,
        policy: Policy | None = None,
        thresholds: Mapping[SecurityEventType, Threshold] = SECURITY_DEFAULTS,
        recoverables: Sequence[Recoverable] = (),
    ) -> None:
        self.clock = SteppedClock()
        self.state = state
        self.telemetry = MemoryTelemetry(self.clock.now())
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
        config = read_routing(self._routing, "alertmanager.yml")
        clock, state = self.clock, self.state
        outbox, escalations = Wakeup(), Wakeup()
        self.loops = loops = Loops()
        renderer = TemplateRenderer(config.templates, "http://ops.invalid")
        notification_queue = NotificationQueue(
            config.routing, renderer, external_url="http://ops.invalid", language="en"
        )
        incident_transactions = IncidentTransactions(self.policy, notification_queue, config.routing)
        self.intake = AlertIntake(
            clock, state, config.routing, incident_transactions, notification_queue, [outbox, escalations], loops
        )
        self.security = SecurityService(clock, state, self.intake, self._thresholds, evidence_limit=12, loops=loops)
        self.ingest = IngestService(self.telemetry, Origin("test", "here"))  # type: ignore[arg-type]
        self.ingest.subscribe(self.security.observe)
        self.queries = QueryService(clock, self.telemetry)  # type: ignore[arg-type]
        groups = read_rules(self._rules, "rules.yml") if self._rules else []
        self.evaluation = EvaluationService(
            clock,
            state,
            self.telemetry,  # type: ignore[arg-type]
            self.queries,
            self.intake,
            groups,
            TickSettings(),
            loops,
        )
        services = {item.service: item for item in self._recoverables}
        self.recovery = RecoveryService(clock, state, self.intake, services, loops)
        self.incidents = IncidentService(clock, state, incident_transactions, escalations, outbox, loops)
        self.alerts = AlertService(clock, state, self.intake, self.evaluation.views, self._routing)
        self.delivery = DeliveryService(clock, state, self.intake, self.receivers.find, outbox, loops)
        self.purge = PurgeService(clock, state, 30 * 24 * HOUR, loops)
        self.supervision = SupervisionService(clock, state, self.intake, loops)
        self.access = AccessService(clock, state)

    async def start(self) -> None:
        """Resume from what is stored, then run every loop."""
        await self.evaluation.resume()
        await self.intake.resume()
        await self.security.resume(self.telemetry)  # type: ignore[arg-type]
        await self.recovery.resume()
        await self.delivery.resume()
        services = (
            self.supervision,
            self.evaluation,
            self.intake,
            self.delivery,
            self.incidents,
            self.security,
            self.recovery,
            self.purge,
        )
        self._tasks = [asyncio.create_task(service.run()) for service in services]
        self._tasks.append(asyncio.create_task(self._scrape()))
        await self.clock.settle()

    async def crash(self) -> None:
        """End everything at once; only what was committed is left. The services are new afterwards."""
        under_way = [*self._tasks, *self.delivery._under_way.values(), *self.recovery._restarts]
        for task in under_way:
            task.cancel()
        await asyncio.gather(*under_way, return_exceptions=True)
        self._tasks = []
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
        self.telemetry.head = MemoryTelemetry(self.clock.now() - ms).head
        await self.clock.set_back(ms)

    async def _scrape(self) -> None:
        while True:
            if self.metrics and not self.telemetry.broken:
                labels = tuple(self.metrics)
                values = np.array([self.metrics[item] for item in labels], dtype=np.float64)
                self.telemetry.head.append_row(SampleRow("job/instance", self.clock.now(), labels, values))
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


_opened: list[SqlStateStore] = []


@contextlib.asynccontextmanager
async def open_world(**settings: Any) -> AsyncIterator[World]:
    """A world that has not been started."""
    threads = InlineThreads()
    asyncio.get_running_loop().set_default_executor(threads)
    if not _opened:
        _opened.append(await open_state_store("sqlite://"))
    # One store serves all tests of a process, one after the other: to migrate it takes longer than most of them.
    state = _opened[0]
    # Its transactions are the real ones; only the thread that they run on is this one.
    state._writing = state._reading = threads
    world = World(state, **settings)
    try:
        yield world
    finally:
        await world.close()
        with state._backend.writer.begin() as connection:
            for table in reversed(metadata.sorted_tables):
                connection.execute(table.delete())


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
