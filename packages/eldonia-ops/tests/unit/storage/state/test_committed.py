"""What a store knows of the rows that it has committed."""

from eldonia_ops.model.alerts import Outgoing
from eldonia_ops.storage.state.committed import CommittedMessages


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
