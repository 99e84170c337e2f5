"""OTLP's JSON as typed structs, with the names that protobuf's classes have.

Source: https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding and, for what it refers to,
https://protobuf.dev/programming-guides/json/. 64-bit integers may come as strings, doubles as numbers or
strings, enumerations as numbers or names; ids are hex; unknown keys are passed over.

Decoded by msgspec in one go; ``json_format.ParseDict`` takes some ten times as long. A value (``AnyValue``)
stays a dictionary, which :func:`eldonia_ops.intake.otlp.attributes.any_value` reads.
"""

from typing import Annotated, Any, Final, TypeVar

import msgspec
from msgspec import UNSET, Meta, UnsetType, field

from eldonia_ops.model.foreign import decode_json as decode_json_text

Json = dict[str, Any]
Int32 = Annotated[int, Meta(ge=-(2**31), le=2**31 - 1)]
Int64 = Annotated[int, Meta(ge=-(2**63), le=2**63 - 1)]
_Unsigned = Annotated[int, Meta(ge=0)]
_Count = Annotated[int, Meta(ge=0, le=2**63 - 1)]
_Enum = int | str
_R = TypeVar("_R", bound=msgspec.Struct)


class _Message(msgspec.Struct, gc=False, rename="camel"):
    pass


class _KeyValue(_Message):
    key: str = ""
    value: Json = {}


class KeyValueList(_Message):
    """``kvlistValue`` of a value."""

    values: list[_KeyValue] = []


class ArrayValue(_Message):
    """``arrayValue`` of a value."""

    values: list[Json] = []


class _Resource(_Message):
    attributes: list[_KeyValue] = []


class _Scope(_Message):
    name: str = ""


class _Status(_Message):
    message: str = ""
    code: _Enum = 0


class _Event(_Message):
    time_unix_nano: _Unsigned = 0
    name: str = ""
    attributes: list[_KeyValue] = []


class _Link(_Message):
    trace_id: str = ""
    span_id: str = ""
    attributes: list[_KeyValue] = []


class _Span(_Message):
    trace_id: str = ""
    span_id: str = ""
    parent_span_id: str = ""
    name: str = ""
    kind: _Enum = 0
    start_time_unix_nano: _Unsigned = 0
    end_time_unix_nano: _Unsigned = 0
    attributes: list[_KeyValue] = []
    events: list[_Event] = []
    links: list[_Link] = []
    status: _Status = field(default_factory=_Status)


class _ScopeSpans(_Message):
    scope: _Scope = field(default_factory=_Scope)
    spans: list[_Span] = []


class _ResourceSpans(_Message):
    resource: _Resource = field(default_factory=_Resource)
    scope_spans: list[_ScopeSpans] = []


class TracesRequest(_Message):
    """``ExportTraceServiceRequest``."""

    resource_spans: list[_ResourceSpans] = []


class _LogRecord(_Message):
    time_unix_nano: _Unsigned = 0
    observed_time_unix_nano: _Unsigned = 0
    severity_number: _Enum = 0
    severity_text: str = ""
    body: Json = {}
    attributes: list[_KeyValue] = []
    trace_id: str = ""
    span_id: str = ""
    event_name: str = ""


class _ScopeLogs(_Message):
    scope: _Scope = field(default_factory=_Scope)
    log_records: list[_LogRecord] = []


class _ResourceLogs(_Message):
    resource: _Resource = field(default_factory=_Resource)
    scope_logs: list[_ScopeLogs] = []


class LogsRequest(_Message):
    """``ExportLogsServiceRequest``."""

    resource_logs: list[_ResourceLogs] = []


class _NumberPoint(_Message):
    attributes: list[_KeyValue] = []
    time_unix_nano: _Unsigned = 0
    as_double: float | UnsetType = UNSET
    as_int: Int64 | UnsetType = UNSET
    flags: _Unsigned = 0

    def WhichOneof(self, _: str) -> str | None:  # noqa: N802 - protobuf's name
        return "as_int" if self.as_int is not UNSET else "as_double" if self.as_double is not UNSET else None


class _HistogramPoint(_Message):
    attributes: list[_KeyValue] = []
    time_unix_nano: _Unsigned = 0
    count: _Count = 0
    sum: float | UnsetType = UNSET
    bucket_counts: list[_Count] = []
    explicit_bounds: list[float] = []
    flags: _Unsigned = 0

    def HasField(self, _: str) -> bool:  # noqa: N802 - protobuf's name; asked about the sum alone
        return self.sum is not UNSET


