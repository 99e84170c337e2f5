"""The first form of the state.

A migration never changes once it was released; it therefore spells its tables out instead of
importing them.
"""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_ID = sa.BigInteger().with_variant(sa.Integer, "sqlite")
_PENDING = sa.text("status = 'pending'")
_KEYED = sa.text("key <> ''")


def _texts(*names: str) -> list[sa.Column]:
    return [sa.Column(name, sa.Text, nullable=False) for name in names]


def _instants(*names: str) -> list[sa.Column]:
    return [sa.Column(name, sa.BigInteger, nullable=False) for name in names]


def _integers(*names: str) -> list[sa.Column]:
    return [sa.Column(name, sa.Integer, nullable=False) for name in names]


def upgrade() -> None:
    """Create every table."""
    op.create_table(
        "alerts",
        *_texts("fingerprint", "labels", "annotations"),
        *_instants("starts_at", "ends_at", "updated_at"),
        *_texts("generator_url", "source", "evidence"),
        sa.PrimaryKeyConstraint("fingerprint", name="pk_alerts"),
    )
    op.create_table(
        "machines",
        *_texts("kind", "key", "state"),
        sa.Column("deadline", sa.BigInteger),
        sa.PrimaryKeyConstraint("kind", "key", name="pk_machines"),
    )
    op.create_index("ix_machines_kind_deadline", "machines", ["kind", "deadline"])
    op.create_table(
        "outbox",
        sa.Column("id", _ID, primary_key=True, autoincrement=True),
        *_texts("idempotency_key", "receiver", "integration"),
        *_integers("index"),
        *_texts("order_key", "payload", "purpose", "incident_ids", "fingerprints"),
        *_instants("created_at"),
        *_texts("status"),
        *_integers("attempts"),
        *_instants("next_attempt_at", "finished_at"),
        *_texts("last_error"),
        sa.UniqueConstraint("idempotency_key", name="uq_outbox_idempotency_key"),
        sqlite_autoincrement=True,
    )
    op.create_index(
        "ix_outbox_pending", "outbox", ["order_key", "id"], sqlite_where=_PENDING, postgresql_where=_PENDING
    )
    op.create_index("ix_outbox_finished_at", "outbox", ["finished_at"])
    op.create_table(
        "ledger",
        sa.Column("id", _ID, primary_key=True, autoincrement=True),
        *_instants("at"),
        *_texts("fingerprint", "alertname", "receiver", "verdict", "reason", "data"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_ledger_at", "ledger", ["at"])
    op.create_index("ix_ledger_fingerprint_id", "ledger", ["fingerprint", "id"])
    op.create_index("ix_ledger_alertname_id", "ledger", ["alertname", "id"])
    op.create_table(
        "silences",
        *_texts("id", "matchers"),
        *_instants("starts_at", "ends_at"),
        *_texts("created_by", "comment"),
        *_instants("updated_at"),
        sa.PrimaryKeyConstraint("id", name="pk_silences"),
    )
    op.create_table(
        "incidents",
        *_texts("id"),
        *_integers("ordinal"),
        *_texts("title", "description", "severity", "status", "service", "component"),
        *_instants("started_at", "detected_at", "acknowledged_at", "resolved_at", "closed_at"),
        *_instants("respond_by", "escalate_at"),
        *_integers("escalation_level"),
        *_texts("assigned_to", "runbook", "checklist", "fingerprints", "firing", "impact"),
        *_texts("root_cause", "resolution", "lessons_learned", "postmortem"),
        *_instants("created_at", "updated_at"),
        *_integers("version"),
        *_instants("reopened_at"),
        *_texts("held_by"),
        sa.PrimaryKeyConstraint("id", name="pk_incidents"),
        sa.UniqueConstraint("ordinal", name="uq_incidents_ordinal"),
    )
    op.create_index("ix_incidents_status", "incidents", ["status"])
    op.create_table(
        "timeline",
        sa.Column("id", _ID, primary_key=True, autoincrement=True),
        *_texts("incident_id"),
        *_instants("at"),
        *_texts("kind", "actor", "data", "key"),
        sa.ForeignKeyConstraint(
            ["incident_id"],
            ["incidents.id"],
            name="fk_timeline_incident_id",
            deferrable=True,
            initially="DEFERRED",
        ),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_timeline_incident_id_at_id", "timeline", ["incident_id", "at", "id"])
    op.create_index(
        "uq_timeline_key",
        "timeline",
        ["incident_id", "key"],
        unique=True,
        sqlite_where=_KEYED,
        postgresql_where=_KEYED,
    )
    op.create_table(
        "findings",
        *_texts("id", "type", "severity", "source", "service", "status"),
        *_instants("opened_at", "last_event_at", "count"),
        *_integers("threshold"),
        *_instants("window_ms"),
        *_texts("evidence", "changed_by", "note"),
        *_instants("updated_at"),
        sa.PrimaryKeyConstraint("id", name="pk_findings"),
    )
    op.create_index("ix_findings_opened_at", "findings", ["opened_at"])
    op.create_table(
        "positions",
        *_texts("path", "identity"),
        *_instants("offset"),
        sa.PrimaryKeyConstraint("path", name="pk_positions"),
    )
    op.create_table(
        "tokens",
        *_texts("id", "name", "role", "digest"),
        *_instants("created_at", "last_used_at", "revoked_at"),
        sa.PrimaryKeyConstraint("id", name="pk_tokens"),
        sa.UniqueConstraint("digest", name="uq_tokens_digest"),
    )
    op.create_table(
        "counters",
        *_texts("name"),
        *_instants("value"),
        sa.PrimaryKeyConstraint("name", name="pk_counters"),
    )
