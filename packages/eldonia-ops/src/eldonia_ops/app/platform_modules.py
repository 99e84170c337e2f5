"""The modules that the whole platform has beside the router: rules, collection, security, incidents, recovery."""

import logging
import socket
from collections.abc import Callable, Mapping

from eldonia_ops.app.actuation import ProcessLogs, build_actuator, start_processes
from eldonia_ops.app.collection import Collection
from eldonia_ops.app.configuration import Configuration
from eldonia_ops.app.foundation import Foundation
from eldonia_ops.app.metrics import refused_metrics
from eldonia_ops.app.modules import Inert
from eldonia_ops.app.router_modules import Router
from eldonia_ops.collectors.collector import OnProbe
from eldonia_ops.model.security import SecurityEventType
from eldonia_ops.ports import Actuator, LogStore, TelemetryError, TelemetryStores
from eldonia_ops.protocols.shipped_sentences import wording_of_alerts
from eldonia_ops.rules import RuleGroup, RuleRenderer, TickSettings
from eldonia_ops.security.thresholds import Threshold
from eldonia_ops.security.thresholds import faster as faster_thresholds
from eldonia_ops.services.incidents.incidents import IncidentService
from eldonia_ops.services.incidents.transactions import IncidentTransactions
from eldonia_ops.services.ingest import Horizon, IngestService, Origin
from eldonia_ops.services.logs.pattern_mining import LogPatternMining
from eldonia_ops.services.logs.rules import LogRules
from eldonia_ops.services.messages.personal import PersonalNotifications
from eldonia_ops.services.queries import QueryService
from eldonia_ops.services.recovery import Recoverable, RecoveryService
from eldonia_ops.services.rules.evaluation import EvaluationService
from eldonia_ops.services.rules.objectives import ObjectiveReports
from eldonia_ops.services.security import SecurityService
from eldonia_ops.services.span_metrics import SpanMetrics

log = logging.getLogger("eldonia_ops")

_RESEND_MS = 60_000


class RulesModule(Inert):
    """Evaluates rule groups."""

    name = "rules"

    def __init__(self, base: Foundation, router: Router, telemetry: TelemetryStores, queries: QueryService) -> None:
        self._in_force = _rules_of(base.configuration)
        groups, settings = self._in_force
        self.service = EvaluationService(
            *(base.clock, base.state, telemetry.metrics, queries, router.intake, groups, settings, base.loops),
            logs=LogRules(telemetry.logs),
        )

    async def resume(self) -> None:
        """Load the states of all groups."""
        await self.service.resume()

    async def run(self) -> None:
        """Evaluate until cancelled."""
        await self.service.run()

    async def apply(self, configuration: Configuration) -> None:
        """Let other groups take the place of those that run."""
        wanted = _rules_of(configuration)
        if wanted != self._in_force:
            await self.service.reconfigure(*wanted)
            self._in_force = wanted

    def metrics(self) -> Mapping[str, float]:
        """Evaluations, and what was missed."""
        return {
            "eldonia_ops_rule_evaluations_total": float(self.service.evaluations),
            "eldonia_ops_rule_evaluations_missed_total": float(self.service.missed),
            "eldonia_ops_rule_results_unstored_total": float(self.service.unstored),
        }


def _rules_of(configuration: Configuration) -> tuple[tuple[RuleGroup, ...], TickSettings]:
    speed, external_url = configuration.speed, configuration.external_url
    settings = TickSettings(
        render=RuleRenderer(external_url=external_url, wording=wording_of_alerts(configuration.settings.language)),
        resend_delay_ms=max(1, round(_RESEND_MS / speed)),
        default_interval_ms=max(1, round(configuration.settings.rules.evaluation_interval / speed)),
        generator_url=f"{external_url}/alerts",
        speed=speed,
    )
    return configuration.rule_groups, settings


