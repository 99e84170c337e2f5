"""Objects of loggers whose keys mean something only together, under the names that every other logger has.

A ``t`` alone is anything; beside ``s``, ``c`` and ``msg`` it is the time of a line of MongoDB's. Each dialect is known
by keys that it always writes. What such an object already has under a usual name stays.
"""

import re
from collections.abc import Callable
from typing import Any, Final

from eldonia_ops.protocols.logs.errors import is_stack

Value = dict[str, Any]

_TRACE: Final = re.compile(r"projects/[^/\s]{1,100}/traces/([0-9a-fA-F]{32})")
_STATUS_WORDS: Final = frozenset(
    {"emergency", "alert", "critical", "error", "warning", "warn", "notice", "info", "debug", "ok"}
)


def use_usual_names(value: Value) -> None:
    """Rename the keys of an object of one of the dialects, in place."""
    for mark, read in _DIALECTS.items():
        if mark in value:
            read(value)


def _rename(value: Value, names: dict[str, str]) -> None:
    for name, usual in names.items():
        if name in value and usual not in value:
            value[usual] = value.pop(name)


def _zap_development(value: Value) -> None:
    """https://pkg.go.dev/go.uber.org/zap#NewDevelopmentEncoderConfig"""
    if "M" in value:
        names = {"T": "time", "L": "level", "N": "logger", "C": "caller", "M": "message", "S": "stacktrace"}
        _rename(value, names)


def _mongodb(value: Value) -> None:
    """https://www.mongodb.com/docs/manual/reference/log-messages/, and the ``t`` and ``lvl`` of log15"""
    if isinstance(value.get("s"), str) and "msg" in value and "c" in value:
        value["s"] = value["s"][:1]  # D1 to D5 are degrees of D
        _rename(value, {"t": "time", "s": "level", "c": "component"})
    elif "lvl" in value and value.keys().isdisjoint({"time", "ts", "timestamp"}):
        _rename(value, {"t": "time"})


def _compact_events(value: Value) -> None:
    """https://clef-json.org"""
    _rename(value, {"@tr": "trace_id", "@sp": "span_id"})


def _cloud_trace(value: Value) -> None:
    """https://cloud.google.com/logging/docs/structured-logging#structured_logging_special_fields"""
    for name in ("logging.googleapis.com/trace", "trace"):
        stated = value.get(name)
        if isinstance(stated, str) and (match := _TRACE.fullmatch(stated)) and "trace_id" not in value:
            value["trace_id"] = match[1]
            del value[name]
    _rename(value, {"logging.googleapis.com/spanId": "span_id"})


def _cloud_service(value: Value) -> None:
    context = value["serviceContext"]
    if isinstance(context, dict) and isinstance(context.get("service"), str):
        value.setdefault("service", context["service"])


def _cloud_payload(value: Value) -> None:
    payload = value["jsonPayload"]
    if isinstance(payload, dict) and "message" not in value and isinstance(payload.get("message"), str):
        value["message"] = payload.pop("message")


def _cloud_time(value: Value) -> None:
    stated = value.get("timestamp")
    seconds, nanos = value.get("timestampSeconds"), value.get("timestampNanos", 0)
    if isinstance(stated, dict):
        seconds, nanos = stated.get("seconds"), stated.get("nanos", 0)
    elif stated is not None:
        return
    if type(seconds) is int and type(nanos) is int and 0 <= nanos < 10**9 and 0 < seconds < 2**33:
        for name in ("timestampSeconds", "timestampNanos"):
            value.pop(name, None)
        value["timestamp"] = f"{seconds}.{nanos:09d}"


def _log4js(value: Value) -> None:
    level, data = value.get("level"), value.get("data")
    if isinstance(level, dict) and isinstance(level.get("levelStr"), str):
        value["level"] = level["levelStr"]
        _rename(value, {"startTime": "time", "categoryName": "logger"})
        if isinstance(data, list) and data and isinstance(data[0], str) and "message" not in value:
            value["message"] = data.pop(0)


def _envoy(value: Value) -> None:
    if "response_code" in value:
        _rename(value, {"start_time": "time", "response_code": "status"})


def _lambda_error(value: Value) -> None:
    """https://docs.aws.amazon.com/lambda/latest/dg/python-exceptions.html"""
    _rename(value, {"errorType": "error.type"})


def _powertools(value: Value) -> None:
    if "exception" in value:
        _rename(value, {"exception_name": "error.type"})


def _lambda_record(value: Value) -> None:
    """https://docs.aws.amazon.com/lambda/latest/dg/telemetry-schema-reference.html"""
    record = value["record"]
    if value.get("type") not in ("function", "extension"):
        return
    if isinstance(record, str) and "message" not in value:
        value["message"] = value.pop("record")
    elif isinstance(record, dict):
        del value["record"]
        for name, item in record.items():
            value.setdefault(name, item)


def _status_word(value: Value) -> None:
    stated = value["status"]
    if not (isinstance(stated, str) and stated.lower() in _STATUS_WORDS and "message" in value):
        return
    if not any(word in key.lower() for key in value for word in ("level", "sev", "lvl")):
        value["level"] = value.pop("status")


def _syslog_ng(value: Value) -> None:
    if isinstance(value["PRIORITY"], str) and value["PRIORITY"].isalpha() and "MESSAGE" in value:
        _rename(value, {"PRIORITY": "level", "PROGRAM": "service"})
        if "ISODATE" in value:
            value.pop("DATE", None)
            _rename(value, {"ISODATE": "time"})


def _mysql(value: Value) -> None:
    """https://dev.mysql.com/doc/refman/8.4/en/error-log-json.html"""
    if "err_code" in value:
        _rename(value, {"label": "level"})


def _python(value: Value) -> None:
    if ("levelno" in value or "levelname" in value) and not {"time", "timestamp", "asctime"} & value.keys():
        _rename(value, {"created": "time"})


def _monolog(value: Value) -> None:
    context = value["context"]
    exception = context.get("exception") if isinstance(context, dict) else None
    if isinstance(exception, dict) and "exception" not in value and "channel" in value:
        value["exception"] = context.pop("exception")
        _rename(exception, {"trace": "stacktrace"})


def _gelf(value: Value) -> None:
    full = value["full_message"]
    if isinstance(full, str) and "short_message" in value and is_stack(full):
        _rename(value, {"full_message": "stacktrace"})


_DIALECTS: Final[dict[str, Callable[[Value], None]]] = {
    "L": _zap_development,
    "t": _mongodb,
    "@t": _compact_events,
    "logging.googleapis.com/trace": _cloud_trace,
    "insertId": _cloud_trace,
    "serviceContext": _cloud_service,
    "jsonPayload": _cloud_payload,
    "timestampSeconds": _cloud_time,
    "timestamp": _cloud_time,
    "categoryName": _log4js,
    "start_time": _envoy,
    "errorType": _lambda_error,
    "exception_name": _powertools,
    "record": _lambda_record,
    "status": _status_word,
    "PRIORITY": _syslog_ng,
    "prio": _mysql,
    "created": _python,
    "context": _monolog,
    "full_message": _gelf,
}
