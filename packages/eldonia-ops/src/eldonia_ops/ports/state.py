"""The relational state: what a transaction may read and write.

State changes run as one synchronous function inside one SQL transaction (:meth:`StateStore.write`), so that a state
machine's new state and its effects (the outbox rows, the ledger lines) commit together or not at all.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol, TypeVar

from eldonia_ops.alerting.dispatch import PutGroup
from eldonia_ops.alerting.group import AlertGroupState
from eldonia_ops.model.access import Account, AccountLink, Session, Token
from eldonia_ops.model.alerts import Alert, LedgerEntry, Outgoing, OutgoingStatus, Silence
from eldonia_ops.model.audit import AuditEntry, AuditQuery
from eldonia_ops.model.change import Change
from eldonia_ops.model.incidents import Incident, IncidentStatus, TimelineEntry
from eldonia_ops.model.index_catalog import CatalogEntry, EntryKind
from eldonia_ops.model.labels import Labels
from eldonia_ops.model.saved_search import SavedSearch
from eldonia_ops.model.security import Finding, FindingStatus, SecurityEventType
from eldonia_ops.model.stored_dashboard import DashboardHead, DashboardVersion

T = TypeVar("T")


class AlertRepository(Protocol):
    """Alerts as the router knows them, by fingerprint."""

    def put(self, *some: Alert) -> None: ...
    def get(self, fingerprint: str) -> Alert | None: ...
    def all(self) -> list[Alert]: ...
    def version(self) -> int:
        """A number that rises with every transaction that changes any alert."""
        ...

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


@dataclass(frozen=True, slots=True)
class InboxItem:
    """Alerts of one request that are stored as they came, and not taken in yet. ``id`` 0 is one that has none yet;
    ``received_at`` is Unix ms."""

    id: int
    received_at: int
    alerts: tuple[Alert, ...]


class AlertInboxRepository(Protocol):
    """Alerts that have been acknowledged to their senders and wait to be taken in."""

    def append(self, items: Sequence[InboxItem]) -> list[int]:
        """Store items in their order; returns their new ids."""
        ...

    def all(self) -> list[InboxItem]:
        """Every item that can be read, the oldest first."""
        ...

    def remove(self, ids: Sequence[int]) -> set[int]:
        """Remove items; returns the ids of those that were there: another has taken in the others."""
        ...


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
    idempotency_key: str = ""


@dataclass(frozen=True, slots=True)
class DeliveryState:
    """The state of a row of the outbox: all of it that ever changes."""

    status: OutgoingStatus
    attempts: int
    next_attempt_at: int
    finished_at: int
    last_error: str

    def of(self, row: Outgoing) -> Outgoing:
        """The row so far."""
        if self == DeliveryState(row.status, row.attempts, row.next_attempt_at, row.finished_at, row.last_error):
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

    def take_kept(self, rows: Sequence[QueuedRow]) -> list[Outgoing]:
        """Those of the rows that this process put there lately, as they were then: they need not be read. Each is
        handed out once; the others have to be read."""
        ...

    def update(self, outgoing: Outgoing) -> None: ...
    def settle(self, rows: Sequence[Outgoing]) -> None:
        """Store what became of rows: status, attempts, times and error; the rest of a row never changes."""
        ...

    def get(self, id: int) -> Outgoing | None: ...
    def delivery_states(self, ids: Sequence[int]) -> dict[int, DeliveryState]:
        """What :meth:`settle` changes, of those of the rows that are stored."""
        ...

    def some(self, ids: Sequence[int]) -> list[Outgoing]:
        """Those of the rows that are stored, by id."""
        ...

    def find(self, *, status: OutgoingStatus | None = None, limit: int = 100) -> list[Outgoing]:
        """Newest first."""
        ...

    def count(self, status: OutgoingStatus) -> int:
        """How many rows have this status."""
        ...


class LedgerRepository(Protocol):
    """Every decision about notifications, append-only."""

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
        """How many are neither resolved nor closed, and how many of those are not acknowledged."""
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
    def notes(self, incident_ids: Sequence[str]) -> list[TimelineEntry]:
        """What people wrote on the timelines of some incidents, in order of time."""
        ...


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


class AccountRepository(Protocol):
    """People by id, and the one-time links by which they set their passwords, by digest of their secret."""

    def put(self, account: Account) -> None: ...
    def get(self, id: str) -> Account | None: ...
    def by_name(self, name: str) -> Account | None: ...
    def by_identity(self, issuer: str, subject: str) -> Account | None:
        """The account of a person at a provider of sign-on."""
        ...

    def all(self) -> list[Account]:
        """By name."""
        ...

    def count(self) -> int: ...
    def touch(self, id: str, at: int) -> None:
        """Note a sign-in."""
        ...

    def delete(self, id: str) -> bool: ...
    def put_link(self, link: AccountLink) -> None:
        """In place of the one that the account has."""
        ...

    def link(self, digest: str) -> AccountLink | None: ...
    def links(self) -> list[AccountLink]: ...
    def drop_link(self, account_id: str) -> bool: ...


class SessionRepository(Protocol):
    """Sessions of browsers by digest of their cookie's value."""

    def put(self, session: Session) -> None: ...
    def by_digest(self, digest: str) -> Session | None: ...
    def all(self) -> list[Session]:
        """The one seen last first."""
        ...

    def of_account(self, account_id: str) -> list[Session]: ...
    def touch(self, digest: str, at: int) -> None: ...
    def delete(self, digests: Sequence[str]) -> int:
        """End some; returns how many there were."""
        ...

    def purge(self, now: int, idle_ms: int, limit: int) -> int:
        """Drop those that are over."""
        ...


