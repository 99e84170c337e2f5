"""Instants and durations in requests."""

import pytest

from eldonia_ops.web.times import parse_instant, parse_prometheus_instant, parse_step, rfc3339

NOW = 1_700_000_000_000


@pytest.mark.parametrize(
    ("text", "ms"),
    [("now", NOW), ("-15m", NOW - 900_000), ("now-1h30m", NOW - 5_400_000), ("0", 0), ("1700000000123", NOW + 123),
     ("2023-11-14T22:13:20Z", NOW), ("2023-11-15T07:13:20+09:00", NOW), ("2023-11-14T22:13:20.5", NOW + 500),
     ("-100y", 0)],
)  # fmt: skip
def test_instants(text: str, ms: int) -> None:
    assert parse_instant(text, NOW) == ms


@pytest.mark.parametrize("text", ["", "soon", "-", "-5", "now+5m", "9" * 30, "²", "1.5", "2023-13-01T00:00:00Z"])
def test_bad_instants(text: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        parse_instant(text, NOW)


def test_prometheus_instants() -> None:
    assert parse_prometheus_instant("1700000000.1234") == NOW + 123
    assert parse_prometheus_instant("2023-11-14T22:13:20Z") == NOW
    for text in ("inf", "nan", "1e300", "x"):
        with pytest.raises(ValueError, match=r".+"):
            parse_prometheus_instant(text)


def test_steps() -> None:
    assert parse_step("15s") == 15_000
    assert parse_step("0.5") == 500
    for text in ("0", "-1", "nan", "inf", "0s", "x", "1e300"):
        with pytest.raises(ValueError, match=r".+"):
            parse_step(text)


def test_rfc3339() -> None:
    assert rfc3339(NOW + 5) == "2023-11-14T22:13:20.005Z"
