"""Alerts that are acknowledged in a storm wait in a table of their own until they are taken in."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the table."""
    number = sa.BigInteger().with_variant(sa.Integer, "sqlite")
    op.create_table(
        "alert_inbox",
        sa.Column("id", number, nullable=False, autoincrement=True),
        sa.Column("received_at", sa.BigInteger, nullable=False),
        sa.Column("alerts", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_alert_inbox"),
        sqlite_autoincrement=True,
    )


def downgrade() -> None:
    """Drop the table: what still waits in it is lost."""
    op.drop_table("alert_inbox")
