"""``@type none``: the text is one field of the record."""

from typing import ClassVar

from eldonia_ops.pipeline.parsers.parser import Parsed, Parser
from eldonia_ops.pipeline.section import SectionReader


class NoneParser(Parser):
    """https://docs.fluentd.org/parser/none"""

    type: ClassVar[str] = "none"

    def __init__(self, reader: SectionReader) -> None:
        self._key = reader.string("message_key", "message")

    def parse(self, text: str, now_ns: int = 0) -> list[Parsed]:
        """One record that holds the text."""
        return [(None, {self._key: text})]
