"""What the running platform offers to its HTTP side: one protocol a concern.

The web package and its tests depend on these and not on the loops behind them.
"""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from typing import Any, Protocol

from eldonia_ops.dashboards.provided import ProvidedDashboards
from eldonia_ops.incidents.policy import Policy
from eldonia_ops.model.access import Principal, Role, Token
from eldonia_ops.model.alerts import Alert, LedgerEntry, Outgoing, Silence
from eldonia_ops.model.errors import Diagnostic
from eldonia_ops.model.incidents import Incident, IncidentStatus, TimelineEntry
from eldonia_ops.model.labels import Labels
from eldonia_ops.model.native_histogram import NativeHistogram
from eldonia_ops.model.security import Finding, FindingStatus, SecurityEvent
from eldonia_ops.ports import StateStore, TelemetryStores
from eldonia_ops.services.log_care_api import LogErasures, LogMetricStates, LogRetentionRules
from eldonia_ops.services.managed_api import ManagedConfiguration
from eldonia_ops.services.people_api import Accounts, Sessions
from eldonia_ops.settings import SignOnSettings
from eldonia_ops.sinks import LogSink, SampleSink, SpanSink


class NotFoundError(LookupError):
    """The thing named does not exist; the message says what was looked for."""


class RefusedError(ValueError):
    """The request is understood and not allowed in the present state; the message says why and what to do."""


class OverloadedError(RuntimeError):
    """More waits than may wait; nothing of the request was taken. The sender should come back in a moment."""


class PreconditionError(RuntimeError):
    """What the caller required of the stored text does not hold; the message says what became of it."""


class QueryError(ValueError):
    """A query, in PromQL or of logs, that cannot be parsed or answered.

    ``position`` is the 0-based character offset of the fault, or -1. ``kind`` is Prometheus' errorType:
    ``bad_data``, ``execution``, ``timeout``. ``hint`` says what to do about it. ``field`` names the parameter that
    holds the text, where there are several.
    """

    def __init__(
        self, message: str, position: int = -1, kind: str = "bad_data", hint: str = "", field: str = ""
    ) -> None:
        super().__init__(message)
        self.field = field
        self.position = position
        self.kind = kind
        self.hint = hint


