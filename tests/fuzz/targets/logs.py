"""Log lines on their way in: reading files, parsing lines, instants, levels; and searching them."""

import os
import re
import tempfile
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from eldonia_ops.collectors.tail.files import LineReader, is_rotation_name, join_identity, split_identity
from eldonia_ops.model.log_levels import fold_level
from eldonia_ops.model.logs import LogLevel, LogRecord
from eldonia_ops.model.timestamps import LATEST_NS, parse_timestamp
from eldonia_ops.protocols.logs.lines import LineFormat, parse_line
from eldonia_ops.security.events import MAX_TEXT, from_log
from eldonia_ops.storage.clickhouse.attributes.documents import clean, encoded, indexed
from eldonia_ops.storage.state.columns import from_json, to_json
from eldonia_ops.storage.wal.codec import MARK, Record, header, scan
from fuzz.target import target
from fuzz.targets.given import any_text, bounded, document, file_text, halves, mapping

NOW = 1_700_000_000 * 10**9
WORDS = (
    *(
        '"timestamp":"2026-01-02T03:04:05.678Z"',
        '"message":"x"',
        '"level":"error"',
        '"severity":"WARN"',
        '"time":1.7e9',
    ),
    *(
        '"performance":{"duration":1}',
        '"error":{"name":"E","message":"m","stack":"s"}',
        '"metadata":{"a":1}',
        '"err":"x"',
    ),
    *(
        '"log":"x\\n"',
        '"MESSAGE":"x"',
        '"event":"x"',
        '"body":{"a":"b"}',
        '"host":{"name":"h"}',
        '"service":{"name":"s"}',
    ),
    *("ERROR ", "[warn]", "level=info", "2026-01-02 03:04:05,678", "<134>1 ", "\\ud800", "\\u0000", '"userId":7'),
    *('"component":"security"', '"eventType":"failed_login"', '"ipAddress":"::ffff:10.0.0.1"', '"severity":"critical"'),
)


@target(*WORDS)
def log_line(data: bytes) -> None:
    """Never an exception; whatever a line says can be stored, read again and asked for security events."""
    for format in LineFormat:
        record = parse_line(data, NOW, format=format, source="file", offset=7)
        assert record.source == "file"
        assert record.offset == 7
        assert isinstance(record.level, LogLevel)
        assert 0 <= record.timestamp_ns <= LATEST_NS
        bounded(len(record.message), data, times=6, plus=64)  # a value that is no text is written as JSON
        for value in msgspec.structs.astuple(record):
            if isinstance(value, str):
                clean(value).encode()
        msgspec.json.decode(encoded(record.metadata))
        msgspec.json.decode(bytes(indexed(record.metadata)))
        if record.error is not None:
            msgspec.json.decode(encoded(record.error))
        if record.performance is not None:
            msgspec.json.decode(encoded(record.performance))
        event = from_log(record)
        if event is not None:
            assert max(len(event.id), len(event.service), len(event.user_id), len(event.ip_address)) <= MAX_TEXT
            to_json(event)


@target(*WORDS, '"type":"brute_force"', '"details":{"a":"b"}', "Security event: failed login")
def security_event(data: bytes) -> None:
    """Any metadata of a record that claims to be a security event."""
    given = mapping(data)
    message = given.pop("message", "")
    record = LogRecord(
        timestamp_ns=NOW, component="security", message=message if isinstance(message, str) else "", metadata=given
    )
    event = from_log(record)
    if event is not None:
        assert from_log(record) == event, "the same record is the same event"
        assert from_json(to_json(event), type(event)).type is event.type


@target("Z", "+09:00", "T", ".", ",", "UTC", "1700000000", "1e9", "60", "-")
def timestamp(data: bytes) -> None:
    """An instant or a ValueError; where Python's own reader knows the text, the same instant."""
    text = any_text(data)
    try:
        found = parse_timestamp(text)
    except ValueError as error:
        assert len(str(error)) < 500
        return
    assert 0 <= found <= LATEST_NS
    if not text.isascii() or not re.match(r"\d{4}-", text) or re.search(r"[.,]\d{7}", text):
        return
    try:
        other = datetime.fromisoformat(text)
    except ValueError:
        return
    other = other if other.tzinfo else other.replace(tzinfo=UTC)
    assert found == (other - datetime(1970, 1, 1, tzinfo=UTC)) // (datetime.resolution) * 1_000


@target("ERROR", "warn", "30", "7", "notice", " ")
def log_level(data: bytes) -> None:
    """Any value of any type is a level or none."""
    for value in (any_text(data), document(data), data):
        assert fold_level(value) is None or isinstance(fold_level(value), LogLevel)


@target("\n", "\r\n", "\r", b"\x1e", "a" * 50)
def tail_reader(data: bytes) -> None:
    """Lines of a file that grows while it is read: each once, whole, in order, whatever pieces it comes in."""
    pieces = data.split(b"\x1e")
    body = b"".join(pieces)
    limit = 64
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "log"
        path.write_bytes(pieces[0])
        reader = LineReader(os.open(path, os.O_RDONLY), 0, limit)
        try:
            lines = reader.read(10**6, 10**9)
            for piece in pieces[1:]:
                with path.open("ab") as file:
                    file.write(piece)
                lines += reader.read(10**6, 10**9)
            lines += reader.rest()
        finally:
            reader.close()
    ends = body.split(b"\n")
    wanted = [line.removesuffix(b"\r") for line in ends]
    # NULs in front of a line are the hole that a truncation leaves, and are left out.
    if b"\0" not in body and not any(len(line) > limit for line in ends):
        assert [line.data for line in lines] == [line for line in wanted if line]
    offsets = [line.offset for line in lines]
    assert offsets == sorted(offsets)
    assert not offsets or offsets[-1] <= len(body)
    for line in lines:
        assert len(line.data) <= limit


@target(":", "#", "/", "log.1", "2026-01-01", b"\x1e")
def tail_identity(data: bytes) -> None:
    """What names a file in the store of positions, and names of rotated files."""
    text = file_text(data)
    base, generation = split_identity(text)
    if generation >= 0:
        assert split_identity(join_identity(base, generation)) == (base, generation)
    name, main = (file_text(part) for part in halves(data))
    assert is_rotation_name(name, main) in (True, False)


@target(MARK, header(2, 1, b""), header(2, 1, b"{}") + b"{}")
def wal_segment(data: bytes) -> None:
    """What is behind whole records never changes them; what is read was written as it is read."""
    first = header(1, 3, b"first") + b"first"
    found = scan(first + data)
    assert found.records[0] == Record(1, 3, b"first")
    assert len(first) <= found.end <= len(first) + len(data)
    for record in found.records:
        assert header(record.sequence, record.kind, record.payload) + record.payload in first + data
    assert scan((first + data)[: found.end]).records == found.records
