"""Whatever is done, in whatever order: both databases answer as a plain model in memory does."""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from eldonia_ops.model.alerts import Outgoing, OutgoingStatus
from eldonia_ops.model.incidents import Incident, IncidentStatus, Severity, TimelineEntry
from eldonia_ops.ports import ConflictError
from eldonia_ops.storage.state import SqlStateStore, open_state_store
from eldonia_ops.storage.state.tables import metadata

TIMES = st.integers(0, 30)


@dataclass
class Model:
    """What the repositories promise, in dictionaries."""

    outbox: list[Outgoing] = field(default_factory=list)
    machines: dict[tuple[str, str], tuple[Any, int | None]] = field(default_factory=dict)
    incidents: dict[str, Incident] = field(default_factory=dict)
    timeline: list[TimelineEntry] = field(default_factory=list)

    def apply(self, step: tuple[Any, ...]) -> Any:
        match step:
            case ("add", key, queue, at):
                if any(row.idempotency_key == key for row in self.outbox):
                    return False
                self.outbox.append(Outgoing(0, key, "r", "slack", 0, queue, {}, next_attempt_at=at))
                return True
            case ("due", now):
                return [row.idempotency_key for row in self.heads() if row.next_attempt_at <= now]
            case ("next",):
                return min((row.next_attempt_at for row in self.heads()), default=None)
            case ("finish", now, status):
                due = [row for row in self.heads() if row.next_attempt_at <= now]
                if due:
                    at = self.outbox.index(due[0])
                    self.outbox[at] = replace(due[0], status=status, finished_at=now)
                return len(due)
            case ("save", kind, key, deadline):
                self.machines[(kind, key)] = ({"key": key}, deadline)
                return None
            case ("forget", kind, key):
                self.machines.pop((kind, key), None)
                return None
            case ("deadline", kind):
                deadlines = [at for (of, _), (_, at) in self.machines.items() if of == kind and at is not None]
                return min(deadlines, default=None)
            case ("states", kind):
                return {key: state for (of, key), (state, _) in self.machines.items() if of == kind}
            case ("incident", number, version, status):
                stored = self.incidents.get(str(number))
                if version > 1 if stored is None else stored.version != version - 1:
                    return "conflict"
                self.incidents[str(number)] = incident(number, version, status)
                return "stored"
            case ("unclosed",):
                found = [one for one in self.incidents.values() if one.status is not IncidentStatus.CLOSED]
                return [one.ordinal for one in sorted(found, key=lambda one: -one.ordinal)]
            case ("entry", number, at, key):
                if str(number) not in self.incidents:
                    return "nobody"
                if key and any((one.incident_id, one.key) == (str(number), key) for one in self.timeline):
                    return False
                self.timeline.append(TimelineEntry(0, str(number), at, "note", key=key))
                return True
            case ("timeline", number):
                found = [one for one in self.timeline if one.incident_id == str(number)]
                return [(one.at, one.key) for one in sorted(found, key=lambda one: one.at)]
        raise AssertionError(step)

    def heads(self) -> list[Outgoing]:
        first: dict[str, Outgoing] = {}
        for row in self.outbox:
            if row.status is OutgoingStatus.PENDING:
                first.setdefault(row.order_key, row)
        return sorted(first.values(), key=self.outbox.index)


def incident(number: int, version: int, status: IncidentStatus) -> Incident:
    return Incident(str(number), number, "t", "", Severity.LOW, status, "s", version=version)


def perform(t: Any, step: tuple[Any, ...]) -> Any:
    """The same step on a real store."""
    match step:
        case ("add", key, queue, at):
            return t.outbox.add(Outgoing(0, key, "r", "slack", 0, queue, {}, next_attempt_at=at))
        case ("due", now):
            return [row.idempotency_key for row in t.outbox.due(now)]
        case ("next",):
            return t.outbox.next_attempt_at()
        case ("finish", now, status):
            due = t.outbox.due(now)
            if due:
                t.outbox.update(replace(due[0], status=status, finished_at=now))
            return len(due)
        case ("save", kind, key, deadline):
            return t.machines.save(kind, key, {"key": key}, deadline=deadline)
        case ("forget", kind, key):
            return t.machines.delete(kind, key)
        case ("deadline", kind):
            return t.machines.next_deadline(kind)
        case ("states", kind):
            return t.machines.load_all(kind, dict[str, str])
        case ("incident", number, version, status):
            try:
                t.incidents.put(incident(number, version, status))
            except ConflictError:
                return "conflict"
            return "stored"
        case ("unclosed",):
            return [one.ordinal for one in t.incidents.unclosed()]
        case ("entry", number, at, key):
            if t.incidents.get(str(number)) is None:
                return "nobody"
            return t.timeline.append(TimelineEntry(0, str(number), at, "note", key=key))
        case ("timeline", number):
            return [(one.at, one.key) for one in t.timeline.of(str(number))]
    raise AssertionError(step)


PLAIN = st.sampled_from(["a", "b", "c", "é'\"\\%s"])
STEPS = st.one_of(
    st.tuples(st.just("add"), st.text("kl", max_size=2), PLAIN, TIMES),
    st.tuples(st.just("due"), TIMES),
    st.tuples(st.just("next")),
    st.tuples(st.just("finish"), TIMES, st.sampled_from([OutgoingStatus.DELIVERED, OutgoingStatus.FAILED])),
    st.tuples(st.just("save"), st.sampled_from(["x", "y"]), PLAIN, st.none() | TIMES),
    st.tuples(st.just("forget"), st.sampled_from(["x", "y"]), PLAIN),
    st.tuples(st.just("deadline"), st.sampled_from(["x", "y"])),
    st.tuples(st.just("states"), st.sampled_from(["x", "y"])),
    st.tuples(st.just("incident"), st.integers(1, 3), st.integers(0, 4), st.sampled_from(IncidentStatus)),
    st.tuples(st.just("unclosed")),
    st.tuples(st.just("entry"), st.integers(1, 3), TIMES, st.sampled_from(["", "k"])),
    st.tuples(st.just("timeline"), st.integers(1, 3)),
)


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def runner(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Any, Any]]:
    """A loop and a store that live as long as the module: opening one for each example would take minutes."""
    if request.param == "sqlite":
        url = f"sqlite:///{Path(tmp_path_factory.mktemp('model')) / 'state.db'}"
    else:
        server = request.getfixturevalue("postgresql_server")
        server.execute("CREATE DATABASE model")
        url = server.url("model")
    with asyncio.Runner() as loop:
        store: SqlStateStore = loop.run(open_state_store(url))
        yield loop, store
        loop.run(store.close())


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.lists(STEPS, min_size=1, max_size=6), max_size=6))
def test_both_stores_answer_as_the_model(runner: tuple[Any, Any], transactions: list[list[tuple[Any, ...]]]) -> None:
    loop, store = runner

    def empty(t: Any) -> None:
        for table in reversed(metadata.sorted_tables):
            t.outbox._connection.execute(table.delete())

    loop.run(store.write(empty))
    model = Model()
    for steps in transactions:
        expected = [model.apply(step) for step in steps]
        assert loop.run(store.write(lambda t, steps=steps: [perform(t, step) for step in steps])) == expected
