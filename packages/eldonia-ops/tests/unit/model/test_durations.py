import pytest
from hypothesis import given
from hypothesis import strategies as st

from eldonia_ops.model.durations import format_duration, parse_duration


@pytest.mark.parametrize(
    ("text", "ms"),
    [("0", 0), ("200ms", 200), ("5m", 300_000), ("1h30m", 5_400_000), ("1d", 86_400_000), ("2w", 1_209_600_000)],
)
def test_parses_what_prometheus_writes(text: str, ms: int) -> None:
    assert parse_duration(text) == ms


@pytest.mark.parametrize("text", ["", "5", "m", "5 m", "-5m", "5m1h", "5x", "1m1m", "1.5h", "400y"])
def test_refuses_what_prometheus_refuses(text: str) -> None:
    with pytest.raises(ValueError, match="duration"):
        parse_duration(text)


def test_weeks_and_years_are_used_only_when_exact() -> None:
    assert format_duration(604_800_000) == "1w"
    assert format_duration(604_800_000 + 3_600_000) == "7d1h"


@given(st.integers(min_value=0, max_value=10**12))
def test_printing_and_parsing_are_inverse(ms: int) -> None:
    assert parse_duration(format_duration(ms)) == ms
