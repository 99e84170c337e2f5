"""What every repository promises, on both databases."""

from dataclasses import dataclass, replace
from typing import Any

import pytest
from sqlalchemy import text as sqltext

from eldonia_ops.alerting.dispatch import PutGroup
from eldonia_ops.alerting.group import AlertGroupState
from eldonia_ops.alerting.notification import LogEntry
from eldonia_ops.model.access import Role, Token
from eldonia_ops.model.alerts import Alert, LedgerEntry, Outgoing, OutgoingStatus, Silence
from eldonia_ops.model.incidents import ChecklistItem, Impact, Incident, IncidentStatus, Severity, TimelineEntry
from eldonia_ops.model.labels import Labels
from eldonia_ops.model.matchers import Matcher, MatchOp
from eldonia_ops.model.security import Finding, FindingStatus, SecurityEventType, SecuritySeverity
from eldonia_ops.ports import ConflictError, DueGroup, InboxItem
from eldonia_ops.storage.state import SqlStateStore, StateError, rows
from eldonia_ops.storage.state.committed import Committed

AWKWARD = "“引用” \\ ' \" ; -- \n\t 🜂 %s :x"


def alert(name: str, **labels: str) -> Alert:
    return Alert(Labels({"alertname": name, **labels}))


def outgoing(key: str, queue: str = "q", **fields: Any) -> Outgoing:
    base = Outgoing(0, key, "team", "slack", 0, queue, {"text": key})
    return replace(base, **fields)


def numbers(found: list[Incident]) -> list[int]:
    return [one.ordinal for one in found]


def incident(number: int, **fields: Any) -> Incident:
    base = Incident(f"id-{number}", number, "down", "", Severity.HIGH, IncidentStatus.OPEN, "shop", version=1)
    return replace(base, **fields)


def awkward_alert() -> Alert:
    """One with a value in each field, hard to store."""
    return Alert(
        Labels({"alertname": "HighErrorRate", "path": AWKWARD}),
        Labels({"summary": AWKWARD}),
        starts_at=1_700_000_000_123,
        ends_at=253_402_300_799_000,
        updated_at=5,
        generator_url="http://x/?q=1",
        source="rule",
        evidence={"value": 0.25, "ids": [1, 2**62], "none": None, "nested": {"a": [True, "é"]}},
    )


async def test_alerts_come_back_as_they_were(store: SqlStateStore) -> None:
    full = awkward_alert()
    await store.write(lambda t: t.alerts.put(full))
    assert await store.read(lambda t: t.alerts.get(full.fingerprint)) == full
    newer = replace(full, ends_at=9, evidence={})
    await store.write(lambda t: t.alerts.put(newer))
    assert await store.read(lambda t: t.alerts.all()) == [newer]


async def test_the_inbox_keeps_what_came_until_it_is_removed(store: SqlStateStore) -> None:
    full = awkward_alert()
    items = [InboxItem(0, 7, (full, alert("b"))), InboxItem(0, 6, (alert("c"),))]
    ids = await store.write(lambda t: t.inbox.append(items))
    assert await store.read(lambda t: t.inbox.all()) == [
        replace(item, id=id) for item, id in zip(items, ids, strict=True)
    ]
    assert await store.write(lambda t: t.inbox.remove([ids[0], ids[0], 999_999])) == {ids[0]}
    assert await store.write(lambda t: t.inbox.remove([ids[0]])) == set()
    assert [item.alerts[0].name for item in await store.read(lambda t: t.inbox.all())] == ["c"]
    await store.write(lambda t: t.inbox.remove(ids))
    [later] = await store.write(lambda t: t.inbox.append(items[:1]))
    assert later > max(ids), "a number is never given twice"
    with pytest.raises(ValueError, match="assigns ids itself"):
        await store.write(lambda t: t.inbox.append([InboxItem(3, 7, (full,))]))


async def test_an_item_of_the_inbox_that_cannot_be_read_keeps_no_other(store: SqlStateStore) -> None:
    ids = await store.write(lambda t: t.inbox.append([InboxItem(0, n, (alert(f"a{n}"),)) for n in range(2)]))
    with store._backend.writer.begin() as connection:
        connection.exec_driver_sql(f"UPDATE alert_inbox SET alerts = '[oops' WHERE id = {ids[0]}")
    assert [item.id for item in await store.read(lambda t: t.inbox.all())] == ids[1:]


async def test_the_version_of_alerts_rises_with_each_transaction_that_changes_them(store: SqlStateStore) -> None:
    first = await store.read(lambda t: t.alerts.version())
    await store.write(lambda t: t.alerts.put(alert("a")))
    second = await store.read(lambda t: t.alerts.version())
    await store.write(lambda t: t.alerts.some(["x"]))
    assert await store.read(lambda t: t.alerts.version()) == second > first
    await store.write(lambda t: t.alerts.delete([alert("a").fingerprint]))
    assert await store.read(lambda t: t.alerts.version()) > second


