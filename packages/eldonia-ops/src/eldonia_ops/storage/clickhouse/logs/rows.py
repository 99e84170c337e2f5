"""A log record as a row of the table: its columns, as JSON lines, and back."""

from collections.abc import Sequence
from operator import attrgetter
from typing import Any, Final

import msgspec

from eldonia_ops.model.foreign import MAX_STRING_BYTES, bounded_text
from eldonia_ops.model.logs import CONTEXT_FIELDS, LogError, LogLevel, LogPerformance, LogRecord
from eldonia_ops.storage.clickhouse.attributes.documents import EMPTY_DOCUMENT, clean, decoded, encoded, indexed
from eldonia_ops.storage.clickhouse.attributes.shapes import restored, shape_of

TEXTS: Final = ("message", *CONTEXT_FIELDS, "source", "parse_error", "pattern")
COLUMNS: Final = ("timestamp", "id", "level", "offset", *TEXTS, "details", "shape", "metadata")
READ: Final = (
    "toUnixTimestamp64Nano(timestamp) AS ns",
    *("id", "level", "offset", *TEXTS, "details", "shape"),
    # Of most rows with details this repeats what they say.
    "metadata",
)
"""What :func:`record_of` reads of a row."""

MAX_NS: Final = 2**63 - 1
SHORT_DOCUMENT: Final = 16 << 10
"""Metadata in JSON of so many bytes need not be looked at again before conditions may look at them."""


class _Details(msgspec.Struct, omit_defaults=True):
    """What of a record has no column: everything nested, exactly as it came, and the tag."""

    metadata: dict[str, Any] = {}
    error: LogError | None = None
    performance: LogPerformance | None = None
    tag: str = ""


_details_decoder: Final = msgspec.json.Decoder(_Details)
_row_encoder: Final = msgspec.json.Encoder()


def lines_of(records: Sequence[LogRecord], ids: Sequence[int]) -> list[bytes]:
    """The rows of records, one JSON object each."""
    return [line_of(record, id) for record, id in zip(records, ids, strict=True)]


def plain_line(line: bytes, reason: str) -> bytes:
    """A row that the engine refuses as one that holds nothing but texts: its details follow its message."""
    row: dict[str, Any] = msgspec.json.decode(line)
    message = f"{row.get('message', '')} {_document_text(row)}".strip()
    fault = f"the store refused the record: {reason[:300]}"
    return _row_encoder.encode(
        {
            **{name: bounded_text(str(row.get(name, "")), MAX_STRING_BYTES) for name in TEXTS},
            "timestamp": row["timestamp"],
            "id": row["id"],
            "level": row["level"],
            "offset": row.get("offset", 0),
            "message": bounded_text(message, 2 * MAX_STRING_BYTES),
            "parse_error": bounded_text(fault, MAX_STRING_BYTES),
            "details": "",
            "metadata": EMPTY_DOCUMENT,
        }
    )


def _document_text(row: dict[str, Any]) -> str:
    details = row.get("details", "")
    if not (shape := row.get("shape", "")):
        return details
    metadata = encoded(restored(shape, row["metadata"])).decode()
    return f'{{"metadata":{metadata}{f",{details[1:]}" if details else "}"}'


_Row: Final = msgspec.defstruct(
    "_Row",
    [
        *(("timestamp", str), ("id", int), ("level", str)),
        *((name, str, "") for name in TEXTS),
        *(("offset", int, 0), ("details", str, ""), ("shape", str, ""), ("metadata", msgspec.Raw, EMPTY_DOCUMENT)),
    ],
    omit_defaults=True,
)
"""A row as the database reads it; a column that is left out is empty."""
_texts: Final = attrgetter(*TEXTS)


def line_of(record: LogRecord, id: int) -> bytes:
    """The row of a record as a JSON object."""
    instant, level = _instant(record.timestamp_ns), record.level.value
    return _encoded(_Row(instant, id, level, *_texts(record), record.offset, *documents_of(record)))


def line_of_columns(timestamp_ns: int, columns: dict[str, Any], metadata: dict[str, Any]) -> bytes:
    """The row with these values, by column, as a JSON object. ``metadata`` is what a row with a shape has; of others
    what conditions look at is made from their details."""
    if shape := columns.get("shape"):
        document = msgspec.Raw(encoded(restored(shape, metadata)))
    else:
        details = columns.get("details", "")
        nested = decoded(details, _details_decoder.decode) if details else _Details()
        document = EMPTY_DOCUMENT if isinstance(nested, str) else indexed(nested.metadata)
    return _encoded(_Row(_instant(timestamp_ns), metadata=document, **columns))


def _encoded(row: msgspec.Struct) -> bytes:
    try:
        return _row_encoder.encode(row)
    except UnicodeEncodeError:
        for name in TEXTS:
            setattr(row, name, clean(getattr(row, name)))
        return _row_encoder.encode(row)


def _instant(timestamp_ns: int) -> str:
    # Ten digits: the parser takes a shorter number for a year.
    seconds, nanoseconds = divmod(bounded_ns(timestamp_ns), 1_000_000_000)
    return f"{seconds:010d}.{nanoseconds:09d}"


def documents_of(record: LogRecord) -> tuple[str, str, msgspec.Raw]:
    """What is nested in a record: the text that is kept, the shape, and what the JSON column keeps of its metadata.

    The text has the metadata where they have no shape.
    """
    metadata = record.metadata
    bare = record.error is None and record.performance is None and not record.tag
    if not metadata and bare:
        return "", "", EMPTY_DOCUMENT
    if metadata and (shape := shape_of(metadata)):
        document = encoded(metadata)
        if len(document) <= SHORT_DOCUMENT:
            rest = "" if bare else encoded(_Details({}, record.error, record.performance, record.tag)).decode()
            return rest, shape, msgspec.Raw(document)
    details = encoded(_Details(metadata, record.error, record.performance, record.tag)).decode()
    return details, "", indexed(metadata) if metadata else EMPTY_DOCUMENT


def record_of(row: dict[str, Any]) -> LogRecord:
    """The record of a row that was read."""
    details, shape, stored = row.pop("details"), row.pop("shape"), row.pop("metadata")
    nested = decoded(details, _details_decoder.decode) if details else _Details()
    if isinstance(nested, str):
        fault = f"the stored attributes cannot be read: {nested}"
        row["parse_error"] = f"{row['parse_error']}; {fault}" if row["parse_error"] else fault
        nested = _Details({"document": bounded_text(details, MAX_STRING_BYTES)})
    return LogRecord(
        timestamp_ns=row.pop("ns"),
        level=LogLevel(row.pop("level")),
        metadata=restored(shape, stored) if shape else nested.metadata,
        error=nested.error,
        performance=nested.performance,
        tag=nested.tag,
        **row,
    )


def record_in_line(line: bytes) -> LogRecord | None:
    """The record of a row as a JSON object; None when it cannot be read."""
    try:
        row: dict[str, Any] = msgspec.json.decode(line)
        row["ns"] = int(row.pop("timestamp").replace(".", ""))
        return record_of({**dict.fromkeys(TEXTS, ""), "offset": 0, "details": "", "shape": "", "metadata": {}, **row})
    except (ValueError, TypeError, KeyError, AttributeError):
        return None


def bounded_ns(ns: int) -> int:
    """Unix nanoseconds within what the column holds."""
    return min(max(ns, 0), MAX_NS)
