from dataclasses import replace

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eldonia_ops.model.alerts import UNTIL_RESOLVED
from eldonia_ops.model.security import FindingStatus, SecurityEvent, SecurityEventType, SecuritySeverity
from eldonia_ops.security.thresholds import DEFAULTS, Threshold, faster
from eldonia_ops.security.windows import (
    DEFAULT_LIMITS,
    MANY_SOURCES,
    Judge,
    OpenFinding,
    RaiseSecurityAlert,
    ResolveAlert,
    UpdateFinding,
    Window,
    WindowLimits,
    WindowState,
    WindowTick,
    changes,
    next_deadline,
    restore,
    step,
    step_all,
)

MINUTE = 60_000
Type = SecurityEventType


class Watch:
    def __init__(self, thresholds=DEFAULTS, limits=DEFAULT_LIMITS, now=10_000_000):
        self.thresholds, self.limits, self.now = thresholds, limits, now
        self.state = WindowState()
        self.effects = []
        self.serial = 0

    def event(self, type_=Type.FAILED_LOGIN, source="203.0.113.9", severity=SecuritySeverity.LOW, at=None, id=""):
        self.serial += 1
        return SecurityEvent(
            id or f"e{self.serial}", self.now if at is None else at, type_, severity, source, service="shop"
        )

    def feed(self, event, after=0):
        self.now += after
        self.state, effects = step(self.state, event, self.now, self.thresholds, self.limits)
        self.effects += effects
        return effects

    def fail(self, count=1, every=1000, **fields):
        for _ in range(count):
            self.now += every
            self.feed(self.event(**fields))

    def of(self, kind):
        return [effect for effect in self.effects if isinstance(effect, kind)]

    def finding(self):
        stored = [effect.finding for effect in self.effects if isinstance(effect, (OpenFinding, UpdateFinding))]
        return stored[-1]


def test_every_type_has_a_threshold_and_the_repaired_ones_are_the_seeds():
    assert set(DEFAULTS) == set(Type)
    brute = DEFAULTS[Type.BRUTE_FORCE_ATTEMPT]
    assert (brute.count, brute.window_ms) == (10, 5 * MINUTE)
    for type_ in (Type.SQL_INJECTION_ATTEMPT, Type.XSS_ATTEMPT, Type.CSRF_ATTEMPT):
        assert (DEFAULTS[type_].count, DEFAULTS[type_].window_ms) == (1, MINUTE)
    assert faster(DEFAULTS, 10)[Type.FAILED_LOGIN].window_ms == 30_000


def test_five_failures_alert_once_and_further_ones_extend():
    watch = Watch()
    watch.fail(4)
    assert watch.effects == []
    watch.fail(46)
    assert len(watch.of(OpenFinding)) == len(watch.of(RaiseSecurityAlert)) == 1
    alert = watch.of(RaiseSecurityAlert)[0].alert
    assert dict(alert.labels) == {
        "alertname": "SecurityFailedLogin",
        "severity": "warning",
        "service": "security",
        "type": "failed_login",
        "source": "203.0.113.9",
    }
    assert alert.ends_at == UNTIL_RESOLVED
    assert not alert.resolved(watch.now)
    assert alert.evidence["count"] == 5
    assert watch.finding().count == 50
    assert len(watch.finding().evidence) == 12


def test_slow_failures_do_not_alert():
    watch = Watch()
    watch.fail(50, every=75_001)
    assert watch.effects == []


def test_the_window_slides():
    watch = Watch()
    watch.fail(1)
    watch.fail(4, every=74_999)
    assert len(watch.of(RaiseSecurityAlert)) == 1  # 5 events within 299,996 ms, over no fixed boundary


def test_sources_and_types_count_apart():
    watch = Watch()
    for index in range(20):
        watch.fail(1, source=f"198.51.100.{index}")
        watch.fail(1, type_=Type.SUSPICIOUS_ACTIVITY, source=f"192.0.2.{index % 10}")
    assert watch.effects == []


def test_quiet_ends_the_alert_and_a_new_window_alerts_anew():
    watch = Watch()
    watch.fail(6)
    deadline = next_deadline(watch.state, watch.thresholds)
    assert deadline == watch.now + 10 * MINUTE
    watch.feed(WindowTick(), after=10 * MINUTE - 1)
    assert watch.of(ResolveAlert) == []
    watch.feed(WindowTick(), after=1)
    resolved = watch.of(ResolveAlert)[0].alert
    assert resolved.labels == watch.of(RaiseSecurityAlert)[0].alert.labels
    assert resolved.resolved(watch.now)
    assert watch.finding().status is FindingStatus.OPEN  # people still have to judge it
    assert next_deadline(watch.state) is None
    watch.fail(5)
    assert len(watch.of(RaiseSecurityAlert)) == 2
    assert len({effect.finding.id for effect in watch.of(OpenFinding)}) == 2


