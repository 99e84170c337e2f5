import pytest

from eldonia_ops.collectors.schedule import Ticks


def test_ticks_lie_on_a_grid_of_their_own():
    ticks = Ticks("job/instance", 15_000)
    assert ticks.offset_ms == Ticks("job/instance", 15_000).offset_ms != Ticks("job/other", 15_000).offset_ms
    now = 1_700_000_000_123
    first = ticks.after(now)
    assert now < first <= now + 15_000
    assert first % 15_000 == ticks.offset_ms
    assert ticks.after(first) == first + 15_000
    assert ticks.after(first - 1) == first


def test_offsets_spread():
    offsets = [Ticks(f"target {n}", 10_000).offset_ms for n in range(500)]
    for bucket in range(10):
        assert 20 < sum(offset // 1_000 == bucket for offset in offsets) < 90


def test_late_turns_are_counted_and_stamped_with_their_own_time():
    ticks = Ticks("x", 15_000)
    assert [ticks.missed(0, now) for now in (0, 14_999, 15_000, 31_000)] == [0, 0, 1, 2]
    assert [ticks.stamp(1000, now) for now in (1000, 1002, 1150, 1151, 999)] == [1000, 1000, 1000, 1151, 999]
    with pytest.raises(ValueError, match="longer"):
        Ticks("x", 0)


def test_the_next_turn_after_one_that_was_early_late_or_set_back():
    ticks = Ticks("x", 15_000)
    tick = ticks.after(1_700_000_000_000)
    assert ticks.following(tick, tick) == ticks.following(tick, tick - 3) == tick + 15_000
    assert ticks.following(tick, tick + 31_000) == tick + 45_000
    back = tick - 3_600_000
    assert back < ticks.following(tick, back) <= back + 15_000