async def test_alerts_are_forgotten_by_fingerprint(store: SqlStateStore) -> None:
    some = [alert("a", n=str(n)) for n in range(1_200)]
    await store.write(lambda t: [t.alerts.put(one) for one in some])
    await store.write(lambda t: t.alerts.delete([one.fingerprint for one in some[1:]] + ["ffff"]))
    assert await store.read(lambda t: t.alerts.all()) == some[:1]
    await store.write(lambda t: t.alerts.delete([]))
    assert len(await store.read(lambda t: t.alerts.all())) == 1


async def test_alerts_are_found_by_what_a_step_touches(store: SqlStateStore) -> None:
    some = [replace(alert("a", n=str(n), service=AWKWARD if n % 2 else "shop"), ends_at=n) for n in range(10)]
    some.append(replace(alert("quoting", note='"service":"shop"', team="SHOP"), ends_at=9))
    await store.write(lambda t: t.alerts.put(*some))

    def found(work: Any) -> Any:
        return store.read(lambda t: sorted(one.ends_at for one in work(t.alerts)))

    wanted = [some[2].fingerprint, "ffff", some[7].fingerprint]
    assert await found(lambda alerts: alerts.some(wanted)) == [2, 7]
    assert await found(lambda alerts: alerts.some([])) == []
    assert await found(lambda alerts: alerts.ended(2, 4)) == [3, 4]
    assert await found(lambda alerts: alerts.firing(5, [{"service": "shop"}])) == [6, 8]
    assert await found(lambda alerts: alerts.firing(5, [{"service": "shop", "n": "6"}])) == [6]
    assert await found(lambda alerts: alerts.firing(5, [{"service": AWKWARD}, {"n": "8"}])) == [7, 8, 9]
    assert await found(lambda alerts: alerts.firing(7, [{}])) == [8, 9, 9]
    assert await found(lambda alerts: alerts.firing(0, [{"team": "shop"}, {"note": "%"}])) == []
    assert await found(lambda alerts: alerts.firing(0, [])) == []
    assert await store.read(lambda t: (t.alerts.next_end(4), t.alerts.next_end(9))) == (5, None)
    assert await store.read(lambda t: [t.alerts.count(now) for now in (-1, 0, 4, 9)]) == [11, 10, 6, 0]


@dataclass(frozen=True, slots=True)
class Member:
    at: int
    value: float


@dataclass(frozen=True, slots=True)
class Machine:
    members: dict[str, Member]
    names: tuple[str, ...] = ()
    note: str | None = None


async def test_machine_states_are_loaded_by_key(store: SqlStateStore) -> None:
    one, other = Machine({}, ("one",)), Machine({}, ("other",))

    def save(t: Any) -> None:
        t.machines.save_all("group", {"a": (one, 30), "b": (other, 10), "c": (one, None), "d": (one, 31)})
        t.machines.save_all("group", {"a": (other, 20), "e": (one, 30)})
        t.machines.save_all("rule", {"a": (one, 1)})
        t.machines.save_all("rule", {})

    await store.write(save)
    assert await store.read(lambda t: t.machines.load_some("group", ["c", "a", "x"], Machine)) == {"a": other, "c": one}
    assert await store.read(lambda t: t.machines.load_some("group", [], Machine)) == {}


async def test_machine_states_are_restored_with_their_types(store: SqlStateStore) -> None:
    state = Machine({"b": Member(1, 0.5), "a": Member(2, float("inf")), AWKWARD: Member(3, 4.0)}, ("x", "y"))
    await store.write(lambda t: t.machines.save("rule", "g/1", state, deadline=500))
    assert await store.read(lambda t: t.machines.load("rule", "g/1", Machine)) == state
    assert await store.read(lambda t: t.machines.load("rule", "g/2", Machine)) is None
    assert await store.read(lambda t: t.machines.load_all("rule", Machine)) == {"g/1": state}
    assert await store.read(lambda t: t.machines.load_all("group", Machine)) == {}


async def test_the_next_deadline_is_the_earliest_of_its_kind(store: SqlStateStore) -> None:
    def prepare(t: Any) -> None:
        t.machines.save("rule", "a", Machine({}), deadline=300)
        t.machines.save("rule", "b", Machine({}), deadline=200)
        t.machines.save("rule", "c", Machine({}))
        t.machines.save("group", "a", Machine({}), deadline=100)

    await store.write(prepare)
    assert await store.read(lambda t: t.machines.next_deadline("rule")) == 200
    await store.write(lambda t: t.machines.delete("rule", "b"))
    assert await store.read(lambda t: t.machines.next_deadline("rule")) == 300
    await store.write(lambda t: t.machines.save("rule", "a", Machine({})))
    assert await store.read(lambda t: t.machines.next_deadline("rule")) is None
    assert await store.read(lambda t: t.machines.next_deadline("group")) == 100


