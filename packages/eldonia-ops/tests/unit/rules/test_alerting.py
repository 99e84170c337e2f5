import json

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eldonia_ops.model.labels import Labels
from eldonia_ops.promql import parse
from eldonia_ops.rules import AlertingRule, AlertState, RuleError, RuleRenderer, RuleState
from eldonia_ops.rules.alerting import resume, samples, step, to_send

MINUTE = 60_000
T0 = 1_700_000_000_000
RENDER = RuleRenderer()


def rule(**options):
    settings = {
        "for_ms": 2 * MINUTE,
        "labels": Labels({"severity": "critical"}),
        "annotations": Labels({"summary": "{{ $labels.job }} at {{ $value }}"}),
    }
    return AlertingRule("Down", "up == 0", parse("up == 0"), **{**settings, **options})


DOWN = [(Labels({"__name__": "up", "job": "shop"}), 0.0)]


def run(wanted, vectors, *, every=MINUTE, state=None):
    state = state or RuleState()
    history = []
    for index, vector in enumerate(vectors):
        before, state = state, step(wanted, state, vector, T0 + index * every, render=RENDER)
        history.append(list(transitions(before, state).values()))
    return state, history


def transitions(before, after):
    """What has happened to each alert, by fingerprint; ``cleared`` is a pending one that ceased before it fired."""
    found = {}
    for key in [*before.alerts, *(key for key in after.alerts if key not in before.alerts)]:
        was, now = (state.alerts[key].state if key in state.alerts else None for state in (before, after))
        if was is AlertState.PENDING and now is None:
            found[key] = "cleared"
        elif now is not was and now is not None:
            found[key] = "resolved" if now is AlertState.INACTIVE else now.value
    return found


def test_pending_then_firing_then_resolved():
    state, history = run(rule(), [[], DOWN, DOWN, DOWN, DOWN, []])
    assert history == [[], ["pending"], [], ["firing"], [], ["resolved"]]
    (alert,) = state.alerts.values()
    assert alert.labels == {"alertname": "Down", "job": "shop", "severity": "critical"}
    assert alert.annotations == {"summary": "shop at 0"}
    assert alert.state is AlertState.INACTIVE
    assert (alert.active_at, alert.fired_at, alert.resolved_at) == (T0 + MINUTE, T0 + 3 * MINUTE, T0 + 5 * MINUTE)


def test_a_pending_alert_that_ceases_starts_anew():
    state, history = run(rule(), [DOWN, DOWN, [], DOWN])
    assert history == [["pending"], [], ["cleared"], ["pending"]]
    (alert,) = state.alerts.values()
    assert alert.active_at == T0 + 3 * MINUTE


def test_without_for_it_fires_at_once():
    _, history = run(rule(for_ms=0), [DOWN])
    assert history == [["firing"]]


def test_what_is_held_says_since_when_its_condition_has_ended_and_ends_there():
    wanted = rule(for_ms=0, keep_firing_for_ms=3 * MINUTE)

    def turn(state, vector, minute):
        now = T0 + minute * MINUTE
        return to_send(wanted, step(wanted, state, vector, now, render=RENDER), now, interval_ms=MINUTE)

    state, _ = turn(RuleState(), DOWN, 0)
    state, (held,) = turn(state, [], 1)
    assert not held.resolved(T0 + MINUTE)
    assert (held.evidence["recovered_at"], held.evidence["held_until"]) == (T0 + MINUTE, T0 + 4 * MINUTE)
    _, (back,) = turn(state, DOWN, 3)
    assert "recovered_at" not in back.evidence
    _, (over,) = turn(state, [], 4)
    assert (over.ends_at, over.evidence["resolved_at"]) == (T0 + MINUTE, T0 + 4 * MINUTE)


def test_keep_firing_for_outlasts_short_gaps():
    wanted = rule(for_ms=0, keep_firing_for_ms=3 * MINUTE)
    _, history = run(wanted, [DOWN, [], [], DOWN, [], [], [], []])
    assert history == [["firing"], [], [], [], [], [], [], ["resolved"]]


def test_resolved_alerts_are_kept_fifteen_minutes():
    state, _ = run(rule(for_ms=0), [DOWN, *[[] for _ in range(16)]])
    assert len(state.alerts) == 1
    state = step(rule(for_ms=0), state, [], T0 + 17 * MINUTE, render=RENDER)
    assert state.alerts == {}


def test_an_alert_that_comes_back_is_a_new_one():
    state, history = run(rule(for_ms=0), [DOWN, [], DOWN])
    assert history == [["firing"], ["resolved"], ["firing"]]
    (alert,) = state.alerts.values()
    assert (alert.fired_at, alert.resolved_at) == (T0 + 2 * MINUTE, 0)


def test_what_is_sent_says_what_a_timeline_needs():
    wanted, state = rule(), RuleState()
    for minute, value in enumerate((7.5, 9.0, 11.0)):
        state = step(wanted, state, [(Labels({"job": "shop"}), value)], T0 + minute * MINUTE, render=RENDER)
    _, (alert,) = to_send(wanted, state, T0 + 2 * MINUTE, interval_ms=MINUTE)
    assert alert.annotations == Labels({"summary": "shop at 11"})
    assert alert.evidence == {
        "expression": "up == 0",
        "value": 11.0,
        "crossed_value": "7.5",
        "active_at": T0,
        "fired_at": T0 + 2 * MINUTE,
        "for_ms": 2 * MINUTE,
    }


