"""Rules of retention: what is due, and that it goes day by day, is noted, and does not stop at one that fails."""

from dataclasses import dataclass, field

import pytest
from fake_platform.state import FakeState
from hypothesis import given
from hypothesis import strategies as st

from eldonia_ops.model.logs import LogLevel, LogRecord
from eldonia_ops.ports import LogSize, TelemetryError
from eldonia_ops.search import Node
from eldonia_ops.services.audit import AuditLog
from eldonia_ops.services.logs.retention import EVERY_MS, FIRST_MS, LogRetention
from eldonia_ops.services.logs.retention_plan import DAY_MS, DAY_NS, due
from eldonia_ops.settings.log_retention import LogRetentionRule
from eldonia_ops.settings.units import DAY
from eldonia_ops.simulation.memory_stores import MemoryLogStore

NOW = 1_800_000_000_000
TODAY_NS = NOW // DAY_MS * DAY_NS
HOUR_NS = 3_600 * 10**9


def hours(*sizes: int) -> list[LogSize]:
    """Hours up to the present one, the oldest first, with ten bytes for a record."""
    last = NOW * 1_000_000 // HOUR_NS * HOUR_NS
    return [LogSize(last - (len(sizes) - 1 - n) * HOUR_NS, size // 10, size) for n, size in enumerate(sizes)]


def test_by_age_in_whole_days() -> None:
    sizes = [LogSize(TODAY_NS - day * DAY_NS, 1, 10) for day in (5, 4, 3, 2, 1, 0)]
    found = due(LogRetentionRule("a", keep=3 * DAY), sizes, NOW)
    assert (found.until_ns, found.due_records, found.records) == (TODAY_NS - 3 * DAY_NS, 2, 6)
    assert due(LogRetentionRule("a", keep=2 * DAY + 1), sizes, NOW).until_ns == TODAY_NS - 3 * DAY_NS, "rounded up"


def test_by_size_down_to_nine_tenths() -> None:
    rule = LogRetentionRule("a", max_size=1_000)
    assert due(rule, hours(100, 300, 300, 300), NOW).due_records == 0, "not more than it may be"
    found = due(rule, hours(100, 300, 300, 301), NOW)
    assert (found.due_records, found.due_bytes) == (40, 400)
    assert due(rule, [], NOW).due_records == 0
    assert due(rule, hours(5_000), NOW).due_records == 500, "one hour that is too much goes as a whole"


def test_the_stricter_of_age_and_size() -> None:
    both = LogRetentionRule("a", keep=DAY, max_size=100)
    sizes = [LogSize(TODAY_NS - 2 * DAY_NS, 5, 50), *hours(50, 50, 40)]
    assert due(both, sizes, NOW).due_records == 10


@given(st.lists(st.integers(0, 10_000), max_size=50), st.integers(1, 20_000), st.integers(0, 5))
def test_what_is_left_fits_and_no_more_goes_than_must(sizes: list[int], most: int, days: int) -> None:
    listed = hours(*sizes)
    rule = LogRetentionRule("a", keep=days * DAY, max_size=most)
    found = due(rule, listed, NOW)
    assert found.bytes - found.due_bytes <= most
    kept = [one for one in listed if one.start_ns >= found.until_ns]
    assert sum(one.records for one in kept) == found.records - found.due_records
    gone = [one for one in listed if one.start_ns < found.until_ns]
    if gone and not days:
        assert found.bytes > most
        assert sum(one.bytes for one in (*kept, gone[-1])) > most * 90 // 100


@dataclass
class Clock:
    at: int = NOW
    slept: list[int] = field(default_factory=list)

    def now(self) -> int:
        return self.at

    async def sleep_until(self, at: int) -> None:
        self.slept.append(at - self.at)
        self.at = at
        if len(self.slept) > 2:
            raise RuntimeError("enough")


class Store(MemoryLogStore):
    def __init__(self) -> None:
        super().__init__()
        self.ranges: list[tuple[int, int]] = []
        self.rewritten = 0

    async def delete_found(self, search: Node, since_ns: int, until_ns: int) -> None:
        self.ranges.append((since_ns, until_ns))
        await super().delete_found(search, since_ns, until_ns)

    async def rewrite_deleted(self) -> int:
        self.rewritten += 1
        return await super().rewrite_deleted()


async def filled() -> Store:
    store = Store()
    await store.insert_logs(
        [
            LogRecord(timestamp_ns=TODAY_NS - day * DAY_NS, message=f"{day}", level=level, service=service)
            for day in range(6)
            for level in (LogLevel.DEBUG, LogLevel.ERROR)
            for service in ("shop", "pay")
        ]
    )
    return store


RULES = (
    LogRetentionRule("debug", "level:debug", 2 * DAY),
    LogRetentionRule("shop", "service:shop", 4 * DAY),
)


async def test_rules_delete_what_they_find_and_say_so() -> None:
    store, state = await filled(), FakeState()
    retention = LogRetention(Clock(), store, AuditLog(state), RULES)  # type: ignore[arg-type]
    before = await retention.views()
    assert [(one.records, one.due_records, one.deleted_records) for one in before] == [(12, 6, 0), (12, 2, 0)]
    assert len(store.records) == 24, "a look deletes nothing"
    assert await retention.apply() == 7
    assert {(one.message, one.level) for one in store.records if one.service == "shop"} == {
        *((str(day), LogLevel.ERROR) for day in range(5)),
        *((str(day), LogLevel.DEBUG) for day in range(3)),
    }
    days = [(since, until) for since, until in store.ranges if until - since <= DAY_NS]
    assert len(days) == len(store.ranges) == 4, "a statement has one day"
    assert store.rewritten == 1
    entries = [(one.kind, one.subject, one.action, one.changes[0].before) for one in state.stored_audit]
    assert entries == [("log_retention", "debug", "deleted", 6), ("log_retention", "shop", "deleted", 1)]
    assert retention.deleted == {"debug": 6, "shop": 1}
    assert await retention.apply() == 0
    assert len(state.stored_audit) == 2
    retention.configure(RULES[1:])
    assert retention.deleted == {"shop": 1}
    assert [one.name for one in await retention.views()] == ["shop"]


async def test_a_failure_is_raised_and_nothing_is_said_to_be_done() -> None:
    store, state = await filled(), FakeState()
    retention = LogRetention(Clock(), store, AuditLog(state), RULES)  # type: ignore[arg-type]
    store.broken = "away"
    with pytest.raises(TelemetryError):
        await retention.apply()
    assert state.stored_audit == []
    store.broken = ""
    assert await retention.apply() == 7


async def test_it_looks_once_an_hour() -> None:
    clock = Clock()
    retention = LogRetention(clock, await filled(), AuditLog(FakeState()), RULES)  # type: ignore[arg-type]
    with pytest.raises(RuntimeError, match="enough"):
        await retention.run()
    assert clock.slept[:2] == [FIRST_MS, EVERY_MS]
    assert retention.deleted == {"debug": 6, "shop": 1}
