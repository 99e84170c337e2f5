"""A decoded JSON object to a log record, by the names and shapes that loggers use.

Read are structlog, loguru, python-json-logger, the Elastic Common Schema, pino, bunyan, winston, slog, zap, zerolog,
logrus, tracing, logstash encoders, Logback's own encoder, log4j2's JsonLayout and JsonTemplateLayout, Serilog, Monolog,
PostgreSQL's jsonlog, journald's export in JSON, docker's json-file, GELF, OpenTelemetry and access logs; not by asking
which of them it is, but by what each of their keys means, once :mod:`eldonia_ops.protocols.logs.dialects` gave usual
names to those that mean something only together. What has no place of its own stays in ``metadata``.
"""

import re
from collections.abc import Callable
from typing import Any, Final

import msgspec

from eldonia_ops.model.foreign import decode_json
from eldonia_ops.model.log_levels import cloud_level, fold_level, python_level, severity_level, status_level
from eldonia_ops.model.logs import LogLevel, LogPerformance, LogRecord
from eldonia_ops.model.timestamps import NS, epoch_ns, leading_timestamp, parse_timestamp
from eldonia_ops.protocols.line_formats import logfmt
from eldonia_ops.protocols.logs.dialects import use_usual_names
from eldonia_ops.protocols.logs.errors import take_error
from eldonia_ops.protocols.logs.names import Document, beginnings, plain_name
from eldonia_ops.protocols.logs.plain import SYSLOG, read_plain
from eldonia_ops.protocols.logs.plain_line import PlainLine
from eldonia_ops.protocols.logs.shapes import MAX_SHAPES, NOTHING, Shape, shape_of

# Names that mean one thing, as protocols/logs/names.py spells them; the first that holds something usable counts.
_TIMES: Final = (
    "timestamp",
    "time",
    "ts",
    "datetime",
    "asctime",
    "sourcerealtimetimestamp",
    "realtimetimestamp",
    "timemillis",
    "eventtime",
    "logtime",
    "timeiso8601",
    "timelocal",
    "msec",
    "observedtimestamp",
    "event.created",
    "date",
)
_MESSAGES: Final = (
    "formattedmessage",
    "renderedmessage",
    "message",
    "msg",
    "body",
    "shortmessage",
    "fields.message",
    "event",
    "log",
    "textpayload",
    "logmessage",
    "messagetemplate",
    "text",
    "fullmessage",
)
_LEVELS: Final[dict[str, Callable[[Any], LogLevel | None]]] = {
    "level": fold_level,
    "severity": lambda value: (cloud_level(value) if _is_number(value) and value >= 100 else None) or fold_level(value),
    "loglevel": fold_level,
    "log.level": fold_level,
    "severitytext": fold_level,
    "levelname": fold_level,
    "lvl": fold_level,
    "sev": fold_level,
    "errorseverity": fold_level,
    "syslogseverity": fold_level,
    "severitynumber": lambda value: severity_level(value) if isinstance(value, int) else None,
    "levelno": lambda value: python_level(value) if _is_number(value) else None,
    "levelnumber": lambda value: python_level(value) if _is_number(value) else None,
    "levelvalue": fold_level,
    "fields.level": fold_level,
}
_FIELDS: Final[dict[str, tuple[str, ...]]] = {
    "service": (
        "service",
        "service.name",
        "servicename",
        "resource.service.name",
        "otelservicename",
        "app",
        "application",
        "appname",
        "syslogidentifier",
    ),
    "component": (
        "component",
        "logger",
        "loggername",
        "log.logger",
        "module",
        "category",
        "sourcecontext",
        "properties.sourcecontext",
        "channel",
    ),
    "operation": ("operation", "event.action", "action"),
    "user_id": ("userid", "user.id", "enduser.id"),
    "session_id": ("sessionid", "session.id"),
    "request_id": ("requestid", "http.request.id", "reqid", "req.id", "correlationid", "mdc.requestid"),
    "ip_address": ("ipaddress", "client.ip", "client.address", "source.ip", "remoteaddr", "remotehost", "clientip"),
    "user_agent": ("useragent", "useragent.original", "httpuseragent"),
    "trace_id": ("traceid", "trace.id", "dd.traceid", "oteltraceid", "mdc.traceid", "contextmap.traceid"),
    "span_id": ("spanid", "span.id", "dd.spanid", "otelspanid", "mdc.spanid", "contextmap.spanid"),
    "environment": ("environment", "service.environment", "deployment.environment.name", "deployment.environment"),
    "hostname": ("hostname", "host.name", "host", "sourcehost"),
}
_FIELD_ORDER: Final = list(_FIELDS).index
_FIELDS_AT: Final[dict[str, list[str]]] = {}
"""The fields that a key of the object itself may lead to: most objects have few of them."""
for _field, _names in _FIELDS.items():
    for _key in beginnings(_names):
        _FIELDS_AT.setdefault(_key, []).append(_field)
