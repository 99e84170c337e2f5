"""One line of a log file to a record: JSON with the seed's LogEntry names (9.3.1), JSON of others, plain text.

A line in the seed's own form takes a typed decode. Any other JSON object is read by
:mod:`eldonia_ops.protocols.logs.fields`, a line of a container (CRI) by what is in it. A line that cannot be read, or
that is deeper or holds larger numbers than can be kept, is never lost: it becomes the message of a record with
``parse_error`` set. Text that holds line ends is what :mod:`eldonia_ops.collectors.tail.join` joined.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

import msgspec

from eldonia_ops.model.foreign import MAX_ATTRIBUTES, MAX_KEY_BYTES, bounded_attributes, bounded_text, clean_text
from eldonia_ops.model.log_batch import LogBatch, LogPart, joined_parts
from eldonia_ops.model.logs import LogError, LogLevel, LogPerformance, LogRecord
from eldonia_ops.model.record_bounds import MAX_FIELD_BYTES, MAX_MESSAGE_BYTES, bounded_record
from eldonia_ops.model.timestamps import parse_timestamp
from eldonia_ops.protocols.logs.fields import content_record, decode_line, kind_of, known_shape, plain_record, record_of
from eldonia_ops.protocols.logs.plain import read_cri, read_plain

MAX_LINE_BYTES: Final = 1024 * 1024
INVALID_UTF8: Final = "invalid UTF-8 was replaced"


class LineFormat(StrEnum):
    """How the lines of a source are written; ``auto`` takes lines that start with a brace for JSON."""

    JSON = "json"
    RAW = "raw"
    AUTO = "auto"


@dataclass(frozen=True, slots=True)
class LineDefaults:
    """What a source knows about its lines and they may not say themselves."""

    service: str = ""
    environment: str = ""
    hostname: str = ""


NO_DEFAULTS: Final = LineDefaults()


class _Entry(msgspec.Struct, rename="camel", forbid_unknown_fields=True):
    """The seed's LogEntry, plus the trace context and the host that an SDK may add."""

    timestamp: str
    message: str
    level: LogLevel
    service: str = ""
    component: str = ""
    operation: str = ""
    user_id: str = ""
    session_id: str = ""
    request_id: str = ""
    ip_address: str = ""
    user_agent: str = ""
    trace_id: str = ""
    span_id: str = ""
    metadata: dict[str, Any] = {}
    error: LogError | None = None
    performance: LogPerformance | None = None
    environment: str = ""
    hostname: str = ""


# In a line of so many bytes no field is too long; in one of a key's bytes nothing has too many items, either.
_PLAIN_BYTES: Final = MAX_FIELD_BYTES
_BACKSLASH: Final = 0x5C
_DELETE: Final = 0x7F
_QUICK_BYTES: Final = 512
"""No text of so short a line, nor a number of keys, is beyond a bound."""

# What the SDK's lines begin with: they are in the seed's form, whose typed decode is quicker still.
_SEED_START: Final = b'{"timestamp":'
MIN_BLOCK: Final = 8
"""So many lines of one shape are read together; fewer are not worth it."""

_LINES_AT_ONCE: Final = 256

_decode_any = msgspec.json.Decoder().decode
_decode_any_lines = msgspec.json.Decoder().decode_lines
_decode_entry = msgspec.json.Decoder(_Entry).decode


