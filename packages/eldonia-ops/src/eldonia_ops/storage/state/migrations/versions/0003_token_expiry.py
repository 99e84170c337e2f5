"""Tokens may expire."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Those that exist never expire, as before."""
    op.add_column("tokens", sa.Column("expires_at", sa.BigInteger, nullable=False, server_default="0"))


def downgrade() -> None:
    """Forget when tokens expire."""
    op.drop_column("tokens", "expires_at")
