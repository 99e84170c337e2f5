"""``@type json``: an object is a record, an array of objects several."""

from typing import Any, ClassVar, Final

import msgspec

from eldonia_ops.model.foreign import decode_json
from eldonia_ops.pipeline.parsers.fields import Fields
from eldonia_ops.pipeline.parsers.parser import Parsed, ParseError, Parser
from eldonia_ops.pipeline.parsers.time_of import format_reader, zone_in
from eldonia_ops.pipeline.section import SectionReader

_DECODE: Final = msgspec.json.Decoder().decode


class JsonParser(Parser):
    """https://docs.fluentd.org/parser/json. A time that is text is read in any usual form when neither ``time_type``
    nor ``time_format`` is written; Fluentd takes the number at its beginning for seconds."""

    type: ClassVar[str] = "json"

    def __init__(self, reader: SectionReader) -> None:
        self._fields = Fields(reader, time_key="time", time_type="float")
        if reader.value("time_type") is None and reader.value("time_format") is None:
            seconds, any_form = format_reader("float", None), format_reader("", zone_in(reader))

            def read(value: Any, now_ns: int) -> int | None:
                try:
                    return any_form(value, now_ns) if isinstance(value, str) else seconds(value, now_ns)
                except ValueError:
                    return seconds(value, now_ns)

            self._fields.read_time = read

    def parse(self, text: str, now_ns: int = 0) -> list[Parsed]:
        """The objects of a text."""
        return self._records(text.encode("utf-8", "replace"), now_ns)

    def parse_bytes(self, data: bytes, now_ns: int = 0) -> list[Parsed]:
        """:meth:`parse` of bytes."""
        try:
            return self._records(data, now_ns)
        except ParseError:
            return self.parse(data.decode("utf-8", "replace"), now_ns)

    def _records(self, data: bytes, now_ns: int) -> list[Parsed]:
        try:
            value = decode_json(_DECODE, data)
        except (ValueError, RecursionError) as error:
            reason = "it is nested too deep" if isinstance(error, RecursionError) else str(error)
            raise ParseError(f"it is no JSON: {reason}") from None
        return objects(value, self._fields, now_ns)


def objects(value: Any, fields: Fields, now_ns: int) -> list[Parsed]:
    """The records of an object, or of an array of objects.

    Raises:
        ParseError: it is neither.
    """
    if isinstance(value, dict):
        return [fields.finish(value, now_ns)]
    if isinstance(value, list) and all(isinstance(one, dict) for one in value):
        return [fields.finish(one, now_ns) for one in value]
    raise ParseError("it is neither an object nor an array of objects")
