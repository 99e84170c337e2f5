"""How silences change: what was silenced in the past is never rewritten."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eldonia_ops.alerting.silence import changed, ended
from eldonia_ops.model.alerts import Silence
from eldonia_ops.model.matchers import Matcher, MatchOp

HOUR = 3_600_000
NOW = 1_000 * HOUR
ONE = (Matcher("service", MatchOp.EQUAL, "shop"),)
OTHER = (Matcher("service", MatchOp.EQUAL, "pay"),)
ACTIVE = Silence("id", ONE, NOW - HOUR, NOW + HOUR, "hana", "oven")
PENDING = replace(ACTIVE, starts_at=NOW + HOUR, ends_at=NOW + 2 * HOUR)
EXPIRED = replace(ACTIVE, ends_at=NOW - 1)


@pytest.mark.parametrize(
    ("previous", "change"),
    [
        (ACTIVE, {"comment": "longer", "ends_at": NOW + 9 * HOUR}),
        (ACTIVE, {"starts_at": NOW - HOUR + 999}),  # a client that shows seconds
        (PENDING, {"starts_at": NOW, "created_by": "jun"}),
    ],
)
def test_these_changes_keep_the_id(previous, change):
    wanted = replace(previous, **change)
    assert changed(previous, wanted, NOW, "new") == (replace(wanted, updated_at=NOW),)


@pytest.mark.parametrize(
    ("previous", "change"),
    [
        (ACTIVE, {"matchers": OTHER}),
        (ACTIVE, {"starts_at": NOW - 2 * HOUR}),
        (PENDING, {"matchers": OTHER}),
        (PENDING, {"starts_at": NOW - 1}),
    ],
)
def test_these_changes_end_it_and_make_another(previous, change):
    old, new = changed(previous, replace(previous, **change), NOW, "new")
    assert (old.id, old.ends_at, old.matchers, old.comment) == ("id", NOW, previous.matchers, previous.comment)
    assert old.starts_at == min(previous.starts_at, NOW)
    assert new.id == "new"
    assert new.starts_at == max(NOW, change.get("starts_at", previous.starts_at))


def test_an_ended_silence_stays_as_it_was():
    assert ended(EXPIRED, NOW) is EXPIRED
    (new,) = changed(EXPIRED, replace(EXPIRED, ends_at=NOW + HOUR), NOW, "new")
    assert (new.id, new.starts_at) == ("new", NOW)


instants = st.integers(NOW - 3 * HOUR, NOW + 3 * HOUR)


@given(starts=st.tuples(instants, instants), lengths=st.tuples(st.integers(1, 5 * HOUR), st.integers(1, 5 * HOUR)),
       same=st.booleans(), moment=instants)  # fmt: skip
def test_no_change_touches_what_was_silenced_before(starts, lengths, same, moment):
    previous = replace(ACTIVE, starts_at=starts[0], ends_at=starts[0] + lengths[0])
    wanted = replace(previous, starts_at=starts[1], ends_at=starts[1] + lengths[1])
    wanted = wanted if same else replace(wanted, matchers=OTHER)
    if wanted.ends_at <= NOW:  # refused before it comes here
        return
    after = {previous.id: previous} | {one.id: one for one in changed(previous, wanted, NOW, "new")}
    if moment < NOW and moment // 1000 != previous.starts_at // 1000:
        assert any(one.active(moment) for one in after.values()) == previous.active(moment)