_PERFORMANCE: Final[dict[str, tuple[str, ...]]] = {
    "duration": ("duration",),
    "memory_usage": ("memoryUsage", "memory_usage"),
    "cpu_usage": ("cpuUsage", "cpu_usage"),
}
_STATUSES: Final = (
    "status",
    "statuscode",
    "http.response.statuscode",
    "response.statuscode",
    "response.status",
    "code",
)
_METHODS: Final = ("method", "requestmethod", "httpmethod", "http.request.method", "verb")
_PATHS: Final = ("path", "requesturi", "uri", "url", "url.path", "url.original")
_METHOD: Final = re.compile(r"[A-Z][A-Z_-]{1,19}", re.ASCII)
_LONGEST_PATH: Final = 2_048
_REQUESTS: Final = (
    "request",
    "requestmethod",
    "method",
    "uri",
    "requesturi",
    "url",
    "path",
    "remoteaddr",
    "httpmethod",
    "http.request.method",
    "verb",
)
_CLOCK = re.compile(r"\d{2}:\d{2}(?::\d{2}(?:[.,]\d{1,9})?)?(?:Z|[+-]\d{2}:?\d{2})?", re.ASCII)
_STATUS = re.compile(r"[1-5]\d{2}", re.ASCII)
_ENVELOPES: Final = 3
_decode_any = msgspec.json.Decoder().decode


_TEXT_COLUMNS: Final = {name: field for field, names in reversed(_FIELDS.items()) for name in reversed(names)}


def column_named(key: str) -> str:
    """The field of :class:`~eldonia_ops.model.logs.LogRecord` that a key of an object may lead to; "" for none."""
    name = plain_name(key)
    if name in _TIMES:
        return "timestamp_ns"
    if name in _MESSAGES:
        return "message"
    return "level" if name in _LEVELS else _TEXT_COLUMNS.get(name, "")


def decode_line(text: str) -> Any:
    """The JSON value of a line. Half of a surrogate pair becomes U+FFFD.

    Raises:
        ValueError, RecursionError: it is no JSON, or too deep.
    """
    return decode_json(_decode_any, text.encode("utf-8", "replace"))


_shapes: Final[dict[tuple[str, ...], Shape | None]] = {}


def known_shape(value: dict[str, Any]) -> Shape | None:
    """What the keys of an object mean, when that follows from the keys; found out once for each tuple of keys."""
    keys = tuple(value)
    try:
        return _shapes[keys]
    except KeyError:
        if len(_shapes) >= MAX_SHAPES:
            _shapes.clear()
        found = _shapes[keys] = shape_of(keys, _TIMES, _LEVELS, _MESSAGES, _FIELDS)
        return found


_event_shapes: Final[dict[tuple[str, ...], Shape | None]] = {}


def known_event_shape(value: dict[str, Any]) -> Shape | None:
    """:func:`known_shape` of the object of an event whose time is known: it need not name one itself."""
    keys = tuple(value)
    try:
        return _event_shapes[keys]
    except KeyError:
        if len(_event_shapes) >= MAX_SHAPES:
            _event_shapes.clear()
        found = _event_shapes[keys] = shape_of(keys, _TIMES, _LEVELS, _MESSAGES, _FIELDS, timed=True)
        return found


def record_of(value: dict[str, Any], line: str, received_ns: int, *, nested: int = 0, event: bool = False) -> LogRecord:
    """The record of one JSON object, which is used up; ``line`` is the message when the object has none.

    ``received_ns`` (Unix nanoseconds) is used where no time is named. ``parse_error`` says what was there and could
    not be read; the rest of the record holds all the same. ``event``: the object is an event, and ``received_ns`` its
    time; so it need not hold anything that is known, and what looks like a time of its own may be something else.
    """
    use_usual_names(value)
    document = Document(value)
    inside = value.get("log")
    # An empty line of a container is one; any other object without a text keeps its line as the message.
    if isinstance(inside, str) and not document.has("message") and (inside.strip("\r\n") or document.has("stream")):
        return _envelope(document, "log", received_ns, nested)
    if document.has("message") and ("__CURSOR" in value or "__REALTIME_TIMESTAMP" in value or "_BOOT_ID" in value):
        return _journal(document, received_ns, nested)
    if isinstance(inner := value.get("record"), dict) and isinstance(value.get("text"), str):
        return _loguru(inner, value.pop("text"), line, received_ns)
    return _read(document, line, received_ns, event=event)


