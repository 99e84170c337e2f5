"""The record of every decision about notifications."""

from operator import attrgetter

from sqlalchemy import Connection, delete, select

from eldonia_ops.model.alerts import LedgerEntry
from eldonia_ops.storage.state.rows import all_made_of, bounded, names_of, write_rows
from eldonia_ops.storage.state.tables import ledger

_NAMES = names_of(LedgerEntry, "id")
_values = attrgetter(*_NAMES)


class SqlLedger:
    """See :class:`~eldonia_ops.ports.LedgerRepository`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def append(self, *decisions: LedgerEntry) -> None:
        """Append lines under new ids."""
        write_rows(self._connection, ledger, _NAMES, map(_values, decisions))

    def find(
        self, *, fingerprint: str = "", alertname: str = "", since: int = 0, limit: int = 200
    ) -> list[LedgerEntry]:
        """Lines that meet every condition given, newest first."""
        query = select(ledger).order_by(ledger.c.id.desc()).limit(bounded(limit))
        if fingerprint:
            query = query.where(ledger.c.fingerprint == fingerprint)
        if alertname:
            query = query.where(ledger.c.alertname == alertname)
        if since:
            query = query.where(ledger.c.at >= since)
        return all_made_of(LedgerEntry, self._connection.execute(query).all())

    def purge(self, before: int, limit: int) -> int:
        """Drop lines older than ``before``."""
        old = select(ledger.c.id).where(ledger.c.at < before).order_by(ledger.c.id).limit(limit)
        return self._connection.execute(delete(ledger).where(ledger.c.id.in_(old.scalar_subquery()))).rowcount