@pytest.mark.parametrize("damage", ["x{", '{"members":3}', '"' + "[" * 5_000])
async def test_a_state_that_cannot_be_read_is_named_and_its_neighbours_are_read(
    store: SqlStateStore, damage: str, caplog: pytest.LogCaptureFixture
) -> None:
    def prepare(t: Any) -> None:
        t.machines.save("rule", "bad", Machine({}))
        t.machines.save("rule", "good", Machine({}))

    await store.write(prepare)
    await break_rows(store, "machines", "state", damage, "key")
    assert await store.read(lambda t: t.machines.load("rule", "bad", Machine)) is None
    assert await store.read(lambda t: t.machines.load_all("rule", Machine)) == {"good": Machine({})}
    assert await store.read(lambda t: t.machines.load_some("rule", ["bad", "good"], Machine)) == {"good": Machine({})}
    await store.write(lambda t: t.machines.save("rule", "bad", Machine({})))
    assert len(await store.read(lambda t: t.machines.load_all("rule", Machine))) == 2


async def break_rows(store: SqlStateStore, table: str, column: str, text: str, by: str) -> None:
    """Damage the row that ``bad`` names. What the store remembers of rows is not asked any more, as after a start."""

    def work(tx: Any) -> None:
        sql = f"UPDATE {table} SET {column} = :text WHERE {by} = 'bad'"
        assert tx.alerts._connection.execute(sqltext(sql), {"text": text}).rowcount == 1

    await store.write(work)
    store._committed = Committed()


@pytest.mark.parametrize(
    ("table", "column", "text", "by"),
    [
        ("alerts", "labels", "{bad", "source"),
        ("alerts", "labels", '{"a":[1]}', "source"),
        ("alerts", "evidence", "[]", "source"),
        ("silences", "matchers", '[["a"', "id"),
        ("silences", "matchers", '[["a","=~","("]]', "id"),
        ("silences", "matchers", '[["a","~~","b"]]', "id"),
        ("incidents", "checklist", "x{", "id"),
        ("incidents", "status", "lost", "id"),
        ("incidents", "impact", "[" * 50_000, "id"),
        ("outbox", "payload", "x{", "idempotency_key"),
        ("outbox", "fingerprints", "{}", "idempotency_key"),
        ("ledger", "data", "x{", "alertname"),
        ("findings", "evidence", "x{", "id"),
        ("findings", "type", "x", "id"),
        ("tokens", "role", "emperor", "id"),
        ("timeline", "data", "x{", "actor"),
    ],
)
async def test_a_row_that_cannot_be_read_is_named_and_its_neighbours_are_read(
    store: SqlStateStore, table: str, column: str, text: str, by: str, caplog: pytest.LogCaptureFixture
) -> None:
    rows._left_out.clear()
    matchers = (Matcher("a", MatchOp.EQUAL, "b"),)

    def prepare(t: Any) -> None:
        for number, name in enumerate(("bad", "good"), 1):
            t.alerts.put(replace(alert(name), source=name))
            t.silences.put(Silence(name, matchers, 0, 10, name, "", 0))
            t.incidents.put(replace(incident(number), id=name))
            t.outbox.add(outgoing(name, name))
            t.ledger.append(LedgerEntry(0, 5, "", name, "", "sent", ""))
            t.findings.put(replace(finding(name), id=name))
            t.tokens.add(Token(name, name, Role.VIEWER, name, 0))
        for name in ("bad", "good"):
            t.timeline.append(TimelineEntry(0, "good", 5, "note", name, {}))

    await store.write(prepare)
    await break_rows(store, table, column, text, by)

    def read(t: Any) -> dict[str, list[str]]:
        return {
            "alerts": [one.source for one in t.alerts.all()],
            "silences": [one.id for one in t.silences.all()],
            "incidents": [one.id for one in t.incidents.find()],
            "open": [one.id for one in t.incidents.open() if one.id == "good"],
            "outbox": [one.idempotency_key for one in t.outbox.find()],
            "due": [one.idempotency_key for one in t.outbox.due(10) if one.idempotency_key == "good"],
            "ledger": [one.alertname for one in t.ledger.find()],
            "findings": [one.id for one in t.findings.find()],
            "tokens": [one.id for one in t.tokens.all()],
            "timeline": [one.actor for one in t.timeline.of("good")],
        }

    for _ in range(2):
        found = await store.read(read)
        assert found.pop(table) == ["good"]
        assert [name for name, those in found.items() if "good" not in those] == []
    (logged,) = [record.getMessage() for record in caplog.records]
    assert "cannot be read and is left out" in logged
    # What comes under its key takes its place.
    if table in {"alerts", "silences", "findings"}:
        await store.write(
            lambda t: (
                t.alerts.put(replace(alert("bad"), source="bad")),
                t.silences.put(Silence("bad", matchers, 0, 10, "", "", 0)),
                t.findings.put(replace(finding("bad"), id="bad")),
            )
        )
        assert sorted((await store.read(read))[table]) == ["bad", "good"]


async def test_an_idempotency_key_is_taken_once(store: SqlStateStore) -> None:
    assert await store.write(lambda t: t.outbox.add(outgoing("k1"))) is True
    assert await store.write(lambda t: t.outbox.add(outgoing("k1", "other"))) is False
    assert await store.write(lambda t: (t.outbox.add(outgoing("k2")), t.outbox.add(outgoing("k2")))) == (True, False)
    assert [row.idempotency_key for row in await store.read(lambda t: t.outbox.find())] == ["k2", "k1"]


