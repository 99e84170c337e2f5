"""Steps of time: they tile it, by the clock of any zone."""

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eldonia_ops.search.time_steps import ByTime, TimeUnit, next_start, start_of

SECOND = 10**9
HOUR = 3_600 * SECOND
STEPS = st.builds(
    ByTime,
    st.sampled_from([*TimeUnit, 1, 15 * SECOND, HOUR, 7 * HOUR, 24 * HOUR]),
    st.sampled_from(["UTC", "Asia/Tokyo", "Europe/Berlin", "Asia/Kathmandu", "Australia/Lord_Howe"]),
    st.sampled_from([0, 0, 5 * HOUR, -60 * SECOND]),
)
INSTANTS = st.integers(0, 4_000_000_000 * SECOND)


def ns(text: str, zone: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).timestamp()) * SECOND


@given(STEPS, INSTANTS)
def test_an_instant_lies_in_its_step(step: ByTime, at: int) -> None:
    start = start_of(step, at)
    assert start <= at < next_start(step, start)


# Where a zone changes its distance from UTC by less than the width, a step of a fixed width is cut. The first day of
# 1986 has no midnight in Nepal.
WHOLE = STEPS.filter(
    lambda step: step.zone in ("UTC", "Asia/Tokyo") or (step.width_ns is None and step.zone != "Asia/Kathmandu")
)


@given(WHOLE, INSTANTS)
def test_the_start_of_a_start_is_itself_and_the_next_one_is_a_start(step: ByTime, at: int) -> None:
    start = start_of(step, at)
    after = next_start(step, start)
    assert start_of(step, start) == start
    assert start_of(step, after) == after
    assert start_of(step, after - 1) == start


@pytest.mark.parametrize(
    ("unit", "begins", "next_begins"),
    [
        (TimeUnit.MINUTE, "2026-05-14 13:27", "2026-05-14 13:28"),
        (TimeUnit.HOUR, "2026-05-14 13:00", "2026-05-14 14:00"),
        (TimeUnit.DAY, "2026-05-14", "2026-05-15"),
        (TimeUnit.WEEK, "2026-05-11", "2026-05-18"),  # a Monday
        (TimeUnit.MONTH, "2026-05-01", "2026-06-01"),
        (TimeUnit.QUARTER, "2026-04-01", "2026-07-01"),
        (TimeUnit.YEAR, "2026-01-01", "2027-01-01"),
    ],
)
def test_units_of_the_calendar(unit: TimeUnit, begins: str, next_begins: str) -> None:
    step = ByTime(unit, "Asia/Tokyo")
    start = start_of(step, ns("2026-05-14 13:27:45", "Asia/Tokyo"))
    assert start == ns(begins, "Asia/Tokyo")
    assert next_start(step, start) == ns(next_begins, "Asia/Tokyo")


def test_a_day_on_which_clocks_are_set_back_has_25_hours() -> None:
    step = ByTime(TimeUnit.DAY, "Europe/Berlin")
    start = ns("2026-10-25", "Europe/Berlin")
    assert next_start(step, start) - start == 25 * HOUR
