"""Heartbeats of servers: silence is noticed, chance is not, and recovery takes its time."""

import dataclasses

from hypothesis import given
from hypothesis import strategies as st

from eldonia_ops.pipeline.server_health import HeartbeatSettings, ServerHealth, heard, looked_at, phi, watched_from

SETTINGS = HeartbeatSettings()


def beating(count: int, every_ms: int = 1_000) -> tuple[ServerHealth, int]:
    """A server after heartbeats, and the time of the last one."""
    now, health = 1_000_000, watched_from(SETTINGS, 1_000_000)
    for _ in range(count):
        now += every_ms
        health = looked_at(heard(health, SETTINGS, now), SETTINGS, now)
    return health, now


def test_a_server_is_unavailable_when_its_silence_is_no_chance_any_more() -> None:
    health, now = beating(100)
    # phi 16 is a silence of 16 / log10(e) mean intervals, which are of one second here.
    assert looked_at(health, SETTINGS, now + 36_000).available
    assert not looked_at(health, SETTINGS, now + 37_000).available


def test_the_hard_timeout_counts_without_phi() -> None:
    settings = dataclasses.replace(SETTINGS, phi_threshold=0.0, hard_timeout_ms=5_000)
    health, now = beating(10)
    assert looked_at(health, settings, now + 5_000).available
    assert not looked_at(health, settings, now + 5_001).available


def test_slow_heartbeats_are_waited_for() -> None:
    quick, now = beating(1_000)
    slow, later = beating(1_000, every_ms=2_000)
    assert phi(slow, later + 10_000) < phi(quick, now + 10_000) / 1.9


def test_it_is_available_again_after_recover_wait_of_heartbeats() -> None:
    health, now = beating(10)
    health = looked_at(health, SETTINGS, now + 60_001)
    now += 60_001
    times = []
    for _ in range(20):
        now += 1_000
        health = looked_at(heard(health, SETTINGS, now), SETTINGS, now)
        times.append(health.available)
    assert times == [False] * 10 + [True] * 10


def test_a_second_silence_begins_the_wait_anew() -> None:
    health, now = beating(10)
    health = looked_at(health, SETTINGS, now + 61_000)
    health = heard(health, SETTINGS, now + 62_000)
    health = looked_at(health, SETTINGS, now + 130_000)
    assert not health.available
    assert health.recovering_since_ms == 0


@given(st.lists(st.tuples(st.integers(0, 120_000), st.booleans()), max_size=60))
def test_it_is_unavailable_only_after_a_silence(steps: list[tuple[int, bool]]) -> None:
    now, health, longest = 0, watched_from(SETTINGS, 0), 0
    for pause, beat in steps:
        now += pause
        health = looked_at(health, SETTINGS, now)
        longest = max(longest, now - health.last_ms)
        if beat:
            health = heard(health, SETTINGS, now)
        assert 0 <= health.beats <= 1_001
        # No mean interval is below a tenth of the wanted one, so no shorter silence is held against a server.
        assert health.available or longest > 3_600


def test_a_clock_that_is_set_back_makes_nothing_silent() -> None:
    health, now = beating(10)
    assert looked_at(health, SETTINGS, now - 3_600_000).available
    assert heard(health, SETTINGS, now - 3_600_000).available
