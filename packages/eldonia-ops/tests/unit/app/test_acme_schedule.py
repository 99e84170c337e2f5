"""When a certificate is fetched."""

from hypothesis import given
from hypothesis import strategies as st

from eldonia_ops.app.acme.schedule import Validity, next_fetch

DAY = 86_400_000
HOUR = 3_600_000
MINUTE = 60_000


def test_at_once_without_one_and_after_two_thirds_of_its_time() -> None:
    assert next_fetch(None, 0, 0) == 0
    assert next_fetch(Validity(0, 90 * DAY), 0, 0) == 60 * DAY


def test_later_and_later_after_failures() -> None:
    assert [next_fetch(None, failures, 0) for failures in (1, 2, 3)] == [MINUTE, 2 * MINUTE, 4 * MINUTE]
    assert next_fetch(None, 1_000, 5) == 5 + 6 * HOUR


@given(st.integers(0, 100 * DAY), st.integers(1, 400 * DAY), st.integers(0, 50), st.integers(0, 500 * DAY))
def test_never_before_it_is_due_nor_too_soon_after_a_failure(begins, length, failures, failed_at) -> None:
    held = Validity(begins, begins + length)
    found = next_fetch(held, failures, failed_at)
    assert held.begins <= next_fetch(held, 0, 0) <= held.ends
    assert found >= next_fetch(held, 0, 0)
    assert not failures or failed_at + MINUTE <= max(found, failed_at + MINUTE) <= max(found, failed_at + 6 * HOUR)
