"""Saved searches."""

from sqlalchemy import Connection, delete, func, select

from eldonia_ops.model.saved_search import SavedSearch
from eldonia_ops.storage.state.rows import all_made_of, made_of, upsert, values_of
from eldonia_ops.storage.state.tables import saved_searches


class SqlSavedSearches:
    """See :class:`~eldonia_ops.ports.SavedSearchRepository`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def put(self, search: SavedSearch) -> None:
        """Store a search, replacing the one with the same id."""
        upsert(self._connection, saved_searches, [values_of(search)])

    def get(self, id: str) -> SavedSearch | None:
        """The search with this id."""
        query = select(saved_searches).where(saved_searches.c.id == id)
        return made_of(SavedSearch, self._connection.execute(query).one_or_none())

    def all(self) -> list[SavedSearch]:
        """Every search by its name."""
        query = select(saved_searches).order_by(saved_searches.c.name, saved_searches.c.id)
        return all_made_of(SavedSearch, self._connection.execute(query).all())

    def count(self) -> int:
        """How many there are."""
        return self._connection.execute(select(func.count()).select_from(saved_searches)).scalar_one()

    def delete(self, id: str) -> bool:
        """Drop a search; False when there is none."""
        return self._connection.execute(delete(saved_searches).where(saved_searches.c.id == id)).rowcount == 1
