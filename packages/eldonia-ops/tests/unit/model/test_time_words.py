"""Times as people say them."""

from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eldonia_ops.model.time_words import stretch_of

NOW = datetime(2026, 11, 26, 15, 4, 5)  # a Thursday


@pytest.mark.parametrize(
    ("text", "start", "end"),
    [
        ("now", "2026-11-26 15:04:05", None),
        ("today", "2026-11-26", "2026-11-27"),
        ("Yesterday", "2026-11-25", "2026-11-26"),
        ("昨日", "2026-11-25", "2026-11-26"),
        ("一昨日", "2026-11-24", "2026-11-25"),
        ("last tuesday", "2026-11-24", "2026-11-25"),
        ("tue", "2026-11-24", "2026-11-25"),
        ("thursday", "2026-11-26", "2026-11-27"),
        ("last thursday", "2026-11-19", "2026-11-20"),
        ("friday", "2026-11-20", "2026-11-21"),
        ("火曜日", "2026-11-24", "2026-11-25"),
        ("先週の火曜", "2026-11-17", "2026-11-18"),
        ("7d", "2026-11-19 15:04:05", None),
        ("-90m", "2026-11-26 13:34:05", None),
        ("1h30m", "2026-11-26 13:34:05", None),
        ("3 days ago", "2026-11-23 15:04:05", None),
        ("2時間前", "2026-11-26 13:04:05", None),
        ("this week", "2026-11-23", "2026-11-30"),
        ("last week", "2026-11-16", "2026-11-23"),
        ("先週", "2026-11-16", "2026-11-23"),
        ("last month", "2026-10-01", "2026-11-01"),
        ("今月", "2026-11-01", "2026-12-01"),
        ("09:30", "2026-11-26 09:30", None),
        ("yesterday 9:30:15", "2026-11-25 09:30:15", None),
        ("last tuesday 23:59", "2026-11-24 23:59", None),
        ("2026-11-24", "2026-11-24", "2026-11-25"),
        ("2026-11-24 09:30", "2026-11-24 09:30", None),
        ("2026-11-24T09:30:15", "2026-11-24 09:30:15", None),
    ],
)
def test_what_is_meant(text: str, start: str, end: str | None) -> None:
    expected = datetime.fromisoformat(start)
    assert stretch_of(text, NOW) == (expected, datetime.fromisoformat(end) if end else expected)


@pytest.mark.parametrize(
    "text",
    ["", " ", "x", "last", "someday", "25:00", "2026-02-30", "2026-11-24T09:30:15Z", "0", "next tuesday", "９日前x"],
)
def test_what_means_nothing(text: str) -> None:
    assert stretch_of(text, NOW) is None


@given(st.text(max_size=70), st.datetimes())
def test_any_text_means_a_stretch_or_nothing(text: str, now: datetime) -> None:
    found = stretch_of(text, now)
    assert found is None or found[0] <= found[1]


@given(st.sampled_from(["monday", "last friday", "土曜日", "yesterday"]), st.datetimes(datetime(1990, 1, 1)))
def test_a_day_is_a_whole_one_that_has_begun(text: str, now: datetime) -> None:
    found = stretch_of(text, now)
    assert found is not None
    start, end = found
    assert end - start == timedelta(days=1)
    assert start <= now
    assert (start.hour, start.minute) == (0, 0)
