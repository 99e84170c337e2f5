"""Throttle and sampling."""

from typing import Any

import pytest
from fluent_conf import NOW_MS, batch, filter_with, made
from hypothesis import given
from hypothesis import strategies as st

from eldonia_ops.pipeline.filters import Filter

START = NOW_MS // 60_000 * 60_000


class Steps:
    """A filter with its state."""

    def __init__(self, text: str) -> None:
        self.filter: Filter = filter_with(text)
        self.state: Any = self.filter.start()
        self.printed: tuple[str, ...] = ()

    def passing(self, count: int, at_ms: int, **record: Any) -> int:
        found, self.state = self.filter.step(self.state, batch(*[record] * count), at_ms)
        self.printed = found.printed
        return len(found.events)


THROTTLE = "@type throttle\ngroup_key app\ngroup_bucket_period_s 60\ngroup_bucket_limit 10\n"


def test_a_group_that_is_too_loud_is_dropped_until_its_period_ends():
    one = Steps(THROTTLE + "group_reset_rate_s -1")
    assert one.passing(8, START, app="a") == 8
    assert one.passing(8, START + 10_000, app="a") == 2
    assert one.printed == ("throttle: a is above 10 events a period",)
    assert one.passing(8, START + 59_000, app="a") == 0
    assert one.passing(5, START + 59_000, app="b") == 5
    assert one.passing(8, START + 60_000, app="a") == 8


def test_it_stays_closed_while_the_group_is_loud():
    one = Steps(THROTTLE)
    assert one.passing(20, START, app="a") == 10
    one.passing(100, START + 58_000, app="a")
    assert one.passing(100, START + 60_000, app="a") == 0  # 50 a second
    assert one.passing(1, START + 130_000, app="a") == 0  # 100 in the 70 seconds before
    assert one.passing(1, START + 190_000, app="a") == 1


def test_without_dropping_it_only_says_so():
    one = Steps(THROTTLE + "group_drop_logs false")
    assert one.passing(20, START, app="a") == 20
    assert one.printed


def test_fields_in_fields_and_several_keys():
    one = Steps("@type throttle\ngroup_key kubernetes.pod,$.b\ngroup_bucket_limit 1\n")
    assert one.passing(2, START, kubernetes={"pod": "p"}, b=1) == 1
    assert one.passing(2, START, kubernetes={"pod": "q"}, b=1) == 1


@pytest.mark.parametrize("text", ["group_reset_rate_s 101", "group_bucket_limit 0", "group_key $."])
def test_faults_of_throttle(text: str):
    assert made(f"@type throttle\ngroup_bucket_period_s 60\n{text}")[0] is None


@given(st.lists(st.tuples(st.integers(0, 30), st.integers(0, 20_000)), max_size=20))
def test_no_period_lets_more_than_its_limit_pass(batches: list[tuple[int, int]]):
    one = Steps(THROTTLE + "group_reset_rate_s -1")
    now, passed = START, {}
    for count, pause in batches:
        now += pause
        period = now // 60_000
        passed[period] = passed.get(period, 0) + one.passing(count, now, app="a")
    assert all(count <= 10 for count in passed.values())


@given(st.lists(st.integers(0, 10), max_size=10), st.integers(1, 7))
def test_one_of_so_many_passes_however_batches_are_cut(counts: list[int], interval: int):
    one = Steps(f"@type sampling\ninterval {interval}")
    assert sum(one.passing(count, NOW_MS) for count in counts) == sum(counts) // interval


def test_sampling_by_field_and_a_least_rate():
    one = Steps("@type sampling\ninterval 2\nsample_unit $.u.id")
    assert [one.passing(1, NOW_MS, u={"id": unit}) for unit in (1, 2, 1, 2)] == [0, 0, 1, 1]
    one = Steps("@type sampling\ninterval 10\nminimum_rate_per_min 3")
    assert one.passing(13, START) == 4
    assert one.passing(3, START + 60_000) == 3
    assert made("@type sampling")[0] is None
