"""``prometheus.WriteRequest`` as protobuf's classes.

Source: https://prometheus.io/docs/specs/prw/remote_write_spec/#protobuf-message. No package of ours holds the compiled
messages, so they are declared here, in a pool of their own; protobuf's C backend decodes them all the same. Native
histograms are described in https://github.com/prometheus/prometheus/blob/main/prompb/types.proto.
"""

from typing import Any, Final

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

_Field = descriptor_pb2.FieldDescriptorProto
_PACKAGE: Final = "prometheus"
_SCALARS: Final = {
    "string": _Field.TYPE_STRING,
    "double": _Field.TYPE_DOUBLE,
    "int64": _Field.TYPE_INT64,
    "uint32": _Field.TYPE_UINT32,
    "uint64": _Field.TYPE_UINT64,
    "sint32": _Field.TYPE_SINT32,
    "sint64": _Field.TYPE_SINT64,
    # An open enumeration is a number on the wire, and an unknown member is then no error.
    "enum": _Field.TYPE_INT32,
}
_MESSAGES: Final[dict[str, tuple[tuple[str, int, str], ...]]] = {
    "Label": (("name", 1, "string"), ("value", 2, "string")),
    "Sample": (("value", 1, "double"), ("timestamp", 2, "int64")),
    "Exemplar": (("labels", 1, "Label*"), ("value", 2, "double"), ("timestamp", 3, "int64")),
    "BucketSpan": (("offset", 1, "sint32"), ("length", 2, "uint32")),
    # Of the counts that may be integers or floats one of each pair is set.
    "Histogram": (
        ("count_int", 1, "uint64"),
        ("count_float", 2, "double"),
        ("sum", 3, "double"),
        ("schema", 4, "sint32"),
        ("zero_threshold", 5, "double"),
        ("zero_count_int", 6, "uint64"),
        ("zero_count_float", 7, "double"),
        ("negative_spans", 8, "BucketSpan*"),
        ("negative_deltas", 9, "sint64*"),
        ("negative_counts", 10, "double*"),
        ("positive_spans", 11, "BucketSpan*"),
        ("positive_deltas", 12, "sint64*"),
        ("positive_counts", 13, "double*"),
        ("reset_hint", 14, "enum"),
        ("timestamp", 15, "int64"),
        ("custom_values", 16, "double*"),
    ),
    "TimeSeries": (
        ("labels", 1, "Label*"),
        ("samples", 2, "Sample*"),
        ("exemplars", 3, "Exemplar*"),
        ("histograms", 4, "Histogram*"),
    ),
    "MetricMetadata": (
        ("type", 1, "enum"),
        ("metric_family_name", 2, "string"),
        ("help", 4, "string"),
        ("unit", 5, "string"),
    ),
    "WriteRequest": (("timeseries", 1, "TimeSeries*"), ("metadata", 3, "MetricMetadata*")),
}


def _declared() -> descriptor_pb2.FileDescriptorProto:
    file = descriptor_pb2.FileDescriptorProto(name="remote_write_1.proto", package=_PACKAGE, syntax="proto3")
    for name, fields in _MESSAGES.items():
        message = file.message_type.add(name=name)
        for field, number, kind in fields:
            many = kind.endswith("*")
            label = _Field.LABEL_REPEATED if many else _Field.LABEL_OPTIONAL
            one = kind.removesuffix("*")
            if one in _SCALARS:
                message.field.add(name=field, number=number, label=label, type=_SCALARS[one])
            else:
                type_name = f".{_PACKAGE}.{one}"
                message.field.add(name=field, number=number, label=label, type=_Field.TYPE_MESSAGE, type_name=type_name)
    return file


_pool = descriptor_pool.DescriptorPool()
_pool.Add(_declared())
WriteRequest: Final[Any] = message_factory.GetMessageClass(
    _pool.FindMessageTypeByName(f"{_PACKAGE}.WriteRequest"),
)
"""The message of one request."""
