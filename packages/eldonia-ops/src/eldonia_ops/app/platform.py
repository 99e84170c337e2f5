"""Opens the stores, builds the services over them, runs the loops, and closes everything in order."""

import asyncio
import contextlib
import logging
import math
import socket
from collections.abc import AsyncIterator, Coroutine, Mapping
from dataclasses import dataclass
from typing import Any, Final

from eldonia_ops.app.actuation import ProcessLogs, build_actuator, start_processes
from eldonia_ops.app.collection import Collection
from eldonia_ops.app.data_directory import held_folder, own_folder
from eldonia_ops.app.routing import Notifiers, TemplateRenderer, load_routing
from eldonia_ops.incidents.policy import Policy
from eldonia_ops.model.errors import ConfigError, Diagnostic
from eldonia_ops.model.places import is_loopback
from eldonia_ops.notifiers.connections import ReceiverClient
from eldonia_ops.ports import StateStore, TelemetryError, TelemetryStore, TelemetryStores
from eldonia_ops.protocols.alertmanager_config import AlertmanagerConfig
from eldonia_ops.protocols.runbook_file import default_runbook, parse_runbook
from eldonia_ops.protocols.text_file import read_text_file
from eldonia_ops.rules import RuleGroup, RuleRenderer, TickSettings
from eldonia_ops.security.thresholds import faster as faster_thresholds
from eldonia_ops.services.access import AccessService
from eldonia_ops.services.alert_intake import AlertIntake
from eldonia_ops.services.alerts import AlertService
from eldonia_ops.services.clock import SystemClock
from eldonia_ops.services.delivery import DeliveryService
from eldonia_ops.services.evaluation import EvaluationService
from eldonia_ops.services.incident_transactions import IncidentTransactions
from eldonia_ops.services.incidents import IncidentService
from eldonia_ops.services.ingest import Horizon, IngestService, Origin
from eldonia_ops.services.loops import Loops
from eldonia_ops.services.notification_queue import NotificationQueue
from eldonia_ops.services.purge import PurgeService
from eldonia_ops.services.queries import QueryService
from eldonia_ops.services.recovery import Recoverable, RecoveryService
from eldonia_ops.services.rule_groups import load_rule_groups
from eldonia_ops.services.security import SecurityService
from eldonia_ops.services.service_loop import Wakeup
from eldonia_ops.services.status import StatusService
from eldonia_ops.services.supervision import SupervisionService
from eldonia_ops.settings import Settings
from eldonia_ops.slo.generate import generate_all
from eldonia_ops.slo.objectives import Objective
from eldonia_ops.storage.clickhouse import (
    EMBEDDED,
    Deployment,
    DeploymentKind,
    Retention,
    open_signal_stores,
    open_telemetry_store,
    wal_folder,
)
from eldonia_ops.storage.state import open_state_store

log = logging.getLogger("eldonia_ops")

ADMIN_TOKEN_FILE: Final = "admin.token"  # noqa: S105 - a name of a file
_DAY_MS: Final = 86_400_000


@dataclass(slots=True)
class RunningPlatform:
    """Implements :class:`~eldonia_ops.services.api.Platform`. ``admin_secret`` is set on a first start."""

    settings: Settings
    clock: SystemClock
    telemetry: TelemetryStores
    state: StateStore
    queries: QueryService
    ingest: IngestService
    alerts: AlertService
    incidents: IncidentService
    security: SecurityService
    recovery: RecoveryService
    status: StatusService
    access: AccessService
    resolve_timeout_ms: int
    admin_secret: str | None = None

    @property
    def language(self) -> str:
        """The language of pages and messages when nobody asks for another."""
        return self.settings.language

    def now(self) -> int:
        """Unix milliseconds."""
        return self.clock.now()


