"""``@type apache2`` and ``apache``: Apache's access log, common or combined."""

from typing import Any, ClassVar

from eldonia_ops.pipeline.parsers.fields import Fields, as_integer
from eldonia_ops.pipeline.parsers.nginx import TIME_FORMAT
from eldonia_ops.pipeline.parsers.parser import Parsed, ParseError, Parser
from eldonia_ops.pipeline.parsers.regexp import FixedRegexpParser
from eldonia_ops.pipeline.parsers.time_of import format_reader, zone_in
from eldonia_ops.pipeline.ruby_regexp import RubyRegexp
from eldonia_ops.pipeline.section import SectionReader


class ApacheParser(FixedRegexpParser):
    """All fields are text, ``-`` too."""

    type: ClassVar[str] = "apache"
    time_format: ClassVar[str] = TIME_FORMAT
    regexp: ClassVar[RubyRegexp] = RubyRegexp(
        r'^(?<host>[^ ]*) [^ ]* (?<user>[^ ]*) \[(?<time>[^\]]*)\] "(?<method>\S+)(?: +(?<path>[^ ]*) +\S*)?" '
        r'(?<code>[^ ]*) (?<size>[^ ]*)(?: "(?<referer>[^"]*)" "(?<agent>[^"]*)")?$'
    )


class Apache2Parser(Parser):
    """Status and size are numbers, ``-`` is null: https://docs.fluentd.org/parser/apache2"""

    type: ClassVar[str] = "apache2"
    _regexp: ClassVar[RubyRegexp] = RubyRegexp(
        r"^(?<host>[^ ]*) [^ ]* (?<user>[^ ]*) \[(?<time>[^\]]*)\] "
        r'"(?<method>\S+)(?: +(?<path>(?:[^"]|\\")*?)(?: +\S*)?)?" (?<code>[^ ]*) (?<size>[^ ]*)'
        r'(?: "(?<referer>(?:[^"]|\\")*)" "(?<agent>(?:[^"]|\\")*)")?$'
    )

    def __init__(self, reader: SectionReader) -> None:
        self._fields = Fields(reader, time_key="time", time_format=TIME_FORMAT)
        # The format of the time is the server's, whatever time_format says.
        self._time = format_reader(TIME_FORMAT, zone_in(reader))

    def parse(self, text: str, now_ns: int = 0) -> list[Parsed]:
        """One record of the request."""
        found = self._regexp.fields(text)
        if found is None:
            raise ParseError("the line does not have the form of apache2")
        try:
            time = self._time(found["time"], now_ns)
        except ValueError as error:
            raise ParseError(f"the time cannot be read: {error}") from None
        size = found["size"]
        record: dict[str, Any] = {
            "host": _given(found["host"]),
            "user": _given(found["user"]),
            "method": found["method"],
            "path": found.get("path"),
            "code": as_integer(found["code"]) or None,
            "size": None if size == "-" else as_integer(size),
            "referer": _given(found.get("referer")),
            "agent": _given(found.get("agent")),
        }
        if self._fields.keep_time_key:
            record["time"] = found["time"]
        return [(time, self._fields.convert(record))]


def _given(text: str | None) -> str | None:
    return None if text == "-" else text
