"""Values of MessagePack as values that JSON has."""

from datetime import datetime
from typing import Any, Final

import msgspec

NS: Final = 1_000_000_000
EVENT_TIME: Final = 0
"""The type of the extension that holds seconds and nanoseconds, 32 bits each: Fluentd's EventTime."""


def plain_record(record: dict[str, Any]) -> dict[str, Any]:
    """A record of values that JSON has: bytes are text, other values of MessagePack alone the text of what they are.

    It may be nested as deep as a decoder of msgspec takes it; what is nested is made anew.

    Raises:
        RecursionError: it is deeper.
    """
    return {key: plain_value(value) for key, value in record.items()}


def plain_value(value: Any) -> Any:
    """A value that JSON has."""
    kind = type(value)
    if kind is str or kind is int or kind is float or kind is bool or value is None:
        return value
    if kind is bytes:
        return value.decode("utf-8", "replace")
    if kind is dict:
        return {key if type(key) is str else str(plain_value(key)): plain_value(item) for key, item in value.items()}
    if kind is list or kind is tuple:
        return [plain_value(item) for item in value]
    if isinstance(value, msgspec.msgpack.Ext):
        return event_time_ns(value) / NS or bytes(value.data).hex()
    if isinstance(value, datetime):
        return value.isoformat()
    return str(value)


def event_time_ns(value: msgspec.msgpack.Ext) -> int:
    """Unix nanoseconds of an EventTime; 0 for any other extension."""
    data = bytes(value.data)
    if value.code != EVENT_TIME or len(data) != 8:
        return 0
    return int.from_bytes(data[:4], "big") * NS + int.from_bytes(data[4:], "big")
