"""Ranges hold all instants, and there are never many."""

from hypothesis import given
from hypothesis import strategies as st

from eldonia_ops.storage.clickhouse.journal.presence import MAX_QUESTIONS, ranges


@given(st.lists(st.integers(0, 2**63 - 1), max_size=200), st.integers(0, 10**10))
def test_every_instant_lies_in_one_range(instants: list[int], gap: int) -> None:
    found = ranges(instants, gap)
    assert len(found) <= MAX_QUESTIONS
    for instant in instants:
        assert sum(low <= instant <= high for low, high in found) == 1
    for low, high in found:
        assert low in instants
        assert high in instants


def test_close_instants_share_a_range() -> None:
    assert ranges([5, 1, 2, 30], 3) == [(1, 5), (30, 30)]
    assert ranges([], 3) == []
