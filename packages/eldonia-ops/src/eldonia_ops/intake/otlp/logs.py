"""OTLP logs to log records."""

from typing import Any

import msgspec
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.logs.v1.logs_pb2 import SeverityNumber

from eldonia_ops.intake.otlp.attributes import any_value, as_text, attributes
from eldonia_ops.intake.otlp.json_messages import LogsRequest
from eldonia_ops.intake.otlp.messages import (
    Encoding,
    Rejections,
    SharedResources,
    check_size,
    decode_request,
    enum_number,
    raw_id,
)
from eldonia_ops.intake.otlp.traces import valid_id
from eldonia_ops.model.log_levels import fold_level, severity_level
from eldonia_ops.model.logs import LogError, LogLevel, LogRecord
from eldonia_ops.model.record_bounds import bounded_record
from eldonia_ops.model.timestamps import LATEST_NS
from eldonia_ops.protocols.logs.fields import record_of

# The semantic conventions' names for what a record has a field for; older names after newer ones.
_FIELDS = {
    "user_id": ("user.id", "enduser.id"),
    "session_id": ("session.id",),
    "request_id": ("http.request.id", "request.id"),
    "ip_address": ("client.address", "source.address", "http.client_ip"),
    "user_agent": ("user_agent.original", "http.user_agent"),
    "operation": ("operation",),
}
_BODY_FIELDS = (
    *("operation", "user_id", "session_id", "request_id", "ip_address", "user_agent", "trace_id", "span_id"),
    *("environment", "hostname", "component", "error", "performance", "parse_error"),
)
_UNKNOWN_SERVICE = "unknown_service"
_ERROR = {"name": "exception.type", "message": "exception.message", "stack": "exception.stacktrace"}


def decode_logs(body: bytes, encoding: Encoding, received_ns: int) -> tuple[list[LogRecord], Rejections]:
    """Log records of one export request; ``received_ns`` is used where a record names no time.

    A record with an invalid trace or span id is kept without it, since its text is what matters.

    Raises:
        OtlpError: the body cannot be decoded, or holds too much.
    """
    request = decode_request(ExportLogsServiceRequest, LogsRequest, body, encoding)
    records: list[LogRecord] = []
    rejections = Rejections()
    check_size(request.resource_logs, "scope_logs", "log_records")
    copies = SharedResources()
    for group in request.resource_logs:
        resource = attributes(group.resource.attributes)
        shared: dict[str, str] = {
            "service": as_text(resource.pop("service.name", "")) or _UNKNOWN_SERVICE,
            "environment": as_text(
                resource.pop("deployment.environment.name", None) or resource.pop("deployment.environment", None)
            ),
            "hostname": as_text(resource.pop("host.name", "")),
        }
        for scoped in group.scope_logs:
            copies.add(resource, len(scoped.log_records))
            for wire in scoped.log_records:
                if max(wire.time_unix_nano, wire.observed_time_unix_nano) > LATEST_NS:
                    rejections.add("a log record has a time beyond 2262")
                else:
                    record = _record(wire, received_ns, resource, scoped.scope.name, shared)
                    records.append(bounded_record(record))
    return records, rejections


def _record(wire: Any, received_ns: int, resource: dict[str, Any], scope: str, shared: dict[str, str]) -> LogRecord:
    """The record of protobuf's class or of the struct that JSON becomes."""
    metadata = attributes(wire.attributes)
    fields = dict(shared)
    for field, names in _FIELDS.items():
        for name in names:
            if name in metadata:
                fields[field] = as_text(metadata.pop(name))
                break
    parts = {field: as_text(metadata.pop(name)) for field, name in _ERROR.items() if name in metadata}
    if resource:
        metadata["resource"] = resource
    if wire.event_name:
        metadata["eventName"] = wire.event_name
    body = any_value(wire.body)
    read = _map_body(body, received_ns) if isinstance(body, dict) and body else None
    if read is not None:
        message = read.message
    elif isinstance(body, str):
        message = body
    else:
        message = "" if body is None else msgspec.json.encode(body).decode()
    level = (
        severity_level(enum_number(SeverityNumber, wire.severity_number))
        or fold_level(wire.severity_text)
        or (read.level if read is not None else LogLevel.INFO)
    )
    if wire.severity_text and wire.severity_text.lower() != level:
        metadata["level"] = wire.severity_text
    trace_id, span_id = raw_id(wire.trace_id), raw_id(wire.span_id)
    record = LogRecord(
        timestamp_ns=wire.time_unix_nano or wire.observed_time_unix_nano or received_ns,
        message=message or wire.event_name or parts.get("message", ""),
        level=level,
        component=scope,
        trace_id=trace_id.hex() if valid_id(trace_id, 16) else "",
        span_id=span_id.hex() if valid_id(span_id, 8) else "",
        metadata=metadata,
        error=LogError(**parts) if parts else None,
        service=fields["service"],
        environment=fields["environment"],
        hostname=fields["hostname"],
        user_id=fields.get("user_id", ""),
        session_id=fields.get("session_id", ""),
        request_id=fields.get("request_id", ""),
        ip_address=fields.get("ip_address", ""),
        user_agent=fields.get("user_agent", ""),
        operation=fields.get("operation", ""),
    )
    return record if read is None else _joined(record, read, wire.time_unix_nano, received_ns)


def _map_body(body: dict[str, Any], received_ns: int) -> LogRecord:
    """A body that is a map, as Fluent Bit and others send it: what a line of a file with this JSON would say."""
    return record_of(body, msgspec.json.encode(body).decode(), received_ns)


def _joined(record: LogRecord, read: LogRecord, stated_ns: int, received_ns: int) -> LogRecord:
    """A record, and what its body says where the record itself says nothing."""
    said = {name: getattr(read, name) for name in _BODY_FIELDS if not getattr(record, name) and getattr(read, name)}
    if record.service == _UNKNOWN_SERVICE and read.service:
        said["service"] = read.service
    if not stated_ns and read.timestamp_ns != received_ns:
        said["timestamp_ns"] = read.timestamp_ns
    return msgspec.structs.replace(record, metadata={**read.metadata, **record.metadata}, **said)