def test_two_series_that_become_one_alert_are_an_error():
    vector = [(Labels({"__name__": name, "job": "a"}), 1.0) for name in ("x", "y")]
    with pytest.raises(RuleError, match="same labelset after applying alert labels"):
        step(rule(), RuleState(), vector, T0, render=RENDER)


def test_limit():
    vector = [(Labels({"i": str(item)}), 1.0) for item in range(3)]
    with pytest.raises(RuleError, match="exceeded limit of 2 with 3 alerts"):
        step(rule(), RuleState(), vector, T0, render=RENDER, limit=2)


def test_a_broken_template_does_not_silence_the_alert():
    wanted = rule(for_ms=0, annotations=Labels({"summary": "{{ index $labels 1 2 }}"}))
    state, history = run(wanted, [DOWN])
    assert history == [["firing"]]
    (alert,) = state.alerts.values()
    assert alert.annotations["summary"].startswith("<error expanding template: ")


def test_sending_first_again_and_when_resolved():
    wanted = rule(for_ms=0)
    state = RuleState()
    sent = []
    for index in range(6):
        now = T0 + index * 30_000
        state = step(wanted, state, DOWN if index < 4 else [], now, render=RENDER)
        state, alerts = to_send(wanted, state, now, interval_ms=30_000)
        sent.append([(alert.starts_at - T0, alert.ends_at - T0, alert.resolved(now)) for alert in alerts])
    assert sent == [
        [(0, 4 * MINUTE, False)],
        [],
        [],
        [(0, 90_000 + 4 * MINUTE, False)],
        [(0, 2 * MINUTE, True)],
        [],
    ]


def test_pending_alerts_are_not_sent_and_evidence_names_the_crossing():
    wanted = rule(file="shop.yml", line=7)
    state = step(wanted, RuleState(), DOWN, T0, render=RENDER)
    assert to_send(wanted, state, T0, interval_ms=MINUTE)[1] == ()
    state = step(wanted, state, [(DOWN[0][0], float("nan"))], T0 + 2 * MINUTE, render=RENDER)
    _, (alert,) = to_send(wanted, state, T0 + 2 * MINUTE, interval_ms=5 * MINUTE)
    assert alert.source == "rule"
    assert alert.ends_at == T0 + 22 * MINUTE
    assert alert.evidence["rule"] == "shop.yml:7"
    assert alert.evidence["active_at"] == T0
    assert json.loads(json.dumps(alert.evidence))["value"] == "NaN"


def test_alerts_series():
    state, _ = run(rule(), [DOWN])
    found = {item.labels["__name__"]: item for item in samples(rule(), state, T0)}
    assert found["ALERTS"].labels["alertstate"] == "pending"
    assert found["ALERTS"].value == 1
    assert found["ALERTS_FOR_STATE"].value == T0 // 1000


def test_a_restart_neither_counts_nor_forgets_the_wait():
    wanted = rule(for_ms=10 * MINUTE)
    state, _ = run(wanted, [DOWN] * 5)
    late = T0 + 24 * MINUTE
    resumed = resume(wanted, state, late, interval_ms=MINUTE)
    (alert,) = resumed.alerts.values()
    assert late - alert.active_at == 5 * MINUTE
    assert resume(wanted, state, T0 + 5 * MINUTE, interval_ms=MINUTE) == state
    assert resume(wanted, state, T0 + 90 * MINUTE, interval_ms=MINUTE).alerts == {}
    firing, _ = run(rule(), [DOWN] * 4)
    assert resume(rule(), firing, T0 + 90 * MINUTE, interval_ms=MINUTE) == firing


@settings(max_examples=60, deadline=None)
@given(st.lists(st.lists(st.sampled_from("abc"), unique=True), max_size=12), st.integers(0, 3), st.integers(0, 3))
def test_state_survives_json_and_transitions_alternate(history, wait, keep):
    wanted = rule(for_ms=wait * MINUTE, keep_firing_for_ms=keep * MINUTE)
    state = RuleState()
    last = {}
    allowed = {
        None: {"pending", "firing"},
        "pending": {"firing", "cleared"},
        "firing": {"resolved"},
        "resolved": {"pending", "firing"},
        "cleared": {"pending", "firing"},
    }
    for index, names in enumerate(history):
        now = T0 + index * MINUTE
        vector = [(Labels({"job": name}), float("inf")) for name in names]
        before, state = state, step(wanted, state, vector, now, render=RENDER)
        for fingerprint, kind in transitions(before, state).items():
            assert kind in allowed[last.get(fingerprint)]
            last[fingerprint] = kind
        state, _ = to_send(wanted, state, now, interval_ms=MINUTE)
        state = msgspec.convert(msgspec.json.decode(msgspec.json.encode(state)), RuleState)
        live = {alert.labels["job"] for alert in state.alerts.values() if alert.state is not AlertState.INACTIVE}
        assert set(names) <= live
