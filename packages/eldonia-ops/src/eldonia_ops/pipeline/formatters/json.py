"""``@type json``: the record as one line of JSON."""

from typing import Any, ClassVar

import msgspec

from eldonia_ops.pipeline.formatters.formatter import Formatter
from eldonia_ops.pipeline.section import SectionReader


def json_bytes(value: Any) -> bytes:
    """JSON of any value that a record may hold: what JSON lacks becomes text, and half surrogate pairs U+FFFD."""
    try:
        return msgspec.json.encode(value, enc_hook=str)
    except (UnicodeEncodeError, TypeError, ValueError, OverflowError, RecursionError):
        return msgspec.json.encode(_plain(value, 64), enc_hook=str)


class JsonFormatter(Formatter):
    """https://docs.fluentd.org/formatter/json"""

    type: ClassVar[str] = "json"
    content_type: ClassVar[str] = "application/x-ndjson"

    def __init__(self, reader: SectionReader) -> None:
        self._end = b"\n" if reader.boolean("add_newline", True) else b""
        reader.ignore("json_parser", "newline")

    def format(self, tag: str, time_ns: int, record: dict[str, Any]) -> bytes:
        """The record, and a newline."""
        return json_bytes(record) + self._end


def _plain(value: Any, depth: int) -> Any:
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode()
    if isinstance(value, int) and not -(2**63) <= value < 2**64:
        return str(value)
    if isinstance(value, dict | list | tuple) and not depth:
        return "…"
    if isinstance(value, dict):
        return {str(_plain(str(key), 1)): _plain(item, depth - 1) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item, depth - 1) for item in value]
    return value
