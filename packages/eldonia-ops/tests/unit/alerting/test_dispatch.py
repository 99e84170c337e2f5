from dataclasses import replace

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eldonia_ops.alerting.dispatch import (
    AlertsReceived,
    DeliveryFailed,
    DispatchState,
    DispatchTick,
    DropGroup,
    ForgetAlert,
    Notify,
    PutAlert,
    PutGroup,
    Record,
    RoutingChanged,
    alert_statuses,
    group_keys,
    groups_notified,
    next_deadline,
    restore,
    step,
)
from eldonia_ops.alerting.group import AlertGroupState
from eldonia_ops.alerting.inhibition import InhibitRule
from eldonia_ops.alerting.notification import Cause
from eldonia_ops.alerting.receivers import Integration, Receiver
from eldonia_ops.alerting.route import Route
from eldonia_ops.alerting.routing import Routing
from eldonia_ops.alerting.time_interval import Interval, TimeInterval
from eldonia_ops.model.alerts import Alert, Silence
from eldonia_ops.model.labels import Labels
from eldonia_ops.model.matchers import Matcher, MatchOp
from eldonia_ops.notifiers.pagerduty.config import PagerDutyConfig
from eldonia_ops.notifiers.slack.config import SlackConfig
from eldonia_ops.notifiers.webhook.config import WebhookConfig

T0 = 1_767_323_045_000
SECOND, MINUTE, HOUR = 1_000, 60_000, 3_600_000


def equal(name, value):
    return Matcher(name, MatchOp.EQUAL, value)


def receiver(name, config):
    return Receiver(name, (Integration(name, config.KIND, 0, config),))


ROUTING = Routing(
    Route(
        "{}", "{}", "chat", group_by=("alertname", "service"),
        routes=(
            Route('{}/{severity="critical"}/0', '{}/{severity="critical"}', "pager", (equal("severity", "critical"),),
                  continues=True, group_by=("alertname", "service")),
            Route("{}/{}/1", "{}/{}", "chat", group_by=("alertname", "service")),
        ),
    ),
    {"chat": receiver("chat", SlackConfig(send_resolved=True)), "pager": receiver("pager", PagerDutyConfig())},
    (InhibitRule((equal("severity", "critical"),), (equal("severity", "warning"),), ("service",), name="quiet"),),
)  # fmt: skip


def alert(name="Down", severity="critical", service="pay", instance="a", starts_at=0, ends_at=0):
    labels = Labels({"alertname": name, "severity": severity, "service": service, "instance": instance})
    return Alert(labels, starts_at=starts_at, ends_at=ends_at)


class Story:
    """Drives the dispatcher as the service does, and keeps what it says."""

    def __init__(self, routing=ROUTING, now=T0):
        self.state = DispatchState(routing)
        self.now = now
        self.sent = []
        self.ledger = []
        self.effects = ()

    def feed(self, event):
        self.state, effects = step(self.state, event, self.now)
        fresh = [effect.notification for effect in effects if isinstance(effect, Notify)]
        self.sent += fresh
        self.ledger += [effect.decision for effect in effects if isinstance(effect, Record)]
        self.effects = effects
        return fresh

    def receive(self, *alerts):
        return self.feed(AlertsReceived(alerts))

    def silence(self, *silences):
        self.state = replace(self.state, silences=silences)

    def wait(self, duration):
        """Let time pass, stopping at every deadline."""
        until, fresh = self.now + duration, []
        while (deadline := next_deadline(self.state)) is not None and deadline <= until:
            self.now = max(deadline, self.now)
            fresh += self.feed(DispatchTick())
        self.now = until
        return fresh

    def to(self, name, notifications):
        return [item for item in notifications if item.integration.receiver == name]


def long(starts_at=0, **more):
    return alert(starts_at=starts_at, ends_at=T0 + 30 * 24 * HOUR, **more)


def test_waits_for_company_then_tells_every_receiver_once():
    story = Story()
    assert story.receive(long(instance="a")) == []
    assert next_deadline(story.state) == T0 + 30 * SECOND
    story.now += 10 * SECOND
    story.receive(long(instance="b"))
    notified = story.wait(25 * SECOND)
    assert sorted((item.integration.receiver, len(item.alerts), item.cause) for item in notified) == [
        ("chat", 2, Cause.FIRST),
        ("pager", 2, Cause.FIRST),
    ]
    assert story.wait(HOUR) == []
    assert [line.verdict for line in story.ledger if line.receiver == "pager"] == [
        "grouped", "grouped", "sent", "sent", "deduplicated", "deduplicated",
    ]  # fmt: skip


