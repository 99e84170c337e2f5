from dataclasses import replace
from itertools import pairwise

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eldonia_ops.recovery.machine import (
    HumanReset,
    MaintenanceOff,
    MaintenanceOn,
    ProbeFailed,
    ProbeOk,
    RaiseRecoveryAlert,
    RecoveryPhase,
    RecoveryState,
    RecoveryTick,
    ResolveAlert,
    Restart,
    RestartFailed,
    RestartSucceeded,
    Resumed,
    Timeline,
    next_deadline,
    step,
)
from eldonia_ops.recovery.policy import RecoveryPolicy

POLICY = RecoveryPolicy(labels={"instance": "shop-1"})


class Machine:
    """Drives one service's recovery and collects what it asks for."""

    def __init__(self, policy=POLICY, now=1_000_000):
        self.policy, self.now = policy, now
        self.state = RecoveryState("shop")
        self.effects = []

    def feed(self, *events, after=0):
        for event in events:
            self.now += after
            self.state, effects = step(self.state, event, self.now, self.policy)
            self.effects += effects
        return self

    def crash(self):
        return self.feed(ProbeOk(), ProbeFailed("refused"), ProbeFailed("refused"), ProbeFailed("refused"), after=1000)

    def restarts(self):
        return [effect for effect in self.effects if isinstance(effect, Restart)]

    def key(self):
        return self.restarts()[-1].key

    def alerts_up(self):
        up = {}
        for effect in self.effects:
            if isinstance(effect, RaiseRecoveryAlert):
                up[effect.alert.fingerprint] = effect.alert
            elif isinstance(effect, ResolveAlert):
                assert effect.alert.fingerprint in up, "an alert came down that was not up"
                del up[effect.alert.fingerprint]
        return sorted(alert.name for alert in up.values())

    def kinds(self):
        return [effect.kind for effect in self.effects if isinstance(effect, Timeline)]


def test_two_failures_are_not_an_outage():
    machine = Machine().feed(ProbeOk(), ProbeFailed("x"), ProbeFailed("x"), ProbeOk(), ProbeFailed("x"), after=1000)
    assert machine.effects == []
    assert machine.state.phase is RecoveryPhase.HEALTHY


def test_crash_restart_verify():
    machine = Machine().crash()
    assert machine.alerts_up() == ["ServiceDown"]
    raised = next(effect for effect in machine.effects if isinstance(effect, RaiseRecoveryAlert))
    assert dict(raised.alert.labels) == {
        "alertname": "ServiceDown",
        "service": "shop",
        "severity": "critical",
        "instance": "shop-1",
    }
    assert raised.started_at == 1_002_000  # the first of the three bad probes
    machine.feed(RestartSucceeded(machine.key(), "started pid 7"), ProbeOk(), after=1000)
    assert machine.alerts_up() == ["ServiceDown"]  # one good probe proves nothing
    machine.feed(ProbeOk(), after=1000)
    assert machine.state.phase is RecoveryPhase.HEALTHY
    assert machine.alerts_up() == []
    assert machine.kinds() == ["recovery.detected", "recovery.attempt", "recovery.restarted", "recovery.verified"]


def test_exhaustion_raises_the_critical_alert_and_stops():
    machine = Machine().crash()
    for _ in range(3):
        machine.feed(RestartSucceeded(machine.key()), after=500)
        machine.feed(ProbeFailed("still"), RecoveryTick(), after=30_000)
    assert [restart.attempt for restart in machine.restarts()] == [1, 2, 3]
    assert machine.state.phase is RecoveryPhase.EXHAUSTED
    assert machine.alerts_up() == ["RecoveryFailed", "ServiceDown"]
    machine.feed(*[ProbeFailed("still"), RecoveryTick()] * 20, after=60_000)
    assert len(machine.restarts()) == 3
    machine.feed(ProbeOk(), ProbeOk(), after=1000)
    assert machine.alerts_up() == []