class SpanMetricsModule(Inert):
    """Makes metrics of spans."""

    name = "span metrics"

    def __init__(self, base: Foundation, ingest: IngestService) -> None:
        interval_ms, max_series = _span_metrics_of(base.configuration)
        self.service = SpanMetrics(
            base.clock, ingest.row, interval_ms=interval_ms, max_series=max_series, loops=base.loops
        )
        ingest.subscribe_spans(self.service.observe)

    async def run(self) -> None:
        """Store what was counted, until cancelled."""
        await self.service.run()

    async def apply(self, configuration: Configuration) -> None:
        """Count at another interval or bound, or not at all."""
        self.service.configure(*_span_metrics_of(configuration))

    async def close(self) -> None:
        """Store what was counted last."""
        try:
            await self.service.close()
        except TelemetryError as error:
            log.warning("the last metrics of spans could not be stored: %s", error)

    def metrics(self) -> Mapping[str, float]:
        """How many operations are counted, and what was beyond the bounds."""
        return {
            "eldonia_ops_span_metric_operations": float(len(self.service.counts)),
            "eldonia_ops_span_metric_spans_dropped_total": float(self.service.counts.dropped),
        }


def _span_metrics_of(configuration: Configuration) -> tuple[int, int]:
    settings = configuration.settings.span_metrics
    # A demonstration that runs faster than time has shorter windows too.
    interval_ms = max(1_000, round(settings.interval / configuration.speed))
    return (interval_ms if settings.enabled else 0), settings.max_operations


class SecurityModule(Inert):
    """Counts security events and raises alerts about those that are too many."""

    name = "security"

    def __init__(self, base: Foundation, router: Router, logs: LogStore) -> None:
        self._logs = logs
        thresholds, evidence_limit = _security_of(base.configuration)
        self.service = SecurityService(
            base.clock, base.state, router.intake, thresholds, evidence_limit=evidence_limit, loops=base.loops
        )

    def metrics(self) -> Mapping[str, float]:
        """Events that came in with log records."""
        return {"eldonia_ops_security_events_total": float(self.service.events_taken)}

    async def resume(self) -> None:
        """Load the windows, and look again at what may not have been counted."""
        try:
            await self.service.resume(self._logs)
        except TelemetryError:
            # People still have to be paged about everything else.
            log.exception("security records from before the start could not be looked at again")

    async def run(self) -> None:
        """End alerts of windows that have become quiet, until cancelled."""
        await self.service.run()

    async def apply(self, configuration: Configuration) -> None:
        """Judge by other thresholds."""
        thresholds, evidence_limit = _security_of(configuration)
        await self.service.reconfigure(thresholds, evidence_limit=evidence_limit)


def _security_of(configuration: Configuration) -> tuple[Mapping[SecurityEventType, Threshold], int]:
    settings = configuration.settings.security
    thresholds = settings.thresholds if settings.enabled else {}
    speed = configuration.speed
    return (faster_thresholds(thresholds, speed) if speed != 1 else thresholds), settings.evidence_limit


class IngestModule(Inert):
    """Takes telemetry in. It acts when it is called."""

    name = "ingest"

    def __init__(self, base: Foundation, telemetry: TelemetryStores) -> None:
        kept = base.configuration.settings.retention
        origin = Origin(base.environment.get("ELDONIA_ENVIRONMENT", ""), socket.gethostname())
        horizon = Horizon(kept.logs, kept.traces, kept.metrics)
        patterns = LogPatternMining(telemetry.logs, base.clock.now)
        self.service = IngestService(telemetry, origin, base.clock, horizon, base.loops.metrics, patterns)

    async def resume(self) -> None:
        """Know the patterns of log messages that were found before."""
        await self.service.patterns.load()

    def metrics(self) -> Mapping[str, float]:
        """What came in, and what was refused."""
        found = {f"eldonia_ops_{name}_total": float(value) for name, value in self.service.counts.items()}
        found["eldonia_ops_log_patterns"] = float(self.service.patterns.patterns)
        found["eldonia_ops_log_records_without_pattern_total"] = float(self.service.patterns.unmined)
        return {**found, **refused_metrics(self.service.refused_totals())}


class IncidentsModule(Inert):
    """Escalates incidents. Their policy follows with the routing."""

    name = "incidents"

    def __init__(self, base: Foundation, router: Router, transactions: IncidentTransactions) -> None:
        self.service = IncidentService(
            base.clock,
            base.state,
            transactions,
            router.escalations,
            router.outbox,
            PersonalNotifications(router.queue, transactions),
            base.loops,
            router.intake.caught_up,
        )

    async def run(self) -> None:
        """Escalate until cancelled."""
        await self.service.run()

    async def apply(self, configuration: Configuration) -> None:
        """Look at what is due by the policy as it is now."""
        self.service.wake()


