"""Alerts as the router knows them."""

from collections.abc import Mapping, Sequence

from sqlalchemy import ColumnElement, Connection, Text, and_, delete, func, or_, select, type_coerce

from eldonia_ops.model.alerts import Alert
from eldonia_ops.storage.state.columns import to_json
from eldonia_ops.storage.state.rows import chunks, upsert, values_of
from eldonia_ops.storage.state.tables import alerts

_FIELDS = [column for column in alerts.columns if column.name != "fingerprint"]


class SqlAlerts:
    """See :class:`~eldonia_ops.ports.AlertRepository`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def put(self, *some: Alert) -> None:
        """Store alerts, each replacing the one with the same labels."""
        rows = [{"fingerprint": alert.fingerprint, **values_of(alert)} for alert in some]
        upsert(self._connection, alerts, rows)

    def get(self, fingerprint: str) -> Alert | None:
        """The alert with this fingerprint."""
        row = self._connection.execute(select(*_FIELDS).where(alerts.c.fingerprint == fingerprint)).one_or_none()
        return None if row is None else Alert(**row._mapping)

    def all(self) -> list[Alert]:
        """Every alert, in the order of their fingerprints."""
        return self._where()

    def some(self, fingerprints: Sequence[str]) -> list[Alert]:
        """Those of the alerts that are known."""
        return [alert for part in chunks(fingerprints) for alert in self._where(alerts.c.fingerprint.in_(part))]

    def ended(self, after: int, until: int) -> list[Alert]:
        """Alerts with ``after < ends_at <= until``."""
        return self._where(alerts.c.ends_at > after, alerts.c.ends_at <= until)

    def next_end(self, after: int) -> int | None:
        """The earliest ``ends_at`` later than ``after``, or None."""
        query = select(func.min(alerts.c.ends_at)).where(alerts.c.ends_at > after)
        return self._connection.execute(query).scalar_one()

    def count(self, now: int) -> int:
        """How many alerts are not over at ``now``."""
        return self._connection.execute(
            select(func.count()).select_from(alerts).where(alerts.c.ends_at > now)
        ).scalar_one()

    def firing(self, now: int, having: Sequence[Mapping[str, str]]) -> list[Alert]:
        """Alerts not over at ``now`` that carry all labels of at least one of the mappings (which may be empty)."""
        if not having:
            return []
        # Labels lie there as canonical JSON, in which a name with its value is one piece of text that nothing
        # else can contain: a quote within a value is escaped. LIKE may pass over case, so look again.
        text = type_coerce(alerts.c.labels, Text)
        pieces = ([to_json({name: value})[1:-1] for name, value in wanted.items()] for wanted in having)
        alike = or_(*(and_(True, *(text.contains(piece, autoescape=True) for piece in some)) for some in pieces))
        found = self._where(alerts.c.ends_at > now, alike)
        wanted = [set(labels.items()) for labels in having]
        return [alert for alert in found if any(labels <= set(alert.labels.items()) for labels in wanted)]

    def delete(self, fingerprints: Sequence[str]) -> None:
        """Forget alerts; unknown fingerprints are passed over."""
        for part in chunks(fingerprints):
            self._connection.execute(delete(alerts).where(alerts.c.fingerprint.in_(part)))

    def _where(self, *conditions: ColumnElement[bool]) -> list[Alert]:
        rows = self._connection.execute(select(*_FIELDS).where(*conditions).order_by(alerts.c.fingerprint))
        return [Alert(**row._mapping) for row in rows]
