"""From messages to batches of records, pure: piece by piece, so that a large chunk is never in memory as a whole."""

import hashlib
from collections import Counter, deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from eldonia_ops.model.log_batch import LogBatch, joined_batches
from eldonia_ops.protocols.fluent_forward import (
    ForwardMessage,
    Frame,
    Piece,
    decode_events,
    decode_message,
    pieces,
)
from eldonia_ops.protocols.logs.documents import document_records

MOST_EVENTS: Final = 5_000
"""In one batch. Equal chunks make equal batches, so that each has a key."""

_ENOUGH: Final = 1 << 20
_NO_PAIR: Final = "an event that is no pair of a time and a record, or has too many values"
_BROKEN: Final = "the rest of a chunk that cannot be read"


@dataclass(frozen=True, slots=True)
class EventBatch:
    """``records`` that are stored together. ``key`` is the same for the same part of the same chunk, '' where the
    sender named no chunk. ``refused`` counts, by reason, what could not be read."""

    records: LogBatch
    key: str
    refused: Mapping[str, int]


def take_messages(frames: deque[Frame], longest: int) -> list[ForwardMessage]:
    """Read messages off the queue until their events have a megabyte; the others wait.

    Raises:
        ForwardError: the first of the queue is no message. Those before it have been taken: a call that has some to
            give away leaves it where it is.
    """
    found: list[ForwardMessage] = []
    size = 0
    while frames and size < _ENOUGH:
        try:
            message = decode_message(frames[0], longest)
        except ValueError:
            if found:
                return found
            raise
        frames.popleft()
        found.append(message)
        size += len(message.events)
    return found


def batches(messages: Sequence[ForwardMessage], received_ns: int, source: str) -> Iterator[EventBatch]:
    """The batches of messages. Those without a chunk share batches; each chunk has batches of its own.

    ``received_ns`` (Unix nanoseconds) is the time of events that name none. ``source`` is of all.
    """
    open_: list[LogBatch] = []
    count = 0
    refused: Counter[str] = Counter()
    for message in _joined(messages):
        for number, piece in enumerate(pieces(message.events, MOST_EVENTS)):
            records, unread = _records(message.tag, piece, received_ns, source)
            if message.chunk:
                yield EventBatch(records, _key(message, number), unread)
                continue
            if open_ and count + len(records) > MOST_EVENTS:
                yield EventBatch(joined_batches(open_), "", refused)
                open_, count, refused = [], 0, Counter()
            open_.append(records)
            count += len(records)
            refused.update(unread)
    if open_:
        yield EventBatch(joined_batches(open_), "", refused)


def _joined(messages: Sequence[ForwardMessage]) -> Iterator[ForwardMessage]:
    """Successive messages with one tag and no chunk as one: most loggers send a message for each event, and events are
    read faster together."""
    same: list[ForwardMessage] = []
    for message in messages:
        if same and (message.chunk or not message.whole or message.tag != same[0].tag):
            yield ForwardMessage(same[0].tag, b"".join([one.events for one in same]))
            same = []
        if message.chunk or not message.whole:
            yield message
        else:
            same.append(message)
    if same:
        yield ForwardMessage(same[0].tag, b"".join([one.events for one in same]))


def _records(tag: str, piece: Piece, received_ns: int, source: str) -> tuple[LogBatch, Mapping[str, int]]:
    events = decode_events(piece)
    reasons = {reason: n for reason, n in ((_NO_PAIR, events.refused), (_BROKEN, int(piece.broken))) if n}
    return document_records(events.records, events.times_ns, received_ns, tag=tag, source=source), reasons


def _key(message: ForwardMessage, number: int) -> str:
    """A chunk is known by its id *and* by what it holds: ids are unique by chance only, and a sender that uses one for
    two chunks must not lose the second."""
    digest = hashlib.blake2b(message.events, digest_size=16, key=message.tag.encode()[:64]).hexdigest()
    return f"forward {message.chunk} {digest} {number}"
