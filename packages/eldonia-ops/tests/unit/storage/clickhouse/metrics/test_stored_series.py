"""When rows of series are written again."""

from hypothesis import given
from hypothesis import strategies as st

from eldonia_ops.model.labels import Labels
from eldonia_ops.storage.clickhouse.metrics.head import HeadSeries
from eldonia_ops.storage.clickhouse.metrics.stored_series import DAY_MS, RENEWED_AT_ONCE, StoredSeries

HOUR = DAY_MS // 24


def series(id: int, target: str = "t") -> HeadSeries:
    return HeadSeries(Labels({"__name__": "m"}), id, 1, target)


def test_a_series_lacks_a_row_that_is_unknown_of_another_target_or_overdue() -> None:
    stored = StoredSeries()
    assert stored.lacks(series(1), 0)
    stored.note({1: "t"}, 0)
    assert not stored.lacks(series(1), 2 * DAY_MS - 1)
    assert stored.lacks(series(1), 2 * DAY_MS)
    assert stored.lacks(series(1, "u"), 1)
    assert stored.lacks(series(2), 1)
    stored.forget({1})
    assert stored.lacks(series(1), 1)


def test_a_day_old_is_due_in_slices_and_overdue_at_once() -> None:
    stored = StoredSeries()
    many = 3 * RENEWED_AT_ONCE + 1
    stored.note(dict.fromkeys(range(many), "t"), 0)
    stored.note({many: "t"}, HOUR)
    assert stored.due(DAY_MS - 1) == set()
    renewed = 0
    at = DAY_MS
    while due := stored.due(at):
        assert len(due) <= RENEWED_AT_ONCE
        stored.note(dict.fromkeys(due, "t"), at)
        renewed += len(due)
        at += 1
    assert renewed == many
    assert stored.due(2 * DAY_MS + HOUR // 2) >= {many}
    assert len(stored.due(4 * DAY_MS)) == len(stored) == many + 1


def test_a_slice_that_could_not_be_stored_stays_due() -> None:
    stored = StoredSeries()
    stored.note(dict.fromkeys(range(2 * RENEWED_AT_ONCE), "t"), 0)
    assert stored.due(DAY_MS) == stored.due(DAY_MS + 1)


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("note"), st.integers(0, 5)),
        st.tuples(st.just("wait"), st.integers(0, 3 * DAY_MS)),
        st.tuples(st.just("set back"), st.integers(0, 9 * DAY_MS)),
        st.tuples(st.just("renew"), st.none()),
    ),
    max_size=40,
)


@given(STEPS)
def test_whatever_the_clock_does_a_row_a_day_old_is_due(steps: list[tuple[str, int]]) -> None:
    stored, now = StoredSeries(), 100 * DAY_MS
    written: dict[int, int] = {}
    for kind, what in steps:
        match kind:
            case "wait":
                now += what
            case "set back":
                now -= what
                stored.set_back(now)
                written = {id: min(at, now) for id, at in written.items()}
            case "note":
                stored.note({what: "t"}, now)
                written[what] = now
            case _:
                due = stored.due(now)
                assert due == {id for id, at in written.items() if now - at >= DAY_MS}
                stored.note(dict.fromkeys(due, "t"), now)
                written |= dict.fromkeys(due, now)
        for id, at in written.items():
            assert stored.lacks(series(id), now) == (now - at >= 2 * DAY_MS)