async def test_the_outbox_keeps_each_queue_in_order(store: SqlStateStore) -> None:
    def fill(t: Any) -> None:
        t.outbox.add(outgoing("a1", "a", next_attempt_at=50))
        t.outbox.add(outgoing("a2", "a", next_attempt_at=10))
        t.outbox.add(outgoing("b1", "b", next_attempt_at=20))
        t.outbox.add(outgoing("b2", "b", next_attempt_at=20))

    await store.write(fill)

    async def due(now: int) -> list[str]:
        return [row.idempotency_key for row in await store.read(lambda t: t.outbox.due(now))]

    assert await store.read(lambda t: t.outbox.next_attempt_at()) == 20
    assert await due(19) == []
    assert await due(20) == ["b1"]
    assert await due(50) == ["a1", "b1"]
    assert [row.id for row in await store.read(lambda t: t.outbox.due(50, limit=1))] == [1]
    first = (await store.read(lambda t: t.outbox.due(50)))[0]
    done = replace(first, status=OutgoingStatus.DELIVERED, attempts=1, finished_at=51, last_error=AWKWARD)
    await store.write(lambda t: t.outbox.update(done))
    assert await due(50) == ["a2", "b1"]
    assert await store.read(lambda t: t.outbox.next_attempt_at()) == 10
    assert await store.read(lambda t: t.outbox.get(done.id)) == done
    assert await store.read(lambda t: t.outbox.find(status=OutgoingStatus.DELIVERED)) == [done]
    assert len(await store.read(lambda t: t.outbox.find(status=OutgoingStatus.PENDING, limit=2))) == 2


async def test_one_integration_with_a_backlog_does_not_fill_what_is_due(store: SqlStateStore) -> None:
    def fill(t: Any) -> None:
        for number in range(5):
            t.outbox.add(outgoing(f"busy-{number}", f"busy-{number}", receiver="busy", next_attempt_at=10))
        t.outbox.add(outgoing("quiet", "quiet", receiver="quiet", next_attempt_at=10))
        t.outbox.add(outgoing("later", "later", receiver="quiet", next_attempt_at=30))

    await store.write(fill)

    def due(now: int, **limits: int) -> Any:
        return store.read(lambda t: [row.idempotency_key for row in t.outbox.due(now, **limits)])

    assert await due(10, limit=5) == [f"busy-{number}" for number in range(5)]
    assert await due(10, limit=5, each=2) == ["busy-0", "busy-1", "quiet"]
    assert await due(30, limit=9, each=1) == ["busy-0", "quiet"]
    assert await due(30, limit=1, each=2) == ["busy-0"]
    assert await store.read(lambda t: (t.outbox.next_attempt_at(after=9), t.outbox.next_attempt_at(after=10))) == (
        10,
        30,
    )
    assert await store.read(lambda t: t.outbox.next_attempt_at(after=30)) is None
    assert await store.read(lambda t: t.outbox.count(OutgoingStatus.PENDING)) == 7
    assert await store.read(lambda t: t.outbox.count(OutgoingStatus.FAILED)) == 0


async def test_rows_of_a_storm_are_added_at_once_and_known_ones_passed_over(store: SqlStateStore) -> None:
    await store.write(lambda t: t.outbox.add(outgoing("b")))
    rows = [outgoing("c", last_error="first"), outgoing("b"), outgoing("a"), outgoing("c", last_error="second")]
    added = await store.write(lambda t: t.outbox.add_all(rows))
    assert added == [rows[0], rows[2]]
    assert [row.idempotency_key for row in await store.read(lambda t: t.outbox.find())] == ["a", "c", "b"]
    assert await store.write(lambda t: t.outbox.add_all(rows)) == []
    assert await store.write(lambda t: t.outbox.add_all([])) == []
    with pytest.raises(ValueError, match="assigns ids itself"):
        await store.write(lambda t: t.outbox.add_all([replace(outgoing("x"), id=7)]))


async def test_what_was_queued_a_moment_ago_needs_not_be_read(store: SqlStateStore) -> None:
    rows = [outgoing("k\0ey", "a"), outgoing("b", "b", fingerprints=("f1", "f2"), urgent=True)]
    await store.write(lambda t: t.outbox.add_all(rows))
    pending = await store.read(lambda t: t.outbox.pending())
    kept = await store.read(lambda t: t.outbox.take_kept(pending))
    assert [row.id for row in pending] == [1, 2]
    assert kept[-1] == (await store.read(lambda t: t.outbox.some([2])))[0]
    assert await store.read(lambda t: t.outbox.take_kept(pending)) == [], "each is handed out once"


async def test_what_was_rolled_back_is_not_kept(store: SqlStateStore) -> None:
    def work(t: Any) -> None:
        t.outbox.add_all([outgoing("a")])
        raise ValueError("rolled back")

    with pytest.raises(ValueError, match="rolled back"):
        await store.write(work)
    await store.write(lambda t: t.outbox.add(outgoing("a", "another")))
    pending = await store.read(lambda t: t.outbox.pending())
    assert await store.read(lambda t: t.outbox.take_kept(pending)) == []


