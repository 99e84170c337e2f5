"""``@type logfmt``: ``key=value`` pairs."""

from typing import Any, ClassVar, Final

from eldonia_ops.pipeline.logfmt_pairs import pair_at, plain_text, typed
from eldonia_ops.pipeline.parsers.fields import Fields
from eldonia_ops.pipeline.parsers.parser import Parsed, ParseError, Parser
from eldonia_ops.pipeline.section import SectionReader

_MOST: Final = 1_024


class LogfmtParser(Parser):
    """https://brandur.org/logfmt. A key alone is true. ``infer_types`` (default true) makes numbers and truths of what
    looks like them."""

    type: ClassVar[str] = "logfmt"

    def __init__(self, reader: SectionReader) -> None:
        self._read = typed if reader.boolean("infer_types", True) else plain_text
        self._fields = Fields(reader, time_key="time")

    def parse(self, text: str, now_ns: int = 0) -> list[Parsed]:
        """One record of the pairs. Of a key that is there twice the last one counts."""
        record = pairs_of(text.strip(" "), self._read)
        if not record:
            raise ParseError("there is no key=value pair")
        return [self._fields.finish(record, now_ns)]


def pairs_of(text: str, read: Any = typed) -> dict[str, Any]:
    """The pairs of a text.

    Raises:
        ParseError: something in it is no pair.
    """
    record: dict[str, Any] = {}
    at = 0
    while at < len(text):
        pair = pair_at(text, at)
        if pair is None:
            raise ParseError(f"at character {at + 1} is no key=value pair")
        if len(record) >= _MOST:
            raise ParseError(f"there are more than {_MOST} pairs")
        record[pair[0]] = True if pair[1] is None else read(pair[1])
        at = pair[2]
    return record
