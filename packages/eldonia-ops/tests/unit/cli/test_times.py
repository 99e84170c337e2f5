import contextlib
from datetime import datetime, timedelta, timezone

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eldonia_ops.cli.times import spoken_instant

TOKYO = timezone(timedelta(hours=9))
NOW = datetime(2026, 11, 30, 10, 15, 30, tzinfo=TOKYO)  # a Monday


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("now", "now"),
        ("15m", "-15m"),
        ("-15m", "-15m"),
        ("now-1h30m", "-1h30m"),
        ("7d", "-7d"),
        ("1763900000000", "1763900000000"),
        ("today", "2026-11-30T00:00:00+09:00"),
        ("Yesterday", "2026-11-29T00:00:00+09:00"),
        ("yesterday 14:30", "2026-11-29T14:30:00+09:00"),
        ("tuesday", "2026-11-24T00:00:00+09:00"),
        ("last tuesday", "2026-11-24T00:00:00+09:00"),
        ("monday", "2026-11-23T00:00:00+09:00"),
        ("09:00", "2026-11-30T09:00:00+09:00"),
        ("14:30", "2026-11-29T14:30:00+09:00"),
        ("2026-11-23T20:00:00Z", "2026-11-23T20:00:00+00:00"),
        ("2026-11-23T20:00:00+05:00", "2026-11-23T20:00:00+05:00"),
    ],
)
def test_instants_as_people_say_them(text, meant):
    assert spoken_instant(text, NOW) == meant


def test_a_time_without_a_zone_is_on_this_machine_s_clock():
    read = datetime.fromisoformat(spoken_instant("2026-11-23 20:00", NOW))
    assert read == datetime(2026, 11, 23, 20, 0).astimezone()


@pytest.mark.parametrize(
    "text", ["", "soon", "-", "5", "25:00", "12:99", "someday 10:00", "yesterday today", "2026-13-01"]
)
def test_what_is_no_instant_is_refused_with_examples(text):
    with pytest.raises(ValueError, match="yesterday"):
        spoken_instant(text, NOW)


@settings(deadline=None)
@given(st.text(max_size=30))
def test_any_text_is_taken_or_refused(text):
    with contextlib.suppress(ValueError):
        assert spoken_instant(text, NOW)
