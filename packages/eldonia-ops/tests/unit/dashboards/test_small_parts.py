"""Instants and steps, units, legends, columns, differences, searches of traces."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eldonia_ops.dashboards.columns import columns, heat_columns
from eldonia_ops.dashboards.differences import changes, unified
from eldonia_ops.dashboards.legends import from_template, names_of
from eldonia_ops.dashboards.reading import read_dashboard
from eldonia_ops.dashboards.times import MOST_POINTS, aligned, instant_of, step_for
from eldonia_ops.dashboards.trace_terms import TraceTermsError, parse_trace_terms
from eldonia_ops.dashboards.units import UNITS, is_unit, unit_from_grafana, unit_hint, unit_to_grafana

TOKYO = ZoneInfo("Asia/Tokyo")
NOW = round(datetime(2026, 11, 30, 20, 15, 30, tzinfo=UTC).timestamp() * 1000)  # 05:15 of the next day in Tokyo


@pytest.mark.parametrize(
    ("text", "start", "end"),
    [
        ("now", "2026-12-01T05:15:30", "2026-12-01T05:15:30"),
        ("-6h", "2026-11-30T23:15:30", "2026-11-30T23:15:30"),
        ("now/d", "2026-12-01T00:00:00", "2026-12-02T00:00:00"),
        ("now-1d/d", "2026-11-30T00:00:00", "2026-12-01T00:00:00"),
        ("now/w", "2026-11-30T00:00:00", "2026-12-07T00:00:00"),
        ("now-1M/M", "2026-11-01T00:00:00", "2026-12-01T00:00:00"),
        ("now/Q", "2026-10-01T00:00:00", "2027-01-01T00:00:00"),
        ("now-1y", "2025-12-01T05:15:30", "2025-12-01T05:15:30"),
    ],
)
def test_instants(text: str, start: str, end: str) -> None:
    first, last = (instant_of(text, NOW, TOKYO, end=one) for one in (False, True))
    assert first is not None
    assert last is not None
    shown = [
        datetime.fromtimestamp(one / 1000, TOKYO).strftime("%Y-%m-%dT%H:%M:%S")
        for one in (first, last + (last - first > 1000))
    ]
    assert shown == [start, end]


@pytest.mark.parametrize("text", ["", "yesterday", "now-", "now/x", "-6", "9" * 16])
def test_no_instants(text: str) -> None:
    assert instant_of(text, NOW, UTC) is None


@given(st.integers(1_000, 10**12), st.integers(1, 20_000), st.integers(0, 10**7))
@settings(max_examples=300, deadline=None)
def test_steps_are_bounded(length: int, points: int, least: int) -> None:
    step = step_for(length, points, least)
    assert step >= least
    assert length / step < MOST_POINTS
    start, end = aligned(NOW - length if length < NOW else 0, NOW, step)
    assert start % step == end % step == 0


def test_units_have_one_name_each() -> None:
    assert len({unit.id for unit in UNITS}) == len(UNITS)
    names = [name for unit in UNITS for name in (unit.grafana, *unit.aliases)]
    assert len(set(names)) == len(names)
    assert all(unit.en and unit.ja for unit in UNITS)
    for unit in UNITS:
        assert unit_from_grafana(unit_to_grafana(unit.id)) == unit.id
    assert unit_from_grafana("widgets") == "suffix:widgets"
    assert unit_to_grafana("suffix:widgets") == "suffix:widgets"
    assert unit_from_grafana("time: YYYY") == "datetime:YYYY"
    assert is_unit("bytes/s")
    assert "bytes_si/s" in unit_hint("Bps")


def test_legends() -> None:
    assert from_template("{{ job }} of {{nope}}!", {"job": "a"}) == "a of !"
    assert names_of([{"__name__": "up", "job": "a", "i": "1"}, {"__name__": "up", "job": "a", "i": "2"}], "up") == [
        "1",
        "2",
    ]
    assert names_of([{}], "sum(up)") == ["sum(up)"]
    assert names_of([{"a": "1", "b": "1"}, {"a": "2", "b": "1"}, {"a": "1", "b": "2"}], "") == [
        '{a="1", b="1"}',
        '{a="2", b="1"}',
        '{a="1", b="2"}',
    ]


def test_columns_have_gaps() -> None:
    made = columns([("a", {}, [(10, 1.0), (30, float("nan"))]), ("b", {}, [(25, 1.0)])], [10, 20, 30])
    assert made.series[0].values[:2] == [1.0, None]
    assert made.series[0].values[2] != made.series[0].values[2]
    assert made.series[1].values == [None, None, None]


def test_heat_maps_are_differences_between_bounds() -> None:
    cumulative = [
        ({"le": "+Inf"}, [(1, 9.0)]),
        ({"le": "0.5"}, [(1, 2.0)]),
        ({"le": "1"}, [(1, 6.0)]),
        ({}, [(1, 5.0)]),
    ]
    made = heat_columns(cumulative, [1, 2])
    assert made.buckets == [0.5, 1.0, float("inf")]
    assert [one.values for one in made.series] == [[2.0, None], [4.0, None], [3.0, None]]


def test_differences_name_panels_and_variables() -> None:
    before = read_dashboard({"title": "t", "panels": [{"id": 1, "title": "a"}, {"id": 2}]})
    after = read_dashboard({"title": "u", "panels": [{"id": 2}, {"id": 1, "title": "b"}], "variables": [{"name": "v"}]})
    found = {(one.path, one.kind) for one in changes(before, after)}
    assert {
        ("title", "changed"),
        ("panels[id=1].title", "changed"),
        ("panels (order)", "changed"),
        ("variables", "added"),
    } <= found
    assert changes(after, after) == []
    assert unified("a\nb\n", "a\nc\n", "x", "y").splitlines()[-2:] == ["-b", "+c"]


def test_searches_of_traces() -> None:
    found = parse_trace_terms(
        'service:shop duration>=500ms duration<2s status:error http.status_code>=500 name:"GET /a b"'
    )
    assert (found.service, found.min_ns, found.max_ns, found.errors_only) == ("shop", 500_000_000, 2_000_000_000, True)
    assert found.operation == "GET /a b"
    assert len(found.where) == 1
    for wrong, position in (("status:ok", 0), ("a=1 nonsense", 4), ("duration>x", 0)):
        with pytest.raises(TraceTermsError) as caught:
            parse_trace_terms(wrong)
        assert caught.value.position >= position
