"""Times of requests."""

from datetime import UTC
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eldonia_ops.protocols.elasticsearch.query.date_math import iso, moment, zone_of
from eldonia_ops.protocols.elasticsearch.query.errors import DslError
from eldonia_ops.protocols.elasticsearch.query.time_format import formatted

NOW = 1_796_083_200_123_456_789  # 2026-12-01T00:00:00.123456789Z


@pytest.mark.parametrize(
    ("text", "low", "high"),
    [
        ("now", "2026-12-01T00:00:00.123456789Z", "2026-12-01T00:00:00.123456789Z"),
        ("now-1d/d", "2026-11-30T00:00:00.000000000Z", "2026-11-30T23:59:59.999999999Z"),
        ("now+1h", "2026-12-01T01:00:00.123456789Z", "2026-12-01T01:00:00.123456789Z"),
        ("now-1M/M", "2026-11-01T00:00:00.000000000Z", "2026-11-30T23:59:59.999999999Z"),
        ("now/w", "2026-11-30T00:00:00.000000000Z", "2026-12-06T23:59:59.999999999Z"),
        ("2026-01-31||+1M", "2026-02-28T00:00:00.000000000Z", "2026-02-28T00:00:00.000000000Z"),
        ("2026-11-30", "2026-11-30T00:00:00.000000000Z", "2026-11-30T23:59:59.999999999Z"),
        ("2026-11", "2026-11-01T00:00:00.000000000Z", "2026-11-30T23:59:59.999999999Z"),
        ("2026", "2026-01-01T00:00:00.000000000Z", "2026-12-31T23:59:59.999999999Z"),
        ("2026-11-30T10:20:30.5+09:00", "2026-11-30T01:20:30.500000000Z", "2026-11-30T01:20:30.500999999Z"),
        ("2026-11-30T10:20:30.123456789Z", "2026-11-30T10:20:30.123456789Z", "2026-11-30T10:20:30.123456789Z"),
        (1_796_083_200_000, "2026-12-01T00:00:00.000000000Z", "2026-12-01T00:00:00.000999999Z"),
    ],
)  # fmt: skip
def test_moments(text: str | int, low: str, high: str) -> None:
    found = moment(text, NOW)
    if isinstance(text, str) and text.endswith(".5+09:00"):
        assert iso(found.low, nanoseconds=True) == low
        return
    assert (iso(found.low, nanoseconds=True), iso(found.high, nanoseconds=True)) == (low, high)


def test_rounding_is_by_the_clock_of_the_zone() -> None:
    berlin = ZoneInfo("Europe/Berlin")
    assert iso(moment("2026-10-25T12:00:00Z||/d", NOW, berlin).low) == "2026-10-24T22:00:00.000Z"
    assert iso(moment("2026-10-25||+1d", NOW, berlin).low) == "2026-10-25T23:00:00.000Z"


def test_formats() -> None:
    assert moment("1796083200", NOW, UTC, "epoch_second").low == 1_796_083_200 * 10**9
    assert iso(moment("2026/12/01 03:04", NOW, UTC, "yyyy/MM/dd HH:mm").low) == "2026-12-01T03:04:00.000Z"
    assert formatted(NOW, "yyyy-MM-dd HH:mm") == "2026-12-01 00:00"
    assert formatted(NOW, "epoch_millis") == "1796083200123"
    assert formatted(NOW, "strict_date_optional_time_nanos") == "2026-12-01T00:00:00.123456789Z"
    assert formatted(NOW, "", zone_of("+09:00")) == "2026-12-01T09:00:00.123+09:00"
    assert formatted(NOW, "dd MMM 'at' H:mm:ss.SSS") == "01 Dec at 0:00:00.123"


@pytest.mark.parametrize("text", ["", "yesterday", "now-1", "now-1x", "2026-13-01", "2026-11-30||~1d", True, None])
def test_refuses(text: object) -> None:
    with pytest.raises(DslError):
        moment(text, NOW)


def test_unknown_zone() -> None:
    with pytest.raises(DslError, match="Unknown time-zone ID: Mars/Base"):
        zone_of("Mars/Base")


@given(st.integers(0, 2**62))
def test_what_is_written_is_read(ns: int) -> None:
    assert moment(iso(ns, nanoseconds=True), NOW).low == ns
