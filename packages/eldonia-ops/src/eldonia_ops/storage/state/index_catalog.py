"""The catalog of Elasticsearch's API."""

from sqlalchemy import Connection, delete, func, select

from eldonia_ops.model.index_catalog import CatalogEntry, EntryKind
from eldonia_ops.storage.state.rows import all_made_of, made_of, upsert, values_of
from eldonia_ops.storage.state.tables import index_catalog


class SqlIndexCatalog:
    """See :class:`~eldonia_ops.ports.IndexCatalogRepository`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def put(self, *entries: CatalogEntry) -> None:
        """Store entries, replacing those of the same kind and name."""
        if entries:
            upsert(self._connection, index_catalog, [values_of(entry) for entry in entries])

    def get(self, kind: EntryKind, name: str) -> CatalogEntry | None:
        """The entry of a kind with a name."""
        columns = index_catalog.c
        query = select(index_catalog).where(columns.kind == kind, columns.name == name)
        return made_of(CatalogEntry, self._connection.execute(query).one_or_none())

    def all(self) -> list[CatalogEntry]:
        """Every entry by kind and name."""
        query = select(index_catalog).order_by(index_catalog.c.kind, index_catalog.c.name)
        return all_made_of(CatalogEntry, self._connection.execute(query).all())

    def stamp(self) -> tuple[int, int, int]:
        """The number of entries, the last change, and the sum of the versions."""
        columns = index_catalog.c
        found = (
            func.count(),
            func.coalesce(func.max(columns.changed_at), 0),
            func.coalesce(func.sum(columns.version), 0),
        )
        count, changed_at, versions = self._connection.execute(select(*found).select_from(index_catalog)).one()
        return int(count), int(changed_at), int(versions)

    def count(self, kind: EntryKind) -> int:
        """How many there are of a kind."""
        query = select(func.count()).select_from(index_catalog).where(index_catalog.c.kind == kind)
        return self._connection.execute(query).scalar_one()

    def delete(self, kind: EntryKind, name: str) -> bool:
        """Drop an entry; False when there is none."""
        columns = index_catalog.c
        query = delete(index_catalog).where(columns.kind == kind, columns.name == name)
        return self._connection.execute(query).rowcount == 1
