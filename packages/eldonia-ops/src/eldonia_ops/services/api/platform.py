"""The running platform: all of its parts."""

from collections.abc import Sequence
from typing import Protocol

from eldonia_ops.dashboards.provided import ProvidedDashboards
from eldonia_ops.ports import StateStore, TelemetryStores
from eldonia_ops.services.api.access import Access
from eldonia_ops.services.api.alerts import Alerts
from eldonia_ops.services.api.backups import Backups
from eldonia_ops.services.api.incidents import Incidents
from eldonia_ops.services.api.ingest import Ingest
from eldonia_ops.services.api.log_care import LogErasures, LogMetricStates, LogRetentionRules
from eldonia_ops.services.api.managed import ManagedConfiguration
from eldonia_ops.services.api.people import Accounts, Sessions
from eldonia_ops.services.api.queries import Queries
from eldonia_ops.services.api.recovery import Recovery
from eldonia_ops.services.api.reloads import Reloads
from eldonia_ops.services.api.security import Security
from eldonia_ops.services.api.status import Status
from eldonia_ops.settings import SignOnSettings


class Platform(Protocol):
    """Everything that the HTTP side may touch."""

    @property
    def telemetry(self) -> TelemetryStores: ...
    @property
    def state(self) -> StateStore: ...
    @property
    def queries(self) -> Queries: ...
    @property
    def ingest(self) -> Ingest: ...
    @property
    def alerts(self) -> Alerts: ...
    @property
    def incidents(self) -> Incidents: ...
    @property
    def security(self) -> Security: ...
    @property
    def recovery(self) -> Recovery: ...
    @property
    def status(self) -> Status: ...
    @property
    def access(self) -> Access: ...
    @property
    def accounts(self) -> Accounts: ...
    @property
    def sessions(self) -> Sessions: ...
    @property
    def sign_on(self) -> SignOnSettings:
        """How people sign in, by the settings that are in force."""
        ...

    @property
    def trusted_proxies(self) -> Sequence[str]:
        """The networks of proxies in front, by the settings that are in force."""
        ...

    @property
    def reloads(self) -> Reloads: ...
    @property
    def backups(self) -> Backups: ...
    @property
    def log_metrics(self) -> LogMetricStates: ...
    @property
    def log_retention(self) -> LogRetentionRules: ...
    @property
    def erasures(self) -> LogErasures: ...
    @property
    def dashboard_files(self) -> ProvidedDashboards:
        """The dashboards of files, as they are in force."""
        ...

    @property
    def scrape_interval_ms(self) -> int:
        """How far samples of one series are apart, as a rule: the longest interval of what is scraped."""
        ...

    @property
    def managed(self) -> ManagedConfiguration: ...
    @property
    def resolve_timeout_ms(self) -> int:
        """After how long an alert that was posted without an end, and not posted again, is over."""
        ...

    @property
    def language(self) -> str: ...
    def now(self) -> int: ...
