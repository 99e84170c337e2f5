"""Dashboards with their versions, on both databases."""

import pytest

from eldonia_ops.dashboards.document import Dashboard
from eldonia_ops.dashboards.provided import NO_DASHBOARDS, Provided, ProvidedDashboards
from eldonia_ops.dashboards.reading import read_dashboard
from eldonia_ops.services.api import NotFoundError, PreconditionError, RefusedError
from eldonia_ops.services.dashboards.dashboards import DashboardService
from eldonia_ops.storage.state import SqlStateStore


def document(title: str, uid: str = "shop") -> Dashboard:
    return read_dashboard({"uid": uid, "title": title, "panels": [{"title": "売上"}]})


def anything(_text: str) -> bool:
    return True


async def test_each_save_is_a_version_that_can_come_back(store: SqlStateStore) -> None:
    service = DashboardService(store, lambda: NO_DASHBOARDS)
    first = await service.add(document("One"), "begun", "alice", 1)
    second = await service.save(document("Two"), "more", "bob", 2, lambda text: text == first.text)
    assert first.version is not None
    assert second.version is not None
    assert (first.version.version, second.version.version) == (1, 2)
    assert await service.get("shop") == second
    assert await service.save(document("Two"), "nothing new", "carol", 3, anything) == second
    listed, head = await service.versions("shop")
    assert [(one.version, one.saved_by, one.message, one.document) for one in listed] == [
        (2, "bob", "more", ""),
        (1, "alice", "begun", ""),
    ]
    assert (head.version, head.deleted_at) == (2, 0)
    restored = await service.restore("shop", 1, "dave", 4)
    assert restored.version is not None
    assert (restored.version.version, restored.dashboard) == (3, first.dashboard)
    assert [held.dashboard.title for held in await service.all()] == ["One"]


async def test_no_save_overwrites_what_its_author_has_not_read(store: SqlStateStore) -> None:
    service = DashboardService(store, lambda: NO_DASHBOARDS)
    first = await service.add(document("One"), "", "alice", 1)
    await service.save(document("Two"), "", "bob", 2, anything)
    with pytest.raises(PreconditionError, match="bob saved version 2"):
        await service.save(document("Three"), "", "carol", 3, lambda text: text == first.text)
    with pytest.raises(PreconditionError, match="bob"):
        await service.delete("shop", "carol", 3, lambda text: text == first.text)


async def test_a_deleted_one_comes_back(store: SqlStateStore) -> None:
    service = DashboardService(store, lambda: NO_DASHBOARDS)
    await service.add(document("One"), "", "alice", 1)
    assert (await service.delete("shop", "bob", 5, anything)).dashboard.title == "One"
    assert await service.all() == []
    with pytest.raises(NotFoundError):
        await service.get("shop")
    with pytest.raises(NotFoundError):
        await service.delete("shop", "bob", 6, anything)
    ((version, head),) = await service.deleted()
    assert (version.title, head.deleted_at, head.deleted_by) == ("One", 5, "bob")
    assert [one.version for one in (await service.versions("shop"))[0]] == [1]
    back = await service.restore("shop", 1, "carol", 7)
    assert back.version is not None
    assert (back.version.version, await service.deleted()) == (2, [])


async def test_a_uid_that_is_taken_becomes_another(store: SqlStateStore) -> None:
    files = ProvidedDashboards((Provided(document("File", "file"), "file", "/a.yml"),))
    service = DashboardService(store, lambda: files)
    await service.add(document("One"), "", "a", 1)
    other = await service.add(document("Two"), "", "a", 2)
    copy = await service.add(document("Copy", "file"), "", "a", 3)
    assert other.dashboard.uid.startswith("shop-")
    assert copy.dashboard.uid.startswith("file-")
    assert len(await service.all()) == 4
    for act in (
        service.save(document("x", "file"), "", "a", 4, anything),
        service.delete("file", "a", 4, anything),
        service.restore("file", 1, "a", 4),
        service.versions("file"),
    ):
        with pytest.raises(RefusedError, match="comes from"):
            await act


async def test_stars_are_of_one_person(store: SqlStateStore) -> None:
    service = DashboardService(store, lambda: NO_DASHBOARDS)
    await service.add(document("One"), "", "a", 1)
    for _ in range(2):
        await service.star("alice", "shop", True)
    assert (await service.stars("alice"), await service.stars("bob")) == ({"shop"}, set())
    await service.star("alice", "shop", False)
    assert await service.stars("alice") == set()
    with pytest.raises(NotFoundError):
        await service.star("alice", "nope", True)


async def test_old_versions_and_deleted_ones_are_forgotten(
    store: SqlStateStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("eldonia_ops.services.dashboards.dashboards.MAX_VERSIONS", 3)
    monkeypatch.setattr("eldonia_ops.services.dashboards.dashboards.MAX_DELETED", 1)
    monkeypatch.setattr("eldonia_ops.services.dashboards.dashboards.MAX_DASHBOARDS", 2)
    service = DashboardService(store, lambda: NO_DASHBOARDS)
    for number in range(5):
        await service.save(document(f"T{number}"), "", "a", number, anything)
    assert [one.version for one in (await service.versions("shop"))[0]] == [5, 4, 3]
    await service.add(document("B", "b"), "", "a", 6)
    with pytest.raises(RefusedError, match="2 dashboards"):
        await service.add(document("C", "c"), "", "a", 6)
    await service.delete("shop", "a", 7, anything)
    await service.delete("b", "a", 8, anything)
    assert [version.uid for version, _ in await service.deleted()] == ["b"]


async def test_one_that_cannot_be_read_stops_no_other(store: SqlStateStore) -> None:
    service = DashboardService(store, lambda: NO_DASHBOARDS)
    await service.add(document("One"), "", "a", 1)
    from eldonia_ops.model.stored_dashboard import DashboardVersion

    await store.write(lambda tx: tx.dashboards.put(DashboardVersion("odd", 1, '{"titel": 1}', "odd", 1, "a", "")))
    assert [held.dashboard.uid for held in await service.all()] == ["shop"]
