"""Records over OTLP/HTTP, as JSON.

Protocol: https://opentelemetry.io/docs/specs/otlp/#otlphttp. Field names follow OpenTelemetry's
semantic conventions where these have one; the component becomes the scope.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

import msgspec

from eldonia_telemetry import dropped_data, otlp
from eldonia_telemetry.records import LogEntry, decode
from eldonia_telemetry.sinks.batching import Outcome
from eldonia_telemetry.sinks.http_endpoint import HttpEndpoint
from eldonia_telemetry.sinks.spill import Item

# https://opentelemetry.io/docs/specs/otel/logs/data-model/#field-severitynumber
_SEVERITIES: Final = {"debug": 5, "info": 9, "warn": 13, "error": 17}
_TOO_LARGE: Final = 413
_BAD_REQUEST: Final = frozenset({400, 422})

_encode = msgspec.json.Encoder().encode


class OtlpLogTransport:
    """Posts records to ``/v1/logs`` of an endpoint.

    Args:
        endpoint: the backend; ``/v1/logs`` is added unless its path ends so.
        resource: the attributes of this process (``service.name`` and the like).
    """

    name = "otlp"

    def __init__(self, endpoint: HttpEndpoint, resource: Mapping[str, Any]) -> None:
        self._endpoint = endpoint
        self._resource = dict(resource)
        self._path = "" if endpoint.prefix.endswith("/v1/logs") else "/v1/logs"

    def send(self, batch: Sequence[Item]) -> Outcome:
        """Deliver a batch; one that is too large goes in halves. Raises what :class:`HttpEndpoint` raises."""
        answer = self._endpoint.request("POST", self._path, encode(batch, self._resource), "application/json")
        if 200 <= answer.status < 300:
            otlp.count_rejected("log", "rejectedLogRecords", answer.body)
            return Outcome()
        if answer.status == _TOO_LARGE and len(batch) > 1:
            middle = len(batch) // 2
            first = self.send(batch[:middle])
            if first.retry:
                return Outcome([*first.retry, *batch[middle:]], first.reason, first.delay, first.detail)
            return self.send(batch[middle:])
        reason = f"answers HTTP {answer.status}"
        if answer.status in _BAD_REQUEST or answer.status == _TOO_LARGE:  # it will not like them better later
            dropped_data.count("log", f"otlp: {reason}", RuntimeError(answer.excerpt), len(batch))
            return Outcome()
        return Outcome(batch, reason, answer.retry_after, answer.excerpt)

    def close(self) -> None:
        """Drop the connection."""
        self._endpoint.close()

    def after_fork(self) -> None:
        """Forget the parent's connection."""
        self._endpoint.after_fork()
        self._resource = otlp.of_this_process(self._resource)


def encode(batch: Sequence[Item], resource: Mapping[str, Any]) -> bytes:
    """An ``ExportLogsServiceRequest`` of the batch; records of another service get a resource of their own."""
    own = str(resource.get("service.name", ""))
    by_service: dict[str, dict[str, list[dict[str, Any]]]] = {}
    for item in batch:
        try:
            entry = decode(item.line)
            row = _row(entry)
        except (ValueError, msgspec.DecodeError) as error:  # from a disk that lied, or another version
            dropped_data.count("log", "otlp: not a record", error)
            continue
        by_service.setdefault(entry.service or own, {}).setdefault(entry.component, []).append(row)
    document = {
        "resourceLogs": [
            {
                "resource": {"attributes": otlp.attributes({**resource, "service.name": service})},
                "scopeLogs": [{"scope": {"name": name}, "logRecords": rows} for name, rows in scopes.items()],
            }
            for service, scopes in by_service.items()
        ]
    }
    return _encode(document)


def _row(entry: LogEntry) -> dict[str, Any]:
    at = datetime.fromisoformat(entry.timestamp)
    nanoseconds = str(int(at.timestamp()) * 1_000_000_000 + at.microsecond * 1000)
    # What is None is left out at the end.
    named: dict[str, Any] = {
        "operation": entry.operation or None,
        "user.id": entry.user_id,
        "session.id": entry.session_id,
        "http.request.id": entry.request_id,
        "client.address": entry.ip_address,
        "user_agent.original": entry.user_agent,
    }
    error = entry.error
    if error is not None:
        named["exception.type"] = error.name
        named["exception.message"] = error.message
        named["exception.stacktrace"] = error.stack
        named["error.code"] = error.code
    performance = entry.performance
    if performance is not None:
        named["performance.duration"] = performance.duration
        named["performance.memoryUsage"] = performance.memory_usage
        named["performance.cpuUsage"] = performance.cpu_usage
    shown = otlp.attributes(named)
    if entry.metadata:  # a record's own fields win over metadata of the same name
        shown += otlp.attributes({name: value for name, value in entry.metadata.items() if named.get(name) is None})
    row: dict[str, Any] = {
        "timeUnixNano": nanoseconds,
        "observedTimeUnixNano": nanoseconds,
        "severityNumber": _SEVERITIES.get(entry.level, 9),
        "severityText": entry.level,
        "body": {"stringValue": entry.message},
    }
    if shown:
        row["attributes"] = shown
    if entry.trace_id:
        row["traceId"] = entry.trace_id
        if entry.span_id:
            row["spanId"] = entry.span_id
    return row