def _read(document: Document, line: str, received_ns: int, *, event: bool = False) -> LogRecord:
    fields: dict[str, Any] = {}
    metadata: dict[str, Any] = {}
    _logger_name(document)
    timestamp_ns, fault = _time(document)
    if event:
        fault = ""
    if fault:
        metadata["timestampError"] = fault
    level, stated = _level(document)
    if stated is not None and stated != level:
        metadata["level"] = stated
    message = _message(document)
    error = take_error(document)
    performance = _performance(document)
    for name in sorted({name for key in document.names() for name in _FIELDS_AT.get(key, ())}, key=_FIELD_ORDER):
        for place, value in document.found(_FIELDS[name]):
            if isinstance(value, str | int | float) and not isinstance(value, bool) and value != NOTHING:
                place.take()
                fields[name] = as_text(value)
                break
    if level is None:
        level = _status(document) or (LogLevel.ERROR if error is not None and stated is None else None)
    known = bool(message or error or level or stated or timestamp_ns or event)
    own = document.pop("metadata")
    metadata |= document.rest
    if isinstance(own, dict):
        metadata |= own
    elif own is not None:
        metadata["metadata"] = own
    return LogRecord(
        timestamp_ns=timestamp_ns or received_ns,
        message=message or (error.message if error is not None else "") or _request(document) or line,
        level=level or LogLevel.INFO,
        metadata=metadata,
        error=error,
        performance=performance,
        parse_error=fault or ("" if known else "JSON, but without a time, a level or a message that is known"),
        **fields,
    )


def _time(document: Document) -> tuple[int, str]:
    """``(Unix nanoseconds, fault)``: 0 where no time is stated, and with the fault where it cannot be read."""
    fault = ""
    instant = document.get("instant")
    if isinstance(instant, dict) and isinstance(seconds := instant.get("epochSecond"), int):
        nanoseconds = instant.get("nanoOfSecond", 0)
        if 0 < seconds < 2**33 and isinstance(nanoseconds, int) and 0 <= nanoseconds < NS:
            document.pop("instant")
            return seconds * NS + nanoseconds, ""
    for place, stated in document.found(("t", *_TIMES) if document.has("mt") or "@t" in document.rest else _TIMES):
        value = stated
        if isinstance(value, dict):
            # Monolog's DateTime, and the objects of other libraries that know their ISO text.
            value = next((value[key] for key in ("date", "repr", "$date", "iso") if key in value), None)
        if isinstance(value, str) and _CLOCK.fullmatch(value) and isinstance(day := document.get("date"), str):
            value = f"{day}T{value}"
        if not isinstance(value, str | int | float) or isinstance(value, bool):
            fault = fault or f"not a timestamp: {kind_of(stated)}"
            continue
        try:
            found = parse_timestamp(value) if isinstance(value, str) else epoch_ns(value)
        except ValueError as error:
            fault = fault or str(error)
            continue
        place.take()
        if found:
            return found, ""
    return 0, fault


def _level(document: Document) -> tuple[LogLevel | None, Any]:
    """The level and how it was stated."""
    unknown = None
    for name, fold in _LEVELS.items():
        for place, value in document.found((name,)):
            if isinstance(value, dict | list):
                continue
            if (level := fold(value)) is not None:
                place.take()
                return level, value
            if unknown is None and name in ("level", "severity", "loglevel", "log.level", "lvl"):
                unknown = value
    if "@l" in document.rest:
        value = document.pop("l")
        return fold_level(value), value
    return None, unknown


def _message(document: Document) -> str:
    for place, value in document.found(_MESSAGES):
        if isinstance(value, str):
            if value:
                place.take()
                return value
        elif isinstance(value, dict | list):
            if document.get("body") is value or document.get("msg") is value or document.get("message") is value:
                place.take()
                return as_text(value)
        elif not isinstance(value, bool) or document.get("event") is not value:
            place.take()
            return as_text(value)
    for key in ("@m", "@mt", "M"):
        if isinstance(value := document.rest.get(key), str) and value:
            document.pop("m" if key != "@mt" else "mt")
            return value
    return ""


