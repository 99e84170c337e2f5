"""A log record: the seed's LogEntry. On the wire it is one line of JSON, made in :mod:`.lines`."""

from typing import Any, Final

import msgspec

DEBUG: Final = 10
INFO: Final = 20
WARN: Final = 30
ERROR: Final = 40

LEVELS: Final[dict[str, int]] = {
    "debug": DEBUG,
    "info": INFO,
    "warn": WARN,
    "warning": WARN,
    "error": ERROR,
    "critical": ERROR,
}
LEVEL_NAMES: Final[dict[int, str]] = {DEBUG: "debug", INFO: "info", WARN: "warn", ERROR: "error"}


class ErrorDetail(msgspec.Struct, omit_defaults=True, gc=False):
    """An exception: its type's name, text, stack and, where it has one, code."""

    name: str
    message: str
    stack: str | None = None
    code: str | None = None


class Performance(msgspec.Struct, omit_defaults=True, rename="camel", gc=False):
    """Measurements: ``duration`` in milliseconds, memory in bytes, CPU time in milliseconds."""

    duration: float
    memory_usage: float | None = None
    cpu_usage: float | None = None


class LogEntry(msgspec.Struct, omit_defaults=True, rename="camel", kw_only=True):
    """One record as it is read back. ``timestamp`` is RFC 3339 in UTC with milliseconds and ``Z``."""

    timestamp: str
    level: str
    service: str
    component: str
    operation: str
    user_id: str | None = None
    session_id: str | None = None
    request_id: str | None = None
    ip_address: str | None = None
    user_agent: str | None = None
    message: str
    metadata: dict[str, Any] | None = None
    error: ErrorDetail | None = None
    performance: Performance | None = None
    trace_id: str | None = None
    span_id: str | None = None
    environment: str | None = None


_decoder = msgspec.json.Decoder(LogEntry)


def decode(line: bytes) -> LogEntry:
    """Read a line back.

    Raises:
        msgspec.DecodeError: it is no record.
    """
    try:
        return _decoder.decode(line)
    except RecursionError:
        raise msgspec.DecodeError("nested too deeply") from None
