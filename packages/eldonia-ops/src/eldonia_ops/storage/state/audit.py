"""The audit log."""

from operator import attrgetter

from sqlalchemy import Connection, delete, select

from eldonia_ops.model.audit import AuditEntry
from eldonia_ops.storage.state.rows import all_made_of, bounded, names_of, write_rows
from eldonia_ops.storage.state.tables import audit

_NAMES = names_of(AuditEntry, "id")
_values = attrgetter(*_NAMES)


class SqlAudit:
    """See :class:`~eldonia_ops.ports.AuditRepository`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def append(self, *entries: AuditEntry) -> None:
        """Append entries under new ids."""
        write_rows(self._connection, audit, _NAMES, map(_values, entries))

    def find(
        self,
        *,
        since: int = 0,
        until: int = 0,
        actor: str = "",
        kind: str = "",
        subject: str = "",
        before_id: int = 0,
        limit: int = 100,
    ) -> list[AuditEntry]:
        """Entries that meet every condition given, newest first."""
        query = select(audit).order_by(audit.c.id.desc()).limit(bounded(limit))
        if since:
            query = query.where(audit.c.at >= since)
        if until:
            query = query.where(audit.c.at <= until)
        if actor:
            query = query.where((audit.c.actor_id == actor) | (audit.c.actor == actor))
        if kind:
            query = query.where(audit.c.kind == kind)
        if subject:
            query = query.where((audit.c.subject == subject) | (audit.c.title == subject))
        if before_id:
            query = query.where(audit.c.id < before_id)
        return all_made_of(AuditEntry, self._connection.execute(query).all())

    def purge(self, before: int, limit: int) -> int:
        """Drop entries older than ``before``, at most ``limit``; returns how many."""
        old = select(audit.c.id).where(audit.c.at < before).order_by(audit.c.id).limit(limit)
        return self._connection.execute(delete(audit).where(audit.c.id.in_(old.scalar_subquery()))).rowcount
