import json

import pytest

from eldonia_ops.model.labels import Labels
from eldonia_ops.model.matchers import MatchOp
from eldonia_ops.protocols.alertmanager.api import (
    PostedLimits,
    alert_facts,
    alert_status,
    format_time,
    gettable_silence,
    parse_time,
    read_alerts,
    read_filters,
    read_silence,
)

NOW = 1_795_687_200_000
MINUTE = 60_000


@pytest.mark.parametrize(
    ("text", "ms"),
    [
        ("", 0),
        ("0001-01-01T00:00:00Z", 0),
        ("2026-11-26T10:00:00Z", NOW),
        ("2026-11-26T19:00:00.123456789+09:00", NOW + 123),
        ("9999-12-31T23:59:59Z", 253_402_300_799_000),
    ],
)
def test_times(text, ms):
    assert parse_time(text) == ms
    if ms:
        assert parse_time(format_time(ms)) == ms


@pytest.mark.parametrize(
    "text", ["soon", "1969-12-31T23:59:59Z", "9999-12-31T23:59:59-23:59", "9999-12-31T23:59:59.9Z", "x" * 100_000]
)
def test_times_that_could_not_be_shown_again(text):
    """Whatever is accepted is in the list of all alerts, which one bad entry must not break."""
    with pytest.raises(ValueError, match="time") as caught:
        parse_time(text)
    assert len(str(caught.value)) < 200


def posted(*alerts):
    return read_alerts(json.dumps(alerts).encode(), NOW, 5 * MINUTE)


def test_when_an_alert_starts_and_ends():
    labels = {"alertname": "a"}
    [bare, started, ended, both], faults = posted(
        {"labels": labels},
        {"labels": labels, "startsAt": "2026-11-26T09:00:00Z"},
        {"labels": labels, "endsAt": "2026-11-26T09:30:00Z"},
        {"labels": labels, "startsAt": "2026-11-26T09:00:00Z", "endsAt": "2026-11-26T11:00:00Z", "generatorURL": "u"},
    )
    assert faults == []
    assert (bare.starts_at, bare.ends_at) == (NOW, NOW + 5 * MINUTE)
    assert (started.starts_at, started.ends_at) == (NOW - 60 * MINUTE, NOW + 5 * MINUTE)
    assert (ended.starts_at, ended.ends_at) == (NOW - 30 * MINUTE, NOW - 30 * MINUTE)
    assert (both.starts_at, both.ends_at, both.generator_url) == (NOW - 60 * MINUTE, NOW + 60 * MINUTE, "u")


def test_an_alert_of_another_shape_does_not_take_the_others_with_it():
    found, faults = posted({"labels": {"a": 1}}, {"labels": {"good": "yes"}}, 5, {"annotations": {}})
    assert [alert.labels for alert in found] == [Labels({"good": "yes"})]
    assert [fault.partition(":")[0] for fault in faults] == ["alert 0", "alert 2", "alert 3"]


def test_half_a_surrogate_pair_is_replaced_as_by_alertmanager():
    body = rb'[{"labels": {"a": "x\ud800y"}, "annotations": {"b": "\udfff"}}, {"labels": {"good": "yes"}}]'
    found, faults = read_alerts(body, NOW, MINUTE)
    assert faults == []
    assert [alert.labels for alert in found] == [Labels({"a": "x\ufffdy"}), Labels({"good": "yes"})]


def test_a_silence_matches_labels_as_they_were_cleaned():
    times = rb'"startsAt": "2026-11-26T10:00:00Z", "endsAt": "2026-11-26T11:00:00Z"'
    body = rb'{"matchers": [{"name": "a", "value": "x\u0000\ud800"}], "comment": "c\u0000", "createdBy": "\udfff", %b}'
    silence = read_silence(body % times)
    [alert], _ = read_alerts(rb'[{"labels": {"a": "x\u0000\ud800"}}]', NOW, MINUTE)
    assert all(matcher.matches(alert.labels) for matcher in silence.matchers)
    assert (silence.comment, silence.created_by) == ("c\ufffd", "\ufffd")


