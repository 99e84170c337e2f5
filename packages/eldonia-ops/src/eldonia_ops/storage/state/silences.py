"""Silences."""

from typing import Any

from sqlalchemy import Connection, Row, delete, select

from eldonia_ops.model.alerts import Silence
from eldonia_ops.model.matchers import Matcher
from eldonia_ops.storage.state.rows import leave_out, unreadable, upsert, values_of
from eldonia_ops.storage.state.tables import silences


class SqlSilences:
    """See :class:`~eldonia_ops.ports.SilenceRepository`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def put(self, silence: Silence) -> None:
        """Store a silence, replacing the one with the same id."""
        matchers = [(matcher.name, matcher.op, matcher.value) for matcher in silence.matchers]
        upsert(self._connection, silences, [{**values_of(silence), "matchers": matchers}])

    def get(self, id: str) -> Silence | None:
        """The silence with this id."""
        row = self._connection.execute(select(silences).where(silences.c.id == id)).one_or_none()
        return None if row is None else _silence(row)

    def all(self) -> list[Silence]:
        """Every silence by start, ended ones included until they are purged."""
        query = select(silences).order_by(silences.c.starts_at, silences.c.id)
        found = (_silence(row) for row in self._connection.execute(query))
        return [silence for silence in found if silence is not None]

    def purge(self, before: int, limit: int) -> int:
        """Drop silences that ended before an instant."""
        old = select(silences.c.id).where(silences.c.ends_at < before).limit(limit)
        return self._connection.execute(delete(silences).where(silences.c.id.in_(old.scalar_subquery()))).rowcount


def _silence(row: Row[Any]) -> Silence | None:
    if unreadable(Silence, row):
        return None
    try:
        matchers = tuple(Matcher(name, op, value) for name, op, value in row.matchers)
    except ValueError as error:
        leave_out("Silence", row.id, str(error))
        return None
    return Silence(**{**row._mapping, "matchers": matchers})
