"""The audit log."""

from operator import attrgetter

from sqlalchemy import Connection, delete, select

from eldonia_ops.model.audit import AuditEntry, AuditQuery
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

    def find(self, query: AuditQuery) -> list[AuditEntry]:
        """Entries of a query, newest first."""
        found = select(audit).order_by(audit.c.id.desc()).limit(bounded(query.limit))
        if query.since:
            found = found.where(audit.c.at >= query.since)
        if query.until:
            found = found.where(audit.c.at <= query.until)
        if query.actor:
            found = found.where((audit.c.actor_id == query.actor) | (audit.c.actor == query.actor))
        if query.kind:
            found = found.where(audit.c.kind == query.kind)
        if query.subject:
            found = found.where((audit.c.subject == query.subject) | (audit.c.title == query.subject))
        if query.before_id:
            found = found.where(audit.c.id < query.before_id)
        return all_made_of(AuditEntry, self._connection.execute(found).all())

    def purge(self, before: int, limit: int) -> int:
        """Drop entries older than ``before``, at most ``limit``; returns how many."""
        old = select(audit.c.id).where(audit.c.at < before).order_by(audit.c.id).limit(limit)
        return self._connection.execute(delete(audit).where(audit.c.id.in_(old.scalar_subquery()))).rowcount
