"""One page does not wait behind a storm of another cause."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eldonia_ops.alerting.turns import Turns


def drained(turns: Turns[str]) -> list[str]:
    return [turns.take() for _ in range(len(turns))]


def test_urgent_ones_go_first_and_causes_take_turns() -> None:
    turns: Turns[str] = Turns()
    for number in range(3):
        turns.put(f"storm {number}", urgent=True, cause="storm")
    turns.put("note", urgent=False, cause="note")
    turns.put("page", urgent=True, cause="page")
    assert drained(turns) == ["storm 0", "page", "storm 1", "storm 2", "note"]
    with pytest.raises(IndexError):
        turns.take()


@given(st.lists(st.tuples(st.booleans(), st.sampled_from("abc")), max_size=30))
def test_each_cause_keeps_its_order_and_nothing_is_lost(items: list[tuple[bool, str]]) -> None:
    turns: Turns[tuple[bool, str, int]] = Turns()
    for number, (urgent, cause) in enumerate(items):
        turns.put((urgent, cause, number), urgent=urgent, cause=cause)
    taken = [turns.take() for _ in range(len(turns))]
    assert sorted(taken, key=lambda one: one[2]) == [(*one, number) for number, one in enumerate(items)]
    for urgent in (True, False):
        for cause in "abc":
            numbers = [number for u, c, number in taken if (u, c) == (urgent, cause)]
            assert numbers == sorted(numbers)
    assert [one[0] for one in taken] == sorted([one[0] for one in taken], reverse=True)


@given(st.lists(st.tuples(st.booleans(), st.sampled_from("abc")), max_size=20), st.integers(0, 25))
def test_what_is_upcoming_is_what_is_taken(items: list[tuple[bool, str]], count: int):
    turns: Turns[int] = Turns()
    for number, (urgent, cause) in enumerate(items):
        turns.put(number, urgent=urgent, cause=cause)
    upcoming = turns.upcoming(count)
    assert upcoming == [turns.take() for _ in range(min(count, len(items)))]
