"""What is different between two ranges."""

import math
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eldonia_ops.log_patterns.comparison import (
    MIN_COUNT,
    MIN_RATIO,
    MIN_SCORE,
    Difference,
    rate_changes,
    ratio_of,
    score_of,
)

COUNTS = st.dictionaries(st.sampled_from("abcdef"), st.integers(1, 10_000))
SECONDS = st.floats(1, 1e6)


def kinds(counts: dict[str, int], seconds: float, before: dict[str, int], seconds_before: float) -> dict[str, str]:
    return {one.pattern: one.difference.value for one in rate_changes(counts, seconds, before, seconds_before)}


def test_new_more_rarer_gone_and_the_same() -> None:
    counts = {"new": 1, "more": 100, "same": 100, "rarer": 20, "few": 3}
    before = {"more": 30, "same": 90, "rarer": 100, "gone": 30, "few": 1, "few gone": 2}
    assert kinds(counts, 600, before, 600) == {"new": "new", "more": "more", "rarer": "rarer", "gone": "gone"}


def test_rates_are_compared_and_not_counts() -> None:
    assert kinds({"a": 100}, 600, {"a": 100}, 6000) == {"a": "more"}
    assert kinds({"a": 100}, 600, {"a": 1000}, 6000) == {}
    assert kinds({"a": 10}, 600, {"a": 1000}, 600) == {"a": "rarer"}


def test_a_pattern_that_is_seldom_is_not_gone_after_a_short_time() -> None:
    assert kinds({}, 60, {"hourly": 24}, 86_400) == {}
    assert kinds({}, 86_400, {"hourly": 24}, 86_400) == {"hourly": "gone"}


def test_new_ones_come_first_then_the_surest() -> None:
    found = rate_changes({"b": 9, "n": 1, "c": 900, "m": 50}, 60, {"b": 1, "c": 10, "z": 99}, 60)
    assert [one.pattern for one in found] == ["m", "n", "c", "z"]
    assert [one.difference for one in found] == [Difference.NEW, Difference.NEW, Difference.MORE, Difference.GONE]


@given(COUNTS, SECONDS, COUNTS, SECONDS)
def test_exchanged_ranges_have_the_opposite(a: dict[str, int], s: float, b: dict[str, int], u: float) -> None:
    opposite = {"more": "rarer", "rarer": "more"}
    there = {name: one for name, one in kinds(a, s, b, u).items() if one in opposite}
    back = {name: one for name, one in kinds(b, u, a, s).items() if one in opposite}
    assert there == {name: opposite[one] for name, one in back.items()}
    for one in rate_changes(a, s, b, u):
        assert math.isfinite(one.ratio)
        assert math.isfinite(one.score)
        if one.difference in (Difference.MORE, Difference.RARER):
            assert max(one.count, one.count_before) >= MIN_COUNT
            assert abs(one.score) >= MIN_SCORE
            assert one.ratio >= MIN_RATIO or one.ratio <= 1 / MIN_RATIO


def test_the_score_of_equal_rates_is_nearly_standard_normal() -> None:
    """Half of a Poisson process' records fall in a range that is half as long: few scores are beyond three."""
    rng = random.Random(1)
    scores = []
    for _ in range(4_000):
        total = rng.randint(20, 200)
        count = sum(rng.random() < 1 / 3 for _ in range(total))
        scores.append(score_of(count, 100, total - count, 200))
    assert sum(abs(one) >= MIN_SCORE for one in scores) < 4_000 * 0.008
    assert 0.8 < math.sqrt(sum(one * one for one in scores) / len(scores)) < 1.2


def test_ratio() -> None:
    assert ratio_of(99, 10, 49, 10) == pytest.approx(99.5 / 49.5)
    with pytest.raises(ValueError, match="longer than nothing"):
        rate_changes({}, 0, {}, 1)
