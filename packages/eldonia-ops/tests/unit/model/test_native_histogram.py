"""What a native histogram may hold."""

import math
import sys
from typing import Any

import pytest

from eldonia_ops.model.native_histogram import CUSTOM_SCHEMA, NativeHistogram


@pytest.mark.parametrize(
    ("schema", "index", "bound"),
    [
        (0, 0, 1.0),
        (0, 1, 2.0),
        (0, -1, 0.5),
        (1, 1, math.sqrt(2)),
        (3, 8, 2.0),
        (-1, 1, 4.0),
        (-4, 1, 65536.0),
        (0, 2000, math.inf),
    ],
)
def test_bounds_of_standard_buckets(schema: int, index: int, bound: float) -> None:
    assert NativeHistogram(schema, 0, 0).upper_bound(index) == pytest.approx(bound)


def test_bounds_are_those_of_prometheus_to_the_last_bit() -> None:
    third = NativeHistogram(3, 0, 0)
    assert [third.upper_bound(index - 8) for index in range(8)] == [
        0.5, 0.5452538663326288, 0.5946035575013605, 0.6484197773255048,
        0.7071067811865475, 0.7711054127039704, 0.8408964152537144, 0.9170040432046711,
    ]  # fmt: skip
    eighth = NativeHistogram(8, 0, 0)
    assert eighth.upper_bound(-1) == 0.9972960560854698
    assert eighth.upper_bound(256 * 1024) == sys.float_info.max
    assert [NativeHistogram(schema, 0, 0).upper_bound(1) for schema in (-1, -4)] == [4.0, 65536.0]
    assert NativeHistogram(-4, 0, 0).upper_bound(64) == sys.float_info.max
    assert NativeHistogram(-4, 0, 0).upper_bound(65) == math.inf


def test_bounds_of_its_own() -> None:
    found = NativeHistogram(CUSTOM_SCHEMA, 3, 6, positive=((0, 1), (2, 2)), custom_bounds=(1.0, 5.0))
    assert [found.upper_bound(index) for index in range(3)] == [1.0, 5.0, math.inf]


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"schema": 9}, "schema 9"),
        ({"positive": ((2, 1.0), (1, 1.0))}, "order of their indexes"),
        ({"positive": ((1, 1.0), (1, 1.0))}, "order of their indexes"),
        ({"negative": ((1, -1.0),)}, "below zero"),
        ({"negative": ((1, math.nan),)}, "below zero"),
        ({"zero_threshold": -1.0}, "below zero"),
        ({"custom_bounds": (1.0,)}, "only schema -53"),
        ({"schema": CUSTOM_SCHEMA, "custom_bounds": (2.0, 1.0)}, "not ascending"),
        ({"schema": CUSTOM_SCHEMA, "zero_count": 1.0}, "no zero bucket"),
        ({"schema": CUSTOM_SCHEMA, "positive": ((1, 1.0),)}, "no bounds"),
        ({"positive": tuple((index, 1.0) for index in range(10_001))}, "more than 10000 buckets"),
    ],
)
def test_what_does_not_fit_together_is_refused(fields: dict[str, Any], reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        NativeHistogram(**{"schema": 0, "count": 1.0, "sum": 1.0, **fields}).checked()
