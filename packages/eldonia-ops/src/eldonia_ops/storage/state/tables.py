"""The tables, as the code of this version expects them.

Column names are the field names of the dataclass that a row holds (the exceptions are the tables
that hold none). What is made of parts is one JSON document; what is looked up by has an index.
"""

from typing import Any

from sqlalchemy import BigInteger, Boolean, Column, ForeignKey, Index, Integer, MetaData, Table, UniqueConstraint, text

from eldonia_ops.alerting.notification import LogEntry
from eldonia_ops.model.access import LinkPurpose, Preferences, Role, SignInMethod
from eldonia_ops.model.alerts import Alert, OutgoingStatus
from eldonia_ops.model.audit import FieldChange
from eldonia_ops.model.change import ChangeKind
from eldonia_ops.model.incidents import ChecklistItem, Impact, IncidentStatus, Severity
from eldonia_ops.model.index_catalog import EntryKind
from eldonia_ops.model.labels import Labels
from eldonia_ops.model.matchers import MatchOp
from eldonia_ops.model.security import FindingStatus, SecurityEventType, SecuritySeverity
from eldonia_ops.storage.state.columns import Document, Identity, Instant, KeyText, PlainText, Word

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

_PENDING = text("status = 'pending'")


def _text(name: str, **options: Any) -> Column[Any]:
    return Column(name, PlainText, nullable=False, **options)


def _key(name: str, **options: Any) -> Column[Any]:
    return Column(name, KeyText, nullable=False, **options)


def _instant(name: str, **options: Any) -> Column[Any]:
    return Column(name, Instant, nullable=False, **options)


def _document(name: str, type_: Any) -> Column[Any]:
    return Column(name, Document(type_), nullable=False)


def _word(name: str, enum: Any, **options: Any) -> Column[Any]:
    return Column(name, Word(enum), nullable=False, **options)


alerts = Table(
    "alerts",
    metadata,
    _text("fingerprint", primary_key=True),
    _document("labels", Labels),
    _document("annotations", Labels),
    _instant("starts_at"),
    _instant("ends_at", index=True),
    _instant("updated_at"),
    _text("generator_url"),
    _text("source"),
    _document("evidence", dict[str, Any]),
)

# Alerts that have been acknowledged to their senders and not yet been taken in: a row for each part of a request.
alert_inbox = Table(
    "alert_inbox",
    metadata,
    Column("id", Identity, primary_key=True, autoincrement=True),
    _instant("received_at"),
    _document("alerts", tuple[Alert, ...]),
    sqlite_autoincrement=True,
)

machines = Table(
    "machines",
    metadata,
    _key("kind", primary_key=True),
    _key("key", primary_key=True),
    _text("state"),
    Column("deadline", Instant),
    Index(None, "kind", "deadline"),
)

alert_groups = Table(
    "alert_groups",
    metadata,
    _key("key", primary_key=True),
    _key("group_key"),
    _text("route"),
    _text("receiver"),
    _document("labels", dict[str, str]),
    _instant("created_at"),
    _instant("flush_at", index=True),
    _instant("flushed_at"),
    _document("log", dict[str, LogEntry]),
    Column("urgent", Boolean, nullable=False),
    _text("cause"),
)

# Which alerts a group holds: a row each, so that one alert that joins thousands is one row written.
alert_group_members = Table(
    "alert_group_members",
    metadata,
    _key("key", primary_key=True),
    _text("fingerprint", primary_key=True),
    _document("verdicts", dict[str, str]),
    sqlite_with_rowid=False,
)

