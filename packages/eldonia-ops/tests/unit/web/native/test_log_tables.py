"""Queries of logs with pipes over HTTP: tables, charts and files."""

import csv
import io
import json
from typing import Any

import pytest
from fake_platform import HOUR, NOW, FakePlatform
from web_client import Client

from eldonia_ops.model.access import Role
from eldonia_ops.model.logs import LogLevel, LogRecord

BASE = "/api/ops/v1"


async def get(client: Client, path: str, **parameters: Any) -> Any:
    async with client(Role.VIEWER) as http:
        response = await http.get(BASE + path, params=parameters)
    assert response.status_code == 200, response.text
    return response.json()


def records_of(platform: FakePlatform) -> list[LogRecord]:
    return [one for one in platform.telemetry.newest_first() if one.timestamp_ns >= (NOW - HOUR) * 10**6]


async def test_counts_are_a_table(client: Client, platform: FakePlatform) -> None:
    found = await get(client, "/logs/table", query="| stats count() by level | sort -count")
    records = records_of(platform)
    expected = {level.value: sum(one.level is level for one in records) for level in LogLevel}
    assert found["shape"] == "rows"
    assert found["columns"] == [{"name": "level", "kind": "text"}, {"name": "count", "kind": "number"}]
    assert dict(found["rows"]) == {level: count for level, count in expected.items() if count}
    assert [count for _, count in found["rows"]] == sorted(expected.values(), reverse=True)[: len(found["rows"])]
    assert (found["total"], found["more"], found["chart"]) == (len(records), False, None)


async def test_counts_over_time_are_a_chart_too(client: Client, platform: FakePlatform) -> None:
    found = await get(client, "/logs/table", query="* | timechart 10m count() by level", limit=1)
    chart = found["chart"]
    assert found["shape"] == "timechart"
    assert found["more"]
    assert found["columns"][0] == {"name": "time", "kind": "time"}
    assert len(chart["starts"]) in (6, 7)
    assert all(start % 600_000 == 0 for start in chart["starts"])
    assert sum(sum(one["values"]) for one in chart["series"]) == len(records_of(platform))
    assert {one["labels"]["level"] for one in chart["series"]} == {one.level.value for one in records_of(platform)}
    few = await get(client, "/logs/table", query="* | timechart 10m count() by level", series=1)
    assert len(few["chart"]["series"]) == 1
    assert few["chart"]["left_out"] == len(chart["series"]) - 1


async def test_days_begin_in_the_readers_zone(client: Client) -> None:
    for zone, hours in (("Asia/Tokyo", 9), ("+0930", 9.5), ("", 0)):
        found = await get(client, "/logs/table", query="* | timechart day", tz=zone, since="-5d")
        assert {(start + hours * 3_600_000) % 86_400_000 for start in found["chart"]["starts"]} == {0}, zone
        assert len(found["chart"]["starts"]) == 6


async def test_records_come_with_what_was_taken_out(client: Client, platform: FakePlatform) -> None:
    platform.telemetry.logs.records.clear()
    await platform.telemetry.logs.insert_logs(
        [LogRecord(timestamp_ns=(NOW - n) * 10**6, message=f"order {n} of bob", service="shop") for n in range(5)]
    )
    found = await get(client, "/logs/table", query='order | extract "order {n} of {who}" | where n>=3')
    assert found["shape"] == "records"
    assert [one["name"] for one in found["columns"]] == ["timestamp", "level", "service", "message", "n", "who"]
    assert found["rows"] == [[NOW - n, "info", "shop", f"order {n} of bob", str(n), "bob"] for n in (3, 4)]
    assert len(found["cursors"]) == 2


async def test_a_query_without_pipes_is_not_run(client: Client) -> None:
    found = await get(client, "/logs/table", query='error  "a | b"')
    assert (found["shape"], found["query"], found["rows"]) == ("search", 'error "a | b"', [])


@pytest.mark.parametrize(
    ("query", "position", "words"),
    [
        ("a | stat count()", 4, "did you mean stats"),
        ("a | stats count() by b | where c>1", 31, "the columns are b, count"),
    ],
)
async def test_what_is_wrong_is_said_with_its_place(reader: Client, query: str, position: int, words: str) -> None:
    async with reader(Role.VIEWER) as http:
        response = await http.get(f"{BASE}/logs/table", params={"query": query})
    error = response.json()["error"]
    assert (response.status_code, error["position"]) == (400, position)
    assert words in error["hint"]


async def test_too_many_buckets_are_refused(reader: Client) -> None:
    async with reader(Role.VIEWER) as http:
        response = await http.get(f"{BASE}/logs/table", params={"query": "* | timechart 1ms"})
    assert response.status_code == 422
    assert "make them wider" in response.json()["error"]["message"]


async def test_files_have_what_comes_out(client: Client, platform: FakePlatform) -> None:
    async with client(Role.VIEWER) as http:
        stats = {"query": "* | stats count() as n, max(performance.duration) by level, service"}
        rows = list(csv.reader(io.StringIO((await http.get(f"{BASE}/logs/export.csv", params=stats)).text)))
        assert rows[0] == ["level", "service", "n", "max_performance.duration"]
        assert sum(int(row[2]) for row in rows[1:]) == len(records_of(platform))
        made = {"query": "* | extract /(?<word>[a-z]+)/ | where word:*"}
        lines = (await http.get(f"{BASE}/logs/export.ndjson", params=made)).text.splitlines()
        assert len(lines) > 100
        assert all(json.loads(line)["made"]["word"] in json.loads(line)["message"] for line in lines)
        few = {"query": "* | fields timestamp, service | head 3"}
        lines = (await http.get(f"{BASE}/logs/export.ndjson", params=few)).text.splitlines()
        assert [list(json.loads(line)) for line in lines] == [["timestamp", "service"]] * 3
        times = list(csv.reader(io.StringIO((await http.get(f"{BASE}/logs/export.csv", params=few)).text)))
        assert times[1][0].endswith("Z")
