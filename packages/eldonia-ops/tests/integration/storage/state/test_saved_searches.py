"""Saved searches on both databases."""

import pytest

from eldonia_ops.model.saved_search import SavedSearch
from eldonia_ops.ports import StateTransaction
from eldonia_ops.services.api import NotFoundError, RefusedError
from eldonia_ops.services.saved_searches import MAX_SAVED, SavedSearches
from eldonia_ops.storage.state import SqlStateStore


async def test_searches_are_saved_changed_and_deleted(store: SqlStateStore) -> None:
    searches = SavedSearches(store)
    first = await searches.add("決済の失敗", 'level:error "決済"', ("user_id", '"a,b"'), "alice", 5)
    second = await searches.add("All", "", (), "bob", 6)
    assert await searches.all() == [second, first]
    changed = await searches.change(first.id, "A", "x", (), "carol", 7)
    assert changed == SavedSearch(first.id, "A", "x", (), "carol", 7)
    assert await searches.all() == [changed, second]
    assert await searches.delete(first.id) == changed
    assert await searches.all() == [second]
    with pytest.raises(NotFoundError):
        await searches.change(first.id, "A", "x", (), "carol", 8)
    with pytest.raises(NotFoundError):
        await searches.delete(first.id)


async def test_searches_and_queries_are_kept_apart(store: SqlStateStore) -> None:
    searches, queries = SavedSearches(store), SavedSearches(store, "promql")
    search = await searches.add("Errors", "level:error", (), "alice", 5)
    query = await queries.add("Down", "up == 0", (), "bob", 6)
    assert (await searches.all(), await queries.all()) == ([search], [query])
    with pytest.raises(NotFoundError):
        await searches.delete(query.id)
    with pytest.raises(NotFoundError):
        await queries.change(search.id, "A", "up", (), "carol", 7)
    assert await queries.delete(query.id) == query


async def test_there_is_an_end_to_them(store: SqlStateStore) -> None:
    searches = SavedSearches(store)

    def fill(tx: StateTransaction) -> None:
        for number in range(MAX_SAVED):
            tx.saved_searches.put(SavedSearch(str(number), "n", "", (), "a", 1))

    await store.write(fill)
    with pytest.raises(RefusedError, match="500 searches"):
        await searches.add("one more", "", (), "a", 2)
