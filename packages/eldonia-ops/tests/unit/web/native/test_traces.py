"""Filters of traces: what is wrong with them is said with the field and the place; sorting; the spread."""

from typing import Any

import pytest
from web_client import Client

from eldonia_ops.model.access import Role
from eldonia_ops.services.api import QueryError
from eldonia_ops.web.native.traces import nanoseconds

BASE = "/api/ops/v1"


async def get(client: Client, path: str, status: int = 200, **parameters: Any) -> Any:
    async with client(Role.VIEWER) as http:
        response = await http.get(BASE + path, params=parameters)
    assert response.status_code == status, response.text
    return response.json()


async def test_traces_are_sorted(reader: Client) -> None:
    for sort, measure in [("longest", "duration_ns"), ("spans", "spans"), ("errors", "errors")]:
        found = [one[measure] for one in await get(reader, "/traces", sort=sort, limit=30)]
        assert found == sorted(found, reverse=True), sort
    await get(reader, "/traces", 422, sort="shortest")


async def test_the_spread_counts_all_and_its_buckets_hold_them(reader: Client) -> None:
    found = await get(reader, "/traces/distribution", times=30)
    traces = await get(reader, "/traces", limit=500)
    assert found["total"] == len(traces) > 50
    assert found["errors"] == sum(one["errors"] > 0 for one in traces)
    assert sum(cell["count"] for cell in found["cells"]) == found["total"]
    bounds = found["durations"]
    assert bounds == sorted(bounds)
    for cell in found["cells"]:
        assert 0 <= cell["duration"] < len(bounds) - 1
        assert 0 <= cell["time"] < len(found["starts"])
    longest = max(one["duration_ns"] for one in traces) / 1e6
    assert bounds[-2] <= longest <= bounds[-1]


async def test_names_and_values_complete_conditions(reader: Client) -> None:
    names = [one["name"] for one in await get(reader, "/traces/fields")]
    assert names[:4] == ["service", "name", "kind", "status"]
    assert any("db.system" in name for name in names)
    values = await get(reader, "/traces/values", field="db.system", prefix="POST")
    assert [one["value"] for one in values] == ["postgresql"]


async def test_calls_of_a_service(reader: Client) -> None:
    found = await get(reader, "/traces/calls", service="shop")
    assert found
    assert all("shop" in (one["caller"], one["callee"]) and one["caller"] != one["callee"] for one in found)


@pytest.mark.parametrize(
    ("parameters", "field"),
    [
        ({"min_duration": "12 parsecs"}, "min_duration"),
        ({"max_duration": "5x"}, "max_duration"),
        ({"min_duration": "2s", "max_duration": "1s"}, "max_duration"),
        ({"where": "a="}, "where"),
        ({"where": "http.status"}, "where"),
        ({"tag": "novalue"}, "tag"),
    ],
)
async def test_a_fault_names_its_field(reader: Client, parameters: dict[str, str], field: str) -> None:
    for path in ("/traces", "/traces/distribution"):
        error = (await get(reader, path, 400, **parameters))["error"]
        assert error["field"] == field
        assert error["message"]


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("", 0),
        ("200ms", 200_000_000),
        ("1.5s", 1_500_000_000),
        ("1m30s", 90_000_000_000),
        ("300us", 300_000),
        (" 2h ", 7_200 * 10**9),
        ("15ns", 15),
    ],
)
def test_durations(text: str, wanted: int) -> None:
    assert nanoseconds(text, "min_duration") == wanted


@pytest.mark.parametrize(("text", "place"), [("12 parsecs", 0), ("5s3", 2), ("-1s", 0), ("1s x", 2)])
def test_what_is_no_duration_has_its_place(text: str, place: int) -> None:
    with pytest.raises(QueryError) as caught:
        nanoseconds(text, "max_duration")
    assert (caught.value.position, caught.value.field) == (place, "max_duration")
    assert "200ms" in caught.value.hint