def _logger_name(document: Document) -> None:
    """``name`` is the logger's in Python and in pino, and the application's in bunyan; elsewhere it is anything."""
    name = document.get("name")
    if not isinstance(name, str):
        return
    if document.has("levelname") or document.has("levelno") or document.has("asctime"):
        target = "component"
    elif document.has("pid", "hostname", "v"):
        target = "service"
    elif document.has("pid", "hostname", "msg"):
        target = "component"
    else:
        return
    if not document.has(target):
        document.pop("name")
        document.put(target, name)


def _performance(document: Document) -> LogPerformance | None:
    inner = document.get("performance")
    if not isinstance(inner, dict):
        return None
    fields: dict[str, float] = {}
    for field, names in _PERFORMANCE.items():
        for name in names:
            if _is_number(inner.get(name)):
                fields[field] = float(inner.pop(name))
                break
    if not inner:
        document.pop("performance")
    return LogPerformance(**fields) if fields else None


def _request(document: Document) -> str:
    """What an access log without a message is about: ``GET /path 200``; "" when it is none. The fields stay."""
    method = next((value for _, value in document.found(_METHODS) if isinstance(value, str)), "")
    path = next((value for _, value in document.found(_PATHS) if isinstance(value, str)), "")
    if not path or len(path) > _LONGEST_PATH or not _METHOD.fullmatch(method):
        return ""
    status = next((value for _, value in document.found(_STATUSES) if _STATUS.fullmatch(str(value))), "")
    return f"{method} {path} {status}".rstrip()


def _status(document: Document) -> LogLevel | None:
    """What the status says of an access log: only there is it the status of an answer."""
    if not any(document.has(name) for name in _REQUESTS) and not document.has("http"):
        return None
    for _, value in document.found(_STATUSES):
        if isinstance(value, int) and not isinstance(value, bool):
            return status_level(value)
        if isinstance(value, str) and _STATUS.fullmatch(value):
            return status_level(int(value))
    return None


def _envelope(document: Document, name: str, received_ns: int, nested: int) -> LogRecord:
    """What docker's json-file driver, and programs that forward its lines, wrap around a line."""
    text = str(document.pop(name)).removesuffix("\n").removesuffix("\r")
    at, fault = _time(document)
    record = content_record(text, at or received_ns, nested)
    # What is left is the envelope's own. Its level counts where the line names none.
    outer = _read(document, text, record.timestamp_ns)
    level = outer.level if record.level is LogLevel.INFO and "level" not in record.metadata else record.level
    changes: dict[str, Any] = {
        field: getattr(outer, field) for field in _FIELDS if not getattr(record, field) and getattr(outer, field)
    }
    metadata = {**outer.metadata, **record.metadata}
    if fault:
        metadata["timestampError"] = fault
    return msgspec.structs.replace(
        record, level=level, metadata=metadata, parse_error=record.parse_error or fault, **changes
    )


def content_record(text: str, at_ns: int, nested: int = 0) -> LogRecord:
    """A line that came inside of another."""
    if text.lstrip()[:1] == "{" and nested < _ENVELOPES:
        try:
            value = decode_line(text)
        except (ValueError, RecursionError):
            value = None
        if isinstance(value, dict):
            return record_of(value, text, at_ns, nested=nested + 1)
    return plain_record(text, at_ns)


def plain_record(text: str, received_ns: int) -> LogRecord:
    """The record of a line of text; its time, where it names one at its beginning, counts."""
    if "=" in text and (fields := logfmt.pairs(text)) is not None:
        return record_of(dict(fields), text, received_ns)
    if ("=" in text or "{" in text) and (timed := _behind_time(text, received_ns)) is not None:
        return timed
    found = read_plain(text, received_ns)
    if found.format == SYSLOG and (inside := _syslog_object(found, received_ns)) is not None:
        return inside
    record = LogRecord(
        timestamp_ns=found.timestamp_ns or received_ns,
        message=found.message,
        level=found.level or LogLevel.INFO,
        service=found.service,
        hostname=found.hostname,
        metadata=found.metadata,
        error=found.error,
    )
    return msgspec.structs.replace(record, **found.fields) if found.fields else record


