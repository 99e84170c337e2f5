"""Instants in templates."""

from hypothesis import given
from hypothesis import strategies as st

from eldonia_ops.template.instant import Instant


@given(st.integers(-62_135_596_800_000, 253_402_300_799_999), st.sampled_from(["UTC", "Asia/Tokyo"]))
def test_rfc3339_is_what_the_layout_of_go_gives(unix_ms: int, zone: str):
    instant = Instant(unix_ms if zone == "UTC" else max(0, unix_ms) // 2, zone)
    assert instant.rfc3339() == instant.format("2006-01-02T15:04:05.999999999Z07:00")


def test_rfc3339():
    assert Instant(1_700_000_000_050).rfc3339() == "2023-11-14T22:13:20.05Z"
    assert Instant(None).rfc3339() == "0001-01-01T00:00:00Z"