outbox = Table(
    "outbox",
    metadata,
    Column("id", Identity, primary_key=True, autoincrement=True),
    _text("idempotency_key"),
    _text("receiver"),
    _text("integration"),
    Column("index", Integer, nullable=False),
    _key("order_key"),
    _document("payload", dict[str, Any]),
    _text("purpose"),
    _document("incident_ids", tuple[str, ...]),
    _document("fingerprints", tuple[str, ...]),
    _instant("created_at"),
    _word("status", OutgoingStatus),
    Column("attempts", Integer, nullable=False),
    _instant("next_attempt_at"),
    _instant("finished_at"),
    _text("last_error"),
    Column("urgent", Boolean, nullable=False),
    _text("cause"),
    UniqueConstraint("idempotency_key"),
    Index("ix_outbox_pending", "order_key", "id", sqlite_where=_PENDING, postgresql_where=_PENDING),
    Index(None, "finished_at"),
    sqlite_autoincrement=True,
)

ledger = Table(
    "ledger",
    metadata,
    Column("id", Identity, primary_key=True, autoincrement=True),
    _instant("at", index=True),
    _text("fingerprint"),
    _text("alertname"),
    _text("receiver"),
    _text("verdict"),
    _text("reason"),
    _document("data", dict[str, Any]),
    Index(None, "fingerprint", "id"),
    Index(None, "alertname", "id"),
    sqlite_autoincrement=True,
)

silences = Table(
    "silences",
    metadata,
    _text("id", primary_key=True),
    _document("matchers", tuple[tuple[str, MatchOp, str], ...]),
    _instant("starts_at"),
    _instant("ends_at"),
    _text("created_by"),
    _text("comment"),
    _instant("updated_at"),
)

incidents = Table(
    "incidents",
    metadata,
    _text("id", primary_key=True),
    Column("ordinal", Integer, nullable=False),
    _text("title"),
    _text("description"),
    _word("severity", Severity),
    _word("status", IncidentStatus, index=True),
    _text("service"),
    _text("component"),
    _instant("started_at"),
    _instant("detected_at"),
    _instant("acknowledged_at"),
    _instant("resolved_at"),
    _instant("closed_at"),
    _instant("respond_by"),
    _instant("escalate_at"),
    Column("escalation_level", Integer, nullable=False),
    _text("assigned_to"),
    _text("runbook"),
    _document("checklist", tuple[ChecklistItem, ...]),
    _document("fingerprints", tuple[str, ...]),
    _document("firing", tuple[str, ...]),
    _document("impact", Impact),
    _text("root_cause"),
    _text("resolution"),
    _text("lessons_learned"),
    _text("postmortem"),
    _instant("created_at"),
    _instant("updated_at"),
    Column("version", Integer, nullable=False),
    _instant("reopened_at"),
    _text("held_by"),
    _text("cause"),
    Column("outage", Boolean, nullable=False),
    _instant("recovered_at"),
    UniqueConstraint("ordinal"),
)

timeline = Table(
    "timeline",
    metadata,
    Column("id", Identity, primary_key=True, autoincrement=True),
    # Deferred: within one transaction the first entry may be written before its incident.
    Column(
        "incident_id",
        PlainText,
        ForeignKey("incidents.id", deferrable=True, initially="DEFERRED"),
        nullable=False,
    ),
    _instant("at"),
    _text("kind"),
    _text("actor"),
    _document("data", dict[str, Any]),
    _text("key"),
    Index(None, "incident_id", "at", "id"),
    Index(
        "uq_timeline_key",
        "incident_id",
        "key",
        unique=True,
        sqlite_where=text("key <> ''"),
        postgresql_where=text("key <> ''"),
    ),
    sqlite_autoincrement=True,
)

findings = Table(
    "findings",
    metadata,
    _text("id", primary_key=True),
    _word("type", SecurityEventType),
    _word("severity", SecuritySeverity),
    _text("source"),
    _text("service"),
    _word("status", FindingStatus),
    _instant("opened_at", index=True),
    _instant("last_event_at"),
    Column("count", Instant, nullable=False),
    Column("threshold", Integer, nullable=False),
    Column("window_ms", Instant, nullable=False),
    _document("evidence", tuple[dict[str, Any], ...]),
    _text("changed_by"),
    _text("note"),
    _instant("updated_at"),
)