async def test_what_passes_changes_a_group_and_leaves_the_rest(store: SqlStateStore) -> None:
    before = AlertGroupState("k", "gk", "r", "team", {"a": "b"}, ("f1",), created_at=1, flush_at=2, cause="Down")
    after = replace(before, flush_at=9, flushed_at=3, log={"team/webhook/0": LogEntry(("f1",), (), 3)}, urgent=True)
    await store.write(lambda t: t.groups.put([PutGroup(before, joined=("f1",))]))
    await store.write(lambda t: t.groups.put([PutGroup(after, progress_only=True)]))
    assert await store.read(lambda t: t.groups.all()) == {"k": after}


async def test_an_empty_outbox_has_no_next_attempt(store: SqlStateStore) -> None:
    assert await store.read(lambda t: t.outbox.next_attempt_at()) is None
    assert await store.read(lambda t: t.outbox.due(2**60)) == []
    with pytest.raises(ConflictError, match="no row 7"):
        await store.write(lambda t: t.outbox.update(replace(outgoing("x"), id=7)))
    with pytest.raises(ValueError, match="assigns ids"):
        await store.write(lambda t: t.outbox.add(replace(outgoing("x"), id=7)))


async def test_the_ledger_answers_newest_first(store: SqlStateStore) -> None:
    lines = [
        LedgerEntry(0, at, fingerprint, name, "team", "silenced", AWKWARD, {"silence": "s1"})
        for at, fingerprint, name in [(10, "f1", "A"), (20, "f2", "A"), (30, "f1", "B")]
    ]
    await store.write(lambda t: (t.ledger.append(*lines), t.ledger.append()))

    async def times(**conditions: Any) -> list[int]:
        return [line.at for line in await store.read(lambda t: t.ledger.find(**conditions))]

    assert await times() == [30, 20, 10]
    assert await times(fingerprint="f1") == [30, 10]
    assert await times(alertname="A", since=15) == [20]
    assert await times(limit=1) == [30]
    newest = (await store.read(lambda t: t.ledger.find(limit=1)))[0]
    assert replace(newest, id=0) == lines[2]


async def test_silences_come_back_with_working_matchers(store: SqlStateStore) -> None:
    matchers = (Matcher("service", MatchOp.REGEX, "sh.*|\\d+"), Matcher("x", MatchOp.NOT_EQUAL, AWKWARD))
    silence = Silence("s1", matchers, 10, 20, "hana", AWKWARD, 5)
    await store.write(lambda t: t.silences.put(silence))
    found = await store.read(lambda t: t.silences.get("s1"))
    assert found == silence
    assert found is not None
    assert found.matchers[0].matches({"service": "shop"})
    expired = replace(silence, ends_at=11)
    await store.write(lambda t: t.silences.put(expired))
    assert await store.read(lambda t: t.silences.all()) == [expired]
    assert await store.read(lambda t: t.silences.get("s2")) is None


async def test_incidents_come_back_as_they_were(store: SqlStateStore) -> None:
    full = incident(
        1,
        description=AWKWARD,
        checklist=(ChecklistItem("check.logs", "initial", 5, "hana"), ChecklistItem("restart", "recover")),
        fingerprints=("a", "b"),
        firing=("a",),
        impact=Impact(12, 3.5, AWKWARD),
        postmortem="# 振り返り\n",
        created_at=100,
        reopened_at=7,
        recovered_at=8,
        held_by="hana",
    )
    await store.write(lambda t: t.incidents.put(full))
    assert await store.read(lambda t: t.incidents.get("id-1")) == full
    assert await store.read(lambda t: t.incidents.by_ordinal(1)) == full
    assert await store.read(lambda t: t.incidents.by_ordinal(2)) is None


async def test_an_incident_is_not_overwritten_unseen(store: SqlStateStore) -> None:
    await store.write(lambda t: t.incidents.put(incident(1)))
    await store.write(lambda t: t.incidents.put(incident(1, version=2, assigned_to="hana")))
    for version in (1, 2, 4):
        with pytest.raises(ConflictError, match="at version 2"):
            await store.write(lambda t, version=version: t.incidents.put(incident(1, version=version)))
    stored = await store.read(lambda t: t.incidents.get("id-1"))
    assert stored is not None
    assert (stored.version, stored.assigned_to) == (2, "hana")
    with pytest.raises(ConflictError, match="not stored"):
        await store.write(lambda t: t.incidents.put(incident(2, version=5)))


