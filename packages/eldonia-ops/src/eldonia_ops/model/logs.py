"""Log records: the seed's LogEntry (section 9.3.1) plus what the platform adds."""

import re
from enum import StrEnum
from typing import Any, Final

import msgspec

CONTEXT_FIELDS: Final = (
    *("service", "component", "operation", "user_id", "session_id", "request_id", "ip_address", "user_agent"),
    *("trace_id", "span_id", "environment", "hostname"),
)
"""The short texts of a :class:`LogRecord` that say where it belongs."""


FILE_IDENTITY: Final = r"#[0-9]+:[0-9]+:[0-9a-f]+(~[0-9]+)?$"
"""The end of the ``source`` of lines of a followed file, RE2: which file had the name at that time."""

_FILE_IDENTITY: Final = re.compile(FILE_IDENTITY)


def source_name(source: str) -> str:
    """A source as people know and search it: a file by its name."""
    return _FILE_IDENTITY.sub("", source) if "#" in source else source


class LogLevel(StrEnum):
    """The seed's four levels; others are folded onto them by the codecs."""

    ERROR = "error"
    WARN = "warn"
    INFO = "info"
    DEBUG = "debug"


class LogError(msgspec.Struct, frozen=True, omit_defaults=True):
    """An exception that a record carries."""

    name: str = ""
    message: str = ""
    stack: str = ""
    code: str = ""


class LogPerformance(msgspec.Struct, frozen=True, omit_defaults=True, rename="camel"):
    """Measurements that a record carries: milliseconds, bytes, CPU milliseconds."""

    duration: float = 0.0
    memory_usage: float = 0.0
    cpu_usage: float = 0.0


class LogRecord(msgspec.Struct, frozen=True, omit_defaults=True, rename="camel", kw_only=True):
    """One log record. Wire names are camelCase, as in the seed.

    ``timestamp_ns`` is Unix nanoseconds. ``source`` names where the record came from (a file, a
    forward connection) and ``offset`` the byte position in it, so that a record that is read twice
    after a crash can be recognised. ``parse_error`` says what could not be read: the line as a whole, whose text
    is then in ``message``, or a part of it, such as its time, beside which the other fields hold; or why the store
    refused the record, which is then kept as its text. ``id`` is unique within the store and orders records that
    share a timestamp; it is assigned on insert (0 before).

    ``pattern`` is the id of the :class:`~eldonia_ops.model.log_patterns.LogPattern` of its message, '' for none; the
    platform gives it, never a sender.

    ``tag`` is the dotted name by which a log pipeline routes the record (Fluentd's tag); '' for one that came without.
    ``metadata`` holds every field of the record that has no name here.
    """

    timestamp_ns: int
    message: str
    level: LogLevel = LogLevel.INFO
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
    id: int = 0
