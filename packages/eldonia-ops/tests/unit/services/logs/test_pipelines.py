"""Pipelines over stores: their bounds, their buckets of time, and the columns that come out."""

from datetime import UTC, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest

from eldonia_ops.model.conditions import FieldName
from eldonia_ops.model.logs import LogRecord
from eldonia_ops.ports import LogQuery, QueryTooLargeError
from eldonia_ops.search.pipes.parser import parse_pipeline
from eldonia_ops.search.pipes.plan import Width, columns_of, fitting_width
from eldonia_ops.services.logs import pipelines as log_pipelines
from eldonia_ops.services.logs.pipelines import chart_of, field_columns, pages, run_pipeline, streams, width_of
from eldonia_ops.simulation.memory_stores import MemoryLogStore

HOUR = 3_600 * 10**9
QUERY = LogQuery(0, 10 * HOUR)


async def _store(count: int) -> MemoryLogStore:
    store = MemoryLogStore()
    await store.insert_logs(
        [
            LogRecord(timestamp_ns=number * HOUR // 10, message=str(number), user_id=str(number))
            for number in range(count)
        ]
    )
    return store


async def test_more_groups_than_are_looked_at_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("eldonia_ops.search.pipes.plan.MAX_ROWS", 5)
    monkeypatch.setattr(log_pipelines, "MAX_ROWS", 5)
    store = await _store(10)
    with pytest.raises(QueryTooLargeError, match="head 100"):
        await run_pipeline(store, QUERY, parse_pipeline("* | stats count() by user_id"), Width())
    few = await run_pipeline(
        store, QUERY, parse_pipeline("* | stats count() by user_id | sort -count | head 3"), Width()
    )
    assert len(few.items) == 3


async def test_a_chart_has_every_bucket_of_its_range() -> None:
    pipeline = parse_pipeline("* | timechart 1h count(), max(timestamp) as newest")
    chart = chart_of(await run_pipeline(await _store(25), QUERY, pipeline, Width()), QUERY, 10)
    assert chart is not None
    assert chart.starts == [hour * 3_600_000 for hour in range(10)]
    counts, newest = chart.series
    assert counts.values == [10.0, 10.0, 5.0, *[0.0] * 7]
    assert newest.values[3:] == [None] * 7
    assert (
        chart_of(await run_pipeline(await _store(2), QUERY, parse_pipeline("* | top 1 user_id"), Width()), QUERY, 1)
        is None
    )


async def test_records_go_through_page_by_page(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log_pipelines, "_PAGE", 4)
    pipeline = parse_pipeline("* | eval n = timestamp | where -message:3")
    assert streams(pipeline)
    assert not streams(parse_pipeline("* | dedup message"))
    store = await _store(10)
    found = [[item.record and item.record.message for item in page] async for page in pages(store, QUERY, pipeline)]
    assert found == [["9", "8", "7", "6"], ["5", "4", "2", "1"], ["0"]]


def test_widths_fit_to_the_range_and_to_the_readers_zone() -> None:
    assert fitting_width(0, HOUR) == 30 * 10**9
    assert fitting_width(0, 24 * HOUR) == 900 * 10**9
    assert fitting_width(0, 400 * 24 * HOUR) == 4 * 24 * HOUR
    assert width_of(QUERY, ZoneInfo("Asia/Tokyo")).zone == "Asia/Tokyo"
    assert width_of(QUERY, timezone(timedelta(hours=9))) == Width(fitting_width(0, 10 * HOUR), "UTC", -9 * HOUR)
    assert width_of(QUERY, UTC, 5) == Width(5)


@pytest.mark.parametrize(
    ("text", "columns", "fields"),
    [
        ("* | head 3", "timestamp level service message", ""),
        ("* | extract 'a {x}' | rename service as s", "timestamp level service message x s", ""),
        ("* | fields a.b, c | rename c as d", "a.b d", ""),
        ("* | stats count() as n by service, level | rename level as l | eval m = n", "service l n m", "service"),
        ("* | extract 'a {service}' | top 3 service, level", "service level count percent", "level"),
        ("* | timechart by level | fields time, count", "time count", ""),
    ],
)
def test_the_columns_that_come_out(text: str, columns: str, fields: str) -> None:
    pipeline = parse_pipeline(text)
    assert [column.name for column in columns_of(pipeline)] == columns.split()
    assert field_columns(pipeline) == fields.split()
    assert all(isinstance(column, FieldName) for column in columns_of(pipeline))


async def test_a_chart_of_many_rows_reaches_the_end_of_its_range() -> None:
    store = MemoryLogStore()
    await store.insert_logs(
        [
            LogRecord(timestamp_ns=bucket * HOUR // 10, message="x", user_id=str(user))
            for bucket in range(100)
            for user in range(110)
        ]
    )
    pipeline = parse_pipeline("* | timechart 6m count() by user_id")
    found = await run_pipeline(store, QUERY, pipeline, Width())
    chart = chart_of(found, QUERY, 5)
    assert chart is not None
    assert chart.left_out == 105
    assert all(one.values == [1.0] * 100 for one in chart.series)
