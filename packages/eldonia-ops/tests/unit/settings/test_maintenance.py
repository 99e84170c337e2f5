from datetime import UTC, datetime

import pytest

from eldonia_ops.settings.maintenance import parse_maintenance


def at(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1000)


@pytest.mark.parametrize(
    ("window", "inside", "outside"),
    [
        ("Sun 02:00-04:00", ["2026-11-22T02:00", "2026-11-22T03:59"], ["2026-11-22T04:00", "2026-11-23T03:00"]),
        ("Mon-Fri 22:00-24:00", ["2026-11-23T23:59", "2026-11-27T22:00"], ["2026-11-28T23:00", "2026-11-23T21:59"]),
        ("Sat-Mon 01:00-02:00", ["2026-11-21T01:30", "2026-11-23T01:30"], ["2026-11-24T01:30"]),
        ("23:00-01:00", ["2026-11-23T23:30", "2026-11-24T00:30"], ["2026-11-24T01:00"]),
        ("Sun 23:00-01:00", ["2026-11-22T23:30", "2026-11-23T00:59"], ["2026-11-22T00:30", "2026-11-23T23:30"]),
    ],
)
def test_what_a_window_covers(window: str, inside: list[str], outside: list[str]) -> None:
    parsed = parse_maintenance(window)
    assert [parsed.covers(at(text)) for text in inside] == [True] * len(inside)
    assert [parsed.covers(at(text)) for text in outside] == [False] * len(outside)


@pytest.mark.parametrize(
    "text", ["", "Sunday", "Sun 2-4", "Son 02:00-04:00", "25:00-26:00", "00:60-01:00", "24:00-24:00"]
)
def test_what_is_no_window(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        parse_maintenance(text)
