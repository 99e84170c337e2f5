"""The small pure decisions: merging, inhibition, time intervals, deduplication, retrying."""

# ruff: noqa: E501 - tables are read by the line

import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eldonia_ops.alerting.alerts import merge
from eldonia_ops.alerting.inhibition import Inhibitor, InhibitRule, wanted_sources
from eldonia_ops.alerting.notification import Cause, LogEntry, decide
from eldonia_ops.alerting.retry import GIVE_UP_CRITICAL_MS, LONGEST_MS, next_attempt
from eldonia_ops.alerting.route import Route
from eldonia_ops.alerting.time_interval import Interval, parse_minute, parse_range
from eldonia_ops.model.alerts import Alert
from eldonia_ops.model.labels import Labels
from eldonia_ops.model.matchers import Matcher, MatchOp

NOW = 1_000_000_000
TIMEOUT = 300_000


def at(starts, ends, updated=0):
    return Alert(Labels({"alertname": "A"}), starts_at=starts, ends_at=ends, updated_at=updated)


@pytest.mark.parametrize(
    ("existing", "incoming", "expected"),
    [
        (None, at(0, 0), (NOW, NOW + TIMEOUT)),
        (None, at(5, 0), (5, NOW + TIMEOUT)),
        (None, at(0, NOW - 9), (NOW - 9, NOW - 9)),
        # the same occurrence keeps its earliest start
        (at(NOW - 90, NOW + 50), at(NOW - 10, NOW + 99), (NOW - 90, NOW + 99)),
        # an announced end outweighs an earlier one, an assumed end does not
        (at(NOW - 90, NOW + 99, NOW - 90), at(NOW - 10, NOW + 50), (NOW - 90, NOW + 99)),
        (at(NOW - 90, NOW - 1 + TIMEOUT, NOW - 1), at(NOW - 10, NOW + 50), (NOW - 90, NOW + 50)),
        # resolved ends it
        (at(NOW - 90, NOW + 99), at(NOW - 90, NOW), (NOW - 90, NOW)),
        # a new occurrence after the old one ended
        (at(NOW - 90, NOW - 50), at(NOW - 10, NOW + 50), (NOW - 10, NOW + 50)),
    ],
)
def test_merge(existing, incoming, expected):
    merged = merge(existing, incoming, NOW, TIMEOUT)
    assert (merged.starts_at, merged.ends_at) == expected
    assert merged.updated_at == NOW


def firing(**labels):
    return Alert(Labels(labels), ends_at=NOW + 1)


def rule(equal=("service",)):
    return InhibitRule((Matcher("sev", MatchOp.EQUAL, "c"),), (Matcher("sev", MatchOp.REGEX, "c|w"),), equal)


def inhibition(inhibitor, **labels):
    return next(inhibitor.inhibiting(Alert(Labels(labels), ends_at=NOW + 1)), None)


def test_an_alert_matching_both_sides_does_not_inhibit_itself_or_its_like():
    both = firing(sev="c", service="a", n="1")
    inhibitor = Inhibitor([rule()], [both, firing(sev="c", service="a", n="2")], NOW)
    assert inhibition(inhibitor, **both.labels) is None
    found = inhibition(inhibitor, sev="w", service="a")
    assert found is not None
    assert found.source == both


def test_missing_labels_are_equal_to_missing_labels():
    inhibitor = Inhibitor([rule()], [firing(sev="c")], NOW)
    assert inhibition(inhibitor, sev="w")
    assert inhibition(inhibitor, sev="w", service="a") is None


def test_resolved_alerts_inhibit_nothing():
    assert inhibition(Inhibitor([rule()], [Alert(Labels({"sev": "c"}), ends_at=NOW)], NOW), sev="w") is None


def instant(text):
    return int(datetime.datetime.fromisoformat(text).timestamp() * 1_000)


@pytest.mark.parametrize(
    ("interval", "when", "holds"),
    [
        (Interval(), "2026-01-02T03:04:05Z", True),
        (Interval(times=((540, 1050),)), "2026-01-02T09:00:00Z", True),
        (Interval(times=((540, 1050),)), "2026-01-02T17:30:00Z", False),
        (Interval(times=((0, 1440),)), "2026-01-02T23:59:59Z", True),
        (Interval(times=((540, 600),), location="Asia/Tokyo"), "2026-01-02T00:30:00Z", True),
        (Interval(weekdays=((1, 5),)), "2026-01-02T00:00:00Z", True),  # a Friday
        (Interval(weekdays=((1, 5),)), "2026-01-04T00:00:00Z", False),  # a Sunday
        (Interval(weekdays=((1, 5),), location="Asia/Tokyo"), "2026-01-04T20:00:00Z", True),
        (Interval(days_of_month=((-3, -1),)), "2026-02-26T00:00:00Z", True),
        (Interval(days_of_month=((-3, -1),)), "2026-02-25T00:00:00Z", False),
        (Interval(days_of_month=((29, 31),)), "2026-02-28T00:00:00Z", False),
        (Interval(days_of_month=((5, -5),)), "2026-02-24T00:00:00Z", True),
        (Interval(months=((1, 3),), years=((2026, 2026),)), "2026-03-31T00:00:00Z", True),
        (Interval(months=((1, 3),), years=((2026, 2026),)), "2027-03-31T00:00:00Z", False),
    ],
)
def test_intervals(interval, when, holds):
    assert interval.contains(instant(when)) is holds


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("fridat", "weekdays"), ("friday:monday", "weekdays"), ("0", "days_of_month"), ("32", "days_of_month"),
        ("-3:1", "days_of_month"), ("5:3", "days_of_month"), ("13", "months"), ("march:january", "months"), ("", "years"),
    ],
)  # fmt: skip
def test_bad_ranges(text, kind):
    with pytest.raises(ValueError, match=r"."):
        parse_range(text, kind)


