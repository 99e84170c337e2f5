"""Deploys and other changes on both databases."""

import pytest

from eldonia_ops.model.change import Change, ChangeKind
from eldonia_ops.services.api import NotFoundError
from eldonia_ops.services.changes import Changes
from eldonia_ops.storage.state import SqlStateStore


async def test_changes_are_found_by_time_and_service_newest_first(store: SqlStateStore) -> None:
    changes = Changes(store)
    shop = await changes.record(10, "shop 2", "ci", service="shop", version="2", url="https://ci.test/2")
    rules = await changes.record(20, "新しいルール", "alice", kind=ChangeKind.CONFIGURATION)
    other = await changes.record(30, "bakery 7", "ci", service="bakery")
    assert shop == Change(shop.id, 10, ChangeKind.DEPLOY, "shop", "shop 2", "2", "https://ci.test/2", "ci")
    assert await changes.find(0, 100) == [other, rules, shop]
    assert await changes.find(10, 20) == [rules, shop]
    assert await changes.find(0, 100, "shop") == [rules, shop]
    assert await changes.find(0, 100, limit=1) == [other]
    assert await changes.delete(rules.id) == rules.id
    assert await changes.find(0, 100) == [other, shop]
    with pytest.raises(NotFoundError):
        await changes.delete(rules.id)


async def test_old_changes_are_purged(store: SqlStateStore) -> None:
    changes = Changes(store)
    for at in (1, 2, 3):
        await changes.record(at, "a", "ci")
    assert (await store.write(lambda tx: tx.purge(3, 1)))["changes"] == 1
    assert (await store.write(lambda tx: tx.purge(3)))["changes"] == 1
    assert [one.at for one in await changes.find(0, 9)] == [3]