@contextlib.asynccontextmanager
async def running_platform(settings: Settings, environment: Mapping[str, str]) -> AsyncIterator[RunningPlatform]:
    """A platform whose loops run until the context is left.

    Everything that people wrote is read before anything is opened, so that a fault in a file stops a
    start and not a service.

    Raises:
        ConfigError: with every fault found in rules, routing or runbook; or it is to listen beyond this
            machine and nobody holds a token yet.
        StateError, TelemetryError: a store cannot be opened.
    """
    speed = settings.rules.speed
    objectives = [item.objective() for item in settings.objectives]
    groups, (routing, routing_text), policy = _read_files(settings, environment, objectives)
    clock = SystemClock()
    own_folder(settings.data)
    async with contextlib.AsyncExitStack() as stack:
        stack.enter_context(held_folder(settings.data))
        state = await open_state_store(settings.state.reveal())
        stack.push_async_callback(state.close)
        access = AccessService(clock, state)
        await _refuse_unprotected(settings, access)
        telemetry = await _open_telemetry(settings)
        stack.push_async_callback(telemetry.close)
        client = await stack.enter_async_context(ReceiverClient())

        outbox, escalations, loops = Wakeup(), Wakeup(), Loops()
        external_url = settings.external_url or f"http://{settings.listen}"
        notification_queue = NotificationQueue(
            routing.routing,
            TemplateRenderer(routing.templates, external_url),
            external_url=external_url,
            language=settings.language,
        )
        incident_transactions = IncidentTransactions(policy, notification_queue, routing.routing)
        intake = AlertIntake(
            clock, state, routing.routing, incident_transactions, notification_queue, [outbox, escalations], loops
        )
        thresholds = settings.security.thresholds if settings.security.enabled else {}
        security = SecurityService(
            clock,
            state,
            intake,
            faster_thresholds(thresholds, speed) if speed != 1 else thresholds,
            evidence_limit=settings.security.evidence_limit,
            loops=loops,
        )
        ingest = IngestService(
            telemetry,
            security.take,
            Origin(environment.get("ELDONIA_ENVIRONMENT", "production"), socket.gethostname()),
            clock,
            Horizon(settings.retention.logs, settings.retention.traces, settings.retention.metrics),
        )
        limits = settings.limits
        queries = QueryService(
            clock, telemetry.metrics, concurrency=limits.query_concurrency, timeout_seconds=limits.query_timeout / 1000
        )
        stack.callback(queries.close)
        evaluation = EvaluationService(
            clock,
            state,
            telemetry.metrics,
            queries,
            intake,
            groups,
            TickSettings(
                render=RuleRenderer(external_url=external_url),
                resend_delay_ms=max(1, round(60_000 / speed)),
                default_interval_ms=max(1, round(settings.rules.evaluation_interval / speed)),
                generator_url=f"{external_url}/alerts",
                speed=speed,
            ),
            loops,
        )
        services = recoverables(settings)
        recovery = RecoveryService(clock, state, intake, services, loops)
        collection = Collection(settings, clock, ingest, state, telemetry.logs, recovery.on_probe, loops)
        stack.push_async_callback(collection.close)
        incidents = IncidentService(clock, state, incident_transactions, escalations, outbox, loops)
        alerts = AlertService(clock, state, intake, evaluation.views, routing_text)
        delivery = DeliveryService(clock, state, intake, Notifiers(routing.routing, client).find, outbox, loops)
        purge = PurgeService(clock, state, settings.retention.state, loops)
        supervision = SupervisionService(clock, state, intake, loops)

        def counts() -> dict[str, float]:
            found = {f"eldonia_ops_{name}_total": float(value) for name, value in ingest.counts.items()}
            found["eldonia_ops_rule_evaluations_total"] = float(evaluation.evaluations)
            found["eldonia_ops_rule_evaluations_missed_total"] = float(evaluation.missed)
            found["eldonia_ops_clock_set_back_total"] = float(clock.times_set_back)
            found["eldonia_ops_rule_results_unstored_total"] = float(evaluation.unstored)
            found["eldonia_ops_alert_groups_failing"] = float(len(intake.failing))
            found["eldonia_ops_alert_group_failures_total"] = float(intake.failures)
            for (integration, outcome), value in delivery.counts.items():
                name = f'eldonia_ops_notifications_total{{integration="{integration}",outcome="{outcome}"}}'
                found[name] = float(value)
            found.update(_refused_metrics(ingest.refused_totals()))
            found.update(_loop_metrics(loops))
            return found

        status = StatusService(
            clock,
            state,
            telemetry,
            queries,
            objectives=objectives,
            targets=collection.targets,
            counts=counts,
            speed=speed,
            loops=loops,
        )
        platform = RunningPlatform(
            settings,
            clock,
            telemetry,
            state,
            queries,
            ingest,
            alerts,
            incidents,
            security,
            recovery,
            status,
            access,
            routing.routing.resolve_timeout,
            await access.ensure_admin(settings.data / ADMIN_TOKEN_FILE),
        )
        # What was known is brought up to date before any loop acts on it.
        await status.resume()
        await evaluation.resume()
        await intake.resume()
        try:
            await security.resume(telemetry.logs)
        except TelemetryError:
            # People still have to be paged about everything else.
            log.exception("security records from before the start could not be looked at again")
        await recovery.resume()
        await delivery.resume()
        actuators = {name: item.actuator for name, item in services.items()}
        for service in await start_processes(actuators):
            recovery.started(service)
        outputs = ProcessLogs(actuators.values(), clock, loops)
        running = [
            _supervised(service.run(), type(service).__name__, loops)
            for service in (
                supervision,
                evaluation,
                intake,
                delivery,
                incidents,
                security,
                recovery,
                purge,
                collection,
                outputs,
            )
        ]
        status.set_ready(True)
        try:
            yield platform
        finally:
            status.set_ready(False)
            # Collectors first: nothing new comes in while what is there is brought to an end.
            for task in reversed(running):
                task.cancel()
            await asyncio.gather(*running, return_exceptions=True)
            await recovery.close()
            await delivery.close()


