"""``@type csv``, ``tsv`` and ``ltsv``: fields between separators."""

from typing import Any, ClassVar

from eldonia_ops.pipeline.parsers.fields import Fields, split
from eldonia_ops.pipeline.parsers.parser import Parsed, ParseError, Parser
from eldonia_ops.pipeline.parsers.regexp import compiled
from eldonia_ops.pipeline.ruby_regexp import RubyRegexp
from eldonia_ops.pipeline.section import SectionReader


def csv_values(text: str, delimiter: str) -> list[str | None]:
    """The fields of a line of CSV. One that is empty and has no quotes is None, as in Ruby's CSV (RFC 4180).

    Raises:
        ParseError: a quote is not closed, or something follows a closing quote.
    """
    found: list[str | None] = []
    at, end = 0, len(text)
    while True:
        if text[at : at + 1] == '"':
            parts: list[str] = []
            at += 1
            while True:
                close = text.find('"', at)
                if close < 0:
                    raise ParseError("a quote is not closed")
                parts.append(text[at:close])
                at = close + 1
                if text[at : at + 1] != '"':
                    break
                parts.append('"')
                at += 1
            found.append("".join(parts))
            if at < end and not text.startswith(delimiter, at):
                raise ParseError("something follows a closing quote")
        else:
            close = text.find(delimiter, at)
            value = text[at : close if close >= 0 else end]
            if '"' in value:
                raise ParseError("a quote is in the middle of a field")
            found.append(value or None)
            at += len(value)
        if at >= end:
            return found
        at += len(delimiter)


class CsvParser(Parser):
    """https://docs.fluentd.org/parser/csv"""

    type: ClassVar[str] = "csv"

    def __init__(self, reader: SectionReader) -> None:
        self._keys = keys_of(reader)
        self._delimiter = reader.string("delimiter", ",") or ","
        self._fields = Fields(reader)

    def parse(self, text: str, now_ns: int = 0) -> list[Parsed]:
        """One record with all ``keys``; those that the line has no field for are null."""
        text = text.removesuffix("\n").removesuffix("\r")
        if not text:
            raise ParseError("the line is empty")
        values = csv_values(text, self._delimiter)
        values += [None] * (len(self._keys) - len(values))
        return [self._fields.finish(dict(zip(self._keys, values, strict=False)), now_ns)]


class TsvParser(Parser):
    """https://docs.fluentd.org/parser/tsv. What follows the last key's separator stays in its value."""

    type: ClassVar[str] = "tsv"

    def __init__(self, reader: SectionReader) -> None:
        self._keys = keys_of(reader)
        self._delimiter = reader.string("delimiter", "\t") or "\t"
        self._fields = Fields(reader)

    def parse(self, text: str, now_ns: int = 0) -> list[Parsed]:
        """One record with all ``keys``; those that the line has no field for are null."""
        values: list[Any] = text.split(self._delimiter, len(self._keys) - 1) if text else []
        values += [None] * (len(self._keys) - len(values))
        return [self._fields.finish(dict(zip(self._keys, values, strict=True)), now_ns)]


class LtsvParser(Parser):
    """https://docs.fluentd.org/parser/ltsv and http://ltsv.org/. Fields without a label are left out."""

    type: ClassVar[str] = "ltsv"

    def __init__(self, reader: SectionReader) -> None:
        self._delimiter = reader.string("delimiter", "\t") or "\t"
        pattern = reader.string("delimiter_pattern")
        self._pattern: RubyRegexp | None = compiled(reader, "delimiter_pattern", pattern) if pattern else None
        self._label = reader.string("label_delimiter", ":") or ":"
        self._fields = Fields(reader, time_key="time")

    def parse(self, text: str, now_ns: int = 0) -> list[Parsed]:
        """One record of the labelled fields."""
        record: dict[str, Any] = {}
        pairs = split(text, self._delimiter) if self._pattern is None else self._pattern.split(text)
        for pair in pairs:
            key, found, value = pair.partition(self._label)
            if found:
                record[key] = value
        return [self._fields.finish(record, now_ns)]


def keys_of(reader: SectionReader) -> tuple[str, ...]:
    """The names of the fields, which have to be written."""
    keys = reader.texts("keys")
    if not keys:
        reader.problem(f"a parser of type {reader.section.type} needs keys", "keys", hint="keys time,level,message")
        return ("message",)
    return keys