def test_a_storm_costs_each_group_one_look_at_each_alert(monkeypatch):
    # 20,000 alerts in one group once kept the writing thread busy for minutes: each was compared with all others.
    compared = 0

    def counting(one, other):
        nonlocal compared
        compared += 1
        return one is other

    story = Story()
    storm = [long(instance=str(number)) for number in range(200)]
    monkeypatch.setattr(Alert, "__eq__", counting)
    story.receive(*storm)
    assert [len(item.alerts) for item in story.wait(MINUTE)] == [200, 200]
    assert compared <= 200


def test_alerts_that_arrive_together_stand_as_if_they_had_come_one_by_one():
    together, apart = Story(), Story()
    alerts = [long(instance=name, starts_at=T0 - age) for name, age in [("a", 0), ("b", HOUR), ("a", 0), ("c", 0)]]
    together.receive(*alerts)
    for one in alerts:
        apart.receive(one)
    assert together.state == apart.state
    assert sorted(line.fingerprint for line in together.ledger) == sorted(line.fingerprint for line in apart.ledger)


def test_a_group_whose_alerts_alone_change_is_said_to_be_stored_as_it_is():
    def puts():
        return [effect for effect in story.effects if isinstance(effect, PutGroup)]

    story = Story()
    story.receive(long(severity="warning"))
    assert [put.members_only for put in puts()] == [False] * len(puts())
    story.receive(long(severity="warning", instance="b"))
    assert [(len(put.joined), put.members_only) for put in puts()] == [(1, True)] * len(puts())
    story.receive(long(severity="critical", instance="c"))
    assert {put.members_only for put in puts() if put.group.receiver == "pager"} == {False}, "it is new"
    assert {put.members_only for put in puts() if put.group.receiver == "chat"} == {False}, "it has become urgent"
    story.wait(HOUR)
    assert all(not put.members_only for put in puts()), "a flush moves the deadline"


def test_group_key_is_alertmanagers():
    story = Story()
    story.receive(long())
    [page] = story.to("pager", story.wait(MINUTE))
    assert page.group_key == '{}/{severity="critical"}:{alertname="Down", service="pay"}'


def test_repeats_after_the_repeat_interval():
    story = Story()
    story.receive(long())
    story.wait(MINUTE)
    assert story.wait(4 * HOUR - 10 * MINUTE) == []
    assert {item.cause for item in story.wait(15 * MINUTE)} == {Cause.REPEAT}


def test_an_alert_that_fires_for_longer_than_group_wait_goes_out_at_once():
    story = Story()
    story.receive(long(starts_at=T0 - MINUTE))
    assert len(story.wait(0)) == 2


def test_new_alert_in_a_told_group_waits_for_the_group_interval():
    story = Story()
    story.receive(long(instance="a"))
    story.wait(MINUTE)
    story.receive(long(instance="b"))
    assert story.wait(4 * MINUTE) == []
    notified = story.wait(MINUTE)
    assert {(item.cause, len(item.alerts)) for item in notified} == {(Cause.NEW_ALERTS, 2)}


def test_resolution_is_told_once_and_the_group_is_dropped():
    story = Story()
    story.receive(long())
    story.wait(MINUTE)
    story.receive(alert(starts_at=T0, ends_at=story.now))
    notified = story.wait(5 * MINUTE)
    assert {item.cause for item in notified} == {Cause.ALL_RESOLVED}
    assert not story.state.groups
    assert not story.state.alerts
    assert [type(effect) for effect in story.effects if isinstance(effect, DropGroup | ForgetAlert)]
    assert next_deadline(story.state) is None
    assert story.receive(alert(starts_at=T0, ends_at=T0 + MINUTE)) == []
    assert not story.state.alerts


def held(ends_at, **more):
    return replace(alert(starts_at=T0, ends_at=ends_at, **more), evidence={"held_until": ends_at})


def test_an_end_that_was_waited_for_does_not_wait_for_the_interval_as_well():
    story = Story()
    story.receive(long())
    story.wait(7 * MINUTE)  # sent after half a minute, and looked at again after five and a half
    story.receive(held(story.now))
    assert {item.cause for item in story.wait(0)} == {Cause.ALL_RESOLVED}
    assert not story.state.groups


def test_such_an_end_is_no_second_message_within_the_interval():
    story = Story()
    story.receive(long())
    story.wait(3 * MINUTE)
    story.receive(held(story.now))
    assert story.wait(2 * MINUTE) == []
    assert len(story.wait(30 * SECOND)) == 2