async def test_incidents_are_listed_newest_first(store: SqlStateStore) -> None:
    statuses = [IncidentStatus.CLOSED, IncidentStatus.RESOLVED, IncidentStatus.OPEN, IncidentStatus.ESCALATED]
    some = [
        incident(number, status=status, created_at=number * 10, service="shop" if number % 2 else "pay")
        for number, status in enumerate(statuses, start=1)
    ]
    await store.write(lambda t: [t.incidents.put(one) for one in some])

    assert numbers(await store.read(lambda t: t.incidents.open())) == [4, 3]
    assert await store.read(lambda t: t.incidents.count_open()) == (2, 2)
    await store.write(lambda t: t.incidents.put(replace(some[2], acknowledged_at=40, version=2)))
    assert await store.read(lambda t: t.incidents.count_open()) == (2, 1)
    assert numbers(await store.read(lambda t: t.incidents.unclosed())) == [4, 3, 2]
    assert numbers(await store.read(lambda t: t.incidents.find())) == [4, 3, 2, 1]
    assert numbers(await store.read(lambda t: t.incidents.find(service="shop", since=20))) == [3]
    assert numbers(await store.read(lambda t: t.incidents.find(statuses=statuses[:2], limit=1))) == [2]


async def test_incidents_resolved_long_ago_are_left_out_unless_an_alert_still_fires(store: SqlStateStore) -> None:
    def put(t: Any) -> None:
        t.incidents.put(incident(1, status=IncidentStatus.RESOLVED, resolved_at=100))
        t.incidents.put(incident(2, status=IncidentStatus.RESOLVED, resolved_at=100, firing=("f1",)))
        t.incidents.put(incident(3, status=IncidentStatus.RESOLVED, resolved_at=200))
        t.incidents.put(incident(4, status=IncidentStatus.OPEN))
        t.incidents.put(incident(5, status=IncidentStatus.CLOSED, resolved_at=200))

    await store.write(put)
    assert await store.read(lambda t: [one.ordinal for one in t.incidents.unclosed(200)]) == [4, 3, 2]
    assert await store.read(lambda t: [one.ordinal for one in t.incidents.unclosed()]) == [4, 3, 2, 1]


async def test_ordinals_are_given_back_when_the_work_fails(store: SqlStateStore) -> None:
    assert await store.read(lambda t: t.incidents.last_ordinal()) == 0
    assert await store.write(lambda t: (t.incidents.next_ordinal(), t.incidents.next_ordinal())) == (1, 2)

    def fail(t: Any) -> None:
        assert t.incidents.next_ordinal() == 3
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await store.write(fail)
    assert await store.write(lambda t: t.incidents.next_ordinal()) == 3
    assert await store.write(lambda t: t.incidents.next_ordinals(3)) == range(4, 7)
    assert await store.read(lambda t: t.incidents.last_ordinal()) == 6


async def test_incidents_of_a_storm_are_stored_at_once(store: SqlStateStore) -> None:
    services = ["shop", "payment", "nul\0"]
    await store.write(lambda t: t.incidents.add([incident(n, service=services[n % 3]) for n in range(6)]))
    assert numbers(await store.read(lambda t: t.incidents.unclosed(0, ["shop"]))) == [3, 0]
    assert numbers(await store.read(lambda t: t.incidents.unclosed(0, ["nul\0", "payment"]))) == [5, 4, 2, 1]
    many = ["shop", *(f"service {n}" for n in range(600))]
    assert numbers(await store.read(lambda t: t.incidents.unclosed(0, many))) == [3, 0]
    assert await store.read(lambda t: t.incidents.unclosed(0, [])) == []
    await store.write(lambda t: t.incidents.put(incident(1, service="payment", version=2)))
    with pytest.raises(ConflictError, match="not a new one"):
        await store.write(lambda t: t.incidents.add([incident(7), incident(8, version=2)]))
    assert await store.read(lambda t: t.incidents.get("id-7")) is None
    newer = [incident(n, service="payment", title="newer", version=2) for n in (2, 4)]
    await store.write(lambda t: (t.incidents.put_all(newer), t.incidents.put_all([])))
    assert [one.title for one in await store.read(lambda t: t.incidents.unclosed())] == [
        "down", "newer", "down", "newer", "down", "down",
    ]  # fmt: skip
    with pytest.raises(ConflictError, match="1 of 2 incidents"):
        await store.write(lambda t: t.incidents.put_all([replace(newer[0], version=3), newer[1]]))
    assert (await store.read(lambda t: t.incidents.get("id-2"))) == newer[0]


async def test_a_timeline_is_in_order_and_repeats_nothing(store: SqlStateStore) -> None:
    def fill(t: Any) -> list[bool]:
        added = [  # the entries may come before their incident within one transaction
            t.timeline.append(TimelineEntry(0, "id-1", 20, "alert.firing", data={"v": AWKWARD}, key="k")),
            t.timeline.append(TimelineEntry(0, "id-1", 10, "incident.opened")),
            t.timeline.append(TimelineEntry(0, "id-1", 10, "note", "hana")),
            t.timeline.append(TimelineEntry(0, "id-1", 30, "alert.firing", key="k")),
            t.timeline.append(TimelineEntry(0, "id-2", 30, "alert.firing", key="k")),
        ]
        t.incidents.put(incident(1))
        t.incidents.put(incident(2))
        return added

    assert await store.write(fill) == [True, True, True, False, True]
    entries = await store.read(lambda t: t.timeline.of("id-1"))
    assert [(entry.at, entry.kind, entry.actor) for entry in entries] == [
        (10, "incident.opened", "system"),
        (10, "note", "hana"),
        (20, "alert.firing", "system"),
    ]
    assert entries[2].data == {"v": AWKWARD}


