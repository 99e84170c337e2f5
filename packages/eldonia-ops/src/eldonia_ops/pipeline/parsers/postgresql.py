"""``@type postgresql``: PostgreSQL's log of lines by its ``log_line_prefix``, or its CSV.

https://www.postgresql.org/docs/current/runtime-config-logging.html
"""

import re
from typing import Any, ClassVar, Final

from eldonia_ops.pipeline.parsers.fields import Fields
from eldonia_ops.pipeline.parsers.parser import Parsed, ParseError, Parser
from eldonia_ops.pipeline.parsers.separated import csv_values
from eldonia_ops.pipeline.ruby_regexp import RubyRegexp
from eldonia_ops.pipeline.section import SectionReader

_TIME: Final = (
    r"[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]+)? (?:[A-Z]{1,5}|[+-][0-9]{2}(?::?[0-9]{2})?)"
)
_ESCAPES: Final = {
    "a": "(?<application_name>.*?)",
    "u": r"(?<user>[^\s,@]*?|\[unknown\])",
    "d": r"(?<database>[^\s,@]*?|\[unknown\])",
    "r": r"(?<remote>[^\s,]*?)",
    "h": r"(?<host>[^\s,]*?)",
    "L": r"(?<local>[^\s,]*?)",
    "b": "(?<backend_type>.*?)",
    "p": "(?<pid>[0-9]+)",
    "P": "(?<leader_pid>[0-9]*)",
    "t": f"(?<time>{_TIME})",
    "m": f"(?<time>{_TIME})",
    "n": r"(?<time>[0-9]+\.[0-9]+)",
    "i": "(?<command_tag>.*?)",
    "e": "(?<sqlstate>[0-9A-Z]{5})",
    "c": r"(?<session_id>[0-9a-f]+\.[0-9a-f]+)",
    "l": "(?<session_line>[0-9]+)",
    "s": f"(?<session_start>{_TIME})",
    "v": "(?<virtual_transaction_id>[0-9/-]*)",
    "x": "(?<transaction_id>[0-9]+)",
    "Q": "(?<query_id>-?[0-9]+)",
    "%": "%",
}
_SEVERITY: Final = (
    "(?<severity>DEBUG[1-5]?|INFO|NOTICE|WARNING|ERROR|LOG|FATAL|PANIC|DETAIL|HINT|STATEMENT|CONTEXT|QUERY|LOCATION)"
)
_ESCAPE: Final = re.compile(r"%-?[0-9]*(.)", re.DOTALL)
_DURATION: Final = re.compile(
    r"duration: ([0-9]{1,15}(?:\.[0-9]{1,6})?) ms"
    r"(?:  (?:statement|execute [^:]{1,128}|parse [^:]{1,128}|bind [^:]{1,128}): )?"
)
_COLUMNS: Final = (
    "time", "user", "database", "pid", "remote", "session_id", "session_line", "command_tag", "session_start",
    "virtual_transaction_id", "transaction_id", "severity", "sqlstate", "message", "detail", "hint", "internal_query",
    "internal_query_position", "context", "statement", "statement_position", "location", "application_name",
    "backend_type", "leader_pid", "query_id",
)  # fmt: skip
_TYPES: Final = {"pid": "integer", "session_line": "integer", "leader_pid": "integer"}


class PostgresqlParser(Parser):
    """``log_line_prefix`` (default ``%m [%p] ``) is what ``postgresql.conf`` has; ``format csv`` reads ``csvlog``.

    Lines that go on begin with a tab. ``duration_ms`` and ``statement`` are taken from messages that have them.
    """

    type: ClassVar[str] = "postgresql"
    multi_line: bool = True

    def __init__(self, reader: SectionReader) -> None:
        self._csv = reader.choice("format", ("stderr", "csv"), "stderr") == "csv"
        prefix = reader.string("log_line_prefix", "%m [%p] ")
        self._regexp = RubyRegexp(rf"/\A{_prefix(reader, prefix)}{_SEVERITY}:  (?<message>.*)\z/m")
        self._fields = Fields(reader, time_key="time", types=_TYPES)
        self._begin = RubyRegexp(r"\A[0-9]{4}-[0-9]{2}-[0-9]{2} ") if self._csv else self._regexp

    def begins(self, line: str) -> bool:
        """Whether a line has the prefix."""
        return self._begin.matches(line)

    def parse(self, text: str, now_ns: int = 0) -> list[Parsed]:
        """One record of a message with its lines."""
        record: dict[str, Any] | None
        if self._csv:
            values = csv_values(text, ",")
            record = {name: value for name, value in zip(_COLUMNS, values, strict=False) if value is not None}
            if "message" not in record or "severity" not in record:
                raise ParseError("the line does not have the columns of csvlog")
        else:
            record = self._regexp.fields(text)
            if record is None:
                raise ParseError("the line has neither log_line_prefix nor a severity behind it")
            record = {name: value for name, value in record.items() if value}
            record["message"] = record.get("message", "").replace("\n\t", "\n")
        if (took := _DURATION.match(record["message"])) is not None:
            record["duration_ms"] = float(took[1])
            if statement := record["message"][took.end() :]:
                record.setdefault("statement", statement)
        return [self._fields.finish(record, now_ns)]


def _prefix(reader: SectionReader, prefix: str) -> str:
    """The expression of a prefix. What follows ``%q`` is missing in lines of background processes."""
    out: list[str] = []
    at = optional = 0
    for match in _ESCAPE.finditer(prefix):
        out.append(re.escape(prefix[at : match.start()]))
        at = match.end()
        if match[1] == "q":
            out.append("(?:")
            optional += 1
        elif match[1] in _ESCAPES:
            out.append(_ESCAPES[match[1]])
        else:
            reader.problem(f"log_line_prefix has no %{match[1]}", "log_line_prefix")
    return "".join(out) + re.escape(prefix[at:]) + ")?" * optional
