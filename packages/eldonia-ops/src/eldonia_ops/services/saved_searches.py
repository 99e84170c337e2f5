"""Searches of logs, and queries in PromQL, that people save for each other."""

import uuid
from dataclasses import replace
from typing import Final

from eldonia_ops.model.saved_search import SavedSearch
from eldonia_ops.ports import StateStore, StateTransaction
from eldonia_ops.services.api import NotFoundError, RefusedError

MAX_SAVED: Final = 500
"""How many searches are kept."""


class SavedSearches:
    """The saved searches of one kind: of logs, or queries in PromQL."""

    def __init__(self, state: StateStore, kind: str = "logs") -> None:
        self._state = state
        self._kind = kind

    async def all(self) -> list[SavedSearch]:
        """Every search by its name."""
        found = await self._state.read(lambda tx: tx.saved_searches.all())
        return [one for one in found if one.kind == self._kind]

    async def add(self, name: str, query: str, columns: tuple[str, ...], by: str, now: int) -> SavedSearch:
        """Save a search.

        Raises:
            RefusedError: there are :data:`MAX_SAVED` already.
        """
        search = SavedSearch(uuid.uuid4().hex, name, query, columns, by, now, self._kind)

        def save(tx: StateTransaction) -> None:
            if tx.saved_searches.count() >= MAX_SAVED:
                raise RefusedError(f"{MAX_SAVED} searches are saved already: delete one that is not needed any more")
            tx.saved_searches.put(search)

        await self._state.write(save)
        return search

    async def change(self, id: str, name: str, query: str, columns: tuple[str, ...], by: str, now: int) -> SavedSearch:
        """Save another search in the place of one.

        Raises:
            NotFoundError: there is none with this id.
        """

        def save(tx: StateTransaction) -> SavedSearch:
            known = tx.saved_searches.get(id)
            if known is None or known.kind != self._kind:
                raise NotFoundError(f"no saved search has the id {id}: somebody may have deleted it")
            search = replace(known, name=name, query=query, columns=columns, saved_by=by, saved_at=now)
            tx.saved_searches.put(search)
            return search

        return await self._state.write(save)

    async def delete(self, id: str) -> SavedSearch:
        """Delete a search; returns what it was.

        Raises:
            NotFoundError: there is none with this id.
        """

        def drop(tx: StateTransaction) -> SavedSearch:
            known = tx.saved_searches.get(id)
            if known is None or known.kind != self._kind or not tx.saved_searches.delete(id):
                raise NotFoundError(f"no saved search has the id {id}: somebody may have deleted it")
            return known

        return await self._state.write(drop)
