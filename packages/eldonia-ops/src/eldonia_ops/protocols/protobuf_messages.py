"""Messages of protobuf that are declared here, as tables of fields, and decoded by protobuf's C backend.

No compiler of protobuf is needed while the package is built, and each declaration has a pool of its own: names do not
meet those that other packages declare.
"""

from collections.abc import Mapping
from typing import Any, Final, TypeAlias

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

_Field: Final = descriptor_pb2.FieldDescriptorProto
_SCALARS: Final = {
    "bytes": _Field.TYPE_BYTES,
    "string": _Field.TYPE_STRING,
    "double": _Field.TYPE_DOUBLE,
    "int32": _Field.TYPE_INT32,
    "int64": _Field.TYPE_INT64,
    "uint32": _Field.TYPE_UINT32,
    "uint64": _Field.TYPE_UINT64,
    "sint32": _Field.TYPE_SINT32,
    "sint64": _Field.TYPE_SINT64,
    # An open enumeration is a number on the wire, and an unknown member is then no error.
    "enum": _Field.TYPE_INT32,
}

Messages: TypeAlias = Mapping[str, tuple[tuple[str, int, str], ...]]
"""By name: fields as ``(name, number, type)``. A type is a scalar or another message; ``*`` behind it repeats it."""


def message_class(package: str, messages: Messages, name: str) -> Any:
    """The class of one of some messages, which may hold the others."""
    file = descriptor_pb2.FileDescriptorProto(name=f"{package}.proto", package=package, syntax="proto3")
    for message_name, fields in messages.items():
        message = file.message_type.add(name=message_name)
        for field, number, kind in fields:
            label = _Field.LABEL_REPEATED if kind.endswith("*") else _Field.LABEL_OPTIONAL
            one = kind.removesuffix("*")
            if one in _SCALARS:
                message.field.add(name=field, number=number, label=label, type=_SCALARS[one])
            else:
                type_name = f".{package}.{one}"
                message.field.add(name=field, number=number, label=label, type=_Field.TYPE_MESSAGE, type_name=type_name)
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName(f"{package}.{name}"))
