"""Formats of Ruby's strptime and strftime."""

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eldonia_ops.pipeline.times.strftime import Strftime
from eldonia_ops.pipeline.times.strptime import Strptime
from eldonia_ops.pipeline.times.zones import zone_of

NS = 1_000_000_000
UTC = zone_of("UTC")


@pytest.mark.parametrize(
    ("format", "text", "expected"),
    [
        ("%d/%b/%Y:%H:%M:%S %z", "28/Feb/2013:12:00:00 +0900", 1_362_020_400 * NS),
        ("%d/%b/%Y:%H:%M:%S %z", "28/february/2013:12:00:00 -03:30", 1_362_065_400 * NS),
        ("%Y-%m-%dT%H:%M:%S.%N%z", "2013-02-28T12:00:00.5Z", 1_362_052_800 * NS + 500_000_000),
        ("%s.%L", "1362020400.25", 1_362_020_400 * NS + 250_000_000),
        ("%Q", "1362020400250", 1_362_020_400 * NS + 250_000_000),
        ("%Y%m%d%H%M%S", "20130228120000", 1_362_052_800 * NS),
        ("%A, %d %B %Y %I:%M:%S %p", "Thursday, 28 February 2013 01:05:06 PM", 1_362_056_706 * NS),
        ("%Y-%j", "2013-059", 1_362_009_600 * NS),
        ("%D %R", "02/28/13 12:00", 1_362_052_800 * NS),
        ("%Y-%m-%d %H:%M:%S %Z", "2013-02-28 12:00:00 EST", 1_362_070_800 * NS),
        ("%Y-%m-%d %H:%M:%S", "2016-12-31 23:59:60", 1_483_228_800 * NS),
    ],
)
def test_strptime(format: str, text: str, expected: int) -> None:
    read = Strptime(format, UTC)
    assert read.parse(text) == expected
    assert read.parse(text) == expected  # the second time it is remembered


@pytest.mark.parametrize("format", ["%E", "%", "no time", "%%", ""])
def test_formats_that_cannot_be_used(format: str) -> None:
    with pytest.raises(ValueError, match="time"):
        Strptime(format, UTC)


@pytest.mark.parametrize(
    "text", ["", "2013-02-30 00:00:00.1", "2013-02-28 24:00:00.1", "x", "2013-02-28 00:00:00.", "٣"]
)
def test_texts_that_are_no_time(text: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        Strptime("%Y-%m-%d %H:%M:%S.%L", UTC).parse(text)


@given(st.lists(st.tuples(st.integers(0, 4_000_000_000), st.integers(0, 999_999_999), st.integers(1, 9)), max_size=20))
def test_what_is_remembered_of_one_second_is_right_for_others(times: list[tuple[int, int, int]]) -> None:
    read, write = Strptime("%Y-%m-%d %H:%M:%S.%N +0000", UTC), Strftime("%Y-%m-%d %H:%M:%S", UTC)
    for second, fraction, digits in times:
        part = f"{fraction:09d}"[:digits]
        expected = second * NS + int(part.ljust(9, "0"))
        assert read.parse(f"{write.format(second * NS)}.{part} +0000") == expected


@given(
    st.integers(0, 4_000_000_000 * NS),
    st.sampled_from(["+00:00", "+09:00", "-03:30", "Asia/Tokyo", "Europe/Berlin"]),
    st.sampled_from(["%Y-%m-%dT%H:%M:%S.%N%:z", "%d/%b/%Y:%H:%M:%S.%9N %z", "%s.%N", "%a %b %e %T.%N %Y %z"]),
)
def test_what_strftime_writes_strptime_reads(time_ns: int, zone: str, format: str) -> None:
    assert Strptime(format, zone_of(zone)).parse(Strftime(format, zone_of(zone)).format(time_ns)) == time_ns


@given(st.integers(0, 4_000_000_000))
def test_strftime_agrees_with_pythons(second: int) -> None:
    format = "%Y %m %d %H %M %S %j %y %I %p %a %A %b %B %U %W %u %w %G %V %%"
    at = dt.datetime.fromtimestamp(second, dt.UTC)
    assert Strftime(format, UTC).format(second * NS) == at.strftime(format)


@pytest.mark.parametrize(
    ("format", "expected"),
    [
        ("%-d.%-m.%_H", "1.1. 0"),
        ("%^a %10A", "THU   Thursday"),
        ("%L|%3N|%6N|%N", "000|000|000001|000001000"),
        ("%F", "1970-01-01"),
    ],
)
def test_flags_and_widths(format: str, expected: str) -> None:
    assert Strftime(format, UTC).format(1_000) == expected


def test_a_year_is_the_last_one_that_fits() -> None:
    read = Strptime("%b %d %H:%M:%S", UTC)
    new_year = 1_798_761_600 * NS
    assert read.parse("Dec 31 23:59:59", new_year + NS) == new_year - NS
    assert read.parse("Jan  1 00:00:00", new_year + NS) == new_year
    assert read.parse("Dec 31 23:59:59", 0) is None


@pytest.mark.parametrize("zone", ["Asia/Tokio", "+9", "UTC+9 ", "../etc/passwd", "/etc/localtime"])
def test_zones_that_are_none(zone: str) -> None:
    with pytest.raises(ValueError, match="there is no zone"):
        zone_of(zone)
