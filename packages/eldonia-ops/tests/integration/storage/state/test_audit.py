"""The audit log on both databases."""

from eldonia_ops.access.audit import field_changes
from eldonia_ops.model.audit import AuditQuery
from eldonia_ops.services.audit import AuditLog
from eldonia_ops.storage.state import SqlStateStore


async def test_entries_are_found_newest_first(store: SqlStateStore) -> None:
    log = AuditLog(store)

    async def act(at: int, actor: str, kind: str, subject: str, action: str = "changed", changes=()) -> None:
        await log.record(
            at,
            actor_id=f"account:{actor}",
            actor=actor.title(),
            method="password",
            address="192.0.2.1",
            kind=kind,
            subject=subject,
            title=f"the {subject}",
            action=action,
            changes=changes,
        )

    changes = field_changes({"status": "open", "tags": ["a"]}, {"status": "解決", "tags": ["a", "b"]})
    await act(1, "yu", "incident", "INC-1", changes=changes)
    await act(2, "mika", "silence", "s1", "created")
    await act(3, "yu", "silence", "s1", "deleted")
    found = await log.find(AuditQuery())
    assert [one.at for one in found] == [3, 2, 1]
    assert found[2].changes == changes
    assert [one.at for one in await log.find(AuditQuery(actor="Yu"))] == [3, 1]
    assert [one.at for one in await log.find(AuditQuery(actor="account:mika"))] == [2]
    assert [one.at for one in await log.find(AuditQuery(kind="silence", subject="the s1", limit=1))] == [3]
    assert [one.at for one in await log.find(AuditQuery(before_id=found[0].id))] == [2, 1]
    assert [one.at for one in await log.find(AuditQuery(since=2, until=2))] == [2]
    assert (await store.write(lambda tx: tx.purge(3)))["audit"] == 2
    assert [one.at for one in await log.find(AuditQuery())] == [3]