async def test_entries_of_many_timelines_are_appended_at_once(store: SqlStateStore) -> None:
    entries = [TimelineEntry(0, f"id-{n % 2}", n, "note", key=key) for n, key in enumerate(["k", "k", "", "k", ""])]
    await store.write(lambda t: t.incidents.add([incident(0), incident(1)]))
    for _ in range(2):
        await store.write(lambda t: t.timeline.append_all(entries))
    await store.write(lambda t: t.timeline.append_all([]))
    assert [one.at for one in await store.read(lambda t: t.timeline.of("id-0"))] == [0, 2, 2, 4, 4]
    assert [one.at for one in await store.read(lambda t: t.timeline.of("id-1"))] == [1]


async def test_a_timeline_belongs_to_an_incident(store: SqlStateStore) -> None:
    with pytest.raises(StateError, match=r"(?i)foreign key"):
        await store.write(lambda t: t.timeline.append(TimelineEntry(0, "nobody", 1, "note")))


def finding(name: str, **fields: Any) -> Finding:
    base = Finding(
        name,
        SecurityEventType.FAILED_LOGIN,
        SecuritySeverity.HIGH,
        "203.0.113.9",
        "shop",
        FindingStatus.OPEN,
        opened_at=100,
        last_event_at=120,
        count=6,
        threshold=5,
        window_ms=300_000,
        evidence=({"id": "e1", "path": AWKWARD}, {"id": "e2"}),
    )
    return replace(base, **fields)


async def test_findings(store: SqlStateStore) -> None:
    first = finding("f1")
    second = finding("f2", opened_at=200, type=SecurityEventType.XSS_ATTEMPT, status=FindingStatus.RESOLVED)
    await store.write(lambda t: [t.findings.put(one) for one in (first, second)])
    assert await store.read(lambda t: t.findings.get("f1")) == first
    assert await store.read(lambda t: t.findings.find()) == [second, first]
    assert await store.read(lambda t: t.findings.find(statuses=[FindingStatus.OPEN])) == [first]
    assert await store.read(lambda t: t.findings.find(types=[SecurityEventType.XSS_ATTEMPT], since=150)) == [second]
    judged = replace(first, status=FindingStatus.FALSE_POSITIVE, changed_by="hana", note=AWKWARD)
    await store.write(lambda t: t.findings.put(judged))
    assert await store.read(lambda t: t.findings.find(limit=5)) == [second, judged]


async def test_positions(store: SqlStateStore) -> None:
    path = "/var/log/\udce9tat.log"  # a file name that is not UTF-8
    assert await store.read(lambda t: t.positions.get(path)) is None
    await store.write(lambda t: t.positions.put(path, "8:1", 10))
    await store.write(lambda t: t.positions.put(path, "8:2", 2**40))
    assert await store.read(lambda t: t.positions.get(path)) == ("8:2", 2**40)


async def test_tokens(store: SqlStateStore) -> None:
    first = Token("t1", "ci", Role.INGEST, "d1", 100)
    second = Token("t2", AWKWARD, Role.ADMIN, "d2", 50)
    await store.write(lambda t: [t.tokens.add(one) for one in (first, second)])
    assert await store.read(lambda t: t.tokens.all()) == [second, first]
    await store.write(lambda t: [t.tokens.touch("t1", 300), t.tokens.touch("t1", 200)])
    assert await store.write(lambda t: t.tokens.revoke("t1", 400)) is True
    assert await store.write(lambda t: t.tokens.revoke("t1", 500)) is False
    assert await store.write(lambda t: t.tokens.revoke("t9", 500)) is False
    assert await store.read(lambda t: t.tokens.by_digest("d1")) == replace(first, last_used_at=300, revoked_at=400)
    assert await store.read(lambda t: t.tokens.by_digest("d9")) is None
    with pytest.raises(StateError, match=r"(?i)unique"):
        await store.write(lambda t: t.tokens.add(Token("t3", "again", Role.ADMIN, "d1", 1)))


