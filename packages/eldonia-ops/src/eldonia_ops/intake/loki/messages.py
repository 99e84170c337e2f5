"""``logproto.PushRequest`` as protobuf's classes.

Source: https://github.com/grafana/loki/blob/main/pkg/push/push.proto. The messages are declared here, in a pool of
their own; protobuf's C backend decodes them all the same.
"""

from typing import Any, Final

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

_Field = descriptor_pb2.FieldDescriptorProto
_PACKAGE: Final = "logproto"
_SCALARS: Final = {
    # Bytes, so that a line that is no UTF-8 does not refuse its neighbours.
    "text": _Field.TYPE_BYTES,
    "int64": _Field.TYPE_INT64,
    "int32": _Field.TYPE_INT32,
}
_MESSAGES: Final[dict[str, tuple[tuple[str, int, str], ...]]] = {
    "Timestamp": (("seconds", 1, "int64"), ("nanos", 2, "int32")),
    "LabelPair": (("name", 1, "text"), ("value", 2, "text")),
    "Entry": (("timestamp", 1, "Timestamp"), ("line", 2, "text"), ("structured_metadata", 3, "LabelPair*")),
    "Stream": (("labels", 1, "text"), ("entries", 2, "Entry*")),
    "PushRequest": (("streams", 1, "Stream*"),),
}


def _declared() -> descriptor_pb2.FileDescriptorProto:
    file = descriptor_pb2.FileDescriptorProto(name="loki_push.proto", package=_PACKAGE, syntax="proto3")
    for name, fields in _MESSAGES.items():
        message = file.message_type.add(name=name)
        for field, number, kind in fields:
            label = _Field.LABEL_REPEATED if kind.endswith("*") else _Field.LABEL_OPTIONAL
            one = kind.removesuffix("*")
            if one in _SCALARS:
                message.field.add(name=field, number=number, label=label, type=_SCALARS[one])
            else:
                type_name = f".{_PACKAGE}.{one}"
                message.field.add(name=field, number=number, label=label, type=_Field.TYPE_MESSAGE, type_name=type_name)
    return file


_pool = descriptor_pool.DescriptorPool()
_pool.Add(_declared())
PushRequest: Final[Any] = message_factory.GetMessageClass(_pool.FindMessageTypeByName(f"{_PACKAGE}.PushRequest"))
"""The message of one request."""