def parse_line(
    line: bytes,
    received_ns: int,
    *,
    format: LineFormat = LineFormat.JSON,
    source: str = "",
    offset: int = 0,
    dropped: int = 0,
    defaults: LineDefaults = NO_DEFAULTS,
) -> LogRecord:
    """Turn one line, without its newline, into a record. Never raises.

    ``received_ns`` (Unix nanoseconds) is used where the line names no time. ``source`` and ``offset``
    are copied to the record. ``dropped`` says how many bytes the reader had to cut off the line.
    """
    if len(line) > MAX_LINE_BYTES:
        dropped += len(line) - MAX_LINE_BYTES
        line = line[:MAX_LINE_BYTES]
    if not dropped and format is not LineFormat.RAW:
        if not line.startswith(_SEED_START):
            record = _quick(line, source, offset, defaults)
            if record is not None:
                return record
        try:
            entry = _decode_entry(line)
            record = LogRecord(
                timestamp_ns=parse_timestamp(entry.timestamp),
                message=entry.message,
                level=entry.level,
                service=entry.service or defaults.service,
                component=entry.component,
                operation=entry.operation,
                user_id=entry.user_id,
                session_id=entry.session_id,
                request_id=entry.request_id,
                ip_address=entry.ip_address,
                user_agent=entry.user_agent,
                trace_id=entry.trace_id,
                span_id=entry.span_id,
                metadata=entry.metadata,
                error=entry.error,
                performance=entry.performance,
                environment=entry.environment or defaults.environment,
                hostname=entry.hostname or defaults.hostname,
                source=source,
                offset=offset,
            )
            if _needs_no_bounds(line, entry):
                return record
            bounded_attributes(entry.metadata, strict=True)
            return bounded_record(record)
        except (ValueError, RecursionError, OverflowError):
            pass
    return _lenient(line, received_ns, format=format, source=source, offset=offset, dropped=dropped, defaults=defaults)


def parse_lines(
    lines: Sequence[bytes],
    offsets: Sequence[int],
    received_ns: int,
    *,
    format: LineFormat = LineFormat.JSON,
    source: str = "",
    defaults: LineDefaults = NO_DEFAULTS,
    parse_one: Callable[[int], LogRecord] | None = None,
) -> LogBatch:
    """:func:`parse_line` of many lines of one source, none of which was cut; those of one shape together.

    ``parse_one`` reads the line at a place where it cannot be read with others; by default :func:`parse_line` does.
    """

    def parse(place: int) -> LogRecord:
        offset = offsets[place]
        return parse_line(lines[place], received_ns, format=format, source=source, offset=offset, defaults=defaults)

    parse_one = parse_one or parse
    if format is LineFormat.RAW or len(lines) < MIN_BLOCK:
        return LogBatch((), {place: parse_one(place) for place in range(len(lines))})
    shared = {
        "service": defaults.service,
        "environment": defaults.environment,
        "hostname": defaults.hostname,
        "source": source,
    }
    parts: dict[tuple[str, ...], list[LogPart]] = {}
    careful: list[int] = []
    # So few at once that what is built of them stays in the processor's cache.
    for start in range(0, len(lines), _LINES_AT_ONCE):
        some = range(start, min(start + _LINES_AT_ONCE, len(lines)))
        for keys, found, more in _parts(lines[start : some.stop], offsets, some, shared):
            careful += more
            for part in found:
                parts.setdefault((*keys, *part.block.metadata), []).append(part)
    singles = {place: parse_one(place) for place in sorted(careful)}
    return LogBatch([joined_parts(same) for same in parts.values()], singles)


def _parts(
    lines: Sequence[bytes], offsets: Sequence[int], places: range, shared: dict[str, str]
) -> Iterator[tuple[tuple[str, ...], list[LogPart], list[int]]]:
    """For each tuple of keys the parts of lines that have them, and the places of lines to be read with care.

    ``places`` are those of the lines in their batch, and in ``offsets``.
    """
    values = _decoded(lines)
    groups: dict[tuple[str, ...], list[int]] = {}
    for row, value in enumerate(values):
        groups.setdefault(tuple(value) if value is not None else (), []).append(row)
    for keys, rows in groups.items():
        shape = known_shape(dict.fromkeys(keys)) if keys and len(rows) >= MIN_BLOCK else None
        if shape is None:
            yield keys, [], [places[row] for row in rows]
            continue
        own = [lines[row] for row in rows] if len(rows) < len(lines) else lines
        own_places = [places[row] for row in rows]
        found, more = shape.parts(
            [values[row] for row in rows],  # pyright: ignore[reportArgumentType]
            own_places,
            unusual_lines(own),
            [offsets[place] for place in own_places],
            shared=shared,
        )
        yield keys, found, more