BuildServices = Callable[[Configuration, Configuration | None, Mapping[str, Recoverable]], Mapping[str, Recoverable]]
"""What may be restarted, from the settings now and before, and what is known of the latter."""


class RecoveryModule(Inert):
    """Restarts what may be restarted, and keeps what it started itself in order."""

    name = "recovery"

    def __init__(self, base: Foundation, router: Router, build: "BuildServices | None" = None) -> None:
        self._build = build or recoverables
        self._configuration = base.configuration
        self._services: Mapping[str, Recoverable] = self._build(base.configuration, None, {})
        self.service = RecoveryService(base.clock, base.state, router.intake, self._services, base.loops)

    @property
    def actuators(self) -> dict[str, Actuator]:
        """What restarts each service."""
        return {name: item.actuator for name, item in self._services.items()}

    def all_actuators(self) -> list[Actuator]:
        """The same, without the names."""
        return [item.actuator for item in self._services.values()]

    async def resume(self) -> None:
        """Load what is known, then start the programs that we supervise and that do not run."""
        await self.service.resume()
        await self._start(self.actuators)

    async def run(self) -> None:
        """Take the steps that time asks for, until cancelled."""
        await self.service.run()

    async def apply(self, configuration: Configuration) -> None:
        """Look after other services; one whose settings are the same keeps what restarts it, and its attempts."""
        wanted = self._build(configuration, self._configuration, self._services)
        if any(self._services.get(name) is not item for name, item in wanted.items()) or len(wanted) != len(
            self._services
        ):
            await self.service.reconfigure(wanted)
            new = {name: item.actuator for name, item in wanted.items() if self._services.get(name) is not item}
            self._services, self._configuration = wanted, configuration
            await self._start(new)

    async def close(self) -> None:
        """Wait for restarts under way."""
        await self.service.close()

    async def _start(self, actuators: Mapping[str, Actuator]) -> None:
        for service in await start_processes(actuators):
            self.service.started(service)


def recoverables(
    configuration: Configuration,
    before: Configuration | None,
    known: Mapping[str, Recoverable],
) -> dict[str, Recoverable]:
    """What may be restarted, by service. What ``known`` holds is taken over where the settings ``before`` are equal."""
    settings, speed = configuration.settings, configuration.speed
    same = (
        {item.service: item for item in before.settings.recovery}
        if before is not None and before.speed == speed and before.settings.data == settings.data
        else {}
    )
    found: dict[str, Recoverable] = {}
    for item in settings.recovery:
        if same.get(item.service) == item:
            found[item.service] = known[item.service]
            continue
        policy = item.policy if speed == 1 else item.policy.faster(speed)
        actuator = build_actuator(item, settings.data)
        found[item.service] = Recoverable(item.service, item.probe, policy, actuator, item.in_maintenance)
    return found


class CollectionModule(Inert):
    """Scrapes, probes, reads and follows what the settings name."""

    name = "collection"

    def __init__(self, base: Foundation, ingest: IngestService, logs: LogStore, on_probe: OnProbe) -> None:
        settings = base.configuration.settings
        self.service = Collection(settings, base.clock, ingest, base.state, logs, on_probe, base.loops)

    async def run(self) -> None:
        """Collect until cancelled."""
        await self.service.run()

    async def apply(self, configuration: Configuration) -> None:
        """Collect what other settings name."""
        await self.service.apply(configuration.settings)

    async def close(self) -> None:
        """Close the connections."""
        await self.service.close()


class ProcessLogsModule(Inert):
    """Keeps the outputs of programs that we started within bounds."""

    name = "process logs"

    def __init__(self, base: Foundation, recovery: RecoveryModule) -> None:
        self._service = ProcessLogs(recovery.all_actuators, base.clock, base.loops)

    async def run(self) -> None:
        """Trim until cancelled."""
        await self._service.run()


class ObjectivesModule(Inert):
    """Reports on objectives."""

    name = "objectives"

    def __init__(self, base: Foundation, service: ObjectiveReports) -> None:
        self.service = service
        self._objectives = base.configuration.objectives

    async def resume(self) -> None:
        """Remember since when each objective has been watched."""
        await self.service.resume()

    async def apply(self, configuration: Configuration) -> None:
        """Report on other objectives."""
        if configuration.objectives != self._objectives:
            await self.service.reconfigure(configuration.objectives)
            self._objectives = configuration.objectives
