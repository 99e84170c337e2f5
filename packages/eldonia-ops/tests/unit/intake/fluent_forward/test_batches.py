"""Chunks have batches and keys of their own; what came without one is stored together."""

from collections import deque

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eldonia_ops.intake.fluent_forward import batches as module
from eldonia_ops.intake.fluent_forward.batches import batches, take_messages
from eldonia_ops.protocols.fluent_forward import (
    ForwardError,
    ForwardMessage,
    Frame,
    encode_event,
    encode_message,
    encode_packed,
)

NOW = 1_795_000_000 * 10**9


def message(count: int, tag: str = "t", chunk: str = "", begin: int = 0) -> ForwardMessage:
    body = b"".join(encode_event(NOW + n, {"level": "info", "message": f"{begin + n}"}) for n in range(count))
    return ForwardMessage(tag, body, chunk)


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> int:
    monkeypatch.setattr(module, "MOST_EVENTS", 10)
    return 10


def test_messages_without_a_chunk_share_batches_up_to_a_size(few: int) -> None:
    found = list(batches([message(4, "a"), message(4, "b"), message(4, "c")], NOW, "s"))
    assert [[record.tag for record in one.records] for one in found] == [["a"] * 4 + ["b"] * 4, ["c"] * 4]
    assert all(one.key == "" for one in found)
    assert all(len(one.records) <= few for one in found)
    assert {record.source for one in found for record in one.records} == {"s"}


def test_each_chunk_has_batches_and_keys_of_its_own(few: int) -> None:
    some = [message(25, "a", "c1"), message(3, "b"), message(3, "a", "c2")]
    found = list(batches(some, NOW, "s"))
    assert [len(one.records) for one in found] == [10, 10, 5, 3, 3]
    keys = [one.key for one in found]
    assert [bool(key) for key in keys] == [True, True, True, True, False]
    assert len(set(keys)) == 5
    # The same chunk sent again has the same keys, whatever came with it.
    assert [one.key for one in batches([message(25, "a", "c1")], NOW + 5, "other")] == keys[:3]


def test_one_id_for_two_chunks_does_not_lose_the_second() -> None:
    first, second, tagged = (
        next(batches([one], NOW, "s")).key
        for one in (message(3, "a", "c"), message(3, "a", "c", begin=7), message(3, "b", "c"))
    )
    assert len({first, second, tagged}) == 3


@given(st.lists(st.tuples(st.integers(0, 30), st.sampled_from(["", "x", "y"])), max_size=6))
def test_every_event_is_in_one_batch(some: list[tuple[int, str]]) -> None:
    messages = [message(count, str(place), chunk, begin=100 * place) for place, (count, chunk) in enumerate(some)]
    found = [record.message for one in batches(messages, NOW, "s") for record in one.records]
    assert sorted(found, key=int) == [
        str(100 * place + n) for place, (count, _) in enumerate(some) for n in range(count)
    ]


def test_what_cannot_be_read_is_counted_and_its_neighbours_are_kept() -> None:
    body = encode_event(NOW, {"message": "good"}) + b"\x05" + encode_event(NOW, {"message": "too"}) + b"\xc1"
    (found,) = batches([ForwardMessage("t", body, "c")], NOW, "s")
    assert [record.message for record in found.records] == ["good", "too"]
    assert found.refused == {
        "an event that is no pair of a time and a record, or has too many values": 1,
        "the rest of a chunk that cannot be read": 1,
    }


def test_messages_are_taken_until_there_is_enough() -> None:
    large = encode_packed("t", encode_event(NOW, {"message": "x" * 700_000}), count=1)
    small = encode_message("t", NOW, {"message": "m"})
    waiting = deque(Frame(one) for one in (large, large, small))
    assert len(take_messages(waiting, 1 << 20)) == 2
    assert len(take_messages(waiting, 1 << 20)) == 1
    assert take_messages(waiting, 1 << 20) == []


def test_messages_before_one_that_is_none_are_given_away_first() -> None:
    waiting = deque(Frame(one) for one in (encode_message("t", NOW, {}), b"\x91\x01"))
    assert len(take_messages(waiting, 1 << 20)) == 1
    with pytest.raises(ForwardError):
        take_messages(waiting, 1 << 20)
