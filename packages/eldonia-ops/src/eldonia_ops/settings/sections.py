"""What can be set, with its defaults. Durations are milliseconds, sizes bytes, unless the name says otherwise."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

from eldonia_ops.incidents.policy import MINUTE, OPENS, RESPONSE_TARGETS, TIERS, Policy, Tier
from eldonia_ops.incidents.runbook import Runbook
from eldonia_ops.model.concealed import Concealed
from eldonia_ops.model.incidents import Severity
from eldonia_ops.model.labels import EMPTY, Labels, quote
from eldonia_ops.model.secret import Secret
from eldonia_ops.model.security import SecurityEventType
from eldonia_ops.recovery.policy import RecoveryPolicy
from eldonia_ops.security.thresholds import DEFAULTS, Threshold
from eldonia_ops.settings.listen import Listen
from eldonia_ops.settings.maintenance import MaintenanceWindow
from eldonia_ops.slo.objectives import Objective

SECOND: Final = 1_000
HOUR: Final = 60 * MINUTE
DAY: Final = 24 * HOUR
KIB: Final = 1024
MIB: Final = 1024 * KIB

_DEFAULT_LISTEN: Final = Listen("127.0.0.1", 9600)
_NO_SECRET: Final = Secret("")
_EMBEDDED: Final = Secret("chdb")


@dataclass(frozen=True, slots=True)
class Retention:
    """How long things are kept. ``head`` is the span of samples held in memory for rules and dashboards."""

    logs: int = 30 * DAY
    traces: int = 7 * DAY
    metrics: int = 30 * DAY
    head: int = 3 * HOUR
    state: int = 400 * DAY


@dataclass(frozen=True, slots=True)
class LogFile:
    """Log files to follow. ``path`` is a glob (absolute once loaded).

    ``service`` names the service of lines that do not say it themselves. ``format`` is ``json``
    (one object a line; anything else is kept as raw text with a mark), ``raw``, or ``auto`` (lines that
    begin with a brace are JSON).
    """

    path: str
    service: str = ""
    format: str = "json"


@dataclass(frozen=True, slots=True)
class ScrapeJob:
    """Targets whose metrics are fetched over HTTP. ``targets`` are ``host:port``.

    ``username`` and ``password``, or ``bearer_token``, go along. ``honor_labels`` lets an exposed label win over
    the target's own, ``honor_timestamps`` takes the times that samples come with.
    """

    job: str
    targets: tuple[str, ...]
    path: str = "/metrics"
    scheme: str = "http"
    interval: int = 15 * SECOND
    timeout: int = 10 * SECOND
    labels: Labels = EMPTY
    bearer_token: Secret = _NO_SECRET
    username: str = ""
    password: Secret = _NO_SECRET
    honor_labels: bool = False
    honor_timestamps: bool = True


@dataclass(frozen=True, slots=True)
class HostSettings:
    """Whether, and how often, this machine's own CPU, memory, disks and network are read."""

    enabled: bool = True
    interval: int = 15 * SECOND


@dataclass(frozen=True, slots=True)
class PostgresqlSettings:
    """A PostgreSQL whose activity is read. ``instance`` is its label; default: host:port of the DSN."""

    dsn: Secret
    instance: str = ""
    interval: int = 15 * SECOND


@dataclass(frozen=True, slots=True)
class ProbeSettings:
    """An endpoint looked at from outside, by the scheme of ``url``: http, https, tcp or tls.

    An HTTP look succeeds when the status is in ``expect_status`` and the body contains ``expect_text``. A look
    at a port succeeds when the connection (and TLS) comes about and, after ``send`` went out, ``expect_text``
    comes back; ``method``, ``expect_status`` and ``headers`` mean nothing there, nor ``send`` to HTTP.
    """

    name: str
    url: str
    service: str = ""
    method: str = "GET"
    interval: int = 15 * SECOND
    timeout: int = 5 * SECOND
    expect_status: tuple[int, ...] = (200,)
    expect_text: str = ""
    labels: Labels = EMPTY
    headers: Mapping[str, Secret] = field(default_factory=dict)
    send: str = ""
    verify_certificate: bool = True


