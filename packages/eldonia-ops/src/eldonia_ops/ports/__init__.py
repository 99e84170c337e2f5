"""What the platform needs from the outside, as protocols; adapters implement them, services use them.

Everything that waits is ``async``. One module holds the ports of one concern; all names are exported here.
"""

from eldonia_ops.ports.effects import (
    Actuator,
    ActuatorError,
    Clock,
    Delivery,
    DeliveryResult,
    Notifier,
    Prober,
    ProbeResult,
)
from eldonia_ops.ports.logs import LogHistogram, LogPage, LogQuery, LogStore
from eldonia_ops.ports.metrics import MetricStore
from eldonia_ops.ports.signals import (
    SignalStore,
    TelemetryError,
    TelemetryLimitError,
    TelemetryUnavailableError,
    TooManySamplesError,
)
from eldonia_ops.ports.snapshots import Snapshots
from eldonia_ops.ports.state import (
    AlertGroupRepository,
    AlertInboxRepository,
    AlertRepository,
    ConflictError,
    DeliveryState,
    DueGroup,
    FindingRepository,
    InboxItem,
    IncidentRepository,
    LedgerRepository,
    ListedGroup,
    MachineRepository,
    OutboxRepository,
    PositionRepository,
    QueuedRow,
    SilenceRepository,
    StateStore,
    StateTransaction,
    TimelineRepository,
    TokenRepository,
)
from eldonia_ops.ports.telemetry import TelemetryStore, TelemetryStores
from eldonia_ops.ports.traces import TraceQuery, TraceStore, TraceSummary

__all__ = [
    "Actuator",
    "ActuatorError",
    "AlertGroupRepository",
    "AlertInboxRepository",
    "AlertRepository",
    "Clock",
    "ConflictError",
    "Delivery",
    "DeliveryResult",
    "DeliveryState",
    "DueGroup",
    "FindingRepository",
    "InboxItem",
    "IncidentRepository",
    "LedgerRepository",
    "ListedGroup",
    "LogHistogram",
    "LogPage",
    "LogQuery",
    "LogStore",
    "MachineRepository",
    "MetricStore",
    "Notifier",
    "OutboxRepository",
    "PositionRepository",
    "ProbeResult",
    "Prober",
    "QueuedRow",
    "SignalStore",
    "SilenceRepository",
    "Snapshots",
    "StateStore",
    "StateTransaction",
    "TelemetryError",
    "TelemetryLimitError",
    "TelemetryStore",
    "TelemetryStores",
    "TelemetryUnavailableError",
    "TimelineRepository",
    "TokenRepository",
    "TooManySamplesError",
    "TraceQuery",
    "TraceStore",
    "TraceSummary",
]
