"""Accounts, their one-time links, and sessions."""

from collections.abc import Sequence

from sqlalchemy import ColumnElement, Connection, delete, func, or_, select, update

from eldonia_ops.model.access import Account, AccountLink, Session
from eldonia_ops.storage.state.rows import all_made_of, chunks, made_of, upsert, values_of
from eldonia_ops.storage.state.tables import account_links, accounts, sessions


class SqlAccounts:
    """See :class:`~eldonia_ops.ports.AccountRepository`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def put(self, account: Account) -> None:
        """Store an account, replacing the one with the same id."""
        upsert(self._connection, accounts, [values_of(account)])

    def get(self, id: str) -> Account | None:
        """The account with this id."""
        return self._one(accounts.c.id == id)

    def by_name(self, name: str) -> Account | None:
        """The account that signs in with this name."""
        return self._one(accounts.c.name == name)

    def by_identity(self, issuer: str, subject: str) -> Account | None:
        """The account of a person at a provider of sign-on."""
        return self._one(accounts.c.issuer == issuer, accounts.c.subject == subject)

    def all(self) -> list[Account]:
        """Every account by its name."""
        return all_made_of(
            Account, self._connection.execute(select(accounts).order_by(accounts.c.name, accounts.c.id)).all()
        )

    def count(self) -> int:
        """How many there are."""
        return self._connection.execute(select(func.count()).select_from(accounts)).scalar_one()

    def touch(self, id: str, at: int) -> None:
        """Note a sign-in."""
        self._connection.execute(
            update(accounts).where(accounts.c.id == id, accounts.c.signed_in_at < at).values(signed_in_at=at)
        )

    def delete(self, id: str) -> bool:
        """Drop an account; False when there is none."""
        return self._connection.execute(delete(accounts).where(accounts.c.id == id)).rowcount == 1

    def put_link(self, link: AccountLink) -> None:
        """Store a link in place of the one that the account has."""
        self.drop_link(link.account_id)
        upsert(self._connection, account_links, [values_of(link)])

    def link(self, digest: str) -> AccountLink | None:
        """The link whose secret has this digest, expired or not."""
        query = select(account_links).where(account_links.c.digest == digest)
        return made_of(AccountLink, self._connection.execute(query).one_or_none())

    def links(self) -> list[AccountLink]:
        """Every link, expired ones included."""
        query = select(account_links).order_by(account_links.c.created_at, account_links.c.digest)
        return all_made_of(AccountLink, self._connection.execute(query).all())

    def drop_link(self, account_id: str) -> bool:
        """Drop the link of an account; False when it has none."""
        query = delete(account_links).where(account_links.c.account_id == account_id)
        return self._connection.execute(query).rowcount == 1

    def purge(self, before: int, limit: int) -> int:
        """Drop links that expired before an instant."""
        old = select(account_links.c.digest).where(account_links.c.expires_at < before).limit(limit)
        query = delete(account_links).where(account_links.c.digest.in_(old.scalar_subquery()))
        return self._connection.execute(query).rowcount

    def _one(self, *conditions: ColumnElement[bool]) -> Account | None:
        return made_of(Account, self._connection.execute(select(accounts).where(*conditions)).one_or_none())


class SqlSessions:
    """See :class:`~eldonia_ops.ports.SessionRepository`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def put(self, session: Session) -> None:
        """Store a session, replacing the one of the same cookie."""
        upsert(self._connection, sessions, [values_of(session)])

    def by_digest(self, digest: str) -> Session | None:
        """The session whose cookie's value has this digest, ended or not."""
        query = select(sessions).where(sessions.c.digest == digest)
        return made_of(Session, self._connection.execute(query).one_or_none())

    def all(self) -> list[Session]:
        """Every session, the one seen last first."""
        query = select(sessions).order_by(sessions.c.last_seen_at.desc(), sessions.c.digest)
        return all_made_of(Session, self._connection.execute(query).all())

    def of_account(self, account_id: str) -> list[Session]:
        """The sessions of an account, the one seen last first."""
        query = select(sessions).where(sessions.c.account_id == account_id)
        ordered = query.order_by(sessions.c.last_seen_at.desc(), sessions.c.digest)
        return all_made_of(Session, self._connection.execute(ordered).all())

    def touch(self, digest: str, at: int) -> None:
        """Note a use; an earlier instant than the one noted changes nothing."""
        self._connection.execute(
            update(sessions).where(sessions.c.digest == digest, sessions.c.last_seen_at < at).values(last_seen_at=at)
        )

    def delete(self, digests: Sequence[str]) -> int:
        """End sessions; returns how many there were."""
        return sum(
            self._connection.execute(delete(sessions).where(sessions.c.digest.in_(part))).rowcount
            for part in chunks(digests)
        )

    def purge(self, now: int, idle_ms: int, limit: int) -> int:
        """Drop sessions that are over at ``now``."""
        over = or_(sessions.c.expires_at <= now, sessions.c.last_seen_at <= now - idle_ms)
        old = select(sessions.c.digest).where(over).limit(limit)
        return self._connection.execute(delete(sessions).where(sessions.c.digest.in_(old.scalar_subquery()))).rowcount
