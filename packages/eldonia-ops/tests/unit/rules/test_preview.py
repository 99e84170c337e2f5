"""When an alert would have fired."""

from hypothesis import given
from hypothesis import strategies as st

from eldonia_ops.rules.preview import firings


def test_it_fires_once_it_has_held_for_its_time_and_ends_a_step_after_the_last() -> None:
    assert list(firings([0, 60, 120, 180, 600, 660], 60, 120)) == [(120, 240)]
    assert list(firings([0, 60, 120, 180, 600, 660], 60, 0)) == [(0, 240), (600, 720)]
    assert list(firings([], 60, 0)) == []
    assert list(firings([60], 60, 0)) == [(60, 120)]
    assert list(firings([60], 60, 60)) == []


@given(st.sets(st.integers(0, 60)), st.integers(0, 10))
def test_as_a_state_machine_says_it(minutes, wait) -> None:
    expected, held = [], 0
    for minute in range(63):
        if minute in minutes:
            held += 1
            if held == wait + 1:
                expected.append([minute, minute + 1])
            elif held > wait + 1:
                expected[-1][1] = minute + 1
        else:
            held = 0
    assert [list(one) for one in firings(sorted(minutes), 1, wait)] == expected
