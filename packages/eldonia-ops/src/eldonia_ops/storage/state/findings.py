"""Security findings."""

from collections.abc import Sequence

from sqlalchemy import Connection, delete, select

from eldonia_ops.model.security import Finding, FindingStatus, SecurityEventType
from eldonia_ops.storage.state.rows import all_made_of, bounded, made_of, upsert, values_of
from eldonia_ops.storage.state.tables import findings


class SqlFindings:
    """See :class:`~eldonia_ops.ports.FindingRepository`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def put(self, finding: Finding) -> None:
        """Store a finding, replacing the one with the same id."""
        upsert(self._connection, findings, [values_of(finding)])

    def get(self, id: str) -> Finding | None:
        """The finding with this id."""
        return made_of(Finding, self._connection.execute(select(findings).where(findings.c.id == id)).one_or_none())

    def find(
        self,
        *,
        statuses: Sequence[FindingStatus] = (),
        types: Sequence[SecurityEventType] = (),
        since: int = 0,
        limit: int = 100,
    ) -> list[Finding]:
        """Findings that meet every condition given (``since`` bounds ``opened_at``), newest first."""
        query = select(findings).order_by(findings.c.opened_at.desc(), findings.c.id.desc()).limit(bounded(limit))
        if statuses:
            query = query.where(findings.c.status.in_(statuses))
        if types:
            query = query.where(findings.c.type.in_(types))
        if since:
            query = query.where(findings.c.opened_at >= since)
        return all_made_of(Finding, self._connection.execute(query).all())

    def purge(self, before: int, limit: int) -> int:
        """Drop findings that were settled, and last touched, before an instant."""
        settled = (FindingStatus.RESOLVED, FindingStatus.FALSE_POSITIVE)
        old = (
            select(findings.c.id)
            .where(findings.c.status.in_(settled), findings.c.updated_at < before, findings.c.last_event_at < before)
            .limit(limit)
        )
        return self._connection.execute(delete(findings).where(findings.c.id.in_(old.scalar_subquery()))).rowcount