def test_such_an_end_waits_for_the_others_of_its_group_and_with_the_last_of_them_all_are_sent():
    story = Story()
    story.receive(long(instance="a"), long(instance="b"))
    story.wait(6 * MINUTE)
    usual = next_deadline(story.state)
    story.receive(held(story.now, instance="a"))
    assert story.wait(SECOND) == []
    assert next_deadline(story.state) == usual, "as it would have gone on"
    assert story.receive(held(story.now - SECOND, instance="a")) == story.wait(SECOND) == [], "said once more"
    story.receive(held(story.now, instance="b"))
    assert {(item.cause, len(item.alerts)) for item in story.wait(0)} == {(Cause.ALL_RESOLVED, 2)}


def test_silence_of_the_source_resolves_after_the_timeout():
    story = Story()
    story.receive(alert())  # no ends_at: 5 minutes
    notified = story.wait(20 * MINUTE)
    assert [item.cause for item in story.to("chat", notified)] == [Cause.FIRST, Cause.ALL_RESOLVED]


def test_fired_and_resolved_within_group_wait_notifies_no_one_but_leaves_a_line():
    story = Story()
    story.receive(long())
    story.now += SECOND
    story.receive(alert(starts_at=T0, ends_at=story.now))
    assert story.wait(MINUTE) == []
    assert story.ledger[-1].verdict == "deduplicated"
    assert "before the receiver was notified" in story.ledger[-1].reason


def test_without_send_resolved_the_end_is_recorded_and_not_sent():
    routing = Routing(Route("{}", "{}", "hook"), {"hook": receiver("hook", WebhookConfig(send_resolved=False))})
    story = Story(routing)
    story.receive(long())
    assert len(story.wait(MINUTE)) == 1
    story.receive(alert(starts_at=T0, ends_at=story.now))
    assert story.wait(10 * MINUTE) == []
    assert story.ledger[-1].reason == "the integration does not send resolved alerts"
    story.receive(long(starts_at=story.now))
    assert len(story.wait(MINUTE)) == 1


def test_inhibited_alert_is_explained_and_goes_out_when_the_source_ends():
    story = Story()
    story.receive(long(), long(name="Slow", severity="warning"), long(name="Slow", severity="warning", service="web"))
    notified = story.wait(MINUTE)
    assert sorted(item.alerts[0].labels["service"] for item in story.to("chat", notified)) == ["pay", "web"]
    [line] = [line for line in story.ledger if line.verdict == "inhibited"]
    assert line.reason == "inhibited by Down under rule 'quiet' (service='pay')"
    assert alert_statuses(story.state, story.now)[line.fingerprint].state == "suppressed"
    story.receive(alert(starts_at=T0, ends_at=story.now))
    notified = story.wait(10 * MINUTE)
    assert any(item.alerts[0].name == "Slow" and item.alerts[0].labels["service"] == "pay" for item in notified)


def silence(**more):
    fields = {"starts_at": 0, "ends_at": T0 + HOUR, **more}
    return Silence("s1", (equal("service", "pay"),), created_by="ann", comment="deploy", **fields)


def test_silenced_alert_is_explained_and_goes_out_when_the_silence_ends():
    story = Story()
    story.silence(silence())
    story.receive(long())
    assert story.wait(HOUR - MINUTE) == []
    [line] = [line for line in story.ledger if line.verdict == "silenced" and line.receiver == "pager"]
    assert line.reason == "silence s1 by ann: deploy"
    assert len(story.wait(10 * MINUTE)) == 2


def test_silenced_after_being_told_still_hears_of_the_end():
    story = Story()
    story.receive(long())
    story.wait(MINUTE)
    story.silence(silence())
    story.receive(alert(starts_at=T0, ends_at=story.now))
    assert {item.cause for item in story.wait(10 * MINUTE)} == {Cause.ALL_RESOLVED}


def test_muted_and_active_times():
    noon = TimeInterval("noon", (Interval(times=((12 * 60, 13 * 60),), location="Asia/Tokyo"),))
    routing = Routing(
        Route("{}", "{}", "chat", routes=(Route("{}/{}/0", "{}/{}", "chat", mute_time_intervals=("noon",)),)),
        {"chat": receiver("chat", SlackConfig())},
        time_intervals={"noon": noon},
    )
    story = Story(routing)  # 12:04 in Tokyo
    story.receive(long())
    assert story.wait(50 * MINUTE) == []
    assert "mute time noon" in story.ledger[-1].reason
    assert len(story.wait(11 * MINUTE)) == 1