class _Quantile(_Message):
    quantile: float = 0.0
    value: float = 0.0


class _SummaryPoint(_Message):
    attributes: list[_KeyValue] = []
    time_unix_nano: _Unsigned = 0
    count: _Count = 0
    sum: float = 0.0
    quantile_values: list[_Quantile] = []
    flags: _Unsigned = 0


class _Gauge(_Message):
    data_points: list[_NumberPoint] = []


class _Sum(_Message):
    data_points: list[_NumberPoint] = []
    aggregation_temporality: _Enum = 0
    is_monotonic: bool = False


class _Histogram(_Message):
    data_points: list[_HistogramPoint] = []
    aggregation_temporality: _Enum = 0


class _Buckets(_Message):
    offset: Int32 = 0
    bucket_counts: list[_Count] = []


class _ExponentialPoint(_Message):
    attributes: list[_KeyValue] = []
    start_time_unix_nano: _Unsigned = 0
    time_unix_nano: _Unsigned = 0
    count: _Count = 0
    sum: float | UnsetType = UNSET
    scale: Int32 = 0
    zero_count: _Count = 0
    zero_threshold: float = 0.0
    positive: _Buckets = field(default_factory=_Buckets)
    negative: _Buckets = field(default_factory=_Buckets)
    flags: _Unsigned = 0

    def HasField(self, _: str) -> bool:  # noqa: N802 - protobuf's name; asked about the sum alone
        return self.sum is not UNSET


class _ExponentialHistogram(_Message):
    data_points: list[_ExponentialPoint] = []
    aggregation_temporality: _Enum = 0


class _Summary(_Message):
    data_points: list[_SummaryPoint] = []


class _Metric(_Message):
    name: str = ""
    description: str = ""
    unit: str = ""
    gauge: _Gauge | UnsetType = UNSET
    sum: _Sum | UnsetType = UNSET
    histogram: _Histogram | UnsetType = UNSET
    exponential_histogram: _ExponentialHistogram | UnsetType = UNSET
    summary: _Summary | UnsetType = UNSET

    def WhichOneof(self, _: str) -> str | None:  # noqa: N802 - protobuf's name
        return next((kind for kind in _METRIC_KINDS if getattr(self, kind) is not UNSET), None)


_METRIC_KINDS: Final = ("gauge", "sum", "histogram", "exponential_histogram", "summary")


class _ScopeMetrics(_Message):
    metrics: list[_Metric] = []


class _ResourceMetrics(_Message):
    resource: _Resource = field(default_factory=_Resource)
    scope_metrics: list[_ScopeMetrics] = []


class MetricsRequest(_Message):
    """``ExportMetricsServiceRequest``."""

    resource_metrics: list[_ResourceMetrics] = []


_DECODERS: Final[dict[type[Any], msgspec.json.Decoder[Any]]] = {
    kind: msgspec.json.Decoder(kind, strict=False) for kind in (TracesRequest, LogsRequest, MetricsRequest)
}


def decode_json(kind: type[_R], body: bytes) -> _R:
    """A request of the given kind.

    Protobuf's JSON also allows null for what is not set, and the names of the ``.proto`` files for keys. Both
    are rare and cost a second look at the document.

    Raises:
        msgspec.DecodeError: the body is not JSON, or not such a request; the message names the place.
    """
    has_other_names = b'"resource_' in body
    try:
        request = decode_json_text(_DECODERS[kind].decode, body)
    except msgspec.ValidationError:
        if not has_other_names and b"null" not in body:
            raise
    else:
        if not has_other_names or getattr(request, kind.__struct_fields__[0]):
            return request
    return msgspec.convert(_usual(decode_json_text(msgspec.json.decode, body)), kind, strict=False)


def _usual(value: Any) -> Any:
    """A document without nulls, and with the usual names of keys."""
    if isinstance(value, dict):
        return {_camel(key): _usual(item) for key, item in value.items() if item is not None}
    return [_usual(item) for item in value] if isinstance(value, list) else value


def _camel(name: str) -> str:
    first, *others = name.split("_")
    return first + "".join(word.capitalize() for word in others)
