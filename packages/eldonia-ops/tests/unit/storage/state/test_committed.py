"""What a store knows of the rows that it has committed."""

from eldonia_ops.model.alerts import Alert, Outgoing
from eldonia_ops.model.labels import Labels
from eldonia_ops.storage.state.committed import CommittedAlerts, CommittedMessages


def message(key: str, alerts: int = 1) -> Outgoing:
    return Outgoing(0, key, "team", "webhook", 0, key, {}, fingerprints=tuple(str(number) for number in range(alerts)))


def test_a_message_is_handed_out_once() -> None:
    kept = CommittedMessages()
    kept.keep([message("a"), message("b")])
    assert kept.take(["a", "c"]) == {"a": message("a")}
    assert kept.take(["a", "b"]) == {"b": message("b")}


def test_the_oldest_are_forgotten_when_they_are_about_too_many_alerts() -> None:
    kept = CommittedMessages()
    for key in "abc":
        kept.keep([message(key, 2_000)])
    assert set(kept.take("abc")) == {"b", "c"}
    kept.keep([message("huge", 20_000)])
    assert kept.take(["huge"]) == {}


def test_names_that_no_alert_has_are_known_without_looking_at_each() -> None:
    known = CommittedAlerts()
    first, second = (Alert(Labels({"alertname": name})) for name in "AB")
    alerts = known.offer(1, {first.fingerprint: first})
    assert [known.may_hold(alerts, name) for name in "AB"] == [True, False]
    known.commit(1, 2, {second.fingerprint: second, first.fingerprint: None})
    now = known.at(2, shared=True)
    assert now is not None
    assert [known.may_hold(now, name) for name in "AB"] == [False, True]
    assert known.may_hold({}, "A"), "of another mapping nothing is known"
    known.commit(2, 3, {second.fingerprint: second})
    known.commit(3, 4, {second.fingerprint: None})
    assert not known.may_hold(now, "B")
