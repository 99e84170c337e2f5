"""What the native API answers about logs.

Instants are Unix milliseconds, ``*Ns`` are decimal strings of Unix nanoseconds. Log records have camelCase names, as in
the seed.
"""

from collections.abc import Iterable
from typing import Any

import msgspec

from eldonia_ops.model.condition_text import format_field
from eldonia_ops.model.logs import LogError, LogLevel, LogPerformance, LogRecord, source_name
from eldonia_ops.ports import FieldCount, ValueCount


class LogRecordShape(msgspec.Struct, kw_only=True, omit_defaults=True, rename="camel"):
    """One log record: the seed's fields, what is empty left out. ``cursor`` is for ``before`` and ``after``."""

    timestamp_ns: str
    message: str
    level: LogLevel
    id: str
    cursor: str
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
    source: str = ""
    offset: int = 0
    parse_error: str = ""
    tag: str = ""
    pattern: str = ""


_OTHER_WORDS = ("timestamp_ns", "id", "cursor", "source")
_SAME_IN_BOTH = tuple(name for name in LogRecordShape.__struct_fields__ if name not in _OTHER_WORDS)


class LogPageShape(msgspec.Struct):
    """Records newest first, each with a ``cursor`` for ``before`` (older) and ``after`` (newer)."""

    records: list[LogRecordShape]
    more: bool


class SurroundingsShape(msgspec.Struct):
    """A record and its neighbours, newest first. ``query`` finds all records of the same place."""

    records: list[LogRecordShape]
    query: str
    more_before: bool
    more_after: bool


class ValueShape(msgspec.Struct):
    """A value of a field, and how many records have it."""

    value: str
    count: int


def value_shapes(found: Iterable[ValueCount]) -> list[ValueShape]:
    """Values with their counts."""
    return [ValueShape(one.value, one.count) for one in found]


class FacetShape(msgspec.Struct):
    """The most frequent values of a field."""

    field: str
    values: list[ValueShape]


class FieldShape(msgspec.Struct):
    """The name of a field as a query writes it; so many of the newest records have it, None for a field of each."""

    name: str
    count: int | None


def field_shapes(own: Iterable[str], found: Iterable[FieldCount]) -> list[FieldShape]:
    """The fields that every record has, then those that were found."""
    return [
        *[FieldShape(name, None) for name in own],
        *[FieldShape(format_field(one.name), one.count) for one in found],
    ]


class SuggestionShape(msgspec.Struct):
    """Another query that finds ``count`` records; ``since`` and ``until`` are None where the time stays."""

    query: str
    count: int
    since: int | None
    until: int | None


class UnknownFieldShape(msgspec.Struct):
    """A field of a query that no record has; ``near`` is one that some have, '' for none."""

    name: str
    near: str


class HistogramShape(msgspec.Struct):
    """Counts per level: ``starts`` (Unix ms) has one entry a bucket, ``counts[level]`` as many counts."""

    starts: list[float]
    width_ms: float
    counts: dict[str, list[int]]
    total: int


def log_shape(record: LogRecord) -> LogRecordShape:
    """One record."""
    return LogRecordShape(
        timestamp_ns=str(record.timestamp_ns),
        id=str(record.id),
        cursor=f"{record.timestamp_ns}-{record.id}",
        source=source_name(record.source),
        **{name: getattr(record, name) for name in _SAME_IN_BOTH},
    )
