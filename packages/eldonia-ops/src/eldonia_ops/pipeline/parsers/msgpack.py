"""``@type msgpack``: maps one behind the other, or an array of them."""

from typing import Any, ClassVar, Final

import msgspec

from eldonia_ops.pipeline.msgpack_ends import values
from eldonia_ops.pipeline.parsers.fields import Fields
from eldonia_ops.pipeline.parsers.json import objects
from eldonia_ops.pipeline.parsers.parser import Parsed, ParseError, Parser
from eldonia_ops.pipeline.section import SectionReader

_DECODE: Final = msgspec.msgpack.Decoder().decode


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
        found: list[Parsed] = []
        try:
            decoded = [_DECODE(one) for one in values(data)]
        except (ValueError, RecursionError, TypeError) as error:
            raise ParseError(f"it is no MessagePack: {error}") from None
        for value in decoded:
            found += objects(_texts(value), self._fields, now_ns)
        return found


def _texts(value: Any) -> Any:
    """The value with texts for keys, and for bytes, which JSON has not."""
    if isinstance(value, dict):
        return {_text(key): _texts(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_texts(item) for item in value]
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    return bytes(value.data).hex() if isinstance(value, msgspec.msgpack.Ext) else value


def _text(key: Any) -> str:
    return key if isinstance(key, str) else key.decode("utf-8", "replace") if isinstance(key, bytes) else str(key)
