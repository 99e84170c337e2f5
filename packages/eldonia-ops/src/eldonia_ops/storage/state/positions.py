"""How far each tailed file has been stored."""

from sqlalchemy import Connection, select

from eldonia_ops.storage.state.rows import upsert
from eldonia_ops.storage.state.tables import positions


class SqlPositions:
    """See :class:`~eldonia_ops.ports.PositionRepository`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def get(self, path: str) -> tuple[str, int] | None:
        """``(device:inode, offset in bytes)`` of a path."""
        query = select(positions.c.identity, positions.c.offset).where(positions.c.path == path)
        row = self._connection.execute(query).one_or_none()
        return None if row is None else (row.identity, row.offset)

    def put(self, path: str, identity: str, offset: int) -> None:
        """Remember where reading goes on."""
        upsert(self._connection, positions, [{"path": path, "identity": identity, "offset": offset}])
