"""``@type multiline``: lines that belong together, by ``format_firstline`` and ``format1`` to ``format20``."""

import re
from typing import ClassVar, Final

from eldonia_ops.pipeline.parsers.fields import Fields
from eldonia_ops.pipeline.parsers.parser import Parsed, ParseError, Parser
from eldonia_ops.pipeline.parsers.regexp import compiled
from eldonia_ops.pipeline.ruby_regexp import RubyRegexp
from eldonia_ops.pipeline.section import SectionReader

MOST_FORMATS: Final = 20
_FORMAT: Final = re.compile(r"format([0-9]+)", re.ASCII)


class MultilineParser(Parser):
    """https://docs.fluentd.org/parser/multiline. The formats are joined to one expression whose ``.`` takes newlines;
    it is applied again to what follows a match."""

    type: ClassVar[str] = "multiline"

    def __init__(self, reader: SectionReader) -> None:
        first = _expression(reader, "format_firstline")
        self._first: RubyRegexp | None = compiled(reader, "format_firstline", first) if first else None
        self.multi_line = self._first is not None  # without it each line is a text of its own
        self._unmatched = reader.value("unmatched_lines") is not None
        numbers = sorted(int(match[1]) for name in reader.section.parameters if (match := _FORMAT.fullmatch(name)))
        if numbers != list(range(1, len(numbers) + 1)) or len(numbers) > MOST_FORMATS:
            reader.problem(f"formats are numbered from format1 without a gap, up to format{MOST_FORMATS}")
        joined = "".join(_expression(reader, f"format{number}") for number in numbers)
        if not joined:
            reader.problem("a multiline parser needs format1", hint="format1 /^(?<time>…) (?<message>.*)/")
        self._regexp = compiled(reader, "format1", f"/{joined}/m")
        if joined and not self._regexp.names:
            reader.problem("the formats have no named group", "format1", hint="write (?<name>…) around each field")
        self._fields = Fields(reader, time_key="time")

    def parse(self, text: str, now_ns: int = 0) -> list[Parsed]:
        """The records of lines that belong together; usually one."""
        found: list[Parsed] = []
        while True:
            match = self._regexp.search(text)
            if match is None:
                if self._unmatched:
                    return [*found, (None, {"unmatched_line": text})]
                if found:
                    return found
                raise ParseError("the formats do not match")
            found.append(self._fields.finish(self._regexp.fields_of(match), now_ns))
            rest = text[match.end() :].removeprefix("\n")
            if not rest or len(rest) == len(text):
                return found
            text = rest

    def begins(self, line: str) -> bool:
        """Whether a line has the form of a first line."""
        return self._first is None or self._first.matches(line)


def _expression(reader: SectionReader, name: str) -> str:
    text = reader.string(name).strip()
    if text and not (len(text) > 1 and text[0] == text[-1] == "/"):
        reader.problem(f"{name} must be written between slashes", name, hint=f"{name} /…/")
        return ""
    return text[1:-1]
