"""Access tokens."""

from sqlalchemy import Connection, and_, delete, insert, or_, select, update

from eldonia_ops.model.access import Token
from eldonia_ops.storage.state.rows import all_made_of, made_of, values_of
from eldonia_ops.storage.state.tables import tokens


class SqlTokens:
    """See :class:`~eldonia_ops.ports.TokenRepository`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, token: Token) -> None:
        """Store a new token."""
        self._connection.execute(insert(tokens).values(values_of(token)))

    def by_digest(self, digest: str) -> Token | None:
        """The token whose secret has this digest, revoked or not."""
        return made_of(Token, self._connection.execute(select(tokens).where(tokens.c.digest == digest)).one_or_none())

    def all(self) -> list[Token]:
        """Every token, oldest first."""
        query = select(tokens).order_by(tokens.c.created_at, tokens.c.id)
        return all_made_of(Token, self._connection.execute(query).all())

    def revoke(self, id: str, at: int) -> bool:
        """Revoke a token from an instant on; False when there is none or it was revoked before."""
        query = update(tokens).where(tokens.c.id == id, tokens.c.revoked_at == 0).values(revoked_at=at)
        return self._connection.execute(query).rowcount == 1

    def touch(self, id: str, at: int) -> None:
        """Note a use; an earlier instant than the one noted changes nothing."""
        self._connection.execute(
            update(tokens).where(tokens.c.id == id, tokens.c.last_used_at < at).values(last_used_at=at)
        )

    def purge(self, before: int, limit: int) -> int:
        """Drop tokens that were revoked or expired before an instant."""
        revoked = and_(tokens.c.revoked_at > 0, tokens.c.revoked_at < before)
        expired = and_(tokens.c.expires_at > 0, tokens.c.expires_at < before)
        old = select(tokens.c.id).where(or_(revoked, expired)).limit(limit)
        return self._connection.execute(delete(tokens).where(tokens.c.id.in_(old.scalar_subquery()))).rowcount