def test_restarts_that_cannot_be_done_are_thirty_seconds_apart():
    machine = Machine().crash()
    times = [machine.now]
    for _ in range(2):
        machine.feed(RestartFailed(machine.key(), "no such unit"), after=100)
        assert machine.state.phase is RecoveryPhase.WAITING
        machine.feed(RecoveryTick(), after=next_deadline(machine.state) - machine.now - 1)
        assert machine.state.phase is RecoveryPhase.WAITING
        machine.feed(RecoveryTick(), after=1)
        times.append(machine.now)
    assert [later - earlier for earlier, later in pairwise(times)] == [30_000, 30_000]


def test_a_flapping_service_runs_out_of_attempts_until_it_is_stable():
    machine = Machine()
    for _ in range(6):
        machine.crash()
        if machine.state.phase is RecoveryPhase.WAITING:
            machine.feed(RecoveryTick(), after=30_000)
        if machine.state.phase is RecoveryPhase.RESTARTING:
            machine.feed(RestartSucceeded(machine.key()), ProbeOk(), ProbeOk(), after=1000)
        else:
            machine.feed(ProbeOk(), ProbeOk(), after=1000)
    assert len(machine.restarts()) == 3
    assert machine.state.phase is RecoveryPhase.HEALTHY
    machine.feed(ProbeOk(), after=POLICY.stable_ms)
    machine.crash()
    assert len(machine.restarts()) == 4


