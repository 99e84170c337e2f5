"""Incidents know when their fault was over, which is before their alerts had been watched for a while."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Of those that exist it is not known."""
    op.add_column("incidents", sa.Column("recovered_at", sa.BigInteger, nullable=False, server_default="0"))
    with op.batch_alter_table("incidents") as table:
        table.alter_column("recovered_at", server_default=None)


def downgrade() -> None:
    """Forget it."""
    with op.batch_alter_table("incidents") as table:
        table.drop_column("recovered_at")