def test_receiver_without_integration_is_said_to_be_unrouted():
    story = Story(Routing(Route("{}", "{}", "null"), {"null": Receiver("null")}))
    story.receive(long())
    assert story.wait(MINUTE) == []
    assert story.ledger[-1].verdict == "unrouted"


def test_given_up_delivery_is_tried_again_at_the_next_flush():
    story = Story()
    story.receive(long())
    [page] = story.to("pager", story.wait(MINUTE))
    story.feed(DeliveryFailed(page.order_key))
    notified = story.wait(5 * MINUTE)
    assert [(item.integration.receiver, item.cause) for item in notified] == [("pager", Cause.FIRST)]
    assert notified[0].idempotency_key != page.idempotency_key


def test_what_is_told_under_an_order_key_is_found_without_looking_at_all_groups():
    odd = Labels({"alertname": "A:{}", "severity": "critical", "service": 'quo"te'})
    story = Story()
    story.receive(long(), Alert(odd, starts_at=T0, ends_at=T0 + HOUR))
    for notification in story.wait(MINUTE):
        [key] = groups_notified(ROUTING, notification.integration, notification.order_key)
        group = story.state.groups[key]
        assert set(group.fingerprints) == set(notification.fingerprints)
        assert (group.receiver, group.labels) == (notification.integration.receiver, notification.group_labels)
        assert key in group_keys(ROUTING, notification.alerts[0].labels)
    assert groups_notified(ROUTING, story.sent[0].integration, "elsewhere:{}") == []


def persisted(state):
    return [msgspec.convert(msgspec.to_builtins(group), AlertGroupState) for group in state.groups.values()]


def test_survives_a_restart_without_telling_twice():
    story = Story()
    story.receive(long())
    story.wait(MINUTE)
    state, effects = restore(ROUTING, story.state.alerts.values(), persisted(story.state), (), story.now)
    assert state.groups == story.state.groups
    assert effects == ()
    story.state = state
    assert story.wait(HOUR) == []


def test_a_changed_routing_regroups_what_fires():
    story = Story()
    story.receive(long())
    story.wait(MINUTE)
    other = Routing(Route("{}", "{}", "hook"), {"hook": receiver("hook", WebhookConfig())})
    story.feed(RoutingChanged(other))
    assert [item.integration.receiver for item in story.wait(MINUTE)] == ["hook"]


def test_a_route_put_before_the_others_pages_no_one_again_and_loses_no_end():
    story = Story()
    story.receive(long(), long(instance="b"))
    story.wait(MINUTE)
    story.receive(alert(starts_at=T0, ends_at=story.now))
    root = ROUTING.route
    first, last = root.routes
    new = Route('{}/{team="x"}/0', '{}/{team="x"}', "chat", (equal("team", "x"),))
    shifted = replace(root, routes=(new, replace(first, id=f"{first.key}/1"), replace(last, id=f"{last.key}/2")))
    story.feed(RoutingChanged(replace(ROUTING, route=shifted)))
    assert {group.route for group in story.state.groups.values()} == {f"{first.key}/1", f"{last.key}/2"}
    notified = story.wait(HOUR)
    assert sorted((item.integration.receiver, item.cause) for item in notified) == [
        ("chat", Cause.SOME_RESOLVED),
        ("pager", Cause.SOME_RESOLVED),
    ]


def test_effects_say_all_that_must_be_stored():
    story = Story()
    story.receive(long())
    kinds = [type(effect) for effect in story.effects]
    assert kinds.count(PutAlert) == 1
    assert kinds.count(PutGroup) == 2
    assert kinds.count(Record) == 2
    story.feed(DispatchTick())
    assert story.effects == ()


ACTIONS = st.lists(
    st.tuples(
        st.sampled_from(["fire", "resolve", "wait", "restart", "silence", "unsilence", "fail"]),
        st.integers(0, 5),
        st.sampled_from([1_000, 20_000, 61_000, 400_000]),
    ),
    max_size=25,
)


