"""``logproto.PushRequest`` as protobuf's classes.

Source: https://github.com/grafana/loki/blob/main/pkg/push/push.proto

Texts are declared as bytes: a line that is no UTF-8 must not refuse its neighbours.
"""

from typing import Any, Final

from eldonia_ops.protocols.protobuf_messages import Messages, message_class

_MESSAGES: Final[Messages] = {
    "Timestamp": (("seconds", 1, "int64"), ("nanos", 2, "int32")),
    "LabelPair": (("name", 1, "bytes"), ("value", 2, "bytes")),
    "Entry": (("timestamp", 1, "Timestamp"), ("line", 2, "bytes"), ("structured_metadata", 3, "LabelPair*")),
    "Stream": (("labels", 1, "bytes"), ("entries", 2, "Entry*")),
    "PushRequest": (("streams", 1, "Stream*"),),
}

PushRequest: Final[Any] = message_class("logproto", _MESSAGES, "PushRequest")
"""The message of one request."""