def test_one_failure_starts_the_stable_time_again_and_does_not_end_it_for_ever():
    machine = Machine().crash()
    machine.feed(RestartSucceeded(machine.key()), ProbeOk(), ProbeOk(), after=1000)
    machine.feed(ProbeFailed("blip"), ProbeOk(), after=POLICY.stable_ms // 2)
    machine.feed(ProbeOk(), after=POLICY.stable_ms // 2)
    assert machine.state.attempts == 1
    machine.feed(ProbeOk(), after=POLICY.stable_ms // 2)
    assert machine.state.attempts == 0


def test_death_in_the_middle_of_an_attempt_is_verified_first():
    machine = Machine().crash()
    machine.feed(Resumed(), after=5000)
    assert machine.state.phase is RecoveryPhase.VERIFYING
    assert machine.kinds()[-1] == "recovery.interrupted"
    assert len(machine.restarts()) == 1
    healthy = Machine()
    healthy.__dict__.update(machine.__dict__, effects=list(machine.effects))
    healthy.feed(ProbeOk(), ProbeOk(), after=1000)
    assert healthy.state.phase is RecoveryPhase.HEALTHY
    assert len(healthy.restarts()) == 1
    machine.feed(ProbeFailed("still"), RecoveryTick(), after=30_000)
    assert [restart.attempt for restart in machine.restarts()] == [1, 2]


def test_a_late_report_is_ignored():
    machine = Machine().crash()
    old = machine.key()
    machine.feed(RecoveryTick(), after=POLICY.restart_timeout_ms)
    machine.feed(RecoveryTick(), after=POLICY.delay_ms)
    assert len(machine.restarts()) == 2
    before = machine.state
    machine.feed(RestartSucceeded(old))
    assert machine.state == before


def test_maintenance_takes_alerts_down_and_keeps_hands_off():
    machine = Machine().crash()
    machine.feed(MaintenanceOn("mika"), *[ProbeFailed("x")] * 10, RecoveryTick(), after=60_000)
    assert machine.alerts_up() == []
    assert len(machine.restarts()) == 1
    machine.feed(MaintenanceOff("mika"), *[ProbeFailed("x")] * 3, after=1000)
    assert machine.alerts_up() == ["ServiceDown"]


def test_reset_after_exhaustion_tries_again():
    machine = Machine(replace(POLICY, max_attempts=1)).crash()
    machine.feed(RestartFailed(machine.key(), "no"), after=1)
    assert machine.alerts_up() == ["RecoveryFailed", "ServiceDown"]
    machine.feed(HumanReset("mika"), after=1)
    assert machine.alerts_up() == ["ServiceDown"]
    assert len(machine.restarts()) == 2


def test_watching_only_never_restarts():
    machine = Machine(replace(POLICY, max_attempts=0)).crash()
    assert machine.restarts() == []
    assert machine.alerts_up() == ["ServiceDown"]
    machine.feed(ProbeOk(), ProbeOk())
    assert machine.alerts_up() == []


def test_faster_divides_periods():
    assert RecoveryPolicy().faster(10).delay_ms == 3000
    with pytest.raises(ValueError, match="positive"):
        RecoveryPolicy().faster(0)
    with pytest.raises(ValueError, match="failures"):
        RecoveryPolicy(failures=0)


moves = st.lists(
    st.tuples(
        st.sampled_from(["ok", "ok", "bad", "bad", "bad", "done", "cannot", "tick", "resume"]),
        st.integers(0, 40_000),
    ),
    max_size=80,
)


@settings(max_examples=120, deadline=None)
@given(moves, st.integers(1, 3), st.booleans())
def test_never_more_restarts_than_the_budget(sequence, max_attempts, persist):
    policy = RecoveryPolicy(max_attempts=max_attempts, failures=2, stable_ms=100_000)
    machine = Machine(policy)
    spent = 0
    healthy_since = None
    last_restart = None
    for move, pause in sequence:
        event = {
            "ok": ProbeOk(),
            "bad": ProbeFailed("x"),
            "done": RestartSucceeded(machine.state.attempt_key),
            "cannot": RestartFailed(machine.state.attempt_key),
            "tick": RecoveryTick(),
            "resume": Resumed(),
        }[move]
        machine.now += pause
        if persist:
            copy = msgspec.json.decode(msgspec.json.encode(machine.state), type=RecoveryState)
            assert copy == machine.state
            assert step(copy, event, machine.now, policy) == step(machine.state, event, machine.now, policy)
        was_healthy = machine.state.phase is RecoveryPhase.HEALTHY and machine.state.failures == 0
        if was_healthy and healthy_since is not None and machine.now - healthy_since >= policy.stable_ms:
            spent = 0
        machine.state, effects = step(machine.state, event, machine.now, policy)
        machine.effects += effects
        if machine.state.phase is not RecoveryPhase.HEALTHY or machine.state.failures:
            healthy_since = None
        elif healthy_since is None:
            healthy_since = machine.now
        for effect in effects:
            if isinstance(effect, Restart):
                spent += 1
                assert last_restart is None or machine.now - last_restart >= policy.delay_ms
                last_restart = machine.now
        assert spent <= max_attempts
        down = machine.state.phase not in (RecoveryPhase.HEALTHY, RecoveryPhase.UNKNOWN)
        assert ("ServiceDown" in machine.alerts_up()) == down
        assert ("RecoveryFailed" in machine.alerts_up()) == (machine.state.phase is RecoveryPhase.EXHAUSTED)
        if machine.state.phase in (RecoveryPhase.RESTARTING, RecoveryPhase.VERIFYING, RecoveryPhase.WAITING):
            assert next_deadline(machine.state) is not None


def test_an_alert_goes_up_before_the_timeline_speaks_and_down_after():
    machine = Machine().crash()
    assert [type(effect) for effect in machine.effects] == [RaiseRecoveryAlert, Timeline, Timeline, Restart]
    machine.effects.clear()
    machine.feed(ProbeFailed("ignored while restarting"), RestartSucceeded(machine.state.attempt_key))
    machine.feed(ProbeOk(), ProbeOk())
    assert [type(effect) for effect in machine.effects] == [Timeline, Timeline, ResolveAlert]


def test_a_clock_that_was_set_back_delays_neither_verification_nor_the_next_attempt():
    policy = RecoveryPolicy(failures=1, delay_ms=30_000)
    now = 1_700_000_000_000
    state, _ = step(RecoveryState("shop"), ProbeFailed(), now, policy)
    state, _ = step(state, RestartSucceeded(state.attempt_key), now + 1_000, policy)
    earlier = now - 9 * 3_600_000
    state, effects = step(state, ProbeFailed("still down"), earlier, policy)
    assert effects == ()
    assert next_deadline(state) == earlier + 30_000
    state, effects = step(state, RecoveryTick(), earlier + 30_000, policy)
    assert [effect.attempt for effect in effects if isinstance(effect, Restart)] == [2]
