"""The record of every decision about telling people."""

from sqlalchemy import Connection, delete, insert, select

from eldonia_ops.model.alerts import Decision
from eldonia_ops.storage.state.rows import all_made_of, bounded, values_of
from eldonia_ops.storage.state.tables import ledger


class SqlLedger:
    """See :class:`~eldonia_ops.ports.LedgerRepository`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def append(self, *decisions: Decision) -> None:
        """Append lines under new ids."""
        rows = [values_of(decision) for decision in decisions]
        for row in rows:
            del row["id"]
        if rows:
            self._connection.execute(insert(ledger), rows)

    def find(self, *, fingerprint: str = "", alertname: str = "", since: int = 0, limit: int = 200) -> list[Decision]:
        """Lines that meet every condition given, newest first."""
        query = select(ledger).order_by(ledger.c.id.desc()).limit(bounded(limit))
        if fingerprint:
            query = query.where(ledger.c.fingerprint == fingerprint)
        if alertname:
            query = query.where(ledger.c.alertname == alertname)
        if since:
            query = query.where(ledger.c.at >= since)
        return all_made_of(Decision, self._connection.execute(query).all())

    def purge(self, before: int, limit: int) -> int:
        """Drop lines older than ``before``."""
        old = select(ledger.c.id).where(ledger.c.at < before).order_by(ledger.c.id).limit(limit)
        return self._connection.execute(delete(ledger).where(ledger.c.id.in_(old.scalar_subquery()))).rowcount
