"""``@type multi_format``: the first of several parsers that can read a text.

https://github.com/repeatedly/fluent-plugin-multi-format-parser
"""

from collections.abc import Callable
from typing import ClassVar

from eldonia_ops.pipeline.parsers.parser import Parsed, ParseError, Parser
from eldonia_ops.pipeline.section import Parameter, Section, SectionReader


class MultiFormatParser(Parser):
    """``<pattern>`` sections, each with ``format`` (or ``@type``) and the parameters of that parser."""

    type: ClassVar[str] = "multi_format"

    def __init__(self, reader: SectionReader, inner: Callable[[SectionReader], Parser | None]) -> None:
        self._parsers: list[Parser] = []
        for section in reader.sections("pattern"):
            within = SectionReader(_typed(section), reader.problems)
            parser = inner(within)
            if parser is None:
                continue
            within.finish()
            if parser.multi_line:
                within.problem(f"{parser.type} reads several lines at once: it cannot be one of several formats")
            self._parsers.append(parser)
        if not reader.sections("pattern"):
            reader.problem("multi_format needs <pattern> sections", hint="<pattern> format json </pattern>")

    def parse(self, text: str, now_ns: int = 0) -> list[Parsed]:
        """What the first parser reads that can."""
        for parser in self._parsers:
            try:
                return parser.parse(text, now_ns)
            except ParseError:
                continue
        raise ParseError("no format fits: " + ", ".join(parser.type for parser in self._parsers))


def _typed(section: Section) -> Section:
    """``format json`` as ``@type json``, and ``format /…/`` as an expression."""
    written = section.parameters.get("format")
    if section.type or written is None:
        return section
    kept = {name: one for name, one in section.parameters.items() if name != "format"}
    is_expression = isinstance(written.value, str) and written.value.startswith("/")
    kind = Parameter("@type", "regexp" if is_expression else written.value, written.place)
    expression = {"expression": Parameter("expression", written.value, written.place)} if is_expression else {}
    return Section(
        section.name, section.argument, {"@type": kind, **expression, **kept}, section.sections, section.place
    )
