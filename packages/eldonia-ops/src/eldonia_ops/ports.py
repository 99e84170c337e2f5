"""What the platform needs from the outside, as protocols; adapters implement them, services use them.

Everything that waits is ``async``. State changes run as one synchronous function inside one SQL
transaction (:meth:`StateStore.write`), so that a state machine's new state and its effects (the
outbox rows, the ledger lines) commit together or not at all.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any, Protocol, TypeVar

from eldonia_ops.alerting.dispatch import PutGroup
from eldonia_ops.alerting.group import AlertGroupState
from eldonia_ops.model.access import Token
from eldonia_ops.model.alerts import Alert, LedgerEntry, Outgoing, OutgoingStatus, Silence
from eldonia_ops.model.errors import StoreError
from eldonia_ops.model.incidents import Incident, IncidentStatus, TimelineEntry
from eldonia_ops.model.labels import Labels
from eldonia_ops.model.logs import LogLevel, LogRecord
from eldonia_ops.model.matchers import Matcher
from eldonia_ops.model.samples import MetricMetadata, Sample, SampleRow, SeriesBlock
from eldonia_ops.model.security import Finding, FindingStatus, SecurityEventType
from eldonia_ops.model.spans import Span

T = TypeVar("T")


class Clock(Protocol):
    """Where services take the time from; tests hand in one that they can move."""

    def now(self) -> int:
        """The current instant, Unix milliseconds."""
        ...

    async def sleep_until(self, at: int) -> None:
        """Return once ``now() >= at``, or earlier when the clock is set back: whoever waits has to look again."""
        ...


# --- telemetry -------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class LogQuery:
    """What to look for in the logs; every condition given must hold.

    ``since_ns`` (inclusive) and ``until_ns`` (exclusive) bound the timestamp. ``text`` is
    matched by its words: all of them, in any order, without regard to case. ``before`` is the
    ``(timestamp_ns, id)`` of the last record of the previous page (newest first), ``after`` the
    newest record already shown (live tail).
    """

    since_ns: int
    until_ns: int
    text: str = ""
    levels: tuple[LogLevel, ...] = ()
    services: tuple[str, ...] = ()
    trace_id: str = ""
    request_id: str = ""
    user_id: str = ""
    component: str = ""
    parse_errors_only: bool = False
    before: tuple[int, int] | None = None
    after: tuple[int, int] | None = None
    limit: int = 100


@dataclass(frozen=True, slots=True)
class LogPage:
    """Records newest first. ``more`` says whether older ones match too."""

    records: list[LogRecord]
    more: bool


@dataclass(frozen=True, slots=True)
class LogHistogram:
    """How many records of each level fall in each bucket.

    ``starts_ns`` has B bucket starts, ``counts[level]`` has B counts; ``width_ns`` is a bucket's width.
    """

    starts_ns: list[int]
    width_ns: int
    counts: dict[str, list[int]]
    total: int


@dataclass(frozen=True, slots=True)
class TraceQuery:
    """Which traces to list, newest first. Durations are nanoseconds, 0 for no bound."""

    since_ns: int
    until_ns: int
    service: str = ""
    operation: str = ""
    min_duration_ns: int = 0
    max_duration_ns: int = 0
    errors_only: bool = False
    tags: Mapping[str, str] = field(default_factory=dict)
    limit: int = 50


@dataclass(frozen=True, slots=True)
class TraceSummary:
    """One line of the trace list. ``root`` is the root span's name, or the earliest span's."""

    trace_id: str
    root: str
    service: str
    start_ns: int
    duration_ns: int
    spans: int
    errors: int
    services: tuple[str, ...]


class TelemetryError(StoreError):
    """The telemetry store refused or failed; the message says why."""


class TelemetryUnavailableError(TelemetryError):
    """The telemetry store could not be reached, whatever was asked of it: nothing is wrong with the data."""


class TelemetryLimitError(TelemetryError):
    """A question took more time, rows or memory than allowed: narrow it and ask again."""


class TelemetryStore(Protocol):
    """Logs, metrics and traces. An insert returns only when the data would survive ``kill -9``."""

    async def insert_logs(self, records: Sequence[LogRecord], *, batch_key: str = "") -> None:
        """Store records. A batch with a ``batch_key`` seen before is dropped as a repetition."""
        ...

    async def insert_spans(self, spans: Sequence[Span], *, batch_key: str = "") -> None:
        """Store spans."""
        ...

    async def insert_row(self, row: SampleRow) -> Mapping[str, int]:
        """Append one scrape's samples: visible to :meth:`select` at once, durable on return.

        Returns how many were refused, by reason; empty when all were taken."""
        ...

    async def insert_samples(self, samples: Sequence[Sample]) -> Mapping[str, int]:
        """Append samples that do not share a timestamp (remote write, OTLP); returns what :meth:`insert_row` does."""
        ...

    async def insert_metadata(self, metadata: Sequence[MetricMetadata]) -> None:
        """Remember TYPE, HELP and unit of metric families; the latest wins."""
        ...

    async def select(self, matchers: Sequence[Matcher], start_ms: int, end_ms: int) -> list[SeriesBlock]:
        """All samples of matching series with ``start_ms <= timestamp <= end_ms``.

        A series appears in at most one block. Blocks without a sample in the range are left out.
        """
        ...

    async def series(self, matchers: Sequence[Matcher], start_ms: int, end_ms: int) -> list[Labels]:
        """Label sets of matching series with a sample in the range."""
        ...

    async def label_names(self, matchers: Sequence[Matcher], start_ms: int, end_ms: int) -> list[str]:
        """Sorted names of the labels on matching series."""
        ...

    async def label_values(self, name: str, matchers: Sequence[Matcher], start_ms: int, end_ms: int) -> list[str]:
        """Sorted values of one label on matching series."""
        ...

    async def metadata(self) -> list[MetricMetadata]:
        """What is known about metric families, sorted by name."""
        ...

    async def search_logs(self, query: LogQuery) -> LogPage:
        """Matching records, newest first."""
        ...

    async def log_histogram(self, query: LogQuery, buckets: int = 60) -> LogHistogram:
        """Counts per level over time; ``before``, ``after`` and ``limit`` are not applied."""
        ...

    async def log_services(self, since_ns: int, until_ns: int) -> list[str]:
        """Names of services that logged in the range, sorted."""
        ...

    async def source_position(self, source: str) -> int | None:
        """The largest ``offset`` stored for a log source, or None: where a tail may go on."""
        ...

    async def find_traces(self, query: TraceQuery) -> list[TraceSummary]:
        """Matching traces, newest first."""
        ...

    async def get_trace(self, trace_id: str) -> list[Span]:
        """Spans of one trace by start; empty when unknown."""
        ...

    async def trace_services(self) -> list[str]:
        """Names of services with spans, sorted."""
        ...

    async def trace_operations(self, service: str) -> list[str]:
        """Span names of one service, sorted."""
        ...

    async def statistics(self) -> dict[str, Any]:
        """Rows and bytes per signal, head size, detached parts; shown on the status page."""
        ...

    async def close(self) -> None:
        """Stop intake, finish what runs, close the engine. Idempotent."""
        ...


# --- state -----------------------------------------------------------------------------------


class AlertRepository(Protocol):
    """Alerts as the router knows them, by fingerprint."""

    def put(self, *some: Alert) -> None: ...
    def get(self, fingerprint: str) -> Alert | None: ...
    def all(self) -> list[Alert]: ...
    def fingerprints(self) -> Collection[str]:
        """Of every alert."""
        ...

    def some(self, fingerprints: Sequence[str]) -> list[Alert]:
        """Those of the alerts that are known."""
        ...

    def ended(self, after: int, until: int) -> list[Alert]:
        """Alerts with ``after < ends_at <= until``."""
        ...

    def next_end(self, after: int) -> int | None:
        """The earliest ``ends_at`` later than ``after``, or None."""
        ...

    def count(self, now: int) -> int:
        """How many alerts are not over at ``now``."""
        ...

    def firing(self, now: int, having: Sequence[Mapping[str, str]]) -> list[Alert]:
        """Alerts not over at ``now`` that carry all labels of at least one of the mappings."""
        ...

    def delete(self, fingerprints: Sequence[str]) -> None: ...


class MachineRepository(Protocol):
    """Private states of state machines: documents by ``(kind, key)`` with the next deadline beside them."""

    def load(self, kind: str, key: str, type_: type[T]) -> T | None: ...
    def load_all(self, kind: str, type_: type[T]) -> dict[str, T]: ...
    def load_some(self, kind: str, keys: Sequence[str], type_: type[T]) -> dict[str, T]: ...
    def save(self, kind: str, key: str, state: Any, *, deadline: int | None = None) -> None: ...
    def save_all(self, kind: str, states: Mapping[str, tuple[Any, int | None]]) -> None:
        """Save several states, each with its deadline, by key."""
        ...

    def delete(self, kind: str, key: str) -> None: ...
    def next_deadline(self, kind: str) -> int | None:
        """The earliest deadline saved for a kind, or None."""
        ...


@dataclass(frozen=True, slots=True)
class DueGroup:
    """An alert group whose time has come (``flush_at``, Unix ms), with what says whose turn it is."""

    key: str
    flush_at: int
    urgent: bool
    cause: str


@dataclass(frozen=True, slots=True)
class ListedGroup:
    """What people see of an alert group."""

    labels: Labels
    receiver: str
    fingerprints: tuple[str, ...]


class AlertGroupRepository(Protocol):
    """Alert groups by key, and which alerts each holds.

    What cannot be read raises a :class:`~eldonia_ops.model.errors.StoreError`, so ask for one where many fail.
    """

    def put(self, changes: Sequence[PutGroup]) -> None:
        """Store groups, and of their members what has changed."""
        ...

    def delete(self, keys: Sequence[str]) -> None: ...
    def some(self, keys: Sequence[str], holding: Sequence[str] | None = None) -> dict[str, AlertGroupState]:
        """Those of the groups that are stored, by key; of their alerts only ``holding`` (None: all)."""
        ...

    def all(self) -> dict[str, AlertGroupState]: ...
    def listed(self) -> list[ListedGroup]:
        """Every group as people see it, in the order of their keys."""
        ...

    def drop_unreadable(self) -> list[str]:
        """Delete the groups that cannot be read; returns their keys."""
        ...

    def due(self, after: int, until: int) -> list[DueGroup]:
        """The groups with ``after < flush_at <= until``, the earliest first."""
        ...

    def next_deadline(self, after: int = 0) -> int | None:
        """The earliest ``flush_at`` later than ``after``, or None."""
        ...


@dataclass(frozen=True, slots=True)
class QueuedRow:
    """A pending row of the outbox without what it says: what decides whose turn it is."""

    id: int
    receiver: str
    integration: str
    index: int
    order_key: str
    urgent: bool
    cause: str
    next_attempt_at: int


@dataclass(frozen=True, slots=True)
class Standing:
    """How far a row of the outbox has come: all of it that ever changes."""

    status: OutgoingStatus
    attempts: int
    next_attempt_at: int
    finished_at: int
    last_error: str

    def of(self, row: Outgoing) -> Outgoing:
        """The row so far."""
        if self == Standing(row.status, row.attempts, row.next_attempt_at, row.finished_at, row.last_error):
            return row
        return replace(
            row,
            status=self.status,
            attempts=self.attempts,
            next_attempt_at=self.next_attempt_at,
            finished_at=self.finished_at,
            last_error=self.last_error,
        )


class OutboxRepository(Protocol):
    """Notifications to be delivered. ``add`` returns False when the idempotency key is known."""

    def add(self, outgoing: Outgoing) -> bool: ...
    def add_all(self, rows: Sequence[Outgoing]) -> list[Outgoing]:
        """Append rows in their order; returns those whose idempotency key was not known."""
        ...

    def due(self, now: int, limit: int = 100, *, each: int = 0) -> list[Outgoing]:
        """Pending rows whose time has come and whose queue (``order_key``) has no older pending row, by id.

        ``each`` above 0 takes at most so many of one integration, so that one with a long backlog does
        not fill the whole answer.
        """
        ...

    def next_attempt_at(self, after: int = -1) -> int | None:
        """The earliest instant later than ``after`` at which a pending row may be tried, or None."""
        ...

    def pending(self, after: int = 0) -> list[QueuedRow]:
        """All pending rows with a later id, by id."""
        ...

    def update(self, outgoing: Outgoing) -> None: ...
    def settle(self, rows: Sequence[Outgoing]) -> None:
        """Store what became of rows: status, attempts, times and error; the rest of a row never changes."""
        ...

    def get(self, id: int) -> Outgoing | None: ...
    def standing(self, ids: Sequence[int]) -> dict[int, Standing]:
        """What :meth:`settle` changes, of those of the rows that are stored."""
        ...

    def some(self, ids: Sequence[int]) -> list[Outgoing]:
        """Those of the rows that are stored, by id."""
        ...

    def find(self, *, status: OutgoingStatus | None = None, limit: int = 100) -> list[Outgoing]:
        """Newest first."""
        ...

    def count(self, status: OutgoingStatus) -> int:
        """How many rows stand so."""
        ...


class LedgerRepository(Protocol):
    """Every decision about telling people, append-only."""

    def append(self, *decisions: LedgerEntry) -> None: ...
    def find(
        self, *, fingerprint: str = "", alertname: str = "", since: int = 0, limit: int = 200
    ) -> list[LedgerEntry]:
        """Newest first."""
        ...


class SilenceRepository(Protocol):
    """Silences, ended ones included until they are purged."""

    def put(self, silence: Silence) -> None: ...
    def get(self, id: str) -> Silence | None: ...
    def all(self) -> list[Silence]: ...


class IncidentRepository(Protocol):
    """Incidents. ``put`` raises :class:`ConflictError` when the stored version is not ``incident.version - 1``."""

    def put(self, incident: Incident) -> None: ...
    def add(self, some: Sequence[Incident]) -> None:
        """Store incidents that are new."""
        ...

    def put_all(self, some: Sequence[Incident]) -> None:
        """Store new versions of known incidents."""
        ...

    def get(self, id: str) -> Incident | None: ...
    def some(self, ids: Sequence[str]) -> dict[str, Incident]:
        """Those of the incidents that are stored, by id."""
        ...

    def by_ordinal(self, ordinal: int) -> Incident | None: ...
    def next_ordinal(self) -> int: ...
    def next_ordinals(self, count: int) -> range: ...
    def last_ordinal(self) -> int:
        """The number taken last, 0 for none."""
        ...

    def open(self) -> list[Incident]:
        """Neither resolved nor closed, newest first."""
        ...

    def next_escalation(self) -> int | None:
        """The earliest instant at which one that is open escalates, or None."""
        ...

    def count_open(self) -> tuple[int, int]:
        """How many are neither resolved nor closed, and how many of those nobody has acknowledged."""
        ...

    def unclosed(
        self, resolved_since: int = 0, services: Sequence[str] | None = None, detected_since: int | None = None
    ) -> list[Incident]:
        """Everything that is not closed (resolved ones may be reopened), newest first.

        Those resolved before ``resolved_since`` are left out, unless an alert of theirs still fires; so are
        those of other services, when ``services`` are given, but for outages and for what is unresolved and was
        detected since ``detected_since`` (None: no others).
        """
        ...

    def find(
        self, *, statuses: Sequence[IncidentStatus] = (), service: str = "", since: int = 0, limit: int = 100
    ) -> list[Incident]:
        """Newest first."""
        ...


class TimelineRepository(Protocol):
    """What happened, in order of time. ``append`` returns False for a known ``(incident, key)``."""

    def append(self, entry: TimelineEntry) -> bool: ...
    def append_all(self, entries: Sequence[TimelineEntry]) -> None: ...
    def of(self, incident_id: str) -> list[TimelineEntry]: ...


class FindingRepository(Protocol):
    """Security findings by id."""

    def put(self, finding: Finding) -> None: ...
    def get(self, id: str) -> Finding | None: ...
    def find(
        self,
        *,
        statuses: Sequence[FindingStatus] = (),
        types: Sequence[SecurityEventType] = (),
        since: int = 0,
        limit: int = 100,
    ) -> list[Finding]:
        """Newest first."""
        ...


class PositionRepository(Protocol):
    """How far each tailed file has been stored: ``(device:inode, offset)`` by path."""

    def get(self, path: str) -> tuple[str, int] | None: ...
    def put(self, path: str, identity: str, offset: int) -> None: ...


class TokenRepository(Protocol):
    """Access tokens by digest of their secret."""

    def add(self, token: Token) -> None: ...
    def by_digest(self, digest: str) -> Token | None: ...
    def all(self) -> list[Token]: ...
    def revoke(self, id: str, at: int) -> bool: ...
    def touch(self, id: str, at: int) -> None: ...


class ConflictError(RuntimeError):
    """Somebody else changed the row in between; read again and retry."""


class StateTransaction(Protocol):
    """One SQL transaction; its repositories read their own writes."""

    @property
    def alerts(self) -> AlertRepository: ...
    @property
    def groups(self) -> AlertGroupRepository: ...
    @property
    def machines(self) -> MachineRepository: ...
    @property
    def outbox(self) -> OutboxRepository: ...
    @property
    def ledger(self) -> LedgerRepository: ...
    @property
    def silences(self) -> SilenceRepository: ...
    @property
    def incidents(self) -> IncidentRepository: ...
    @property
    def timeline(self) -> TimelineRepository: ...
    @property
    def findings(self) -> FindingRepository: ...
    @property
    def positions(self) -> PositionRepository: ...
    @property
    def tokens(self) -> TokenRepository: ...

    def purge(self, before: int, limit: int = 10_000) -> dict[str, int]:
        """Drop what is finished and older than ``before``; returns the rows dropped by table.

        At most ``limit`` rows of each table go: call again while a count equals the limit. Pending
        notifications, unclosed incidents and unsettled findings always stay.
        """
        ...


class StateStore(Protocol):
    """The relational state: SQLite or PostgreSQL."""

    async def write(self, work: Callable[[StateTransaction], T]) -> T:
        """Run ``work`` in one serialisable transaction off the event loop; commit when it returns.

        ``work`` must be free of effects outside the transaction: it is run again when the database
        reports a serialisation failure or a busy lock.
        """
        ...

    async def read(self, work: Callable[[StateTransaction], T]) -> T:
        """Run ``work`` in one read-only snapshot off the event loop."""
        ...

    async def close(self) -> None:
        """Finish running work and close. Idempotent."""
        ...


# --- effects ---------------------------------------------------------------------------------


class DeliveryResult(StrEnum):
    """What became of one attempt to deliver."""

    DELIVERED = "delivered"
    RETRY = "retry"
    REJECTED = "rejected"


@dataclass(frozen=True, slots=True)
class Delivery:
    """The outcome of one attempt. ``retry_after_ms`` is the far side's wish (``Retry-After``), 0 for none."""

    result: DeliveryResult
    detail: str = ""
    retry_after_ms: int = 0


class Notifier(Protocol):
    """Delivers one rendered notification. Never raises for what the far side does; has a time limit of its own."""

    async def deliver(self, outgoing: Outgoing) -> Delivery: ...


class ActuatorError(RuntimeError):
    """An action that could not be performed; the message says why."""


class Actuator(Protocol):
    """Restarts one thing that the platform is allowed to restart."""

    async def restart(self) -> str:
        """Restart and return what was done, in a sentence.

        Raises:
            ActuatorError: the restart could not be performed.
        """
        ...


@dataclass(frozen=True, slots=True)
class ProbeResult:
    """One look at an endpoint from outside. ``detail`` explains a failure in a few words."""

    success: bool
    duration_seconds: float
    status_code: int = 0
    detail: str = ""
    phases: Mapping[str, float] = field(default_factory=dict)
    certificate_expires_at: int = 0


class Prober(Protocol):
    """Looks at one endpoint. Never raises for what the endpoint does; has a time limit of its own."""

    async def probe(self) -> ProbeResult: ...
