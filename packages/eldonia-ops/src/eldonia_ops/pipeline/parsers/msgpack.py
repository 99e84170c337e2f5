"""``@type msgpack``: maps one behind the other, or an array of them."""

from typing import Any, ClassVar

import msgpack

from eldonia_ops.pipeline.parsers.fields import Fields
from eldonia_ops.pipeline.parsers.json import objects
from eldonia_ops.pipeline.parsers.parser import Parsed, ParseError, Parser
from eldonia_ops.pipeline.section import SectionReader


class MsgpackParser(Parser):
    """https://docs.fluentd.org/parser/msgpack. Text is taken as the bytes of its UTF-8."""

    type: ClassVar[str] = "msgpack"

    def __init__(self, reader: SectionReader) -> None:
        self._fields = Fields(reader)

    def parse(self, text: str, now_ns: int = 0) -> list[Parsed]:
        """The maps in the bytes of a text."""
        return self.parse_bytes(text.encode("utf-8", "surrogateescape"), now_ns)

    def parse_bytes(self, data: bytes, now_ns: int = 0) -> list[Parsed]:
        """The maps in bytes."""
        unpacker = msgpack.Unpacker(
            raw=False, strict_map_key=False, unicode_errors="replace", max_buffer_size=max(1, len(data))
        )
        values: list[Any] = []
        end = 0
        try:
            unpacker.feed(data)
            for value in unpacker:
                values.append(value)
                end = unpacker.tell()
        except (ValueError, TypeError, OverflowError, RecursionError, msgpack.UnpackException) as error:
            raise ParseError(f"it is no MessagePack: {error or type(error).__name__}") from None
        if end != len(data):
            raise ParseError("it is no MessagePack: it ends within a value")
        return [parsed for value in values for parsed in objects(_texts(value), self._fields, now_ns)]


def _texts(value: Any) -> Any:
    """The value with texts for keys, and for bytes, which JSON has not."""
    if isinstance(value, dict):
        return {_text(key): _texts(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_texts(item) for item in value]
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    if isinstance(value, msgpack.ExtType | msgpack.Timestamp):
        return str(value)
    return value


def _text(key: Any) -> str:
    return key if isinstance(key, str) else key.decode("utf-8", "replace") if isinstance(key, bytes) else str(key)
