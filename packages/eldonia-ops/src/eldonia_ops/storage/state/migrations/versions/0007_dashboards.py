"""Dashboards are saved, with their versions."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables."""
    op.create_table(
        "dashboards",
        sa.Column("uid", sa.Text, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("deleted_at", sa.BigInteger, nullable=False),
        sa.Column("deleted_by", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("uid", name="pk_dashboards"),
    )
    op.create_table(
        "dashboard_versions",
        sa.Column("uid", sa.Text, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("document", sa.Text, nullable=False),
        sa.Column("title", sa.Text, nullable=False),
        sa.Column("saved_at", sa.BigInteger, nullable=False),
        sa.Column("saved_by", sa.Text, nullable=False),
        sa.Column("message", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("uid", "version", name="pk_dashboard_versions"),
    )
    op.create_table(
        "dashboard_stars",
        sa.Column("who", sa.Text, nullable=False),
        sa.Column("uid", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("who", "uid", name="pk_dashboard_stars"),
    )


def downgrade() -> None:
    """Drop the tables, and all dashboards that were saved with them."""
    for table in ("dashboard_stars", "dashboard_versions", "dashboards"):
        op.drop_table(table)
