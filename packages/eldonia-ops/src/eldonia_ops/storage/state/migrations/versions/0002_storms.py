"""Alert groups get tables of their own: a document with all its alerts in it was written again for each that joined.

The outbox learns what is urgent and what it is about, so that a storm does not hold up a page of another cause, and an
incident what opened it, so that one outage is not thousands of incidents.
"""

import json

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_KIND = "alert_group"


def _text(name: str) -> sa.Column:
    return sa.Column(name, sa.Text, nullable=False)


def upgrade() -> None:
    """Create the tables and move the groups into them."""
    groups = op.create_table(
        "alert_groups",
        *(_text(name) for name in ("key", "group_key", "route", "receiver", "labels")),
        *(sa.Column(name, sa.BigInteger, nullable=False) for name in ("created_at", "flush_at", "flushed_at")),
        _text("log"),
        sa.Column("urgent", sa.Boolean, nullable=False),
        _text("cause"),
        sa.PrimaryKeyConstraint("key", name="pk_alert_groups"),
    )
    op.create_index("ix_alert_groups_flush_at", "alert_groups", ["flush_at"])
    members = op.create_table(
        "alert_group_members",
        *(_text(name) for name in ("key", "fingerprint", "verdicts")),
        sa.PrimaryKeyConstraint("key", "fingerprint", name="pk_alert_group_members"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_alerts_ends_at", "alerts", ["ends_at"])
    op.add_column("outbox", sa.Column("urgent", sa.Boolean, nullable=False, server_default=sa.false()))
    op.add_column("outbox", sa.Column("cause", sa.Text, nullable=False, server_default=""))
    op.add_column("incidents", sa.Column("cause", sa.Text, nullable=False, server_default=""))
    op.add_column("incidents", sa.Column("outage", sa.Boolean, nullable=False, server_default=sa.false()))
    machines = sa.table("machines", sa.column("kind"), sa.column("key"), sa.column("state"))
    connection = op.get_bind()
    for key, state in connection.execute(sa.select(machines.c.key, machines.c.state).where(machines.c.kind == _KIND)):
        try:
            rows = _rows(key, json.loads(state))
        except (ValueError, KeyError, TypeError, AttributeError):
            continue  # its alerts are put into a group anew at the start
        group, held = rows
        connection.execute(sa.insert(groups), [group])
        if held:
            connection.execute(sa.insert(members), held)
    connection.execute(sa.delete(machines).where(machines.c.kind == _KIND))


def _rows(key: str, state: dict) -> tuple[dict, list[dict]]:
    verdicts: dict[str, dict[str, str]] = {}
    for name, verdict in state.get("verdicts", {}).items():
        integration, _, fingerprint = name.rpartition("/")
        verdicts.setdefault(fingerprint, {})[integration] = verdict
    group = {
        "key": key,
        **{name: state[name] for name in ("group_key", "route", "receiver")},
        **{name: json.dumps(state.get(name, {})) for name in ("labels", "log")},
        **{name: int(state.get(name, 0)) for name in ("created_at", "flush_at", "flushed_at")},
        "urgent": False,
        "cause": "",
    }
    held = [
        {"key": key, "fingerprint": item, "verdicts": json.dumps(verdicts.get(item, {}), sort_keys=True)}
        for item in dict.fromkeys(state.get("fingerprints", []))
    ]
    return group, held