def test_a_faulty_alert_does_not_take_the_others_with_it():
    found, faults = posted(
        {"labels": {}},
        {"labels": {"a": "b"}, "startsAt": "never"},
        {"labels": {"": "b"}},
        {"labels": {"a": "b"}, "startsAt": "2026-11-26T11:00:00Z", "endsAt": "2026-11-26T10:00:00Z"},
        {"labels": {"a": "b"}, "endsAt": "9999-12-31T23:59:59-23:59"},
        {"labels": {"good": "yes"}},
    )
    assert [alert.labels for alert in found] == [Labels({"good": "yes"})]
    assert [fault.partition(":")[0] for fault in faults] == [f"alert {index}" for index in range(5)]
    for body in (b"", b"{}", b"[1]", b'[{"labels": {"a": 1}}]', b"\xff"):
        with pytest.raises(ValueError, match="not a list of alerts"):
            read_alerts(body, NOW, MINUTE)


def test_an_alert_as_shown():
    [alert], _ = posted({"labels": {"a": "b"}, "annotations": {"c": "d"}})
    status = alert_status(state="suppressed", receivers=["r"], silenced_by=["s"], inhibited_by=(), muted_by=("m",))
    shown = {**alert_facts(alert), **status}
    assert shown["startsAt"] == "2026-11-26T10:00:00.000Z"
    assert shown["receivers"] == [{"name": "r"}]
    assert shown["status"] == {"state": "suppressed", "silencedBy": ["s"], "inhibitedBy": [], "mutedBy": ["m"]}


def test_silences_there_and_back():
    body = {
        "matchers": [
            {"name": "a", "value": "b"},
            {"name": "c", "value": "d.*", "isRegex": True, "isEqual": False},
        ],
        "startsAt": "2026-11-26T09:00:00Z",
        "endsAt": "2026-11-26T12:00:00Z",
        "comment": "oven",
        "createdBy": "hana",
    }
    silence = read_silence(json.dumps(body).encode())
    assert silence.starts_at == parse_time("2026-11-26T09:00:00Z")  # the update of one that holds names its start
    assert [matcher.op for matcher in silence.matchers] == [MatchOp.EQUAL, MatchOp.NOT_REGEX]
    shown = gettable_silence(silence, "active")
    assert shown["matchers"] == [{"isRegex": False, "isEqual": True, **body["matchers"][0]}, body["matchers"][1]]
    assert (shown["endsAt"], shown["status"]) == ("2026-11-26T12:00:00.000Z", {"state": "active"})
    for change in ({"endsAt": ""}, {"endsAt": "x"}, {"matchers": [{"name": "a", "value": "(", "isRegex": True}]}):
        with pytest.raises(ValueError, match=r"endsAt|time|\("):
            read_silence(json.dumps({**body, **change}).encode())


def test_filters():
    assert [str(matcher) for matcher in read_filters(['a="b"', "c=~d.*"])] == ['a="b"', 'c=~"d.*"']
    with pytest.raises(ValueError, match="a"):
        read_filters(["a"])


def test_alerts_beyond_the_limits_are_refused_one_by_one() -> None:
    limits = PostedLimits(alerts=4, labels=2, label_bytes=20, annotations=1, annotation_bytes=6, url_bytes=5)
    posted = [
        {"labels": {"a": "b"}},
        {"labels": {"a": "1", "b": "2", "c": "3"}},
        {"labels": {"a": "日" * 7}},
        {"labels": {"a": "c"}, "annotations": {"a": "123456"}},
        {"labels": {"a": "d"}, "generatorURL": "http://"},
        {"labels": {"severity": "critical"}},
    ]
    alerts, faults = read_alerts(json.dumps(posted).encode(), 1_000, 60_000, limits)
    assert [dict(alert.labels) for alert in alerts] == [{"a": "b"}, {"severity": "critical"}]
    assert faults == [
        "2 alerts were left out: a request takes at most 4, urgent ones first",
        "alert 1: 3 labels (at most 2)",
        "alert 2: its labels have 22 bytes (at most 20)",
    ]
    alerts, faults = read_alerts(json.dumps(posted[3:]).encode(), 1_000, 60_000, limits)
    assert len(alerts) == 1
    assert faults == [
        "alert 0: its annotations have 7 bytes (at most 6)",
        "alert 1: generatorURL is longer than 5 bytes",
    ]
