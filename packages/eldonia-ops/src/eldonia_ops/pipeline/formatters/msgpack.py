"""``@type msgpack``: the record as MessagePack."""

from typing import Any, ClassVar

import msgspec

from eldonia_ops.pipeline.formatters.formatter import Formatter
from eldonia_ops.pipeline.formatters.json import json_bytes
from eldonia_ops.pipeline.section import SectionReader


class MsgpackFormatter(Formatter):
    """https://docs.fluentd.org/formatter/msgpack"""

    type: ClassVar[str] = "msgpack"
    content_type: ClassVar[str] = "application/x-msgpack"

    def __init__(self, reader: SectionReader) -> None:
        reader.ignore("add_newline", "newline")

    def format(self, tag: str, time_ns: int, record: dict[str, Any]) -> bytes:
        """The record."""
        try:
            return msgspec.msgpack.encode(record, enc_hook=str)
        except (TypeError, ValueError, OverflowError, RecursionError):
            return msgspec.msgpack.encode(_within_bounds(msgspec.json.decode(json_bytes(record))))


def _within_bounds(value: Any) -> Any:
    """A value whose whole numbers MessagePack can hold; larger ones as their text."""
    if isinstance(value, dict):
        return {key: _within_bounds(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_within_bounds(inner) for inner in value]
    large = isinstance(value, int) and not -(2**63) <= value < 2**64
    return str(value) if large else value
