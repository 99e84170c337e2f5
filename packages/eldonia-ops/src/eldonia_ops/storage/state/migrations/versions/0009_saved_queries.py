"""Queries in PromQL are saved beside searches of logs."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the kind; what was saved before is a search of logs."""
    op.add_column("saved_searches", sa.Column("kind", sa.Text, nullable=False, server_default="logs"))
    with op.batch_alter_table("saved_searches") as table:
        table.alter_column("kind", server_default=None)


def downgrade() -> None:
    """Drop the queries, and the kind."""
    op.execute("DELETE FROM saved_searches WHERE kind <> 'logs'")
    with op.batch_alter_table("saved_searches") as table:
        table.drop_column("kind")
