"""Alerts as the router knows them."""

from collections.abc import Sequence

from sqlalchemy import Connection, delete, select

from eldonia_ops.model.alerts import Alert
from eldonia_ops.storage.state.rows import upsert, values_of
from eldonia_ops.storage.state.tables import alerts

_FIELDS = [column for column in alerts.columns if column.name != "fingerprint"]


class SqlAlerts:
    """See :class:`~eldonia_ops.ports.AlertRepository`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def put(self, alert: Alert) -> None:
        """Store an alert, replacing the one with the same labels."""
        upsert(self._connection, alerts, {"fingerprint": alert.fingerprint, **values_of(alert)})

    def get(self, fingerprint: str) -> Alert | None:
        """The alert with this fingerprint."""
        row = self._connection.execute(select(*_FIELDS).where(alerts.c.fingerprint == fingerprint)).one_or_none()
        return None if row is None else Alert(**row._mapping)

    def all(self) -> list[Alert]:
        """Every alert, in the order of their fingerprints."""
        rows = self._connection.execute(select(*_FIELDS).order_by(alerts.c.fingerprint))
        return [Alert(**row._mapping) for row in rows]

    def delete(self, fingerprints: Sequence[str]) -> None:
        """Forget alerts; unknown fingerprints are passed over."""
        for start in range(0, len(fingerprints), 500):
            some = fingerprints[start : start + 500]
            self._connection.execute(delete(alerts).where(alerts.c.fingerprint.in_(some)))
