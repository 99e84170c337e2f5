"""One line of a log file to a record: JSON with the seed's LogEntry names (9.3.1), JSON of others, plain text.

A line in the seed's own form takes a typed decode. Anything else that is a JSON object is read by the names
that pino, winston, bunyan, the Elastic Common Schema and OpenTelemetry use; what has no place of its own
goes to ``metadata``. A line that cannot be parsed is never lost: it becomes the message of a record with
``parse_error`` set.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

import msgspec

from eldonia_ops.model.logs import LogError, LogLevel, LogPerformance, LogRecord
from eldonia_ops.protocols.log_levels import fold_level
from eldonia_ops.protocols.timestamps import epoch_ns, parse_timestamp

MAX_LINE_BYTES: Final = 1024 * 1024
MAX_RAW_CHARACTERS: Final = 64 * 1024
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


_decode_entry = msgspec.json.Decoder(_Entry).decode
_decode_any = msgspec.json.Decoder().decode

# Names that mean one thing; the first that is there counts. Dots reach into nested objects.
_NAMES: Final[dict[str, tuple[str, ...]]] = {
    "timestamp": ("timestamp", "@timestamp", "time", "ts", "datetime"),
    "message": ("message", "msg", "body", "short_message"),
    "level": ("level", "severity", "log.level", "severity_text", "severityText", "levelname", "lvl", "log_level"),
    "service": ("service", "service.name", "service_name", "serviceName", "resource.service.name", "app"),
    "component": ("component", "logger", "logger_name", "log.logger", "module"),
    "operation": ("operation", "event.action", "action"),
    "user_id": ("userId", "user_id", "user.id", "enduser.id"),
    "session_id": ("sessionId", "session_id", "session.id"),
    "request_id": ("requestId", "request_id", "http.request.id", "reqId", "correlation_id", "correlationId"),
    "ip_address": ("ipAddress", "ip_address", "client.ip", "client.address", "source.ip", "remote_addr"),
    "user_agent": ("userAgent", "user_agent.original", "user_agent", "http_user_agent"),
    "trace_id": ("traceId", "trace_id", "trace.id", "dd.trace_id"),
    "span_id": ("spanId", "span_id", "span.id"),
    "environment": ("environment", "service.environment", "deployment.environment.name", "deployment.environment"),
    "hostname": ("hostname", "host.name", "host"),
}
_ERROR_NAMES: Final[dict[str, tuple[str, ...]]] = {
    "name": ("name", "type", "kind"),
    "message": ("message", "msg"),
    "stack": ("stack", "stack_trace", "stacktrace"),
    "code": ("code",),
}
_PERFORMANCE_NAMES: Final[dict[str, tuple[str, ...]]] = {
    "duration": ("duration",),
    "memory_usage": ("memoryUsage", "memory_usage"),
    "cpu_usage": ("cpuUsage", "cpu_usage"),
}
_RAW_LEVEL = re.compile(
    r"\b(EMERG|FATAL|PANIC|CRIT(?:ICAL)?|ERROR|ERR|WARN(?:ING)?|NOTICE|INFO|DEBUG|TRACE)\b"
    r"|[\[<(](emerg|fatal|panic|crit(?:ical)?|error|err|warn(?:ing)?|notice|info|debug|trace)[\]>)]"
)
_RAW_LEVEL_WITHIN = 120


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

    ``received_ns`` (Unix nanoseconds) stands in where the line names no time. ``source`` and ``offset``
    are copied to the record. ``dropped`` says how many bytes the reader had to cut off the line.
    """
    if len(line) > MAX_LINE_BYTES:
        dropped += len(line) - MAX_LINE_BYTES
        line = line[:MAX_LINE_BYTES]
    if not dropped and format is not LineFormat.RAW:
        try:
            entry = _decode_entry(line)
            return LogRecord(
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
        except (ValueError, RecursionError):
            pass
    return _lenient(line, received_ns, format=format, source=source, offset=offset, dropped=dropped, defaults=defaults)


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
        text, damaged = line.decode("utf-8"), False
    except UnicodeDecodeError:
        text, damaged = line.decode("utf-8", "replace"), True
    known: dict[str, Any] = {"source": source, "offset": offset}
    if format is LineFormat.RAW or (format is LineFormat.AUTO and not text.lstrip().startswith("{")):
        found = _RAW_LEVEL.search(text, 0, _RAW_LEVEL_WITHIN)
        known["level"] = (found and fold_level(found[1] or found[2])) or LogLevel.INFO
        known["metadata"] = {"invalidUtf8": True} if damaged else {}
        return _raw(text, "", received_ns, dropped=dropped, known=known, defaults=defaults)
    if dropped:
        return _raw(text, "the line is too long", received_ns, dropped=dropped, known=known, defaults=defaults)
    try:
        value = _decode_any(text)
    except (ValueError, RecursionError) as error:
        fault = f"not JSON: {error}" if not damaged else f"not JSON: {error}; {INVALID_UTF8}"
        return _raw(text, fault, received_ns, dropped=0, known=known, defaults=defaults)
    if not isinstance(value, dict):
        fault = f"JSON, but {_kind(value)} where an object was expected"
        return _raw(
            text,
            f"{fault}; {INVALID_UTF8}" if damaged else fault,
            received_ns,
            dropped=0,
            known=known,
            defaults=defaults,
        )
    return _object(value, damaged, received_ns, known, defaults)


def _raw(
    text: str, fault: str, received_ns: int, *, dropped: int, known: dict[str, Any], defaults: LineDefaults
) -> LogRecord:
    if len(text) > MAX_RAW_CHARACTERS:
        dropped += len(text[MAX_RAW_CHARACTERS:].encode("utf-8", "replace"))
        text = text[:MAX_RAW_CHARACTERS]
    if dropped:
        text += f"… [{dropped} bytes cut off]"
    return LogRecord(
        timestamp_ns=received_ns,
        message=text,
        service=defaults.service,
        environment=defaults.environment,
        hostname=defaults.hostname,
        parse_error=fault,
        **known,
    )


def _object(
    value: dict[str, Any], damaged: bool, received_ns: int, known: dict[str, Any], defaults: LineDefaults
) -> LogRecord:
    taken = {field: _take(value, names) for field, names in _NAMES.items()}
    metadata: dict[str, Any] = {}
    timestamp_ns = received_ns
    if (stated := taken.pop("timestamp")) is not None:
        try:
            timestamp_ns = parse_timestamp(stated) if isinstance(stated, str) else epoch_ns(_real(stated))
        except ValueError as error:
            metadata |= {"timestamp": stated, "timestampError": str(error)}
    level = fold_level(stated := taken.pop("level"))
    if stated is not None and level != stated:
        metadata["level"] = stated
    known["level"] = level or LogLevel.INFO
    message = taken.pop("message")
    error = _error(value)
    performance = _performance(value)
    own = value.pop("metadata", None)
    metadata |= value
    if isinstance(own, dict):
        metadata |= own
    elif own is not None:
        metadata["metadata"] = own
    if damaged:
        metadata["invalidUtf8"] = True
    known |= {field: _string(item) for field, item in taken.items() if item is not None}
    for field in ("service", "environment", "hostname"):
        known[field] = known.get(field) or getattr(defaults, field)
    if message is None:
        message = error.message if error is not None else ""
    return LogRecord(
        timestamp_ns=timestamp_ns,
        message=_string(message),
        metadata=metadata,
        error=error,
        performance=performance,
        **known,
    )


def _take(value: dict[str, Any], names: tuple[str, ...]) -> Any:
    """Remove and return the first of the names that holds a plain value; an object there is no match."""
    for name in names:
        if name in value:
            if value[name] is None:
                del value[name]
            elif not isinstance(value[name], dict | list) or name in ("body", "message", "msg"):
                return value.pop(name)
        elif "." in name:
            first, _, rest = name.partition(".")
            inner = value.get(first)
            if isinstance(inner, dict):
                found = _take(inner, (rest,))
                if not inner:
                    del value[first]
                if found is not None:
                    return found
    return None


def _error(value: dict[str, Any]) -> LogError | None:
    for name in ("error", "err", "exception"):
        inner = value.get(name)
        if isinstance(inner, dict):
            del value[name]
            fields = {field: _take(inner, names) for field, names in _ERROR_NAMES.items()}
            if inner:
                value[name] = inner
            return LogError(**{field: _string(item) for field, item in fields.items() if item is not None})
        if isinstance(inner, str) and inner:
            del value[name]
            return LogError(message=inner)
    return None


def _performance(value: dict[str, Any]) -> LogPerformance | None:
    inner = value.get("performance")
    if not isinstance(inner, dict):
        return None
    fields: dict[str, float] = {}
    for field, names in _PERFORMANCE_NAMES.items():
        for name in names:
            number = inner.get(name)
            if isinstance(number, int | float) and not isinstance(number, bool):
                fields[field] = float(inner.pop(name))
                break
    if not inner:
        del value["performance"]
    return LogPerformance(**fields) if fields else None


def _string(value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, bool) or value is None or isinstance(value, Mapping | list):
        return msgspec.json.encode(value).decode()
    return str(value)


def _real(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError(f"not a timestamp: {_kind(value)}")
    return value


def _kind(value: Any) -> str:
    if value is None:
        return "null"
    names = {bool: "a boolean", str: "a string", int: "a number", float: "a number", list: "a list", dict: "an object"}
    return names.get(type(value), "something else")