class SavedSearchRepository(Protocol):
    """Searches of logs that people saved, by id."""

    def put(self, search: SavedSearch) -> None: ...
    def get(self, id: str) -> SavedSearch | None: ...
    def all(self) -> list[SavedSearch]:
        """By name."""
        ...

    def count(self) -> int: ...
    def delete(self, id: str) -> bool: ...


class IndexCatalogRepository(Protocol):
    """What clients of Elasticsearch's API declared, by kind and name."""

    def put(self, *entries: CatalogEntry) -> None: ...
    def get(self, kind: EntryKind, name: str) -> CatalogEntry | None: ...
    def all(self) -> list[CatalogEntry]:
        """By kind and name."""
        ...

    def stamp(self) -> tuple[int, int, int]:
        """How many entries there are, the time of the last change, and the sum of their versions: another stamp for
        another content."""
        ...

    def count(self, kind: EntryKind) -> int: ...
    def delete(self, kind: EntryKind, name: str) -> bool: ...


class ChangeRepository(Protocol):
    """Deploys and other changes, by id."""

    def put(self, change: Change) -> None: ...
    def get(self, id: str) -> Change | None: ...
    def find(self, since: int, until: int, service: str, limit: int) -> list[Change]:
        """Changes in a range (Unix ms, both ends included), newest first; with a ``service``, those of that one and
        those of no single one."""
        ...

    def count(self) -> int: ...
    def delete(self, id: str) -> bool: ...


class AuditRepository(Protocol):
    """Who changed what, oldest id first."""

    def append(self, *entries: AuditEntry) -> None: ...
    def find(self, query: AuditQuery) -> list[AuditEntry]:
        """Entries of a query, newest first."""
        ...


class DashboardRepository(Protocol):
    """Dashboards that were saved, each with its versions."""

    def put(self, version: DashboardVersion) -> None:
        """Store a version as the newest of its dashboard, which is not deleted any more."""
        ...

    def heads(self) -> list[DashboardHead]:
        """Which version is the newest, of each that there is or was, by uid."""
        ...

    def head(self, uid: str) -> DashboardHead | None: ...
    def version(self, uid: str, version: int) -> DashboardVersion | None: ...
    def versions(self, uid: str) -> list[DashboardVersion]:
        """The newest first, without their documents."""
        ...

    def delete(self, uid: str, at: int, by: str) -> None:
        """Mark as deleted; its versions stay."""
        ...

    def keep_newest(self, uid: str, count: int) -> None:
        """Drop all versions but the newest."""
        ...

    def forget(self, uid: str) -> None:
        """Drop a dashboard with its versions and stars."""
        ...

    def star(self, who: str, uid: str, on: bool) -> None: ...
    def stars(self, who: str) -> set[str]:
        """What somebody starred, by uid."""
        ...


class ConflictError(RuntimeError):
    """Somebody else changed the row in between; read again and retry."""


class StateTransaction(Protocol):
    """One SQL transaction; its repositories read their own writes."""

    @property
    def alerts(self) -> AlertRepository: ...
    @property
    def groups(self) -> AlertGroupRepository: ...
    @property
    def inbox(self) -> AlertInboxRepository: ...
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
    @property
    def accounts(self) -> AccountRepository: ...
    @property
    def sessions(self) -> SessionRepository: ...
    @property
    def saved_searches(self) -> SavedSearchRepository: ...
    @property
    def index_catalog(self) -> IndexCatalogRepository: ...
    @property
    def changes(self) -> ChangeRepository: ...
    @property
    def audit(self) -> AuditRepository: ...
    @property
    def dashboards(self) -> DashboardRepository: ...

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