def _decoded(lines: Sequence[bytes]) -> list[dict[str, Any] | None]:
    """The object in each line; None for one that holds no object, or is in the seed's own form, or too long."""
    joined = b"\n".join(lines)
    if (
        joined.startswith(b"{")
        and joined.endswith(b"}")
        # Each line begins and ends an object. So no value goes over the end of a line: behind its last brace would have
        # to come a comma or another bracket.
        and joined.count(b"}\n{") == joined.count(b"\n") == len(lines) - 1
        and b"\n" + _SEED_START not in joined
        and not joined.startswith(_SEED_START)
        and max(map(len, lines)) <= MAX_LINE_BYTES
    ):
        try:
            values = _decode_any_lines(joined)
        except (ValueError, RecursionError):
            values = []
        if len(values) == len(lines):
            return values
    return [_decoded_one(line) for line in lines]


def _decoded_one(line: bytes) -> dict[str, Any] | None:
    if line[:1] != b"{" or line.startswith(_SEED_START) or len(line) > MAX_LINE_BYTES:
        return None
    try:
        return _decode_any(line)
    except (ValueError, RecursionError):
        return None


def unusual_lines(lines: Sequence[bytes]) -> list[int]:
    """The places of lines that are not short, or may hold a text that is not printable."""
    joined = b"".join(lines)
    short = max(map(len, lines)) <= _QUICK_BYTES
    plain = _BACKSLASH not in joined and _DELETE not in joined
    if short and plain and joined.isascii():
        return []
    found = [place for place, line in enumerate(lines) if not line.isascii()]
    if found and b"".join([lines[place] for place in found]).decode("utf-8", "replace").isprintable():
        # Without escapes each text is a part of its line.
        found = []
    if not (short and plain):
        escaped = [
            place
            for place, line in enumerate(lines)
            if _BACKSLASH in line or _DELETE in line or len(line) > _QUICK_BYTES
        ]
        found = sorted({*found, *escaped})
    return found


def _quick(line: bytes, source: str, offset: int, defaults: LineDefaults) -> LogRecord | None:
    """The record of a flat object with keys that were seen before, or None: the careful way reads everything."""
    if line[:1] != b"{":
        return None
    try:
        value = _decode_any(line)
    except (ValueError, RecursionError):
        return None
    shape = known_shape(value)
    if shape is None:
        return None
    return shape.record(
        value,
        plain=len(line) <= _QUICK_BYTES and line.isascii() and _BACKSLASH not in line and _DELETE not in line,
        source=source,
        offset=offset,
        service=defaults.service,
        environment=defaults.environment,
        hostname=defaults.hostname,
    )


def _needs_no_bounds(line: bytes, entry: _Entry) -> bool:
    """Whether nothing in the entry can be beyond a bound, by what its line is: short, of printable ASCII, no escapes.

    JSON has no other control character than DEL (127) unescaped; the decoder refuses numbers that are not finite.
    """
    if len(line) > _PLAIN_BYTES or not line.isascii() or _BACKSLASH in line or _DELETE in line:
        return False
    metadata = entry.metadata
    if len(line) > MAX_KEY_BYTES and (
        len(metadata) > MAX_ATTRIBUTES or max(map(len, metadata), default=0) > MAX_KEY_BYTES
    ):
        return False
    for value in metadata.values():
        kind = type(value)
        if kind is int:
            if not -(2**63) <= value < 2**64:
                return False
        elif kind is list:
            if len(value) > MAX_ATTRIBUTES:
                return False
            for item in value:
                if type(item) is not str:
                    return False
        elif kind is dict:
            return False
    return True


def raw_record(
    line: bytes, fault: str, received_ns: int, *, source: str, offset: int, defaults: LineDefaults = NO_DEFAULTS
) -> LogRecord:
    """The record of a line that is kept as its text, with ``fault`` as its parse error. Reads nothing of it."""
    return bounded_record(
        LogRecord(
            timestamp_ns=received_ns,
            message=line.decode("utf-8", "replace"),
            service=defaults.service,
            environment=defaults.environment,
            hostname=defaults.hostname,
            source=source,
            offset=offset,
            parse_error=fault,
        )
    )


