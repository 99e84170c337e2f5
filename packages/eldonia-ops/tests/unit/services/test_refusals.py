import logging

import pytest

from eldonia_ops.services.api import RefusalView
from eldonia_ops.services.refusals import MAX_LISTED, OTHER_SOURCES, Refusals


def test_each_source_and_reason_is_counted_and_logged_once(caplog: pytest.LogCaptureFixture) -> None:
    refusals = Refusals()
    with caplog.at_level(logging.WARNING):
        refusals.note("metrics", "shop/web-1", {"delta temporality": 3, "no time": 1}, 1_000)
        refusals.note("metrics", "shop/web-1", {"delta temporality": 2, "unused": 0}, 2_000)
        refusals.note("traces", "shop/web-1", {"no time": 4}, 3_000)
        refusals.note("metrics", "shop/web-2", {"no time": 5}, 4_000)
    assert refusals.listed() == [
        RefusalView("metrics", "shop/web-2", "no time", 5, 4_000),
        RefusalView("traces", "shop/web-1", "no time", 4, 3_000),
        RefusalView("metrics", "shop/web-1", "delta temporality", 5, 2_000),
        RefusalView("metrics", "shop/web-1", "no time", 1, 1_000),
    ]
    assert refusals.totals == {
        ("metrics", "delta temporality"): 5,
        ("metrics", "no time"): 6,
        ("traces", "no time"): 4,
    }
    assert len(caplog.records) == 4
    assert "metrics of shop/web-1: 3 refused: delta temporality" in caplog.text


def test_sources_without_end_take_a_bounded_room_and_lose_no_count(caplog: pytest.LogCaptureFixture) -> None:
    refusals = Refusals()
    for number in range(3 * MAX_LISTED):
        refusals.note("logs", f"10.0.{number}", {"no time": 2}, number)
    listed = refusals.listed()
    assert len(listed) == MAX_LISTED + 1
    assert sum(one.count for one in listed) == refusals.totals["logs", "no time"] == 6 * MAX_LISTED
    assert next(one.count for one in listed if one.source == OTHER_SOURCES) == 4 * MAX_LISTED
    assert len(caplog.records) == MAX_LISTED + 1
