"""What is sent to the ports of other tools."""

from collections import deque

from eldonia_ops.intake import IntakeError
from eldonia_ops.intake.fluent_forward.batches import batches, take_messages
from eldonia_ops.intake.http_input.decode import decode_events
from eldonia_ops.intake.loki.decode import decode_push_json, decode_push_protobuf
from eldonia_ops.intake.loki.records import push_records
from eldonia_ops.protocols.fluent_forward import (
    ForwardError,
    ForwardFrames,
    Frame,
    Helo,
    check_ping,
    decode_ack,
    read_helo,
    read_ping,
)
from eldonia_ops.protocols.journal_export import JournalEntries, JournalEntry, JournalError
from eldonia_ops.protocols.journal_records import journal_records
from fuzz.target import target

LONGEST = 1 << 16
NOW = 1_795_000_000 * 10**9


@target(
    *(b"\x92\xa1t", b"\x93\xa1t", b"\x94\xa1t", b"\x92\xd7\x00\x6a\x00\x00\x00\x00\x00\x00\x01", b"\x81\xa1a\x01"),
    *(
        b"\x82\xa7message\xa1m\xa5level\xa4info",
        b"\x81\xa5chunk\xa1c",
        b"\x81\xaacompressed\xa4gzip",
        b"\xc6\xff\xff\xff\xff",
    ),
    *(
        b"\xdd\xff\xff\xff\xff",
        b"\xdf\x00\x00\x00\x02",
        b"\x91" * 40,
        b"\xc0",
        b"\xc1",
        b"\xc4\x03",
        b"\xdb\x00\x00\x00\x05",
    ),
    *('["t",1,{"a":"b"}]', '["t",[[1,{}]]]', '{"chunk":"c"}', "\n", '"\\ud800"', "\xff"),
)
def forward_stream(data: bytes) -> None:
    """A stream, in one piece and byte by byte: the same messages, and batches of every event, or a fault."""
    whole, faulty = _frames([data])
    pieces, also_faulty = _frames([data[at : at + 1] for at in range(min(len(data), 600))])
    if len(data) <= 600:
        assert (whole, faulty) == (pieces, also_faulty)
    waiting = deque(whole)
    while waiting:
        try:
            messages = take_messages(waiting, LONGEST)
        except ForwardError:
            waiting.popleft()
            continue
        for batch in batches(messages, NOW, "fuzz"):
            for record in batch.records:
                assert record.source == "fuzz"
                assert record.timestamp_ns >= 0
                record.message.encode()
                record.tag.encode()


def _frames(parts: list[bytes]) -> tuple[list[Frame], bool]:
    frames, found = ForwardFrames(LONGEST), list[Frame]()
    try:
        for part in parts:
            found.extend(frames.feed(part))
    except ForwardError:
        return found, True
    return found, False


@target(
    *(b"\x96\xa4PING", b"\x92\xa4HELO", b"\x81\xa5nonce", b"\x81\xa3ack\xa1c", b"\xc4\x10" + b"n" * 16, b"\xa3web"),
    *(b"\xb0" + b"\xff" * 16, b"\xdd\xff\xff\xff\xff", b"\xc7\xff\x00"),
)
def forward_handshake(data: bytes) -> None:
    """Nobody comes in without the key."""
    helo = Helo(b"n" * 16, b"a" * 16)
    for read in (read_helo, read_ping, decode_ack):
        try:
            found = read(data)
        except ForwardError:
            continue
        if read is read_ping:
            assert check_ping(read_ping(data), helo, "a key that no one guesses", {"web": "w"})
        else:
            assert found is not None


@target(
    *(
        '{"streams":[',
        '{"stream":{"job":"a"},"values":[["1","m"]]}',
        '{"labels":"{a=\\"b\\"}","entries":[]}',
        '"\\ud800"',
        ",{}",
    ),
    *(b"\x0a\x04", b"\x12\x02", b"\x1a\x00", '{a="b"}', "[" * 20, "9" * 30),
)
def loki_push(data: bytes) -> None:
    """A push in either encoding: a record for each line, or a refusal."""
    for decode in (decode_push_json, decode_push_protobuf):
        try:
            streams = decode(data)
        except IntakeError:
            continue
        records = push_records(streams, "fuzz")
        assert len(records) == sum(len(one.entries) for one in streams)
        for record in records:
            record.message.encode()


@target(
    *('json={"a":1}', "&", "%7B%7D", '{"message":"m"}', "\n", "[]"),
    *(b"\x81\xa1a\x01", b"\x91", b"\xdd\xff\xff\xff\xff"),
)
def http_input(data: bytes) -> None:
    """A body of each Content-Type: events with keys that are texts, or a refusal."""
    for media in ("json", "x-ndjson", "msgpack", "x-www-form-urlencoded"):
        try:
            found = decode_events(f"application/{media}", data)
        except IntakeError:
            continue
        assert all(isinstance(key, str) for one in found for key in one)


@target(
    "MESSAGE=",
    "\n\n",
    "__CURSOR=s=1\n",
    "__REALTIME_TIMESTAMP=1795910400123456\n",
    b"A\n\x02\0\0\0\0\0\0\0\xff\n\n",
    "PRIORITY=3\n",
)
def journal_export(data: bytes) -> None:
    """A stream, in one piece and byte by byte: the same entries, or an error; and a record of each."""
    whole, faulty = _entries([data])
    if len(data) <= 600:
        assert (whole, faulty) == _entries([data[at : at + 1] for at in range(len(data))])
    for record in journal_records(whole, NOW, "fuzz"):
        assert record.timestamp_ns >= 0
        record.message.encode()


def _entries(parts: list[bytes]) -> tuple[list[JournalEntry], bool]:
    reader, found = JournalEntries(), list[JournalEntry]()
    try:
        for part in parts:
            found.extend(reader.feed(part))
    except JournalError:
        return found, True
    return found, False