def _syslog_object(found: PlainLine, received_ns: int) -> LogRecord | None:
    """The record of a syslog message whose text is a JSON object, as loggers send it; ``@cee:`` may come before it.

    What the object says counts, then what syslog says around it. None: the text is no object.
    """
    text = found.message.removeprefix("@cee:").lstrip()
    if text[:1] != "{":
        return None
    try:
        value = decode_line(text)
    except (ValueError, RecursionError):
        return None
    if not isinstance(value, dict) or not value:
        return None
    document = Document(value)
    if found.level is not None and not any(document.has(name) for name in _LEVELS):
        value["level"] = found.level.value
    record = record_of(value, text, found.timestamp_ns or received_ns, nested=1)
    return msgspec.structs.replace(
        record,
        service=record.service or found.service,
        hostname=record.hostname or found.hostname,
        metadata={**found.metadata, **record.metadata},
    )


def _behind_time(text: str, received_ns: int) -> LogRecord | None:
    """The record of a line that is an instant and then JSON or logfmt, as ``docker logs -t`` and zap's console have it.

    A time among the fields counts before the one in front of them.
    """
    leading = leading_timestamp(text, received_ns)
    if leading is None:
        return None
    at, end = leading
    rest = text[end:].lstrip(" \t:-")
    if rest[:1] == "{":
        record = content_record(rest, at)
        return None if record.parse_error or record.message == rest else record
    fields = logfmt.pairs(rest) if "=" in rest else None
    return None if fields is None else record_of(dict(fields), rest, at)


def _journal(document: Document, received_ns: int, nested: int) -> LogRecord:
    """journald's JSON: bytes that are no UTF-8 come as a list of numbers, a field given twice as a list of texts.

    https://systemd.io/JOURNAL_EXPORT_FORMATS/#journal-json-format
    """
    for key, value in document.rest.items():
        if isinstance(value, list):
            document.rest[key] = _journal_text(value)
    message = document.pop("message")
    priority = document.pop("priority")
    if isinstance(priority, str):
        priority = priority.partition("\n")[0]
    unit = document.get("systemdunit")
    if not document.has("syslogidentifier") and isinstance(unit, str):
        document.put("syslogidentifier", unit.removesuffix(".service"))
    at, fault = _time(document)
    text = message if isinstance(message, str) else "" if message is None else as_text(message)
    record = content_record(text, at or received_ns, nested) if text[:1] == "{" else None
    outer = _read(document, text, at or received_ns)
    level = fold_level(priority)
    if record is None:
        return msgspec.structs.replace(
            outer,
            message=text or outer.message,
            level=level or LogLevel.INFO,
            parse_error=fault or ("" if text or level else outer.parse_error),
        )
    changes = {field: getattr(record, field) or getattr(outer, field) for field in _FIELDS}
    return msgspec.structs.replace(record, metadata={**outer.metadata, **record.metadata}, **changes)


def _journal_text(value: list[Any]) -> Any:
    if all(isinstance(item, int) and not isinstance(item, bool) and 0 <= item <= 255 for item in value):
        return bytes(value).decode("utf-8", "replace")
    return "\n".join(item for item in value if isinstance(item, str)) or value


def _loguru(inner: dict[str, Any], text: str, line: str, received_ns: int) -> LogRecord:
    """loguru with ``serialize=True``: the formatted text, and the record as an object."""
    level, time, exception = inner.get("level"), inner.get("time"), inner.get("exception")
    if isinstance(level, dict):
        inner["level"] = level.get("name", level.get("no"))
    if isinstance(time, dict):
        inner["time"] = time.get("repr", time.get("timestamp"))
    if isinstance(exception, dict):
        start = text.find("Traceback (most recent call last):")
        if start >= 0:
            exception["stack"] = text[start:].rstrip()
        exception.pop("traceback", None)
    if isinstance(name := inner.pop("name", None), str):
        inner.setdefault("logger", name)
    for key, part in (("process", "id"), ("thread", "id"), ("file", "path")):
        if isinstance(found := inner.get(key), dict) and part in found:
            inner[key] = found[part]
    if isinstance(extra := inner.pop("extra", None), dict):
        inner = {**extra, **inner}
    inner.pop("module", None)
    return _read(Document(inner), text.rstrip("\n") or line, received_ns)


def as_text(value: Any) -> str:
    """A value as the text of a field: objects and lists as JSON."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool) or value is None or isinstance(value, dict | list):
        return msgspec.json.encode(value).decode()
    return str(value)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def kind_of(value: Any) -> str:
    """What a JSON value is, in words."""
    if value is None:
        return "null"
    names = {bool: "a boolean", str: "a string", int: "a number", float: "a number", list: "a list", dict: "an object"}
    return names.get(type(value), "something else")
