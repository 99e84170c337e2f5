"""Looking around records, and what else a search may have meant."""

from datetime import UTC, datetime

import pytest

from eldonia_ops.model.conditions import FieldName
from eldonia_ops.model.logs import LogLevel, LogRecord
from eldonia_ops.ports import LogQuery
from eldonia_ops.search import format_search, parse_search
from eldonia_ops.services.api import NotFoundError
from eldonia_ops.services.logs.search import Suggestion, UnknownField, suggestion, surroundings, unknown_fields
from eldonia_ops.simulation.memory_stores.logs import MemoryLogStore

NOW = datetime(2026, 11, 26, 15)  # a Thursday


def ns(clock: datetime) -> int:
    return int(clock.replace(tzinfo=UTC).timestamp()) * 10**9


@pytest.fixture
async def logs() -> MemoryLogStore:
    store = MemoryLogStore()
    start = ns(datetime(2026, 11, 24, 9))
    await store.insert_logs(
        [
            LogRecord(
                timestamp_ns=start + n // 3,  # several share an instant
                message=f"line {n}",
                level=LogLevel.ERROR if n % 5 == 0 else LogLevel.INFO,
                service="shop",
                source=("a.log#65024:10182547:10d8c45305a52acf~1", "b.log", "")[n % 3],
                hostname="h1" if n % 2 else "",
                user_id="alice" if n < 10 else "",
                metadata={"tier": "gold"},
            )
            for n in range(30)
        ]
    )
    return store


async def test_records_around_one_come_from_the_same_source(logs: MemoryLogStore) -> None:
    record = next(one for one in logs.records if one.message == "line 12")
    found = await surroundings(logs, (record.timestamp_ns, record.id), 2)
    assert [one.message for one in found.records] == ["line 18", "line 15", "line 12", "line 9", "line 6"]
    assert (found.more_before, found.more_after) == (True, True)
    assert format_search(found.origin) == 'source="a.log"'
    everything = await surroundings(logs, (record.timestamp_ns, record.id), 100)
    assert len(everything.records) == 10
    assert not everything.more_before | everything.more_after


async def test_without_a_source_they_come_from_the_same_service_and_host(logs: MemoryLogStore) -> None:
    record = next(one for one in logs.records if one.message == "line 5")
    found = await surroundings(logs, (record.timestamp_ns, record.id), 100)
    assert format_search(found.origin) == 'service="shop" hostname="h1"'
    assert {one.hostname for one in found.records} == {"h1"}


async def test_what_is_not_there_has_no_surroundings(logs: MemoryLogStore) -> None:
    with pytest.raises(NotFoundError):
        await surroundings(logs, (5, 5), 2)


async def suggested(logs: MemoryLogStore, text: str) -> Suggestion | None:
    query = LogQuery(ns(datetime(2026, 11, 26, 14)), ns(NOW), search=parse_search(text))
    return await suggestion(logs, query, NOW, ns)


async def test_plain_words_become_a_search_that_finds_something(logs: MemoryLogStore) -> None:
    day = (datetime(2026, 11, 24), datetime(2026, 11, 25))
    assert await suggested(logs, "errors of alice last Tuesday") == Suggestion("level:error user_id:alice", *day, 2)
    assert await suggested(logs, "gold tuesday") == Suggestion('"tier":gold', *day, 30)


@pytest.mark.parametrize("text", ["errors of alice", "errors of bob last tuesday", "line", "", "user_id:alice"])
async def test_nothing_is_suggested_that_finds_nothing(logs: MemoryLogStore, text: str) -> None:
    assert await suggested(logs, text) is None


async def test_a_file_is_found_by_its_name(logs: MemoryLogStore) -> None:
    day = ns(datetime(2026, 11, 24)), ns(datetime(2026, 11, 25))
    for text in ("source:a.log", 'source="a.log"', "source:a.*"):
        assert len((await logs.search_logs(LogQuery(*day, search=parse_search(text)))).records) == 10, text
    values = await logs.log_values(LogQuery(*day), FieldName(("source",)))
    assert [(one.value, one.count) for one in values] == [("a.log", 10), ("b.log", 10)]


async def test_fields_that_no_record_has_are_named_with_one_that_is_near(logs: MemoryLogStore) -> None:
    day = ns(datetime(2026, 11, 24)), ns(datetime(2026, 11, 25))

    async def unknown(text: str) -> list[UnknownField]:
        return await unknown_fields(logs, LogQuery(*day, search=parse_search(text)))

    assert await unknown("usr_id:alice level:error -tiers:x* hostname:h1 zzz>3") == [
        UnknownField("usr_id", "user_id"), UnknownField("tiers", '"tier"'), UnknownField("zzz", ""),
    ]  # fmt: skip
    assert await unknown("user_id:nobody_here tier:gold text") == []
    assert await unknown("request_id:7") == [UnknownField("request_id", "")]