async def test_purge_drops_only_what_is_old_and_finished(store: SqlStateStore) -> None:
    def fill(t: Any) -> None:
        for key, status, finished in [
            ("old", OutgoingStatus.DELIVERED, 50),
            ("failed", OutgoingStatus.FAILED, 60),
            ("new", OutgoingStatus.DELIVERED, 150),
            ("waiting", OutgoingStatus.PENDING, 0),
        ]:
            t.outbox.add(outgoing(key, status=status, finished_at=finished))
        for at in (10, 20, 100):
            t.ledger.append(LedgerEntry(0, at, "f", "A", "team", "sent", ""))
        t.silences.put(Silence("old", (), 0, 99, "", ""))
        t.silences.put(Silence("new", (), 0, 100, "", ""))
        t.incidents.put(incident(1, status=IncidentStatus.CLOSED, closed_at=50, postmortem="kept"))
        t.incidents.put(incident(2))
        for name in ("id-1", "id-2"):
            t.timeline.append(TimelineEntry(0, name, 1, "note"))
        t.findings.put(finding("open", last_event_at=1))
        t.findings.put(finding("settled", status=FindingStatus.RESOLVED, last_event_at=1, updated_at=2))
        t.tokens.add(Token("gone", "", Role.ADMIN, "d1", 0, 0, revoked_at=5))
        t.tokens.add(Token("live", "", Role.ADMIN, "d2", 0))

    await store.write(fill)
    dropped = await store.write(lambda t: t.purge(100))
    assert dropped == {
        "outbox": 2,
        "ledger": 2,
        "silences": 1,
        "timeline": 1,
        "findings": 1,
        "tokens": 1,
        "account_links": 0,
        "changes": 0,
        "audit": 0,
    }

    def left(t: Any) -> tuple[Any, ...]:
        return (
            sorted(row.idempotency_key for row in t.outbox.find()),
            [line.at for line in t.ledger.find()],
            [silence.id for silence in t.silences.all()],
            [one.ordinal for one in t.incidents.find()],
            len(t.timeline.of("id-1")),
            len(t.timeline.of("id-2")),
            [one.id for one in t.findings.find()],
            [token.id for token in t.tokens.all()],
        )

    assert await store.read(left) == (["new", "waiting"], [100], ["new"], [2, 1], 0, 1, ["open"], ["live"])


async def test_purge_goes_in_small_steps_and_ids_are_not_used_again(store: SqlStateStore) -> None:
    await store.write(lambda t: [t.ledger.append(LedgerEntry(0, at, "f", "A", "r", "sent", "")) for at in range(5)])
    assert [(await store.write(lambda t: t.purge(5, limit=2)))["ledger"] for _ in range(4)] == [2, 2, 1, 0]
    await store.write(lambda t: t.ledger.append(LedgerEntry(0, 9, "f", "A", "r", "sent", "")))
    assert (await store.read(lambda t: t.ledger.find()))[0].id == 6


async def test_text_that_no_database_can_hold_is_mended(store: SqlStateStore) -> None:
    odd = replace(outgoing("k\x00\ud800"), last_error="a\x00b", payload={"text": "\ud800", "nul": "\x00"})
    assert await store.write(lambda t: t.outbox.add(odd))
    stored = (await store.read(lambda t: t.outbox.find()))[0]
    assert (stored.idempotency_key, stored.last_error) == ("k\ufffd\ufffd", "a\ufffdb")
    assert stored.payload["text"] == "\ufffd"
    assert await store.write(lambda t: t.outbox.add(odd)) is False


async def test_keys_that_no_database_could_hold_stay_what_they_are(store: SqlStateStore) -> None:
    keys = ["a\0", "a\ufffd", "a\ud800", "a\x1a0000", "a\x1a"]
    await store.write(lambda t: t.machines.save_all("odd\0", {key: ([key], None) for key in keys}))
    assert sorted(await store.read(lambda t: list(t.machines.load_all("odd\0", list)))) == sorted(keys)
    await store.write(lambda t: t.machines.delete("odd\0", "a\0"))
    assert sorted(await store.read(lambda t: list(t.machines.load_all("odd\0", list)))) == sorted(keys[1:])


async def test_alert_groups_hold_their_alerts_in_rows(store: SqlStateStore) -> None:
    def group(key: str, flush_at: int, *fingerprints: str, **fields: Any) -> AlertGroupState:
        return AlertGroupState(key, f"g{key}", "0", "team", {"a": key}, fingerprints, 1, flush_at, **fields)

    one = group("a\0", 10, "1", "2", verdicts={"1": {"team/0": "sent"}}, log={"team/0": LogEntry(("1",), (), 5)})
    two = group("b", 20, "2", urgent=True, cause="Down")
    await store.write(lambda t: t.groups.put([PutGroup(one, ("1", "2")), PutGroup(two, ("2",))]))
    assert await store.read(lambda t: t.groups.all()) == {"a\0": one, "b": two}
    shown = await store.read(lambda t: t.groups.some(["a\0", "b", "x"], ["2"]))
    assert shown == {"a\0": replace(one, fingerprints=("2",), verdicts={}), "b": two}
    changed = replace(one, fingerprints=("2", "3"), verdicts={"2": {"team/0": "sent"}}, flush_at=30)
    await store.write(lambda t: t.groups.put([PutGroup(changed, ("3",), ("1",), ("2",))]))
    assert await store.read(lambda t: t.groups.some(["a\0"])) == {"a\0": changed}
    due = await store.read(lambda t: t.groups.due(0, 30))
    assert due == [DueGroup("b", 20, True, "Down"), DueGroup("a\0", 30, False, "")]
    assert await store.read(lambda t: t.groups.due(20, 29)) == []
    assert await store.read(lambda t: [t.groups.next_deadline(at) for at in (0, 20, 30)]) == [20, 30, None]
    await store.write(lambda t: t.groups.delete(["b", "x"]))
    assert await store.read(lambda t: list(t.groups.all())) == ["a\0"]
    assert await store.write(lambda t: t.groups.drop_unreadable()) == []