def _supervised(run: Coroutine[Any, Any, None], name: str, loops: Loops) -> "asyncio.Task[None]":
    """A task for a loop; if it ends by an error, the platform is not ready any more. One that has nothing to do (no
    rules, nothing to collect) is over at once."""
    task = asyncio.create_task(run, name=name)
    watch = loops.item(name)

    def ended(task: "asyncio.Task[None]") -> None:
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("%s has ended", name, exc_info=error)
            watch.ended(error)

    task.add_done_callback(ended)
    return task


def _escaped(value: str) -> str:
    """A label's value as the text exposition format writes it."""
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def _refused_metrics(totals: Mapping[tuple[str, str], int]) -> dict[str, float]:
    """One series for each signal and reason."""
    return {
        f'eldonia_ops_refused_total{{signal="{_escaped(signal)}",reason="{_escaped(reason)}"}}': float(count)
        for (signal, reason), count in totals.items()
    }


def _loop_metrics(loops: Loops) -> dict[str, float]:
    """Two series for each loop, and one for each of their items that fails."""
    found: dict[str, float] = {}
    for loop in loops.all():
        label = f'{{loop="{_escaped(loop.name)}"}}'
        found[f"eldonia_ops_loop_failing{label}"] = float(loop.failing)
        if not loop.item:
            found[f"eldonia_ops_loop_failures_total{label}"] = float(loop.failures)
    return found


async def _refuse_unprotected(settings: Settings, access: AccessService) -> None:
    """Beyond this machine we listen only once somebody holds a key that was not made in this very start."""
    if is_loopback(settings.listen.host) or await access.has_admin():
        return
    message = f"refusing to listen on {settings.listen}: there is no access token yet"
    hint = "start once on a loopback address (the default) and keep the token that it prints, then start again"
    raise ConfigError(Diagnostic(message, str(settings.file or ""), hint=hint))


def _read_files(
    settings: Settings, environment: Mapping[str, str], objectives: list[Objective]
) -> tuple[list[RuleGroup], tuple[AlertmanagerConfig, str], Policy]:
    """Everything that people wrote, or all that is wrong with it."""
    faults: list[Diagnostic] = []
    speed = settings.rules.speed
    groups: list[RuleGroup] = []
    routing, policy = None, None
    try:
        interval = settings.rules.evaluation_interval
        groups = load_rule_groups(
            settings.rules.files,
            defaults=settings.rules.defaults,
            objectives=generate_all(objectives, speed=speed),
            interval_ms=interval,
            speed=speed,
        )
    except ConfigError as error:
        faults += error.diagnostics
    try:
        routing = load_routing(settings.alertmanager.file, environment, speed)
        for tier in settings.incidents.escalation:
            if tier.receiver and tier.receiver not in routing[0].routing.receivers:
                message = f"escalation tier {tier.name!r} names the receiver {tier.receiver!r}, which does not exist"
                faults.append(Diagnostic(message, str(settings.file or "")))
    except ConfigError as error:
        faults += error.diagnostics
    try:
        path = settings.incidents.runbook
        runbook = default_runbook() if path is None else parse_runbook(read_text_file(path), str(path))
        policy = settings.incidents.policy(runbook)
        policy = policy if speed == 1 else policy.faster(speed)
    except ConfigError as error:
        faults += error.diagnostics
    if faults or routing is None or policy is None:
        raise ConfigError(settings.concealed.cleaned(faults))
    for warning in settings.concealed.cleaned(routing[0].warnings):
        log.warning("%s", warning)
    return groups, routing, policy


async def _open_telemetry(settings: Settings) -> TelemetryStores:
    def days(ms: int) -> int:
        return max(1, math.ceil(ms / _DAY_MS))

    kept = settings.retention
    deployment = Deployment(DeploymentKind(settings.storage.tables), settings.storage.cluster)

    async def open_at(address: str) -> TelemetryStore:
        return await open_telemetry_store(
            settings.data / "telemetry" if address == EMBEDDED else None,
            url=None if address == EMBEDDED else address,
            wal=settings.data / "telemetry" / wal_folder(address),
            retention=Retention(days(kept.logs), days(kept.traces), days(kept.metrics)),
            head_hours=kept.head / 3_600_000,
            head_max_series=settings.limits.series,
            deployment=Deployment() if address == EMBEDDED else deployment,
            instance=settings.storage.instance,
        )

    return await open_signal_stores(settings.telemetry_addresses(), open_at)


def recoverables(settings: Settings) -> dict[str, Recoverable]:
    """What may be restarted, by service."""
    speed = settings.rules.speed
    return {
        item.service: Recoverable(
            item.service,
            item.probe,
            item.policy if speed == 1 else item.policy.faster(speed),
            build_actuator(item, settings.data),
            item.in_maintenance,
        )
        for item in settings.recovery
    }