def test_a_late_tick_does_not_glue_two_attacks_together():
    watch = Watch()
    watch.fail(5)
    watch.now += 60 * MINUTE
    watch.fail(5)
    assert len(watch.of(RaiseSecurityAlert)) == 2
    assert len(watch.of(ResolveAlert)) == 1


def test_a_graver_event_raises_the_new_alert_before_the_old_one_ends():
    watch = Watch()
    watch.fail(5)
    watch.effects.clear()
    watch.fail(1, severity=SecuritySeverity.CRITICAL)
    assert [type(effect) for effect in watch.effects] == [UpdateFinding, RaiseSecurityAlert, ResolveAlert]
    assert watch.effects[1].alert.labels["severity"] == "critical"
    assert watch.effects[2].alert.labels["severity"] == "warning"


def test_one_critical_event_is_enough():
    watch = Watch()
    watch.fail(1, type_=Type.DATA_ACCESS, severity=SecuritySeverity.CRITICAL)
    assert watch.of(RaiseSecurityAlert)[0].alert.labels["severity"] == "critical"


def test_repeated_ids_count_once():
    watch = Watch()
    for _ in range(10):
        watch.feed(watch.event(id="same"))
    assert watch.effects == []


def test_a_backlog_is_judged_by_event_times_and_stays_up_long_enough():
    watch = Watch(now=100_000_000)
    for index in range(5):
        watch.feed(watch.event(at=1_000_000 + index * 1000))
    assert len(watch.of(RaiseSecurityAlert)) == 1
    watch.feed(WindowTick(), after=MINUTE)
    assert watch.of(ResolveAlert) == []


def test_false_positive_ends_the_alert_and_mutes_until_quiet():
    watch = Watch()
    watch.fail(5)
    watch.feed(Judge(watch.finding(), FindingStatus.FALSE_POSITIVE, "rin", "load test"))
    assert len(watch.of(ResolveAlert)) == 1
    assert watch.finding().changed_by == "rin"
    watch.fail(20)
    assert len(watch.of(RaiseSecurityAlert)) == 1
    assert watch.finding().status is FindingStatus.FALSE_POSITIVE
    assert watch.finding().count == 25
    watch.feed(Judge(watch.finding(), FindingStatus.OPEN, "rin"))
    assert len(watch.of(RaiseSecurityAlert)) == 2
    watch.feed(Judge(watch.finding(), FindingStatus.FALSE_POSITIVE, "rin"))
    watch.feed(WindowTick(), after=10 * MINUTE)
    watch.fail(5)
    assert len(watch.of(RaiseSecurityAlert)) == 3


def test_resolved_by_a_person_alerts_again_on_a_new_crossing():
    watch = Watch()
    watch.fail(5)
    watch.feed(Judge(watch.finding(), FindingStatus.INVESTIGATING, "rin"))
    assert watch.of(ResolveAlert) == []
    watch.feed(Judge(watch.finding(), FindingStatus.RESOLVED, "rin"))
    assert len(watch.of(ResolveAlert)) == 1
    watch.fail(4)
    assert len(watch.of(RaiseSecurityAlert)) == 1
    watch.fail(1)
    assert len(watch.of(RaiseSecurityAlert)) == 2


def test_a_finding_whose_window_is_gone_can_still_be_judged():
    watch = Watch()
    watch.fail(5)
    finding = watch.finding()
    watch.state = WindowState()
    effects = watch.feed(Judge(finding, FindingStatus.RESOLVED, "rin", "blocked"))
    assert [type(effect) for effect in effects] == [UpdateFinding]
    assert watch.finding().note == "blocked"


def test_memory_is_bounded_and_an_evicted_alert_ends():
    watch = Watch(limits=WindowLimits(tracked=10))
    for index in range(50):
        watch.fail(1, type_=Type.XSS_ATTEMPT, source=f"s{index}")
    assert len(watch.state.windows) == 10
    assert len(watch.of(RaiseSecurityAlert)) - len(watch.of(ResolveAlert)) == 10
    quiet = Watch(limits=WindowLimits(tracked=3))
    quiet.fail(1, type_=Type.XSS_ATTEMPT, source="attacker")
    quiet.fail(1, source="a")
    quiet.fail(1, source="b")
    quiet.fail(1, source="c")
    assert quiet.of(ResolveAlert) == []  # a window without an alert went first
    assert "failed_login|a" not in quiet.state.windows


def test_stale_windows_are_forgotten():
    watch = Watch()
    watch.fail(2)
    watch.feed(WindowTick(), after=60 * MINUTE)
    assert watch.state.windows == {}