@dataclass(frozen=True, slots=True)
class Series:
    """One series of a result: points are ``(Unix milliseconds, value)``, ascending; histograms beside the floats."""

    labels: Labels
    points: list[tuple[int, float]]
    histograms: list[tuple[int, NativeHistogram]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class QueryStats:
    """What a query took: seconds of waiting for its turn, of fetching and of computing.

    ``samples`` is how many samples its selectors looked at, summed over the steps; ``peak`` how many it held at once.
    """

    wait_seconds: float = 0.0
    fetch_seconds: float = 0.0
    compute_seconds: float = 0.0
    samples: int = 0
    peak: int = 0


@dataclass(frozen=True, slots=True)
class QueryResult:
    """``type`` is ``vector``, ``matrix``, ``scalar`` or ``string``.

    A vector's series have one point each; a scalar is one series without labels; ``text`` is the string.
    """

    type: str
    series: list[Series] = field(default_factory=list)
    text: str = ""
    warnings: tuple[str, ...] = ()
    infos: tuple[str, ...] = ()
    stats: QueryStats = QueryStats()


class Queries(Protocol):
    """PromQL over the telemetry store."""

    async def instant(
        self, query: str, at_ms: int | None = None, *, lookback_ms: int = 0, timeout_ms: int = 0
    ) -> QueryResult:
        """Evaluate at one instant (default: now).

        ``lookback_ms`` is how old a sample may be to count (0: five minutes); ``timeout_ms`` may shorten the time
        that a query may take, and never lengthens it.

        Raises:
            QueryError: the query is malformed or exceeds a limit.
        """
        ...

    async def range(
        self, query: str, start_ms: int, end_ms: int, step_ms: int, *, lookback_ms: int = 0, timeout_ms: int = 0
    ) -> QueryResult:
        """Evaluate at ``start, start + step, ... <= end``; at most 11,000 steps.

        Raises:
            QueryError: the query is malformed or exceeds a limit.
        """
        ...

    def format(self, query: str) -> str:
        """The query in canonical spelling.

        Raises:
            QueryError: the query is malformed.
        """
        ...

    def matcher_sets(self, selectors: Sequence[str]) -> list[tuple[Any, ...]]:
        """Parse ``match[]`` parameters into tuples of :class:`~eldonia_ops.model.matchers.Matcher`.

        Raises:
            QueryError: one of them is not a plain selector.
        """
        ...


@dataclass(frozen=True, slots=True)
class RefusalView:
    """Items of one signal (``logs``, ``traces``, ``metrics``) that were refused for one reason, since the start.

    ``source`` says who sent them: ``job/instance`` of a target, or the token and the address of a sender. ``last_at``
    is Unix ms.
    """

    signal: str
    source: str
    reason: str
    count: int
    last_at: int


class Ingest(LogSink, SpanSink, SampleSink, Protocol):
    """Intake of telemetry that arrives over HTTP."""

    def refused(self, signal: str, source: str, reasons: Mapping[str, int]) -> None:
        """Note what was refused of a source, items by reason, for :meth:`refusals`."""
        ...

    def refusals(self) -> list[RefusalView]:
        """What was refused since the start, the latest first."""
        ...


@dataclass(frozen=True, slots=True)
class AlertView:
    """An alert as people see it. ``state`` is ``pending``, ``firing``, ``suppressed`` or ``resolved``."""

    alert: Alert
    state: str
    receivers: tuple[str, ...] = ()
    silenced_by: tuple[str, ...] = ()
    inhibited_by: tuple[str, ...] = ()
    muted_by: tuple[str, ...] = ()
    incident_id: str = ""
    incident_reference: str = ""
    value: float | None = None


@dataclass(frozen=True, slots=True)
class IntegrationView:
    """One way in which a receiver is notified. ``obstacle`` says why it delivers nothing, '' if it can; ``title`` is
    what its kind is called."""

    receiver: str
    kind: str
    index: int
    obstacle: str
    title: str = ""


@dataclass(frozen=True, slots=True)
class ReceiverTrial:
    """What became of a test through one integration: whether it was delivered, and what the far side or we say."""

    kind: str
    index: int
    title: str
    delivered: bool
    detail: str


@dataclass(frozen=True, slots=True)
class RoutePreview:
    """A route that takes an alert: its receiver and line in the file, the labels of the alert's group, its waits
    in ms, and why it is quiet now, '' if it is not."""

    receiver: str
    line: int
    group: Mapping[str, str]
    group_wait: int
    group_interval: int
    repeat_interval: int
    muted: str


@dataclass(frozen=True, slots=True)
class MessageFacts:
    """What the kind of an integration says of one message: what the kind is called, and what the message is about."""

    title: str
    subject: str


@dataclass(frozen=True, slots=True)
class GroupView:
    """One aggregation group: the alerts that go out together to one receiver."""

    labels: Labels
    receiver: str
    alerts: tuple[AlertView, ...]


@dataclass(frozen=True, slots=True)
class RuleView:
    """The present state of one rule. ``health`` is ``ok``, ``err`` or ``unknown``; durations are seconds.

    With ``logs`` the query is a search of logs.
    """

    name: str
    type: str
    query: str
    duration_seconds: float
    keep_firing_for_seconds: float
    labels: Labels
    annotations: Labels
    state: str
    health: str
    last_error: str
    evaluation_time_seconds: float
    last_evaluation_at: int
    alerts: tuple[AlertView, ...] = ()
    comment: str = ""
    logs: bool = False


@dataclass(frozen=True, slots=True)
class RuleGroupView:
    """One rule group with its rules."""

    name: str
    file: str
    interval_seconds: float
    evaluation_time_seconds: float
    last_evaluation_at: int
    rules: tuple[RuleView, ...]


class Alerts(Protocol):
    """Alerts, rules, routing, silences, and why a receiver was or was not notified."""

    async def receive(self, alerts: Sequence[Alert], poster: str = "") -> list[str]:
        """Take alerts from outside (Alertmanager's POST); returns when they are on disk; readers see them from
        then on.

        ``poster`` names who sends them. The answer says what was refused because too many are active.
        """
        ...

    async def current(self) -> list[AlertView]:
        """Pending, firing and suppressed alerts, gravest first."""
        ...

    async def groups(self) -> list[GroupView]: ...
    def rules(self) -> list[RuleGroupView]: ...
    def receivers(self) -> list[str]: ...
    def default_receiver(self) -> str:
        """The receiver of the root of the routing tree."""
        ...

    def integrations(self) -> list[IntegrationView]: ...
    async def test_receiver(self, name: str, actor: str) -> list[ReceiverTrial]:
        """Send a test through every integration of a receiver now, past the outbox.

        Raises:
            NotFoundError: there is no such receiver.
        """
        ...

    def routes_of(self, labels: Mapping[str, str]) -> list[RoutePreview]:
        """The routes that an alert with these labels would take."""
        ...

    def configuration(self) -> str:
        """The routing configuration as YAML with secrets masked."""
        ...

    async def silences(self) -> list[Silence]: ...
    async def set_silence(self, silence: Silence, actor: str) -> str:
        """Create (empty id) or change a silence; returns its id, which is another one where the change would
        rewrite the past (:func:`eldonia_ops.alerting.silence.changed`). Without ``starts_at`` it starts now, or
        when it did. The ledger says that ``actor`` did it.

        Raises:
            RefusedError: no matcher, a matcher set that matches everything, an end before the start or in the past.
            NotFoundError: the id is unknown.
        """
        ...

    async def expire_silence(self, id: str, actor: str) -> None:
        """End a silence now.

        Raises:
            NotFoundError: the id is unknown.
        """
        ...

    async def explain(self, *, fingerprint: str = "", alertname: str = "", limit: int = 200) -> list[LedgerEntry]:
        """The ledger, newest first."""
        ...

    async def notifications(self, limit: int = 100) -> list[Outgoing]:
        """The outbox, newest first; payloads carry no secrets."""
        ...

    def facts(self, outgoing: Outgoing) -> MessageFacts:
        """What pages say of a message of the outbox."""
        ...

    async def retry_notification(self, id: int, actor: str) -> None:
        """Try a failed or waiting notification again now.

        Raises:
            NotFoundError: the id is unknown.
            RefusedError: it has been delivered.
        """
        ...


@dataclass(frozen=True, slots=True)
class Postmortem:
    """A postmortem in Markdown: the text that people ``saved``, or a draft written for this reading."""

    text: str
    saved: bool


class Incidents(Protocol):
    """What people do with incidents. ``incident`` is an id or a reference such as ``INC-12``.

    Every method raises :class:`NotFoundError` for an unknown incident and :class:`RefusedError` for
    an act that its state does not allow, and returns the changed incident.
    """

    @property
    def policy(self) -> Policy:
        """What opens an incident, how fast to respond, who is notified next."""
        ...

    def dependents(self, service: str) -> frozenset[str]:
        """Declared services that do not work without this one, directly or through others."""
        ...

    async def get(self, incident: str) -> tuple[Incident, list[TimelineEntry]]: ...
    async def find(
        self, *, statuses: Sequence[IncidentStatus] = (), service: str = "", limit: int = 100
    ) -> list[Incident]: ...
    async def mentioning(self, name: str, *, statuses: Sequence[IncidentStatus] = (), limit: int = 100) -> list[str]:
        """The references of those of :meth:`find` in which a note mentions somebody."""
        ...

    async def acknowledge(self, incident: str, actor: str) -> Incident: ...
    async def change_status(self, incident: str, actor: str, status: IncidentStatus, note: str = "") -> Incident: ...
    async def tick(self, incident: str, actor: str, key: str, done: bool) -> Incident: ...
    async def note(self, incident: str, actor: str, text: str) -> Incident: ...
    async def assign(self, incident: str, actor: str, to: str) -> Incident: ...
    async def describe(self, incident: str, actor: str, fields: dict[str, Any]) -> Incident:
        """Set ``title``, ``root_cause``, ``resolution``, ``lessons_learned``, ``impact``, ``severity``."""
        ...

    async def open(self, actor: str, title: str, severity: str, service: str, description: str = "") -> Incident:
        """Open an incident by hand."""
        ...

    async def postmortem(self, incident: str, language: str) -> Postmortem:
        """The saved postmortem, or a fresh draft."""
        ...

    async def draft_postmortem(self, incident: str, language: str) -> str:
        """A fresh draft, whatever has been saved."""
        ...

    async def save_postmortem(self, incident: str, actor: str, text: str, replacing: Callable[[str], bool]) -> Incident:
        """Save a postmortem in place of what is stored.

        ``replacing`` says whether the stored text ('' for none) may be replaced. It is asked in the transaction
        that saves, so no other save can come in between.

        Raises:
            PreconditionError: it may not, and is not the text to save already.
        """
        ...

    async def runbook(self, incident: str, language: str) -> list[dict[str, Any]]:
        """The checklist for display: ``{key, phase, phase_title, text, hint, done_at, done_by}`` in order."""
        ...

    async def metrics(self, since_ms: int) -> dict[str, Any]:
        """MTTD, MTTA, MTTR (milliseconds, mean and median), counts and targets met since an instant."""
        ...


class Security(Protocol):
    """Security findings."""

    async def take(self, events: Sequence[SecurityEvent]) -> None:
        """Count events of our own; returns when what follows from them is committed."""
        ...

    async def find(self, *, statuses: Sequence[FindingStatus] = (), limit: int = 100) -> list[Finding]: ...
    async def get(self, id: str) -> Finding: ...
    async def change_status(self, id: str, actor: str, status: FindingStatus, note: str = "") -> Finding: ...
    async def report(self, since_ms: int) -> dict[str, Any]:
        """Counts by type, severity, status and source."""
        ...


@dataclass(frozen=True, slots=True)
class RecoveryView:
    """The recovery state of one service; ``state`` is the machine's phase."""

    service: str
    state: str
    attempts: int
    max_attempts: int
    next_attempt_at: int
    last_change_at: int
    last_detail: str
    maintenance: bool
    healthy: bool | None


class Recovery(Protocol):
    """Automatic recovery, and the hand on its brake."""

    async def status(self) -> list[RecoveryView]: ...
    async def set_maintenance(self, service: str, on: bool, actor: str) -> RecoveryView: ...
    async def reset(self, service: str, actor: str) -> RecoveryView: ...


@dataclass(frozen=True, slots=True)
class ObjectiveView:
    """One objective: ratios are 0..1; ``burn_rate``, over the last hour, is 1 when the budget just lasts the window.

    ``availability`` and ``budget_remaining`` are of the whole window, of which ``measured_seconds`` have been watched
    so far and the rest counts as good: the budget is used up exactly when the availability is the target.
    ``measured_availability`` is of the measured part alone, and equals the other once the whole window is measured.
    """

    name: str
    service: str
    target: float
    window_seconds: float
    measured_seconds: float
    availability: float | None
    budget_remaining: float | None
    burn_rate: float | None
    measured_availability: float | None = None


@dataclass(frozen=True, slots=True)
class ObjectivePoint:
    """An objective as it was at an instant (Unix ms), by the same definitions; None where nothing was measured."""

    at: int
    availability: float | None
    budget_remaining: float | None
    burn_rate: float | None


@dataclass(frozen=True, slots=True)
class TargetView:
    """One scraped, tailed or probed thing. ``health`` is ``up``, ``down`` or ``unknown``.

    ``interval_ms`` and ``timeout_ms`` are 0 for what has none, such as a file. ``parse_errors`` counts the lines of a
    log file that could not be read and are kept as their text, since it is followed; ``recognised`` is the form of its
    lines.
    """

    kind: str
    name: str
    url: str
    labels: Labels
    health: str
    last_at: int
    duration_seconds: float
    error: str
    interval_ms: int = 0
    timeout_ms: int = 0
    parse_errors: int = 0
    recognised: str = ""


@dataclass(frozen=True, slots=True)
class LoopView:
    """One of the platform's own loops.

    ``failures`` counts since the start, ``in_row`` since the last success; ``error`` is the kind of the last failure;
    ``succeeded_at`` is Unix ms, 0 for never. ``item``: a part of a loop, known only while it fails.
    """

    name: str
    item: bool
    failing: bool
    ended: bool
    failures: int
    in_row: int
    error: str
    succeeded_at: int


@dataclass(frozen=True, slots=True)
class DurationView:
    """How long one kind of work takes since the start: its metric, labels, count, and quantiles in seconds."""

    name: str
    labels: Mapping[str, str]
    count: int
    p50: float | None
    p99: float | None


@dataclass(frozen=True, slots=True)
class StoredView:
    """What one signal takes on disk."""

    name: str
    rows: int
    bytes: int
    parts: int


@dataclass(frozen=True, slots=True)
class DiskView:
    """The disk that holds the data folder, in bytes."""

    total: int
    free: int


@dataclass(frozen=True, slots=True)
class ListenerView:
    """A port that is open. ``address`` is a URL such as ``http://127.0.0.1:9090``, of the scheme ``http``, ``https``,
    ``tcp`` or ``tls``; ``anonymous`` is the role of programs of this machine that show no token, or ``none``.

    ``connections`` are open now; ``accepted`` were since it was opened.
    """

    name: str
    address: str
    anonymous: str
    connections: int
    accepted: int


@dataclass(frozen=True, slots=True)
class PipelineSourceView:
    """One source of the log pipeline. ``health`` is ``up``, ``down`` or ``unknown``; ``unread`` counts what its parser
    could not read; ``waiting`` batches are on their way. ``fault`` is the last one, at ``fault_at`` (Unix ms)."""

    id: str
    type: str
    summary: str
    health: str
    events: int
    per_minute: int
    unread: int
    waiting: int
    last_at: int
    fault: str
    fault_at: int


@dataclass(frozen=True, slots=True)
class PipelineOutputView:
    """One output of the log pipeline. What is ``queued`` waits in its buffer, since ``oldest_at``; ``failed`` counts
    writes that went wrong, ``dropped`` events that found no room, ``given_up`` events that were tried to the end.
    ``next_retry_at`` is 0 when nothing is tried again. Times are Unix ms."""

    id: str
    type: str
    summary: str
    queued_events: int
    queued_bytes: int
    oldest_at: int
    written: int
    failed: int
    retries: int
    next_retry_at: int
    dropped: int
    given_up: int
    fault: str


@dataclass(frozen=True, slots=True)
class PipelineView:
    """The log pipeline. ``held`` events are held back by filters; ``lost`` were not taken by any output since the
    start, the last of them for ``lost_reason`` at ``lost_at`` (Unix ms)."""

    sources: tuple[PipelineSourceView, ...]
    outputs: tuple[PipelineOutputView, ...]
    held: int
    lost: int
    lost_reason: str
    lost_at: int


@dataclass(frozen=True, slots=True)
class PlatformHealth:
    """The state of the platform itself.

    ``queues`` are lengths by name, ``files`` sizes in bytes (``state``, ``wal``) of what the data folder holds beside
    telemetry, ``versions`` those of what runs; ``disk`` is None where it cannot be asked. ``started_at`` and ``now``
    are Unix ms. ``pipeline`` is None where none is configured.
    """

    now: int
    started_at: int
    ready: bool
    resident_bytes: int
    loops: tuple[LoopView, ...]
    durations: tuple[DurationView, ...]
    queues: Mapping[str, int]
    stored: tuple[StoredView, ...]
    files: Mapping[str, int]
    detached_parts: int
    lost_samples: int
    disk: DiskView | None
    refused: int
    versions: Mapping[str, str]
    listeners: tuple[ListenerView, ...] = ()
    pipeline: PipelineView | None = None


class Status(Protocol):
    """The platform looking at itself."""

    async def health(self) -> PlatformHealth:
        """Loops, durations, queues, what is stored, versions."""
        ...

    def targets(self) -> list[TargetView]: ...
    async def objectives(self) -> list[ObjectiveView]: ...
    async def objective_history(self, name: str) -> list[ObjectivePoint]:
        """An objective from when it was first watched, at most over its window, until now; about 200 points.

        Raises:
            NotFoundError: there is no such objective.
        """
        ...

    async def overview(self) -> dict[str, Any]:
        """Rows and bytes stored, queue lengths, parse errors, loop lag, uptime, version."""
        ...

    def ready(self) -> bool: ...
    def failing_loops(self) -> list[str]:
        """Names of the platform's own loops that fail again and again."""
        ...

    def metrics(self, accept: str) -> tuple[str, bytes]:
        """The platform's own metrics: content type and body, by an Accept header."""
        ...

    def request_ended(self, listener: str, api: str, route: str, method: str, code: int, seconds: float) -> None:
        """Count an answer over HTTP: the listener, the dialect, the pattern of its path, method, status, seconds."""
        ...


class Access(Protocol):
    """Tokens."""

    async def authenticate(self, secret: str) -> Principal | None:
        """Who a valid token belongs to, or None. Takes equally long for near misses."""
        ...

    async def create(self, name: str, role: Role, lifetime_ms: int = 0, owner: str = "") -> tuple[Token, str]:
        """A new token and its secret, which is shown this once. Without ``lifetime_ms`` it never expires; ``owner`` is
        the id of the account that it belongs to.

        Raises:
            eldonia_ops.access.AccessError: the name is empty, too long or not printable, the lifetime is too long, or
                the role greater than that of the owner.
            NotFoundError: there is no such account.
            RefusedError: the account is disabled, or has too many tokens.
        """
        ...

    async def all(self) -> list[Token]: ...
    async def revoke(self, id: str, owner: str | None = None) -> bool:
        """Revoke a token; with ``owner`` only one of that account."""
        ...


@dataclass(frozen=True, slots=True)
class ReloadView:
    """How the last attempt to read the configuration anew went, the start included.

    ``at`` (Unix ms), ``seconds`` and ``by`` are about the attempt; ``by`` is the name of a token, ``SIGHUP`` or
    ``start``. ``succeeded_at`` is when what is in force was read. ``needs_restart`` names settings that differ in the
    files and take effect with the next start alone. ``diagnostics`` say why the attempt failed, or warn.
    """

    successful: bool
    at: int
    succeeded_at: int
    by: str
    seconds: float = 0.0
    needs_restart: tuple[str, ...] = ()
    diagnostics: tuple[Diagnostic, ...] = ()


class Reloads(Protocol):
    """The configuration, read anew while the platform runs."""

    async def reload(self, actor: str) -> ReloadView:
        """Read all files and go on under what they say; if anything is wrong, nothing changes. Attempts wait for one
        another."""
        ...

    def last(self) -> ReloadView:
        """The last attempt."""
        ...


@dataclass(frozen=True, slots=True)
class BackupStream:
    """A backup while it is made: about how many bytes it has, and its bytes."""

    size: int
    pieces: AsyncIterator[bytes]


class Backups(Protocol):
    """Copies of everything that is stored."""

    def take(self) -> AbstractAsyncContextManager[BackupStream]:
        """An archive of all that was acknowledged before the call, until the context is left.

        Raises:
            RefusedError: another one is being taken.
        """
        ...


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
