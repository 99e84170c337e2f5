"""``prometheus.WriteRequest`` as protobuf's classes.

Source: https://prometheus.io/docs/specs/prw/remote_write_spec/#protobuf-message. No package of ours holds the compiled
messages, so they are declared here, in a pool of their own; protobuf's C backend decodes them all the same. Of a native
histogram nothing is read, so its message has no fields here.
"""

from typing import Any, Final

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

_Field = descriptor_pb2.FieldDescriptorProto
_PACKAGE: Final = "prometheus"
_SCALARS: Final = {
    "string": _Field.TYPE_STRING,
    "double": _Field.TYPE_DOUBLE,
    "int64": _Field.TYPE_INT64,
    # An open enumeration is a number on the wire, and an unknown member is then no error.
    "enum": _Field.TYPE_INT32,
}
_MESSAGES: Final[dict[str, tuple[tuple[str, int, str], ...]]] = {
    "Label": (("name", 1, "string"), ("value", 2, "string")),
    "Sample": (("value", 1, "double"), ("timestamp", 2, "int64")),
    "Exemplar": (("labels", 1, "Label*"), ("value", 2, "double"), ("timestamp", 3, "int64")),
    "Histogram": (),
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
            if many:
                type_name = f".{_PACKAGE}.{kind[:-1]}"
                message.field.add(name=field, number=number, label=label, type=_Field.TYPE_MESSAGE, type_name=type_name)
            else:
                message.field.add(name=field, number=number, label=label, type=_SCALARS[kind])
    return file


_pool = descriptor_pool.DescriptorPool()
_pool.Add(_declared())
WriteRequest: Final[Any] = message_factory.GetMessageClass(
    _pool.FindMessageTypeByName(f"{_PACKAGE}.WriteRequest"),
)
"""The message of one request."""
