"""``@type regexp``: the named groups of an expression are the fields. It runs on RE2, in linear time."""

from typing import ClassVar

from eldonia_ops.pipeline.parsers.fields import Fields
from eldonia_ops.pipeline.parsers.parser import Parsed, ParseError, Parser
from eldonia_ops.pipeline.ruby_regexp import RubyRegexp
from eldonia_ops.pipeline.section import SectionReader

_NO_MATCH = "the expression does not match"


class RegexpParser(Parser):
    """https://docs.fluentd.org/parser/regexp"""

    type: ClassVar[str] = "regexp"

    def __init__(self, reader: SectionReader) -> None:
        expression = reader.string("expression", required=True)
        ignore_case, multi_line = reader.boolean("ignorecase", False), reader.boolean("multiline", False)
        if ignore_case or multi_line:
            inner = expression.strip()
            inner = inner[1 : inner.rindex("/")] if inner.startswith("/") and inner.rfind("/") > 0 else inner
            expression = f"/{inner}/" + "i" * ignore_case + "m" * multi_line
        self.fields = Fields(reader, time_key="time")
        self.regexp = compiled(reader, "expression", expression) if expression else RubyRegexp("")
        if expression and not self.regexp.names:
            reader.problem("expression has no named group", "expression", hint="write (?<name>…) around each field")

    def parse(self, text: str, now_ns: int = 0) -> list[Parsed]:
        """One record of the named groups that took part."""
        record = self.regexp.fields(text)
        if record is None:
            raise ParseError(_NO_MATCH)
        return [self.fields.finish(dict(record), now_ns)]


class FixedRegexpParser(Parser):
    """A parser whose expression is known, with ``-`` and the like as they are written."""

    regexp: ClassVar[RubyRegexp]
    time_format: ClassVar[str] = ""
    types: ClassVar[dict[str, str]] = {}

    def __init__(self, reader: SectionReader) -> None:
        self.fields = Fields(reader, time_key="time", time_format=self.time_format, types=self.types)

    def parse(self, text: str, now_ns: int = 0) -> list[Parsed]:
        """One record of the parts of the line."""
        record = self.regexp.fields(text)
        if record is None:
            raise ParseError(f"the line does not have the form of {self.type}")
        return [self.fields.finish(dict(record), now_ns)]


def compiled(reader: SectionReader, name: str, written: str) -> RubyRegexp:
    """A user's expression; one that cannot be used is a problem, and then matches nothing."""
    try:
        return RubyRegexp(written)
    except ValueError as error:
        reader.problem(f"{name} cannot be used: {error}", name)
        return RubyRegexp(r"\A\z[^\s\S]")