@given(ACTIONS)
@settings(max_examples=80, deadline=None)
def test_no_alert_is_ever_lost(actions):
    """Whatever happens on the way, an alert that keeps firing and is quieted by nothing is known to each of
    its receivers one group interval later; and stored state always equals the state in memory."""
    story = Story()
    alerts = [
        long(name=name, severity=severity, service=service)
        for name, severity, service in [("A", "critical", "x"), ("A", "critical", "y"), ("B", "warning", "z")]
    ] + [long(name="A", severity="critical", service="x", instance=str(number)) for number in range(3)]
    stored_alerts, stored_groups = {}, {}

    def keep():
        for effect in story.effects:
            if isinstance(effect, PutAlert):
                stored_alerts[effect.alert.fingerprint] = effect.alert
            elif isinstance(effect, ForgetAlert):
                del stored_alerts[effect.fingerprint]
            elif isinstance(effect, PutGroup):
                stored_groups[effect.group.key] = effect.group
            elif isinstance(effect, DropGroup):
                del stored_groups[effect.key]

    for action, which, duration in actions:
        chosen = alerts[which]
        if action == "fire":
            story.receive(Alert(chosen.labels, starts_at=story.now, ends_at=chosen.ends_at))
        elif action == "resolve":
            known = story.state.alerts.get(chosen.fingerprint)
            story.receive(
                Alert(chosen.labels, starts_at=known.starts_at if known else story.now - 1, ends_at=story.now)
            )
        elif action == "silence":
            story.silence(Silence("s", (equal("service", "x"),), 0, story.now + HOUR, "", ""))
            story.effects = ()
        elif action == "unsilence":
            story.silence()
            story.effects = ()
        elif action == "fail" and story.sent:
            story.feed(DeliveryFailed(story.sent[-1].order_key))
        elif action == "restart":
            story.state, story.effects = restore(
                ROUTING, stored_alerts.values(), list(stored_groups.values()), story.state.silences, story.now
            )
        elif action == "wait":
            until = story.now + duration
            while (deadline := next_deadline(story.state)) is not None and deadline <= until:
                story.now = max(deadline, story.now)
                story.feed(DispatchTick())
                keep()
            story.now = until
            story.effects = ()
        keep()
        assert stored_alerts == dict(story.state.alerts)
        assert stored_groups == dict(story.state.groups)
    story.silence()
    story.wait(5 * MINUTE + SECOND)
    for fingerprint, known in story.state.alerts.items():
        if known.resolved(story.now):
            continue
        for route in ROUTING.route.match(known.labels):
            groups = [
                item
                for item in story.state.groups.values()
                if item.route == route.id and fingerprint in item.fingerprints
            ]
            assert len(groups) == 1
            [entry] = groups[0].log.values()
            assert fingerprint in entry.firing


@pytest.mark.parametrize("key", ["a", "b"])
def test_the_same_flush_computed_twice_has_the_same_keys(key):
    first, second = Story(), Story()
    for story in (first, second):
        story.receive(long(instance=key))
        story.wait(MINUTE)
    assert [item.idempotency_key for item in first.sent] == [item.idempotency_key for item in second.sent]


def test_alerts_that_the_routes_cannot_tell_apart_stand_as_each_does_alone():
    always, never = TimeInterval("always", (Interval(),)), TimeInterval("never", ())
    tree = Route(
        "{}", "{}", "chat",
        routes=(
            Route("a", "a", "pager", (equal("severity", "critical"), Matcher("team", MatchOp.REGEX, "x|y")),
                  continues=True, mute_time_intervals=("always",)),
            Route("b", "b", "chat", (equal("severity", "critical"),), mute_time_intervals=("always",)),
            Route("c", "c", "pager", (Matcher("team", MatchOp.NOT_EQUAL, ""),), active_time_intervals=("never",)),
        ),
    )  # fmt: skip
    routing = Routing(tree, ROUTING.receivers, (), {"always": always, "never": never})
    silences = (
        Silence("s", (equal("host", "1"),), T0 - 1, T0 + 1, "", ""),
        Silence("old", (equal("host", "2"),), 0, 1, "", ""),
    )
    alerts = [
        Alert(Labels({"alertname": name, "severity": severity, "team": team, "host": host}), ends_at=T0 + HOUR)
        for name in ("Down", "NotificationFailed")
        for severity in ("critical", "warning")
        for team in ("", "x", "z")
        for host in ("1", "2")
    ]
    alerts.append(Alert(Labels({"alertname": "Over", "severity": "critical"}), ends_at=T0))
    together = alert_statuses(DispatchState(routing, {item.fingerprint: item for item in alerts}, {}, silences), T0)
    for item in alerts:
        alone = alert_statuses(DispatchState(routing, {item.fingerprint: item}, {}, silences), T0)
        assert together[item.fingerprint] == alone[item.fingerprint]
        routes = routing.routes(item.labels)
        assert alone[item.fingerprint].receivers == tuple(dict.fromkeys(route.receiver for route in routes))
        assert alone[item.fingerprint].silenced_by == (("s",) if item.labels.get("host") == "1" else ())
    assert len({alert_status.receivers for alert_status in together.values()}) > 2
    assert {alert_status.state for alert_status in together.values()} == {"active", "suppressed", "resolved"}
