"""What the running platform offers to its HTTP side: one protocol a concern, each in a module of its own.

The web package and its tests depend on these and not on the loops behind them.
"""

from eldonia_ops.services.api.access import Access
from eldonia_ops.services.api.alerts import (
    Alerts,
    AlertView,
    GroupView,
    IntegrationView,
    MessageFacts,
    ReceiverTrial,
    RoutePreview,
    RuleGroupView,
    RuleView,
)
from eldonia_ops.services.api.backups import Backups, BackupStream
from eldonia_ops.services.api.errors import NotFoundError, OverloadedError, PreconditionError, QueryError, RefusedError
from eldonia_ops.services.api.incidents import Incidents, Postmortem
from eldonia_ops.services.api.ingest import Ingest, RefusalView
from eldonia_ops.services.api.pipelines import PipelineOutputView, PipelineSourceView, PipelineView
from eldonia_ops.services.api.platform import Platform
from eldonia_ops.services.api.queries import Queries, QueryResult, QueryStats, Series
from eldonia_ops.services.api.recovery import Recovery, RecoveryView
from eldonia_ops.services.api.reloads import Reloads, ReloadView
from eldonia_ops.services.api.security import Security
from eldonia_ops.services.api.status import (
    DiskView,
    DurationView,
    ListenerView,
    LoopView,
    ObjectivePoint,
    ObjectiveView,
    PlatformHealth,
    Status,
    StoredView,
    TargetView,
)

__all__ = [
    "Access",
    "AlertView",
    "Alerts",
    "BackupStream",
    "Backups",
    "DiskView",
    "DurationView",
    "GroupView",
    "Incidents",
    "Ingest",
    "IntegrationView",
    "ListenerView",
    "LoopView",
    "MessageFacts",
    "NotFoundError",
    "ObjectivePoint",
    "ObjectiveView",
    "OverloadedError",
    "PipelineOutputView",
    "PipelineSourceView",
    "PipelineView",
    "Platform",
    "PlatformHealth",
    "Postmortem",
    "PreconditionError",
    "Queries",
    "QueryError",
    "QueryResult",
    "QueryStats",
    "ReceiverTrial",
    "Recovery",
    "RecoveryView",
    "RefusalView",
    "RefusedError",
    "ReloadView",
    "Reloads",
    "RoutePreview",
    "RuleGroupView",
    "RuleView",
    "Security",
    "Series",
    "Status",
    "StoredView",
    "TargetView",
]
