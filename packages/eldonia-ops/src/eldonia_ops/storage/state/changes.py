"""Changes: deploys and the like."""

from sqlalchemy import Connection, delete, func, select

from eldonia_ops.model.change import Change
from eldonia_ops.storage.state.rows import all_made_of, upsert, values_of
from eldonia_ops.storage.state.tables import changes


class SqlChanges:
    """See :class:`~eldonia_ops.ports.ChangeRepository`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def put(self, change: Change) -> None:
        """Store a change, replacing the one with the same id."""
        upsert(self._connection, changes, [values_of(change)])

    def find(self, since: int, until: int, service: str, limit: int) -> list[Change]:
        """Changes in a range, newest first."""
        query = select(changes).where(changes.c.at >= since, changes.c.at <= until)
        if service:
            query = query.where(changes.c.service.in_((service, "")))
        query = query.order_by(changes.c.at.desc(), changes.c.id.desc()).limit(limit)
        return all_made_of(Change, self._connection.execute(query).all())

    def count(self) -> int:
        """How many there are."""
        return self._connection.execute(select(func.count()).select_from(changes)).scalar_one()

    def delete(self, id: str) -> bool:
        """Drop a change; False when there is none."""
        return self._connection.execute(delete(changes).where(changes.c.id == id)).rowcount == 1

    def purge(self, before: int, limit: int) -> int:
        """Drop changes older than ``before``, at most ``limit``; returns how many."""
        old = select(changes.c.id).where(changes.c.at < before).limit(limit)
        return self._connection.execute(delete(changes).where(changes.c.id.in_(old))).rowcount