def _lenient(
    line: bytes,
    received_ns: int,
    *,
    format: LineFormat,
    source: str,
    offset: int,
    dropped: int,
    defaults: LineDefaults,
) -> LogRecord:
    try:
        text, fault = line.decode("utf-8"), ""
    except UnicodeDecodeError:
        text, fault = line.decode("utf-8", "replace"), INVALID_UTF8
    text = text.removeprefix("\ufeff")
    try:
        record = _read(text, received_ns, format, dropped)
        # What is deeper, or a number larger, than anything can keep is refused before it is stored.
        bounded_attributes(record.metadata, strict=True)
    except (ValueError, RecursionError, OverflowError) as error:
        record = _raw(text, f"{error}; {fault}" if fault else str(error), received_ns, dropped)
    if fault and not record.parse_error:
        record = msgspec.structs.replace(record, metadata={**record.metadata, "invalidUtf8": True})
    return bounded_record(
        msgspec.structs.replace(
            record,
            service=record.service or defaults.service,
            environment=record.environment or defaults.environment,
            hostname=record.hostname or defaults.hostname,
            source=source,
            offset=offset,
        )
    )


def _read(text: str, received_ns: int, format: LineFormat, dropped: int) -> LogRecord:
    """Read one line.

    Raises:
        ValueError, RecursionError: it is not what its format says, or out of bounds.
    """
    if format is LineFormat.RAW:
        found = plain_record(text, received_ns)
        return msgspec.structs.replace(
            found, message=_marked(text, dropped), service="", hostname="", metadata={}, error=found.error
        )
    if (cri := read_cri(text.partition("\n")[0])) is not None:
        return _container(text, cri[0], dropped)
    if not text.lstrip().startswith("{") and format is LineFormat.AUTO:
        record = plain_record(text, received_ns)
        return msgspec.structs.replace(record, message=_marked(record.message, dropped)) if dropped else record
    if dropped:
        raise ValueError("the line is too long")
    first, newline, rest = text.partition("\n")
    value = _object(first)
    if newline:
        # Parts of one line that docker wrote as several; collectors/tail/join.py found that they belong together.
        parts = [str(_object(part).get("log", "")) for part in rest.split("\n")]
        value["log"] = "".join([str(value.get("log", "")), *parts])
    bounded_attributes(value, strict=True)
    return record_of(value, text, received_ns)


def _object(text: str) -> dict[str, Any]:
    try:
        value = decode_line(text)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"not JSON: {error}") from None
    if not isinstance(value, dict):
        raise ValueError(f"JSON, but {kind_of(value)} where an object was expected")
    return value


def _container(text: str, at_ns: int, dropped: int) -> LogRecord:
    """A line of a container's log, or the parts of one, in CRI's form."""
    parts = [read_cri(part) for part in text.split("\n")]
    known = [part for part in parts if part is not None]
    record = content_record("".join(part[3] for part in known), at_ns)
    message = _marked(record.message, dropped)
    return msgspec.structs.replace(record, message=message, metadata={"stream": known[0][1], **record.metadata})


def _raw(text: str, fault: str, received_ns: int, dropped: int) -> LogRecord:
    """A line that could not be read: its text, and the fields that are known without parsing it."""
    found = read_plain(text, received_ns)
    return LogRecord(
        timestamp_ns=found.timestamp_ns or received_ns,
        level=found.level or LogLevel.INFO,
        message=_marked(text, dropped),
        parse_error=fault,
    )


def _marked(text: str, dropped: int) -> str:
    """The text, and how much of it the reader cut off."""
    if not dropped:
        return text
    kept = bounded_text(text, MAX_MESSAGE_BYTES - 64)
    if len(kept) < len(text):
        kept = clean_text(text[: MAX_MESSAGE_BYTES - 64]).encode()[: MAX_MESSAGE_BYTES - 64].decode("utf-8", "ignore")
        dropped += len(text.encode("utf-8", "replace")) - len(kept.encode())
    return f"{kept}… [{dropped} bytes cut off]"