@dataclass(frozen=True, slots=True)
class RuleSettings:
    """Rule files (globs, absolute once loaded); ``defaults`` adds the rules that the platform ships.

    ``speed`` divides every duration of rules, routes, incidents and recovery: 10 makes a demonstration
    of a story that takes ten minutes last one.
    """

    files: tuple[str, ...] = ()
    defaults: bool = True
    evaluation_interval: int = 15 * SECOND
    speed: float = 1.0


@dataclass(frozen=True, slots=True)
class AlertmanagerSettings:
    """Where the routing configuration is; None for the one that the platform ships."""

    file: Path | None = None


@dataclass(frozen=True, slots=True)
class ObjectiveSettings:
    """A service-level objective.

    ``target`` is a percentage. Either ``probe`` names a probe whose successes count, or ``good`` and
    ``total`` are PromQL queries over ``[$window]``.
    """

    name: str
    service: str
    target: float = 99.9
    window: int = 30 * DAY
    probe: str = ""
    good: str = ""
    total: str = ""
    description: str = ""

    def objective(self) -> Objective:
        """The same as the objectives' own rules take it; a probe becomes the series of its results."""
        return Objective(
            name=self.name,
            service=self.service,
            target=round(self.target / 100, 12),
            window_ms=self.window,
            good=self.good,
            total=self.total,
            probe=f"probe_success{{probe={quote(self.probe)}}}" if self.probe else "",
            description=self.description,
        )


@dataclass(frozen=True, slots=True)
class SecuritySettings:
    """Detection of attacks. ``thresholds`` holds an entry for each of the ten types."""

    enabled: bool = True
    thresholds: Mapping[SecurityEventType, Threshold] = field(default_factory=lambda: dict(DEFAULTS))
    evidence_limit: int = 50


@dataclass(frozen=True, slots=True)
class IncidentSettings:
    """What opens an incident, how fast to respond and whom to tell next.

    ``opens`` maps an alert's ``severity`` label to the incident's severity. ``runbook`` is a file with
    checklists, None for the one that the platform ships.
    """

    opens: Mapping[str, Severity] = field(default_factory=lambda: dict(OPENS))
    response_targets: Mapping[Severity, int] = field(default_factory=lambda: dict(RESPONSE_TARGETS))
    escalation: tuple[Tier, ...] = TIERS
    reopen_within: int = 30 * MINUTE
    runbook: Path | None = None

    def policy(self, runbook: Runbook) -> Policy:
        """The same as the incident rules take it."""
        return Policy(
            opens=self.opens,
            response_targets=self.response_targets,
            tiers=self.escalation,
            reopen_within=self.reopen_within,
            runbook=runbook,
        )


@dataclass(frozen=True, slots=True)
class ProcessAction:
    """Restart a process that the platform starts itself.

    ``command`` is run without a shell in ``directory``; ``environment`` is added to the platform's own.
    ``stop_timeout`` is how long it may take to stop before it is killed; ``log`` takes its output.
    """

    command: tuple[str, ...]
    directory: Path | None = None
    environment: Mapping[str, str] = field(default_factory=dict)
    pid_file: Path | None = None
    log: Path | None = None
    stop_timeout: int = 10 * SECOND


@dataclass(frozen=True, slots=True)
class SystemdAction:
    """Restart a systemd unit."""

    unit: str


@dataclass(frozen=True, slots=True)
class CommandAction:
    """Run a command, without a shell. ``environment`` is added to the little that it inherits."""

    command: tuple[str, ...]
    environment: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class DockerAction:
    """Restart a container."""

    container: str


