"""The profile of ``eldonia-ops serve``: everything."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from eldonia_ops.app.foundation import Foundation
from eldonia_ops.app.index_modules import IndexRetentionModule
from eldonia_ops.app.log_care_modules import ErasuresModule, LogRetentionModule
from eldonia_ops.app.log_metric_module import LogMetricsModule
from eldonia_ops.app.modules import Module
from eldonia_ops.app.pipeline.pipelines import PipelineModule
from eldonia_ops.app.platform_modules import (
    CollectionModule,
    IncidentsModule,
    IngestModule,
    ObjectivesModule,
    ProcessLogsModule,
    RecoveryModule,
    RulesModule,
    SecurityModule,
    SpanMetricsModule,
)
from eldonia_ops.app.router_modules import DeliveryModule, PurgeModule, Router, RoutingModule, SupervisionModule
from eldonia_ops.ports import TelemetryStores
from eldonia_ops.services.alerts.alerts import AlertService
from eldonia_ops.services.incidents.incidents import IncidentService
from eldonia_ops.services.incidents.transactions import IncidentTransactions
from eldonia_ops.services.ingest import IngestService
from eldonia_ops.services.logs.erasures import Erasures
from eldonia_ops.services.logs.metrics import LogMetrics
from eldonia_ops.services.logs.retention import LogRetention
from eldonia_ops.services.queries import QueryService
from eldonia_ops.services.recovery import RecoveryService
from eldonia_ops.services.rules.objectives import ObjectiveReports
from eldonia_ops.services.security import SecurityService
from eldonia_ops.services.status import StatusService

Counts = Callable[[], Mapping[str, float]]


@dataclass(frozen=True, slots=True)
class Full:
    """Everything: what ``eldonia-ops serve`` runs."""

    modules: list[Module]
    router: Router
    alerts: AlertService
    incidents: IncidentService
    security: SecurityService
    recovery: RecoveryService
    ingest: IngestService
    status: StatusService
    log_metrics: LogMetrics
    log_retention: LogRetention
    erasures: Erasures


def full(base: Foundation, telemetry: TelemetryStores, queries: QueryService, counts: Counts) -> Full:
    """The whole platform over its stores. ``counts`` gives the metrics of all modules."""
    router = Router(base, with_incidents=True)
    assert isinstance(router.incidents, IncidentTransactions)
    rules = RulesModule(base, router, telemetry, queries)
    routing = RoutingModule(base, router, rules.service.views)
    security = SecurityModule(base, router, telemetry.logs)
    ingest = IngestModule(base, telemetry)
    ingest.service.subscribe(security.service.observe)
    log_metrics = LogMetricsModule(base, ingest.service)
    log_retention = LogRetentionModule(base, telemetry.logs)
    erasures = ErasuresModule(base, telemetry.logs, ingest.service.patterns)
    recovery = RecoveryModule(base, router)
    incidents = IncidentsModule(base, router, router.incidents)
    collection = CollectionModule(base, ingest.service, telemetry.logs, recovery.service.on_probe)
    pipeline = PipelineModule(base, ingest.service, telemetry.logs)
    configuration = base.configuration
    objectives = ObjectiveReports(base.clock, base.state, queries, configuration.objectives, configuration.speed)
    status = StatusService(
        base.clock,
        base.state,
        telemetry,
        objectives=objectives,
        targets=lambda: [*collection.service.targets(), *pipeline.targets()],
        counts=counts,
        loops=base.loops,
        folder=configuration.settings.data,
        pipeline=pipeline.view,
    )
    modules: list[Module] = [
        ObjectivesModule(base, objectives),
        ingest,
        SpanMetricsModule(base, ingest.service),
        log_metrics,
        rules,
        routing,
        security,
        recovery,
        DeliveryModule(router),
        incidents,
        SupervisionModule(base, router),
        PurgeModule(base),
        IndexRetentionModule(base, telemetry.logs),
        log_retention,
        erasures,
        collection,
        pipeline,
        ProcessLogsModule(base, recovery),
    ]
    return Full(
        modules,
        router,
        routing.alerts,
        incidents.service,
        security.service,
        recovery.service,
        ingest.service,
        status,
        log_metrics.service,
        log_retention.service,
        erasures.service,
    )
