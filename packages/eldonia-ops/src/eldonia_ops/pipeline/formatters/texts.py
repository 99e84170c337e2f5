"""``ltsv``, ``csv``, ``tsv`` and ``single_value``: records as text without JSON."""

from typing import Any, ClassVar

from eldonia_ops.pipeline.formatters.formatter import Formatter
from eldonia_ops.pipeline.formatters.json import json_bytes
from eldonia_ops.pipeline.record_fields import field_of
from eldonia_ops.pipeline.section import SectionReader


def text_of(value: Any) -> str:
    """A value as text: nothing for null, JSON for what has parts."""
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    return json_bytes(value).decode()


def newline_of(reader: SectionReader) -> str:
    """What ends a line."""
    end = "\r\n" if reader.choice("newline", ("lf", "crlf"), "lf") == "crlf" else "\n"
    return end if reader.boolean("add_newline", True) else ""


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "replace")


class LtsvFormatter(Formatter):
    """https://docs.fluentd.org/formatter/ltsv"""

    type: ClassVar[str] = "ltsv"

    def __init__(self, reader: SectionReader) -> None:
        self._delimiter = reader.string("delimiter", "\t")
        self._label = reader.string("label_delimiter", ":")
        self._replacement = reader.string("replacement", " ")
        self._end = newline_of(reader)

    def format(self, tag: str, time_ns: int, record: dict[str, Any]) -> bytes:
        """The labelled fields. A delimiter, or the end of a line, within a value is replaced."""
        pairs = (
            f"{key}{self._label}{text_of(value).replace(self._delimiter, self._replacement)}"
            for key, value in record.items()
        )
        return _bytes(self._delimiter.join(pairs).replace("\r", " ").replace("\n", self._replacement) + self._end)


class CsvFormatter(Formatter):
    """https://docs.fluentd.org/formatter/csv"""

    type: ClassVar[str] = "csv"
    content_type: ClassVar[str] = "text/csv"

    def __init__(self, reader: SectionReader) -> None:
        delimiter = reader.string("delimiter", ",")
        self._delimiter = "\t" if delimiter in ("\\t", "TAB") else delimiter
        self._quote = reader.boolean("force_quotes", True)
        self._fields = reader.texts("fields")
        if not self._fields:
            reader.problem("a csv formatter needs fields", "fields", hint="fields time,level,message")
        self._end = newline_of(reader)

    def format(self, tag: str, time_ns: int, record: dict[str, Any]) -> bytes:
        """The fields in their order."""
        values = (self._written(text_of(field_of(record, name))) for name in self._fields)
        return _bytes(self._delimiter.join(values) + self._end)

    def _written(self, text: str) -> str:
        if self._quote or self._delimiter in text or any(char in text for char in '"\r\n'):
            return '"' + text.replace('"', '""') + '"'
        return text


class TsvFormatter(Formatter):
    """https://docs.fluentd.org/formatter/tsv"""

    type: ClassVar[str] = "tsv"

    def __init__(self, reader: SectionReader) -> None:
        self._keys = reader.texts("keys")
        if not self._keys:
            reader.problem("a tsv formatter needs keys", "keys", hint="keys time,level,message")
        self._delimiter = reader.string("delimiter", "\t")
        self._end = newline_of(reader)

    def format(self, tag: str, time_ns: int, record: dict[str, Any]) -> bytes:
        """The fields in their order."""
        return _bytes(self._delimiter.join(text_of(record.get(key)) for key in self._keys) + self._end)


class SingleValueFormatter(Formatter):
    """https://docs.fluentd.org/formatter/single_value"""

    type: ClassVar[str] = "single_value"

    def __init__(self, reader: SectionReader) -> None:
        self._key = reader.string("message_key", "message")
        self._end = newline_of(reader)

    def format(self, tag: str, time_ns: int, record: dict[str, Any]) -> bytes:
        """One field of the record."""
        return _bytes(text_of(record.get(self._key)) + self._end)