positions = Table(
    "positions",
    metadata,
    _key("path", primary_key=True),
    _text("identity"),
    Column("offset", Instant, nullable=False),
)

tokens = Table(
    "tokens",
    metadata,
    _text("id", primary_key=True),
    _text("name"),
    _word("role", Role),
    _text("digest"),
    _instant("created_at"),
    _instant("last_used_at"),
    _instant("revoked_at"),
    _instant("expires_at"),
    _text("owner", index=True),
    UniqueConstraint("digest"),
)

accounts = Table(
    "accounts",
    metadata,
    _text("id", primary_key=True),
    _key("name"),
    _word("role", Role),
    _instant("created_at"),
    _text("display_name"),
    _text("mail"),
    _text("password"),
    Column("disabled", Boolean, nullable=False),
    _key("issuer"),
    _key("subject"),
    _document("preferences", Preferences),
    _instant("password_changed_at"),
    _instant("signed_in_at"),
    UniqueConstraint("name"),
    # One account for each person at a provider of sign-on; those without a provider are not the same person.
    Index(
        "uq_accounts_identity",
        "issuer",
        "subject",
        unique=True,
        sqlite_where=text("issuer <> ''"),
        postgresql_where=text("issuer <> ''"),
    ),
)

account_links = Table(
    "account_links",
    metadata,
    _text("digest", primary_key=True),
    _text("account_id"),
    _word("purpose", LinkPurpose),
    _instant("created_at"),
    _instant("expires_at"),
    _text("created_by"),
    UniqueConstraint("account_id"),
)

sessions = Table(
    "sessions",
    metadata,
    _text("digest", primary_key=True),
    _text("id"),
    _text("csrf"),
    _instant("created_at"),
    _instant("last_seen_at"),
    _instant("expires_at"),
    _text("host"),
    _word("method", SignInMethod),
    _text("account_id", index=True),
    _text("token_digest"),
    _text("address"),
    _text("client"),
)

saved_searches = Table(
    "saved_searches",
    metadata,
    _text("id", primary_key=True),
    _text("name"),
    _text("query"),
    _document("columns", tuple[str, ...]),
    _text("saved_by"),
    _instant("saved_at"),
    _text("kind"),
)

index_catalog = Table(
    "index_catalog",
    metadata,
    Column("kind", Word(EntryKind), primary_key=True),
    _text("name", primary_key=True),
    _text("body"),
    _instant("created_at"),
    _instant("changed_at"),
    Column("version", BigInteger, nullable=False),
)

changes = Table(
    "changes",
    metadata,
    _text("id", primary_key=True),
    _instant("at", index=True),
    _word("kind", ChangeKind),
    _text("service"),
    _text("title"),
    _text("version"),
    _text("url"),
    _text("by"),
)

audit = Table(
    "audit",
    metadata,
    Column("id", Identity, primary_key=True, autoincrement=True),
    _instant("at", index=True),
    _text("actor_id"),
    _text("actor"),
    _text("method"),
    _text("address"),
    _text("kind"),
    _text("subject"),
    _text("title"),
    _text("action"),
    _document("changes", tuple[FieldChange, ...]),
    Index(None, "kind", "subject"),
    sqlite_autoincrement=True,
)

dashboards = Table(
    "dashboards",
    metadata,
    _text("uid", primary_key=True),
    Column("version", Integer, nullable=False),
    _instant("deleted_at"),
    _text("deleted_by"),
)

dashboard_versions = Table(
    "dashboard_versions",
    metadata,
    _text("uid", primary_key=True),
    Column("version", Integer, primary_key=True),
    _text("document"),
    _text("title"),
    _instant("saved_at"),
    _text("saved_by"),
    _text("message"),
)

dashboard_stars = Table(
    "dashboard_stars",
    metadata,
    _key("who", primary_key=True),
    _text("uid", primary_key=True),
)

counters = Table(
    "counters",
    metadata,
    _text("name", primary_key=True),
    Column("value", Instant, nullable=False),
)
