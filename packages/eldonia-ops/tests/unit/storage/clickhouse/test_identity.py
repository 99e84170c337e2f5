"""Ids of log records."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eldonia_ops.storage.clickhouse.identity import INSTANCES, LogIds

NOW = 1_795_000_000_000


@given(
    st.lists(
        st.tuples(st.integers(0, 1), st.integers(-5_000, 5_000), st.integers(1, 5_000), st.booleans()), max_size=20
    )
)
def test_ids_grow_and_no_two_instances_share_one(steps: list[tuple[int, int, int, bool]]) -> None:
    now = [NOW]
    instances = (3, 1_023)
    givers = [LogIds(lambda: now[0], instance) for instance in instances]
    given_by: dict[int, list[int]] = {0: [], 1: []}
    for which, moved, count, restarted in steps:
        now[0] += moved
        if restarted:
            givers[which] = LogIds(lambda: now[0], instances[which])
            givers[which].continue_after(max([0, *given_by[0], *given_by[1]]))
        ids = givers[which].reserve(count)
        assert len(ids) == count
        given_by[which] += ids
    for ids in given_by.values():
        assert ids == sorted(set(ids))
        assert all(0 < id < 2**63 for id in ids)
    assert not set(given_by[0]) & set(given_by[1])


def test_ids_go_on_behind_those_of_earlier_releases() -> None:
    ids = LogIds(lambda: NOW)
    ids.continue_after((NOW << 11) + 5)
    assert ids.reserve(1)[0] == (NOW << 11) * INSTANCES


@pytest.mark.parametrize("instance", [-1, INSTANCES])
def test_an_instance_has_a_number_within_bounds(instance: int) -> None:
    with pytest.raises(ValueError, match="between 0 and 1023"):
        LogIds(lambda: NOW, instance)