@dataclass(frozen=True, slots=True)
class WebhookAction:
    """Ask somebody else to restart: an HTTP request with ``body`` as JSON (None: which service it is about)."""

    url: Secret
    method: str = "POST"
    headers: Mapping[str, Secret] = field(default_factory=dict)
    body: Mapping[str, Any] | None = field(default=None, repr=False)


RecoveryAction = ProcessAction | SystemdAction | CommandAction | DockerAction | WebhookAction


@dataclass(frozen=True, slots=True)
class RecoverySettings:
    """How a failing service is brought back: ``policy`` judges by the results of ``probe`` and runs ``action``.

    Nothing is done during ``maintenance``.
    """

    service: str
    probe: str
    action: RecoveryAction
    policy: RecoveryPolicy = field(default_factory=RecoveryPolicy)
    maintenance: tuple[MaintenanceWindow, ...] = ()

    def in_maintenance(self, at: int) -> bool:
        """Whether an instant lies in one of the maintenance windows."""
        return any(window.covers(at) for window in self.maintenance)


@dataclass(frozen=True, slots=True)
class LimitSettings:
    """Bounds on what comes from outside.

    ``request`` and ``request_expanded`` are the largest request body, as sent and after decompression.
    ``series`` is how many time series may be live at once, ``scrape_samples`` how many one scrape may bring.
    ``labels`` is how many labels a series may have, ``label_value`` how long a value may be in characters.
    ``log_line`` is the longest line; the rest of a longer one is cut off and marked.
    ``query_samples`` and ``query_timeout`` bound one query, ``query_concurrency`` how many run at once.
    ``posted_alerts`` is how many alerts may be active at once, ``posted_alerts_token`` how many of them one token may
    have posted; as many urgent ones come on top.
    """

    request: int = 16 * MIB
    request_expanded: int = 32 * MIB
    series: int = 200_000
    scrape_samples: int = 50_000
    labels: int = 64
    label_value: int = 2048
    log_line: int = 256 * KIB
    query_samples: int = 50_000_000
    query_timeout: int = 30 * SECOND
    query_concurrency: int = 4
    posted_alerts: int = 50_000
    posted_alerts_token: int = 30_000


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything that eldonia-ops.yml can say.

    ``state`` is a URL (SQLite's points into ``data`` unless set otherwise). ``telemetry`` is ``chdb`` or
    the URL of a ClickHouse server. ``external_url`` is how people reach the pages; empty means by
    the address listened on. ``file`` is where this was read from, None for the defaults alone. ``concealed`` is
    what messages about the settings may not show.
    """

    data: Path
    state: Secret
    file: Path | None = None
    listen: Listen = _DEFAULT_LISTEN
    telemetry: Secret = _EMBEDDED
    language: str = "en"
    external_url: str = ""
    retention: Retention = Retention()
    logs: tuple[LogFile, ...] = ()
    scrape: tuple[ScrapeJob, ...] = ()
    host: HostSettings = HostSettings()
    postgresql: tuple[PostgresqlSettings, ...] = ()
    probes: tuple[ProbeSettings, ...] = ()
    rules: RuleSettings = RuleSettings()
    alertmanager: AlertmanagerSettings = AlertmanagerSettings()
    objectives: tuple[ObjectiveSettings, ...] = ()
    security: SecuritySettings = field(default_factory=SecuritySettings)
    incidents: IncidentSettings = field(default_factory=IncidentSettings)
    recovery: tuple[RecoverySettings, ...] = ()
    limits: LimitSettings = LimitSettings()
    concealed: Concealed = field(default_factory=Concealed, compare=False, repr=False)

    def with_data(self, data: Path) -> "Settings":
        """The same with another data folder (``--data``); a SQLite state that lay in the old one moves along."""
        moved = self.state == sqlite_state(self.data)
        return replace(self, data=data, state=sqlite_state(data) if moved else self.state)


def sqlite_state(data: Path) -> Secret:
    """The URL of the state file in a data folder."""
    return Secret(f"sqlite:///{data / 'state.db'}")
