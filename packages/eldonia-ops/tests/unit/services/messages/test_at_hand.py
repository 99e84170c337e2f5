"""Messages that need not be read before they are delivered."""

from eldonia_ops.model.alerts import Outgoing
from eldonia_ops.services.messages.at_hand import MessagesAtHand


def row(id: int, alerts: int = 1) -> Outgoing:
    fingerprints = tuple(str(number) for number in range(alerts))
    return Outgoing(id, f"key {id}", "team", "webhook", 0, f"group {id}", {}, fingerprints=fingerprints)


def test_each_is_there_until_it_is_taken() -> None:
    at_hand = MessagesAtHand()
    at_hand.keep([row(1), row(2)])
    assert 1 in at_hand
    assert at_hand.pop(1) == row(1)
    assert (at_hand.pop(1), 1 in at_hand, 2 in at_hand) == (None, False, True)


def test_those_about_too_many_alerts_are_left_to_be_read() -> None:
    at_hand = MessagesAtHand()
    at_hand.keep([row(1, 9_000), row(2, 9_000), row(3)])
    assert (1 in at_hand, 2 in at_hand, 3 in at_hand, at_hand.full) == (True, True, False, True)
    at_hand.pop(1)
    at_hand.keep([row(3)])
    assert (3 in at_hand, at_hand.full) == (True, False)
    at_hand.clear()
    assert (2 in at_hand, at_hand.full) == (False, False)
