"""Entries are replaced by kind and name, and listed in their order."""

from eldonia_ops.model.index_catalog import CatalogEntry, EntryKind
from eldonia_ops.ports import StateTransaction
from eldonia_ops.storage.state import SqlStateStore


async def test_entries_by_kind_and_name(store: SqlStateStore) -> None:
    first = CatalogEntry(EntryKind.INDEX, "app", "{}", 1, 1)
    template = CatalogEntry(EntryKind.INDEX_TEMPLATE, "app", '{"a": "あ"}', 2, 2)
    changed = CatalogEntry(EntryKind.INDEX, "app", '{"b": 1}', 1, 3, 2)

    def work(tx: StateTransaction) -> None:
        tx.index_catalog.put(template, first)
        tx.index_catalog.put(changed)
        tx.index_catalog.put()

    assert await store.read(lambda tx: tx.index_catalog.stamp()) == (0, 0, 0)
    await store.write(work)
    assert await store.read(lambda tx: tx.index_catalog.stamp()) == (2, 3, 3)
    assert await store.read(lambda tx: tx.index_catalog.all()) == [changed, template]
    assert await store.read(lambda tx: tx.index_catalog.get(EntryKind.INDEX, "app")) == changed
    assert await store.read(lambda tx: tx.index_catalog.get(EntryKind.ALIAS, "app")) is None
    assert await store.read(lambda tx: tx.index_catalog.count(EntryKind.INDEX)) == 1
    assert await store.write(lambda tx: tx.index_catalog.delete(EntryKind.INDEX, "app"))
    assert not await store.write(lambda tx: tx.index_catalog.delete(EntryKind.INDEX, "app"))
    assert await store.read(lambda tx: tx.index_catalog.all()) == [template]