def test_a_batch_keeps_only_the_last_update():
    watch = Watch()
    events = [watch.event() for _ in range(100)]
    state, effects = step_all(watch.state, events, watch.now)
    assert [type(effect) for effect in effects] == [OpenFinding, RaiseSecurityAlert, UpdateFinding]
    assert effects[-1].finding.count == 100
    saved, deleted = changes(watch.state, state)
    assert set(saved) == {"failed_login|203.0.113.9"}
    assert deleted == ()
    assert changes(state, WindowState())[1] == ("failed_login|203.0.113.9",)


def test_malformed_thresholds():
    with pytest.raises(ValueError, match="counts"):
        Threshold(0, 1)
    with pytest.raises(ValueError, match="positive"):
        Threshold(1, 0)


SMALL = {Type.FAILED_LOGIN: Threshold(3, 100, quiet_ms=150)}


@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(st.sampled_from("ab"), st.integers(0, 70), st.booleans()), max_size=60), st.booleans())
def test_alerts_exactly_at_crossings(moves, persist):
    """Against a naive count: an alert goes up exactly when three events lie within 100 ms and none is up."""
    watch = Watch(SMALL, now=1000)
    times = {"a": [], "b": []}
    up: dict[str, int] = {}
    for source, pause, tick in moves:
        watch.now += pause
        if persist:
            stored = msgspec.json.decode(msgspec.json.encode(watch.state.windows), type=dict[str, Window])
            assert restore(stored) == restore(watch.state.windows)
            watch.state = msgspec.json.decode(msgspec.json.encode(watch.state), type=WindowState)
        for name in list(up):
            if watch.now - up[name] >= 150:
                del up[name]
                times[name] = []
        effects = watch.feed(WindowTick() if tick else watch.event(source=source))
        raised = [effect.alert.labels["source"] for effect in effects if isinstance(effect, RaiseSecurityAlert)]
        if tick:
            assert raised == []
            continue
        times[source].append(watch.now)
        crossing = len([time for time in times[source] if watch.now - time < 100]) >= 3
        assert raised == ([source] if crossing and source not in up else [])
        if crossing or source in up:
            up[source] = watch.now
    alert_status = {}
    for effect in watch.effects:
        if isinstance(effect, RaiseSecurityAlert):
            assert effect.alert.fingerprint not in alert_status
            alert_status[effect.alert.fingerprint] = effect
        elif isinstance(effect, ResolveAlert):
            del alert_status[effect.alert.fingerprint]


def test_equal_behaviour_after_encoding():
    watch = Watch()
    watch.fail(7, severity=SecuritySeverity.HIGH)
    copy = msgspec.json.decode(msgspec.json.encode(watch.state), type=WindowState)
    assert copy == watch.state
    event = replace(watch.event(), details={"path": "/login"})
    assert step(copy, event, watch.now) == step(watch.state, event, watch.now)


def test_an_attack_from_many_addresses_becomes_one_more_finding():
    watch = Watch(limits=WindowLimits(apart=3))
    for number in range(50):
        watch.feed(watch.event(Type.SQL_INJECTION_ATTEMPT, f"203.0.113.{number}"), after=100)
    opened = watch.of(OpenFinding)
    assert [one.finding.source for one in opened] == ["203.0.113.0", "203.0.113.1", "203.0.113.2", MANY_SOURCES]
    assert len(watch.of(RaiseSecurityAlert)) == 4
    assert watch.of(UpdateFinding)[-1].finding.count == 47
    assert watch.of(UpdateFinding)[-1].finding.source == MANY_SOURCES
    # Other types are not crowded out, and sources that have a finding go on extending their own.
    watch.feed(watch.event(Type.MALWARE_DETECTED, "203.0.113.77"))
    assert watch.of(OpenFinding)[-1].finding.source == "203.0.113.77"
    watch.feed(watch.event(Type.SQL_INJECTION_ATTEMPT, "203.0.113.1"))
    assert watch.of(UpdateFinding)[-1].finding.source == "203.0.113.1"
    # When all is quiet all alerts end.
    watch.now += 61 * MINUTE
    watch.feed(WindowTick())
    assert len(watch.of(ResolveAlert)) == 5


def test_sources_that_stay_below_the_threshold_are_not_gathered():
    watch = Watch(limits=WindowLimits(apart=1))
    watch.fail(5, source="203.0.113.1")
    watch.fail(4, source="203.0.113.2")
    assert len(watch.of(OpenFinding)) == 1
    watch.fail(1, source="203.0.113.2")
    many = watch.of(OpenFinding)[-1].finding
    assert (many.source, many.count) == (MANY_SOURCES, 5)
