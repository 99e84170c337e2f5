"""Fluentd's forward protocol, version 1: bytes to messages and events and back, pure.

:mod:`frames` cuts a stream of bytes into messages, :mod:`messages` reads what is around the events of one,
:mod:`events` the events; :mod:`encode` writes all of it, :mod:`handshake` is what both sides say before the first
message.

Specification: https://github.com/fluent/fluentd/wiki/Forward-Protocol-Specification-v1
"""

from eldonia_ops.protocols.fluent_forward.encode import (
    Compression,
    encode_ack,
    encode_event,
    encode_forward,
    encode_message,
    encode_packed,
    event_time,
)
from eldonia_ops.protocols.fluent_forward.errors import ForwardError, ForwardTooLargeError
from eldonia_ops.protocols.fluent_forward.events import Events, Piece, decode_events, pieces
from eldonia_ops.protocols.fluent_forward.frames import ForwardFrames, Frame
from eldonia_ops.protocols.fluent_forward.handshake import (
    Helo,
    Ping,
    check_ping,
    check_pong,
    decode_ack,
    encode_helo,
    encode_ping,
    encode_pong,
    read_helo,
    read_ping,
)
from eldonia_ops.protocols.fluent_forward.messages import ForwardMessage, decode_message
from eldonia_ops.protocols.plain_values import plain_record

__all__ = [
    "Compression",
    "Events",
    "ForwardError",
    "ForwardFrames",
    "ForwardMessage",
    "ForwardTooLargeError",
    "Frame",
    "Helo",
    "Piece",
    "Ping",
    "check_ping",
    "check_pong",
    "decode_ack",
    "decode_events",
    "decode_message",
    "encode_ack",
    "encode_event",
    "encode_forward",
    "encode_helo",
    "encode_message",
    "encode_packed",
    "encode_ping",
    "encode_pong",
    "event_time",
    "pieces",
    "plain_record",
    "read_helo",
    "read_ping",
]