@pytest.mark.parametrize("text", ["9:00", "24:01", "12:60", "noon", "12"])
def test_bad_minutes(text):
    with pytest.raises(ValueError, match="time"):
        parse_minute(text)


ENTRY = LogEntry(("a", "b"), (), NOW)


@pytest.mark.parametrize(
    ("entry", "now_firing", "resolved", "send_resolved", "now", "cause"),
    [
        (None, ["a"], [], True, NOW, Cause.FIRST),
        (None, [], ["a"], True, NOW, Cause.NONE),
        (ENTRY, ["a", "b"], [], True, NOW + 1, Cause.NONE),
        (ENTRY, ["a", "b", "c"], [], True, NOW + 1, Cause.NEW_ALERTS),
        (ENTRY, ["a"], ["b"], True, NOW + 1, Cause.SOME_RESOLVED),
        (ENTRY, ["a"], ["b"], False, NOW + 1, Cause.NONE),
        (ENTRY, [], ["a", "b"], False, NOW + 1, Cause.ALL_RESOLVED),
        (ENTRY, ["a", "b"], [], True, NOW + 1_000, Cause.NONE),
        (ENTRY, ["a", "b"], [], True, NOW + 1_001, Cause.REPEAT),
        (LogEntry((), ("a",), NOW), ["a"], [], True, NOW + 1, Cause.FIRST),
        (LogEntry((), ("a",), NOW), [], ["b"], True, NOW + 1, Cause.NONE),
    ],
)
def test_deduplication(entry, now_firing, resolved, send_resolved, now, cause):
    decision = decide(entry, now_firing, resolved, send_resolved=send_resolved, repeat_interval=1_000, now=now)
    assert decision.cause is cause
    assert decision.reason


@given(st.integers(1, 10_000), st.text(max_size=8), st.integers(0, 10_000_000))
def test_backoff_is_bounded_deterministic_and_honours_the_far_side(attempts, key, retry_after):
    again = next_attempt(attempts, NOW, retry_after, NOW, key=key)
    assert again == next_attempt(attempts, NOW, retry_after, NOW, key=key)
    assert again is not None
    assert NOW + 800 <= again <= NOW + max(LONGEST_MS, min(retry_after, 3_600_000))
    assert again >= NOW + min(retry_after, 3_600_000)


def test_backoff_grows_and_gives_up():
    pauses = [next_attempt(attempts, 0, key="k") for attempts in range(1, 15)]
    assert pauses[0] < 1_300
    assert pauses[4] > 10_000
    assert pauses[-1] >= LONGEST_MS * 0.8
    day = 24 * 3_600_000
    assert next_attempt(9, NOW + day, created_at=NOW) is None
    assert next_attempt(9, NOW + day, created_at=NOW, critical=True) is not None
    assert next_attempt(9, NOW + GIVE_UP_CRITICAL_MS, created_at=NOW, critical=True) is None
    assert next_attempt(1, NOW, created_at=NOW, critical=True, rejected=True) is None


def test_route_match_follows_continue():
    def route(name, value, continues=False, routes=()):
        return Route(name, name, name, (Matcher("a", MatchOp.REGEX, value),), continues, routes=routes)

    tree = Route(
        "root", "root", "root",
        routes=(route("one", "x|y", True), route("two", "y.*", routes=(route("deep", "yy"),)), route("three", ".*")),
    )  # fmt: skip

    def notified(value):
        return [item.receiver for item in tree.match({"a": value})]

    assert notified("x") == ["one", "three"]
    assert notified("y") == ["one", "two"]
    assert notified("yy") == ["deep"]
    assert notified("z") == ["three"]


LABELS = st.dictionaries(st.sampled_from("ab"), st.sampled_from(["", "1", "2"]), max_size=2).map(Labels)
CONDITION = st.builds(Matcher, st.sampled_from("ab"), st.sampled_from(MatchOp), st.sampled_from(["", "1", "2", "1|2"]))
RULES = st.lists(
    st.builds(
        InhibitRule,
        st.lists(CONDITION, max_size=2).map(tuple),
        st.lists(CONDITION, max_size=2).map(tuple),
        st.lists(st.sampled_from("ab"), max_size=2, unique=True).map(tuple),
    ),
    max_size=3,
)


@given(RULES, st.lists(LABELS, max_size=6), st.lists(LABELS, max_size=3))
def test_sources_left_out_inhibit_nothing(rules, sources, targets):
    """To look only at the sources that are wanted gives the same answers as to look at all alerts."""
    alerts = [Alert(labels, ends_at=10) for labels in sources]
    wanted = wanted_sources(rules, targets)
    some = [alert for alert in alerts if any(set(one.items()) <= set(alert.labels.items()) for one in wanted)]
    every, chosen = Inhibitor(rules, alerts, 5), Inhibitor(rules, some, 5)
    for labels in targets:
        assert list(every.inhibiting(Alert(labels))) == list(chosen.inhibiting(Alert(labels)))
