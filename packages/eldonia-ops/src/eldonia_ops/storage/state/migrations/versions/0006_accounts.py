"""Accounts, their one-time links, sessions in a table of their own, and owners of tokens."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_HAS_ISSUER = sa.text("issuer <> ''")


def upgrade() -> None:
    """Create the tables. Tokens that exist belong to no account. Sessions that exist end: they lack what is asked of a
    session now, and signing in again takes a moment."""
    op.create_table(
        "accounts",
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("role", sa.Text, nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("display_name", sa.Text, nullable=False),
        sa.Column("mail", sa.Text, nullable=False),
        sa.Column("password", sa.Text, nullable=False),
        sa.Column("disabled", sa.Boolean, nullable=False),
        sa.Column("issuer", sa.Text, nullable=False),
        sa.Column("subject", sa.Text, nullable=False),
        sa.Column("preferences", sa.Text, nullable=False),
        sa.Column("password_changed_at", sa.BigInteger, nullable=False),
        sa.Column("signed_in_at", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_accounts"),
        sa.UniqueConstraint("name", name="uq_accounts_name"),
    )
    op.create_index(
        "uq_accounts_identity",
        "accounts",
        ["issuer", "subject"],
        unique=True,
        sqlite_where=_HAS_ISSUER,
        postgresql_where=_HAS_ISSUER,
    )
    op.create_table(
        "account_links",
        sa.Column("digest", sa.Text, nullable=False),
        sa.Column("account_id", sa.Text, nullable=False),
        sa.Column("purpose", sa.Text, nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("expires_at", sa.BigInteger, nullable=False),
        sa.Column("created_by", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("digest", name="pk_account_links"),
        sa.UniqueConstraint("account_id", name="uq_account_links_account_id"),
    )
    op.create_table(
        "sessions",
        sa.Column("digest", sa.Text, nullable=False),
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("csrf", sa.Text, nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("last_seen_at", sa.BigInteger, nullable=False),
        sa.Column("expires_at", sa.BigInteger, nullable=False),
        sa.Column("host", sa.Text, nullable=False),
        sa.Column("method", sa.Text, nullable=False),
        sa.Column("account_id", sa.Text, nullable=False),
        sa.Column("token_digest", sa.Text, nullable=False),
        sa.Column("address", sa.Text, nullable=False),
        sa.Column("client", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("digest", name="pk_sessions"),
    )
    op.create_index("ix_sessions_account_id", "sessions", ["account_id"])
    op.add_column("tokens", sa.Column("owner", sa.Text, nullable=False, server_default=""))
    op.create_index("ix_tokens_owner", "tokens", ["owner"])
    op.execute("DELETE FROM machines WHERE kind = 'web.session'")


def downgrade() -> None:
    """Drop all of it. Tokens of people are revoked, as there is no account left that they belong to."""
    op.execute("UPDATE tokens SET revoked_at = 1 WHERE owner <> '' AND revoked_at = 0")
    op.drop_index("ix_tokens_owner", table_name="tokens")
    op.drop_column("tokens", "owner")
    op.drop_index("ix_sessions_account_id", table_name="sessions")
    op.drop_table("sessions")
    op.drop_table("account_links")
    op.drop_table("accounts")
